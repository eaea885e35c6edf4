"""One way to find nearest codes, at one shape, in a process of its own: verified, then timed.

Different OpenMP runtimes in one process slow each other down many times over; hence the process.
Run by `bench.kernels_cpu`: reads the expected codes, prints one line of JSON.
"""

import argparse
import importlib
import importlib.metadata
import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bench.ceilings import fma_gflops

Floats = npt.NDArray[np.float32]
Search = Callable[[], npt.NDArray[np.int64]]

# Rows in a hundred thousand that a float32 method may get wrong and still be timed.
TOLERATED = 30


def make_data(rows: int, size: int, dim: int) -> tuple[Floats, Floats]:
    """Gaussian rows, and codes near some of them as k-means would leave them."""
    generator = np.random.default_rng(20)
    x = generator.standard_normal((rows, dim), dtype=np.float32)
    noise = generator.standard_normal((size, dim), dtype=np.float32)
    codebook = 0.8 * x[generator.integers(rows, size=size)] + 0.2 * noise
    return x, codebook.astype(np.float32)


def float64_codes(x: Floats, codebook: Floats) -> npt.NDArray[np.int64]:
    """What all methods are compared with: ||c||^2 - 2 x.c in float64, block by block."""
    codes = torch.from_numpy(codebook).double()
    norms = codes.square().sum(1)
    blocks = torch.from_numpy(x).split(2048)  # type: ignore[no-untyped-call]
    found = [torch.addmm(norms, b.double(), codes.T, alpha=-2).argmin(1) for b in blocks]
    return torch.cat(found).numpy()


def _vqcodec(level: str | None) -> Callable[[Floats, Floats, int], Search]:
    def prepare(x: Floats, codebook: Floats, threads: int) -> Search:
        from vqcodec_kernels.search import native as native_search
        from vqcodec_kernels.search.level import LEVELS

        rows, codes = torch.from_numpy(x), torch.from_numpy(codebook)
        if level is not None and level not in LEVELS:
            raise ImportError(f"this processor has no {level}")

        def search() -> npt.NDArray[np.int64]:
            found = native_search.nearest_code(rows, codes, threads=threads, level=level)
            return found.numpy()

        return search

    return prepare


def _faiss(x: Floats, codebook: Floats, threads: int) -> Search:
    # By name: the type checker must not depend on which peers are installed.
    faiss: Any = importlib.import_module("faiss")
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(codebook.shape[1])
    index.add(codebook)
    return lambda: index.search(x, 1)[1][:, 0].astype(np.int64)


def _sklearn(x: Floats, codebook: Floats, threads: int) -> Search:
    from sklearn.metrics import pairwise_distances_argmin

    return lambda: pairwise_distances_argmin(x, codebook).astype(np.int64)


def _scipy(x: Floats, codebook: Floats, threads: int) -> Search:
    from scipy.cluster.vq import vq

    return lambda: vq(x, codebook, check_finite=False)[0].astype(np.int64)


def _torch_blocked(x: Floats, codebook: Floats, threads: int) -> Search:
    rows, codes = torch.from_numpy(x), torch.from_numpy(codebook)

    def search() -> npt.NDArray[np.int64]:
        norms = codes.square().sum(1)
        blocks = torch.split(rows, 1024)
        found = [torch.addmm(norms, block, codes.T, alpha=-2).argmin(1) for block in blocks]
        return torch.cat(found).numpy()

    return search


def _torch_cdist(x: Floats, codebook: Floats, threads: int) -> Search:
    rows, codes = torch.from_numpy(x), torch.from_numpy(codebook)
    return lambda: torch.cdist(rows, codes).argmin(1).numpy()


# Our own search: the level asked for, or None for the one that it chooses.
OWN_LEVELS = {
    "vqcodec": None,
    "vqcodec (AVX-512)": "avx512",
    "vqcodec (AVX2)": "avx2",
    "vqcodec (portable)": "portable",
}

# Name: what prepares the search, and the distribution whose version is noted.
METHODS: dict[str, tuple[Callable[[Floats, Floats, int], Search], str]] = {
    **{name: (_vqcodec(level), "vqcodec") for name, level in OWN_LEVELS.items()},
    "faiss-cpu": (_faiss, "faiss-cpu"),
    "torch, blocked": (_torch_blocked, "torch"),
    "torch.cdist": (_torch_cdist, "torch"),
    "scikit-learn": (_sklearn, "scikit-learn"),
    "scipy": (_scipy, "scipy"),
}


def default_level(rows: int, size: int, dim: int) -> str:
    """The level that our own search chooses for itself."""
    from vqcodec_kernels.search import level

    return level.default_level(rows, size, dim)


def time_search(search: Search, seconds: float, beside: Search | None = None) -> dict[str, float]:
    """Median, 20th and 80th percentile of the wall time, and the median of the CPU time, in ms.

    `beside` takes turns with the search, so that both meet the same state of the machine.
    """
    wall: list[float] = []
    cpu: list[float] = []
    other: list[float] = []
    stop = time.perf_counter() + seconds
    while len(wall) < 5 or (time.perf_counter() < stop and len(wall) < 200):
        start, start_cpu = time.perf_counter(), time.process_time()
        search()
        wall.append((time.perf_counter() - start) * 1e3)
        cpu.append((time.process_time() - start_cpu) * 1e3)
        if beside is not None:
            start = time.perf_counter()
            beside()
            other.append((time.perf_counter() - start) * 1e3)
    low, high = np.percentile(wall, [20, 80])
    found = {
        "median_ms": statistics.median(wall),
        "p20_ms": float(low),
        "p80_ms": float(high),
        "cpu_ms": statistics.median(cpu),
        "runs": len(wall),
    }
    return found | ({"alone_ms": statistics.median(other)} if other else {})


def measure(
    method: str,
    shape: tuple[int, int, int],
    threads: int,
    expected: str,
    seconds: float,
    ceiling: Path | None = None,
) -> dict[str, object]:
    """Verify one method against the expected codes, then time it.

    On several threads: beside itself on one, and with what the cores do at best before and after.
    """
    prepare, distribution = METHODS[method]
    try:
        version = importlib.metadata.version(distribution)
        x, codebook = make_data(*shape)
        torch.set_num_threads(threads)
        search = prepare(x, codebook, threads)
        alone = prepare(x, codebook, 1) if threads > 1 else None
    except ImportError as error:
        return {"missing": str(error)}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wrong = int((search() != np.load(expected)).sum())
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result: dict[str, object] = {"version": version, "wrong_rows": wrong}
    if method in OWN_LEVELS:
        result["level"] = OWN_LEVELS[method] or default_level(*shape)
    if wrong * 100_000 > TOLERATED * shape[0]:
        return result
    result["extra_peak_mib"] = (after - before) / 1024
    if ceiling is None or threads == 1:
        return result | time_search(search, seconds, alone)
    cores = [fma_gflops(ceiling, threads) / fma_gflops(ceiling)]
    result |= time_search(search, seconds, alone)
    cores.append(fma_gflops(ceiling, threads) / fma_gflops(ceiling))
    return result | {"cores_before_after": cores}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("shape", type=int, nargs=3)
    parser.add_argument("threads", type=int)
    parser.add_argument("expected")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--ceiling", type=Path, help="library built by bench.ceilings")
    given = vars(parser.parse_args())
    print(json.dumps(measure(**given | {"shape": tuple(given["shape"])})))
