"""A picture of any size that is made row by row, in the memory of some thousand rows.

    python bench/gigapixel.py gigapixel.tif                    # 32768 x 32768 pixels
    python bench/gigapixel.py small.png --extent 3000 4000

It is a mosaic: each cell of 1,024 x 1,024 pixels shows another place of a texture of 2,048 x 2,048,
turned, in other colours and at its own contrast, so that no two regions are alike. The texture is
noise of a photograph's spectrum, cut by hard edges. The same seed gives the same pixels.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vqcodec.files import open_whole
from vqcodec.media.picture.png_rows import write_png
from vqcodec.media.picture.tiff import write_tiff

__all__ = ["mosaic", "write_mosaic"]

Pixels = NDArray[np.uint8]

CELL, SIDE = 1024, 2048


def texture(seed: int) -> Pixels:
    """Noise whose amplitude falls as frequency ** -1.3, in two layers with edges between them."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE))
    frequency[0, 0] = np.inf
    layers = [
        np.fft.irfft2(np.fft.rfft2(random.standard_normal((SIDE, SIDE))) / frequency**power)
        for power in (1.3, 1.3, 1.3, 1.1, 2.2)
    ]
    near, blue, red, far, edge = (layer / layer.std() for layer in layers)
    light = np.where(edge > 0.3, 30 + 25 * far, 25 * near)
    colours = [light + 8 * red, light, light - 8 * red + 6 * blue]
    found: Pixels = np.clip(np.stack(colours, axis=2) + 115, 0, 255).astype(np.uint8)
    return found


def cell(pattern: Pixels, random: np.random.Generator) -> Pixels:
    """A place of the texture, turned, its channels in another order, at another contrast."""
    shift = random.integers(SIDE, size=2)
    rows, columns = ((np.arange(CELL) + start) % SIDE for start in shift)
    shown = np.rot90(pattern[rows[:, None], columns], int(random.integers(4)))
    levels = np.clip((np.arange(256) - 115) * random.uniform(0.6, 1.4) + 115, 0, 255)
    found: Pixels = levels.astype(np.uint8)[shown[:, :, random.permutation(3)]]
    return found


def mosaic(extent: tuple[int, int], seed: int = 0) -> Iterator[Pixels]:
    """The rows of the picture, uint8 (up to 1,024, W, 3), from the top."""
    height, width = extent
    pattern = texture(seed)
    for number, top in enumerate(range(0, height, CELL)):
        random = np.random.default_rng([seed, number])
        band = np.empty((min(CELL, height - top), width, 3), np.uint8)
        for left in range(0, width, CELL):
            room = band[:, left : left + CELL]
            room[:] = cell(pattern, random)[: room.shape[0], : room.shape[1]]
        yield band


def write_mosaic(path: Path, extent: tuple[int, int], seed: int = 0) -> None:
    """Write the picture as PNG or TIFF, by its suffix."""
    write = {".png": write_png, ".tif": write_tiff, ".tiff": write_tiff}[path.suffix]
    with open_whole(path) as file:
        write(file, mosaic(extent, seed), extent=extent, channels=3, icc=None, exif=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path, help="a .tif or .png")
    parser.add_argument(
        "--extent", type=int, nargs=2, default=(32768, 32768), metavar=("HEIGHT", "WIDTH")
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    write_mosaic(args.output, tuple(args.extent), args.seed)


if __name__ == "__main__":
    main()
