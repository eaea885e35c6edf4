"""Coders of arrays within an error bound, side by side: bytes, errors reached, PSNR and speed.

    python -m bench.arrays FOLDER             everything; an hour
    python -m bench.arrays FOLDER --jobs 2    sizes in half the time, and seconds worth less
    python -m bench.arrays FOLDER --go-on     after a run that was stopped, by the same commit
    python -m bench.arrays --report-only      the table from the JSON that is there

FOLDER holds the arrays of other people (bench/array_fields.py says which); those that are made
here need none. Every coder must keep the bound on every value, ours as well: who breaks it is
named in the table, and what he needed does not count. Needs bench/requirements-arrays.txt.
Writes bench/results/arrays.json, and from it the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.array_fields import FILES, MADE, read
from bench.array_report import write_report
from vqcodec.evaluation import circumstances

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "bench" / "results" / "arrays.json"
CODERS = ("vqcodec", "zfp", "SZ3", "SPERR", "LERC", "JPEG-LS", "JPEG XL", "pcodec", "zstd")
PACKAGES = ("zfpy", "pysz", "imagecodecs", "pcodec", "zstandard")
BOUNDS = {"10 %": 0.1, "1 %": 0.01, "0.1 %": 0.001, "0.01 %": 0.0001, "lossless": 0.0}

Values = NDArray[Any]


def bounds_of(values: Values) -> Iterator[tuple[str, float]]:
    """The bounds of an array; of integers whole ones, and those below 1 are lossless."""
    finite = values[np.isfinite(values)].astype(np.float64)
    spread = float(finite.max() - finite.min())
    for title, part in BOUNDS.items():
        bound = part * spread
        if values.dtype.kind != "f":
            bound = float(np.floor(bound))
        if bound or title == "lossless":
            yield title, bound


def run_trial(path: Path, coder: str, bound: float, seconds: float) -> dict[str, Any]:
    """Every setting of a coder in a process of its own, on one thread."""
    pools = {f"{pool}_NUM_THREADS": "1" for pool in ("OMP", "MKL", "OPENBLAS")}
    command = [sys.executable, "-m", "bench.array_trial", str(path), coder, repr(bound)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | pools, capture_output=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return {"missing": f"took more than {seconds:g} s"}
    if done.returncode:
        return {"missing": f"exit status {done.returncode}: {done.stderr.decode()[-300:]}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure_array(
    name: str, values: Values, tasks: list[tuple[str, float, str]], jobs: int, seconds: float
) -> Iterator[dict[str, Any]]:
    """Coders within bounds, each as it comes to its end."""

    def measure(task: tuple[str, float, str]) -> dict[str, Any]:
        title, bound, coder = task
        found = run_trial(path, coder, bound, seconds)
        kept = [row["bytes"] for row in found.get("rows", ()) if row.get("kept")]
        print(name, title, coder, min(kept, default=found.get("missing")), flush=True)
        return {"array": name, "bound": title, "max_error": bound, "coder": coder, **found}

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        path = Path(folder) / "values.npy"
        np.save(path, values)
        yield from pool.map(measure, tasks)


def measure_all(arrays: dict[str, Values], data: dict[str, Any], given: argparse.Namespace) -> None:
    """Everything that data does not have yet, small arrays first; it is saved as it grows."""
    done = {(row["array"], row["bound"], row["coder"]) for row in data["rows"]}
    for name, values in sorted(arrays.items(), key=lambda item: item[1].size):
        about = {"shape": values.shape, "dtype": values.dtype.name, "bytes": values.nbytes}
        data["arrays"][name] = about
        tasks = [
            (*bound, coder)
            for bound in bounds_of(values)
            for coder in given.coders.split(",")
            if (name, bound[0], coder) not in done
        ]
        for row in measure_array(name, values, tasks, given.jobs, given.seconds):
            data["rows"].append(row)
            given.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, save, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--arrays", help="names of some, separated by semicolons")
    parser.add_argument("--coders", default=",".join(CODERS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900, help="of one coder and bound")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    parser.add_argument("--go-on", action="store_true", help="with what the JSON has not yet")
    parser.add_argument("--report-only", action="store_true")
    given = parser.parse_args()
    if not given.report_only:
        load = os.getloadavg()[0]
        names = list(MADE) if given.folder is None else [*FILES, *MADE]
        chosen = given.arrays.split(";") if given.arrays else names
        arrays = {n: MADE[n]() if n in MADE else read(given.folder, n) for n in chosen}
        where = circumstances(PACKAGES) | {"load_before": load, "jobs": given.jobs}
        data: dict[str, Any] = {**where, "arrays": {}, "rows": []}
        if given.go_on:
            data = json.loads(given.output.read_text(encoding="utf-8"))
        measure_all(arrays, data, given)
    if given.output == RESULT:
        write_report(RESULT, ROOT / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
