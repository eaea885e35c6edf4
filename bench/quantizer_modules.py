"""Time modules of vector-quantize-pytorch as they come and with our kernels, one thread each.

    python -m bench.quantizer_modules            about three minutes on an idle machine
    python -m bench.quantizer_modules --quick    two runs of each, for trying the script

Both copies see the same rows, their codes are compared, and then they take turns. Peak memory is
what a fresh process needs beyond what it had before the call, as Linux counts it. Writes
bench/results/quantizer_modules.json, and from it the table in kernels/README.md.
"""

import argparse
import copy
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from vector_quantize_pytorch import VectorQuantize

from bench.kernels_cpu import ROOT, machine
from vqcodec_kernels.integrations.vector_quantize_pytorch import use_kernels

RESULT = ROOT / "bench" / "results" / "quantizer_modules.json"
BEGIN, END = "<!-- quantizer-modules: begin -->", "<!-- quantizer-modules: end -->"

BATCH, ROWS = 8, 1024
MODULES: dict[str, dict[str, Any]] = {
    "K 1024, D 64": {"dim": 64, "codebook_size": 1024},
    "K 1024, D 64, 4 heads": {"dim": 256, "codebook_size": 1024, "heads": 4, "codebook_dim": 64},
    "K 8192, D 8": {"dim": 8, "codebook_size": 8192},
}

# Codes in a hundred thousand that the package's float32 distances may choose otherwise.
TOLERATED = 100


def make(name: str, kernels: bool) -> tuple[nn.Module, Tensor]:
    """A module whose codes lie among the rows, and the rows."""
    torch.manual_seed(7)
    module, x = VectorQuantize(**MODULES[name]), torch.randn(BATCH, ROWS, MODULES[name]["dim"])
    vectors = module._codebook.embed
    vectors.copy_(torch.randn(vectors.shape))
    return (use_kernels(module) if kernels else module), x


def run(module: nn.Module, x: Tensor) -> Tensor:
    """One step of training, moving averages and gradient included, or one evaluation; the codes."""
    if not module.training:
        with torch.no_grad():
            codes: Tensor = module(x)[1]
        return codes
    x = x.detach().requires_grad_()
    values, codes, loss = module(x)
    (values.sum() + loss.sum()).backward()
    return codes


def peak_mib(name: str, kernels: bool) -> float:
    """What one step of training needs, beyond the modules and a small step before it."""
    module, x = make(name, kernels)
    run(module, x[:1, :8])
    before = _high_water_mib()
    run(module, x)
    return _high_water_mib() - before


def _high_water_mib() -> float:
    # Not getrusage: its maximum is inherited from the process that started this one.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 1024
    raise SystemExit("this system does not tell the most memory that a process had")


def peak_in_fresh_process(name: str, kernels: bool) -> float:
    """The same, where nothing was allocated and freed before."""
    command = [sys.executable, "-m", "bench.quantizer_modules", "--peak", name, str(int(kernels))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def time_by_turns(theirs: nn.Module, ours: nn.Module, x: Tensor, runs: int) -> dict[str, list[Any]]:
    """Milliseconds of each, median, 20th and 80th percentile."""
    times: dict[str, list[float]] = {"package": [], "kernels": []}
    for turn in range(runs + 1):
        for who, module in (("package", theirs), ("kernels", ours)):
            start = time.perf_counter()
            run(module, x)
            if turn:
                times[who].append((time.perf_counter() - start) * 1e3)
    return {who: summary(found) for who, found in times.items()}


def summary(times: list[float]) -> list[float]:
    """Median, 20th and 80th percentile."""
    fifths = statistics.quantiles(times, n=5, method="inclusive")
    return [statistics.median(times), fifths[0], fifths[-1]]


def measure(name: str, runs: int) -> dict[str, Any]:
    """Verify, then time training and evaluation, then measure memory."""
    theirs, x = make(name, kernels=False)
    ours, _ = make(name, kernels=True)
    # On copies: the averages of both move, and differences of rounding with them.
    expected, found = (run(copy.deepcopy(module), x) for module in (theirs, ours))
    different = int((expected != found).sum())
    if different * 100_000 > TOLERATED * found.numel():
        raise SystemExit(f"{name}: {different} of {found.numel()} codes differ")
    row: dict[str, Any] = {"name": name, "codes": found.numel(), "different": different}
    for mode in (True, False):
        theirs.train(mode)
        ours.train(mode)
        row["training" if mode else "evaluation"] = time_by_turns(theirs, ours, x, runs)
    row["peak_mib"] = {
        who: peak_in_fresh_process(name, kernels)
        for who, kernels in (("package", False), ("kernels", True))
    }
    return row


def table(data: dict[str, Any]) -> list[str]:
    """Where and when, and one line for each module."""
    where = data["machine"]
    lines = [
        f"{where['processor']}, one thread, torch {where['torch']}, vector-quantize-pytorch "
        f"{data['package']}, commit {where['commit'][:12]}, {where['date'][:10]}. Load before the "
        f"run: {where['load_before']:.2f}. {BATCH * ROWS} rows in each call; milliseconds, median "
        f"of {data['runs']} (20th to 80th percentile), by turns. A training step has the moving "
        "averages and the gradient of the rows in it; peak memory is what it takes on top.",
        "",
        "| `VectorQuantize` | step | package | with kernels | times | peak, package | with kernels "
        "| codes that differ |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in data["rows"]:
        for step in ("training", "evaluation"):
            theirs, ours = row[step]["package"], row[step]["kernels"]
            peaks = [f"{row['peak_mib'][who]:.0f} MiB" for who in ("package", "kernels")]
            rest = [*peaks, f"{row['different']} of {row['codes']}"]
            cells = [row["name"], step, *map(_cell, (theirs, ours)), f"{theirs[0] / ours[0]:.0f}x"]
            cells += rest if step == "training" else [""] * 3
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def _cell(times: list[float]) -> str:
    return "{:.1f} ({:.1f} to {:.1f})".format(*times)


def write_report(data: dict[str, Any], readme: Path) -> None:
    """Replace what stands between the markers."""
    before, rest = readme.read_text().split(BEGIN)
    _, after = rest.split(END)
    readme.write_text(before + "\n".join([BEGIN, *table(data), END]) + after)


def main() -> None:
    """Measure, save, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few runs of each; try the script")
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--peak", nargs=2, metavar=("NAME", "KERNELS"), help="one fresh process")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.peak:
        print(peak_mib(given.peak[0], given.peak[1] == "1"))
        return
    os.environ |= {f"{pool}_NUM_THREADS": "1" for pool in ("OMP", "MKL", "OPENBLAS")}
    runs = 2 if given.quick else 9
    data = {"machine": machine(), "runs": runs}
    data["package"] = importlib.metadata.version("vector-quantize-pytorch")
    data["rows"] = [measure(name, runs) for name in MODULES]
    given.output.write_text(json.dumps(data, indent=1) + "\n")
    print("\n".join(table(data)))
    if given.output == RESULT:
        write_report(data, ROOT / "kernels" / "README.md")


if __name__ == "__main__":
    main()
