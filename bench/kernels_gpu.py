"""Nearest-code search on a CUDA device beside what people use today.

    python -m bench.kernels_gpu [--json FILE]
    TRITON_INTERPRET=1 python -m bench.kernels_gpu --toy

What is missing is said before anything runs: without a CUDA device or triton there is nothing to
measure; peers that are not installed are left out, and the table says so. Every method runs in a
process of its own. Its codes are compared with the float64 definition before it is timed; the table
says how many rows differ.
--toy runs the same program at small sizes on the CPU: it checks the program, it measures nothing.
"""

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench.kernels_gpu_peers import PEERS, RESIDUAL_METHODS, Method, methods
from bench.kernels_gpu_report import save, table
from vqcodec_kernels.search import reference

SHAPES = [
    (1 << 20, 1024, 64),
    (1 << 20, 8192, 64),
    (1 << 20, 16384, 256),
    (1 << 18, 1024, 8),
    (1 << 16, 65536, 32),
    (4096, 1024, 128),
]
TOY_SHAPES = [(100, 70, 16), (40, 130, 8)]
RESIDUAL = (1 << 18, 8, 1024, 64)
TOY_RESIDUAL = (40, 3, 32, 16)
# Rows whose codes are checked: the definition in float64 takes longer than every method here.
CHECKED = 1 << 14


def missing(toy: bool) -> list[str]:
    """What nothing can be measured without and is not there."""
    lacking = []
    if importlib.util.find_spec("triton") is None:
        lacking.append("triton is not installed")
    if toy:
        if os.environ.get("TRITON_INTERPRET") != "1":
            lacking.append("--toy needs TRITON_INTERPRET=1")
        return lacking
    if not torch.cuda.is_available():
        built = torch.version.cuda or "none"
        lacking.append(
            f"no CUDA device (torch {torch.__version__}, built for CUDA {built}); "
            "--toy checks the program without one"
        )
    if os.environ.get("TRITON_INTERPRET") == "1":
        lacking.append("TRITON_INTERPRET=1 is set: the kernels would not be compiled")
    return lacking


def absent_peers() -> list[str]:
    return [name for module, name in PEERS.items() if importlib.util.find_spec(module) is None]


def measure(run: Callable[[], Any], device: str, seconds: float) -> dict[str, float]:
    """Median, p20 and p80 of the seconds of a call, and the most memory beyond its inputs."""
    run()
    synchronize(device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    taken: list[float] = []
    stop = time.perf_counter() + seconds
    while len(taken) < 3 or time.perf_counter() < stop:
        taken.append(time_once(run, device))
    deciles = statistics.quantiles(taken, n=10)
    result = {"median_s": statistics.median(taken), "p20_s": deciles[1], "p80_s": deciles[7]}
    if device == "cuda":
        result["extra_bytes"] = float(torch.cuda.max_memory_allocated() - before)
    return result


def time_once(run: Callable[[], Any], device: str) -> float:
    if device != "cuda":
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
    start_event = torch.Event("cuda", enable_timing=True)
    stop_event = torch.Event("cuda", enable_timing=True)
    start_event.record()
    run()
    stop_event.record()
    stop_event.synchronize()
    return float(start_event.elapsed_time(stop_event)) * 1e-3


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def compare(name: str, place: int, toy: bool) -> dict[str, Any]:
    """Check and time one method at one shape; a peer that is missing is its result."""
    device, seconds = ("cpu", 0.0) if toy else ("cuda", 0.5)
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    try:
        if name in RESIDUAL_METHODS:
            return compare_residual(RESIDUAL_METHODS[name], toy, device, seconds)
        rows, size, dim = (TOY_SHAPES if toy else SHAPES)[place]
        x, codebook = torch.randn(rows, dim, device=device), torch.randn(size, dim, device=device)
        run = methods(compiled=not toy)[name](x, codebook)
        expected = torch.as_tensor(reference.nearest_code(x[:CHECKED], codebook))
        differ = int(run()[:CHECKED].ne(expected).sum())
        result = {"checked": len(expected), "differ": differ, **measure(run, device, seconds)}
        return {**result, "distances_per_s": rows * size / result["median_s"]}
    except ImportError as error:
        return {"error": str(error)}


def compare_residual(method: Method, toy: bool, device: str, seconds: float) -> dict[str, Any]:
    rows, stages, size, dim = TOY_RESIDUAL if toy else RESIDUAL
    x = torch.randn(rows, dim, device=device)
    books = torch.randn(stages, size, dim, device=device)
    run = method(x, books)
    expected = reference.residual_codes(x[:CHECKED], books)
    differ = int(run()[:CHECKED].ne(expected).any(1).sum())
    return {"checked": len(expected), "differ": differ, **measure(run, device, seconds)}


def ceilings() -> dict[str, float]:
    """What this device reaches: bytes copied and half-precision operations, per second."""
    source = torch.randn(1 << 29, device="cuda")
    target = torch.empty_like(source)
    copy = measure(lambda: target.copy_(source), "cuda", 1.0)["median_s"]
    left = torch.randn(8192, 8192, device="cuda").half()
    product = measure(lambda: left @ left, "cuda", 1.0)["median_s"]
    return {"copy_bytes_per_s": 2**32 / copy, "half_flop_per_s": 2 * 8192**3 / product}


def machine() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent
    ).stdout.strip()
    versions = {}
    for package in ("torch", "triton", *PEERS.values()):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "device": torch.cuda.get_device_name(),
        "python": platform.python_version(),
        "versions": versions,
        "commit": commit,
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "ceilings": ceilings(),
    }


def in_own_process(name: str, place: int, toy: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.kernels_gpu", "--method", name, "--place", str(place)]
    done = subprocess.run([*command, *(["--toy"] if toy else [])], capture_output=True, text=True)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_all(toy: bool) -> list[dict[str, Any]]:
    shapes: list[tuple[int, ...]] = [*(TOY_SHAPES if toy else SHAPES)]
    results = []
    for place, shape in enumerate(shapes):
        for name in methods(compiled=False):
            results.append({"method": name, "shape": shape, **in_own_process(name, place, toy)})
    for name in RESIDUAL_METHODS:
        shape = TOY_RESIDUAL if toy else RESIDUAL
        results.append({"method": name, "shape": shape, **in_own_process(name, 0, toy)})
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="default: bench/results/kernels_gpu.json")
    parser.add_argument("--toy", action="store_true", help="small sizes on the CPU, no results")
    parser.add_argument("--method", help="run one method here and print its JSON")
    parser.add_argument("--place", type=int, default=0, help="which shape, with --method")
    arguments = parser.parse_args()
    if arguments.method:
        print(json.dumps(compare(arguments.method, arguments.place, arguments.toy)))
        return
    if lacking := missing(arguments.toy):
        raise SystemExit("kernels_gpu: " + "; ".join(lacking))
    if peers := absent_peers():
        print(f"kernels_gpu: without {', '.join(peers)} (pip install them to compare)", flush=True)
    results = run_all(arguments.toy)
    print(table(results))
    if not arguments.toy:
        path = arguments.json or Path(__file__).parent / "results" / "kernels_gpu.json"
        save(path, machine(), results)


if __name__ == "__main__":
    main()
