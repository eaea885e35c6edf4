"""A field of any length in a .npy file, made slab by slab: for how a billion values are coded.

    python -m bench.array_billion field.npy                  # 1000 x 1000 x 1000 float32, 4 GB
    python -m bench.array_billion small.npy --slabs 10       # 10 x 1000 x 1000

Each slab is one texture, noise of slope 2.2 on a periodic square, moved by some pixels more than
the one before, and mixed with another one that changes slowly: so slabs follow from each other, and
none is another one's copy. The same seed gives the same field up to the last digits of an FFT.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.array_fields import random_field

SIDE = 1000


def write_field(path: Path, slabs: int, seed: int = 0) -> None:
    """Write float32 (slabs, 1000, 1000); memory is that of a few slabs."""
    rng = np.random.default_rng(seed)
    first, second = (random_field((SIDE, SIDE), 2.2, rng).astype(np.float32) for _ in range(2))
    shape = (slabs, SIDE, SIDE)
    field = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for number in range(slabs):
        moved = np.roll(first, (3 * number, 2 * number), (0, 1))
        angle = number / 100
        field[number] = math.cos(angle) * moved + math.sin(angle) * np.roll(second, -number, 1)
    field.flush()


def main(argv: Sequence[str] | None = None) -> None:
    """Make the field."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--slabs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    write_field(args.output, args.slabs, args.seed)


if __name__ == "__main__":
    main()
