"""Inpainting beside OpenCV and scikit-image: photographs that were held out of training, one run.

    python bench/inpaint.py FOLDER [--pictures 8] [-o bench/results/inpaint.json]

FOLDER is the one that the restoring encoder was trained on; only what training holds out is used,
the middle of each. PSNR is that of missing pixels, SSIMULACRA2 that of the picture with the rest
as it was. Needs scikit-image and opencv-python-headless.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vqcodec.evaluation.machine import circumstances
from vqcodec.files import write_whole
from vqcodec.inpainting import Inpainter
from vqcodec.media.crops import split_files
from vqcodec.media.picture.crops import find_pictures, read_rgb
from vqcodec.media.picture.damage import cover
from vqcodec.media.picture.measures import ssimulacra2

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

MASKS = [(kind, percent) for kind in ("round", "strokes") for percent in (5, 15)]
SIDES = (384, 512)


def opencv(method: str) -> Callable[[Pixels, Mask], Pixels]:
    import cv2

    flag = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}[method]

    def fill(pixels: Pixels, mask: Mask) -> Pixels:
        filled: Any = cv2.inpaint(pixels, mask.astype(np.uint8), 5, flag)
        return as_pixels(filled)

    return fill


def biharmonic(pixels: Pixels, mask: Mask) -> Pixels:
    from skimage.restoration import inpaint_biharmonic

    found = inpaint_biharmonic(pixels / 255, mask, split_into_regions=True, channel_axis=2)
    return as_pixels(np.clip(np.rint(255 * found), 0, 255))


def as_pixels(values: Any) -> Pixels:
    return np.asarray(values).astype(np.uint8)


def ways(restorer: str) -> dict[str, Callable[[Pixels, Mask], Pixels]]:
    ours = Inpainter(restore=restorer, device="cpu")

    def own(drawn_from: int | None) -> Callable[[Pixels, Mask], Pixels]:
        seed = None if drawn_from is None else 1
        return lambda pixels, mask: next(ours.fill(pixels, mask, seed=seed, drawn_from=drawn_from))

    return {
        "restoring encoder": own(None),
        "drawn from stage 4": own(4),
        "drawn, all stages": own(0),
        "opencv telea": opencv("telea"),
        "opencv navier-stokes": opencv("navier-stokes"),
        "biharmonic": biharmonic,
    }


def middle(pixels: Pixels) -> Pixels | None:
    top, left = ((length - side) // 2 for length, side in zip(pixels.shape[:2], SIDES, strict=True))
    if min(top, left) < 0:
        return None
    return np.ascontiguousarray(pixels[top : top + SIDES[0], left : left + SIDES[1]])


def table(records: list[dict[str, object]]) -> str:
    """Medians over pictures, Markdown."""
    lines = ["| mask | way | PSNR inside | SSIMULACRA2 | seconds |", "|---|---|---|---|---|"]
    for mask, way in dict.fromkeys((str(r["mask"]), str(r["way"])) for r in records):
        own = [r for r in records if (r["mask"], r["way"]) == (mask, way)]
        inside, look, seconds = (
            statistics.median(float(str(r[name])) for r in own)
            for name in ("psnr", "ssimulacra2", "seconds")
        )
        lines.append(f"| {mask} | {way} | {inside:.2f} | {look:.1f} | {seconds:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--restore", default="mask", help="restoring encoder, by name or file")
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/inpaint.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    _, held = split_files(find_pictures(args.folder), held_out=32)
    parts = [(path, middle(read_rgb(path))) for path in held]
    chosen = [(path, part) for path, part in parts if part is not None][: args.pictures]
    records: list[dict[str, object]] = []
    found = ways(args.restore)
    for number, (path, clean) in enumerate(chosen):
        for kind, percent in MASKS:
            random = np.random.default_rng([number, percent, len(kind)])
            mask = cover(*SIDES, percent, random, kind=kind).numpy()
            hidden = clean.copy()
            hidden[mask] = 0
            for way, fill in found.items():
                began = time.perf_counter()
                filled = fill(hidden, mask)
                seconds = time.perf_counter() - began
                assert np.array_equal(filled[~mask], clean[~mask]), way
                error = np.square(filled[mask].astype(float) - clean[mask]).mean()
                records.append(
                    {
                        "picture": path.name,
                        "mask": f"{kind} {percent} %",
                        "way": way,
                        "psnr": float(10 * np.log10(255**2 / error)),
                        "ssimulacra2": ssimulacra2(filled, clean),
                        "seconds": seconds,
                    }
                )
        print(path.name, flush=True)
    packages = ("opencv-python-headless", "scikit-image", "ssimulacra2", "torch")
    result = {"circumstances": circumstances(packages), "records": records}
    write_whole(args.output, (json.dumps(result, indent=1) + "\n").encode())
    print(table(records))


if __name__ == "__main__":
    main()
