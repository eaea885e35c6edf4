"""Time nearest-code search on the CPU beside its peers, and write what was found.

    python -m bench.kernels_cpu            about five minutes on an idle machine
    python -m bench.kernels_cpu --quick    one second less of everything, for trying the script

Writes bench/results/kernels_cpu.json, and from it the table and the plot in bench/README.md.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.ceilings import build_ceiling, copy_gb_per_s, fma_gflops
from bench.kernels_cpu_peers import METHODS, float64_codes, make_data
from bench.kernels_cpu_report import write_report

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "bench" / "results" / "kernels_cpu.json"
SHAPES = [(65536, 256, 8), (6144, 1024, 256), (65536, 1024, 64), (65536, 8192, 64)]
# Slower ways to compute the same thing are timed with one thread only.
MANY_THREADS = ["vqcodec"]


def run_method(
    method: str,
    shape: tuple[int, int, int],
    threads: int,
    expected: Path,
    seconds: float,
    ceiling: Path | None,
) -> dict[str, Any]:
    """Measure in a fresh process whose every thread pool has the same size."""
    pools = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "BLIS")
    environment = os.environ | {f"{pool}_NUM_THREADS": str(threads) for pool in pools}
    command = [sys.executable, "-m", "bench.kernels_cpu_peers", method, *map(str, shape)]
    command += [str(threads), str(expected), str(seconds)]
    finished = subprocess.run(
        command if ceiling is None else [*command, "--ceiling", str(ceiling)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        return {"missing": f"exit status {finished.returncode}: {finished.stderr[-300:]}"}
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def measure_all(seconds: float, threads: int, folder: Path) -> dict[str, Any]:
    """Every method at every shape with one thread; our own with more threads, too."""
    rows = []
    ceiling = build_ceiling(folder)
    ceilings = {
        "fma_gflops": None if ceiling is None else fma_gflops(ceiling),
        "copy_gb_per_s": copy_gb_per_s(),
    }
    for shape in SHAPES:
        expected = folder / "expected.npy"
        np.save(expected, float64_codes(*make_data(*shape)))
        runs = [(method, 1) for method in METHODS]
        runs += [(method, threads) for method in MANY_THREADS if threads > 1]
        for method, count in runs:
            found = run_method(method, shape, count, expected, seconds, ceiling)
            rows.append({"method": method, "shape": shape, "threads": count, **found})
            shown = found.get("median_ms", found.get("missing", "wrong"))
            print(f"{shape} {method} x{count}: {shown}", flush=True)
    return {"ceilings": ceilings, "rows": rows}


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and with which commit."""
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no", "kernels", "bench"],
        capture_output=True,
        text=True,
        check=True,
    )
    from vqcodec_kernels.search.level import LEVELS

    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "levels": LEVELS,
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "commit": commit.stdout.strip() + ("+changes" if changed.stdout.strip() else ""),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def main() -> None:
    """Measure, save, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few runs of each; try the script")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--report-only", action="store_true", help="from the JSON that is there")
    given = parser.parse_args()
    if not given.report_only:
        seconds = 0.2 if given.quick else 5.0
        result = {"machine": machine()}
        with tempfile.TemporaryDirectory() as folder:
            result |= measure_all(seconds, given.threads, Path(folder))
        given.output.write_text(json.dumps(result, indent=1) + "\n")
    if given.output == RESULT:
        write_report(RESULT, ROOT / "bench" / "README.md")


if __name__ == "__main__":
    main()
