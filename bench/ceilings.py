"""What the cores can do at best, measured without any of our code: multiply-adds and copies."""

import ctypes
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("fma_ceiling.c")


def build_ceiling(folder: Path) -> Path | None:
    """Compile the loop of multiply-adds into `folder`; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "ceiling.so"
    options = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "-o", library, SOURCE], check=True)
    return library


def fma_gflops(library: Path, threads: int = 1) -> float:
    """GFLOP/s of so many threads at once, without memory traffic; the GIL is not held.

    Two processors of a virtual machine may be one core of the real one for a while, so what
    several threads do is worth asking whenever something ran on several threads.
    """
    measure = ctypes.CDLL(str(library)).fma_ceiling
    measure.restype = ctypes.c_double
    with ThreadPoolExecutor(threads) as pool:
        rates = pool.map(lambda _: float(measure()), range(threads))
        return sum(rates) / 1e9


def copy_gb_per_s() -> float:
    """GB/s of one thread that reads one large array and writes another."""
    source = torch.ones(1 << 26)
    target = torch.empty_like(source)
    torch.set_num_threads(1)
    best = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        target.copy_(source)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best / 1e9
