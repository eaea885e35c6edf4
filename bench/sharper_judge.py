"""What the synthesis of bench/sharper.py is worth.

    python -m bench.sharper_judge PICTURES WORK [--all] [-o bench/results/sharper.json]
    python -m bench.sharper_judge PICTURES WORK --strip strip.png

Pictures that training held out (or all of a folder, with `--all`) are decoded by the model's own
synthesis, by both learned ones, and by weights half way to the sharper. `--strip` shows parts of
three of them, original, own and sharper, under each other.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

import vqcodec
from bench.sharper import (
    HELD_OUT,
    STRIDE,
    WEIGHTS,
    WEIGHTS_ALONE,
    Pixels,
    latent_of,
    synthesis_of_photo,
)
from bench.texture import patch_distances, power_lost
from vqcodec.evaluation import circumstances
from vqcodec.files import write_whole
from vqcodec.media.crops import split_files
from vqcodec.media.picture.crops import find_pictures, read_rgb
from vqcodec.media.picture.measures import ms_ssim, psnr, ssimulacra2

# Of a panel of a strip.
SIDE = 256


def ways(work: Path) -> dict[str, nn.Module]:
    """The model's own synthesis, both learned ones, and the one half way to the sharper."""
    own = synthesis_of_photo().eval()
    found = {"own": own}
    for name, share, weights in (
        ("alone", 1.0, WEIGHTS_ALONE),
        ("half way", 0.5, WEIGHTS),
        ("sharper", 1.0, WEIGHTS),
    ):
        learned = load_file(work / weights)
        between = synthesis_of_photo().eval()
        between.load_state_dict(
            {key: torch.lerp(t, learned[key], share) for key, t in own.state_dict().items()}
        )
        found[name] = between
    return found


@torch.no_grad()
def decoded_by(synthesis: nn.Module, latent: Tensor) -> Pixels:
    samples = synthesis(latent)[0].clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(samples.movedim(0, -1).numpy())


def judge(paths: list[Path], work: Path, rates: list[float]) -> list[dict[str, object]]:
    """At each rate and by each way: what is lost, and how far textures are from the originals'."""
    codec, found = vqcodec.load("photo", device="cpu"), ways(work)
    originals: list[Pixels] = []
    made: dict[tuple[float, str], list[Pixels]] = {(r, way): [] for r in rates for way in found}
    for path in paths:
        pixels = read_rgb(path)
        height, width = (length // STRIDE * STRIDE for length in pixels.shape[:2])
        pixels = np.ascontiguousarray(pixels[:height, :width])
        originals.append(pixels)
        for rate in rates:
            latent = latent_of(codec, codec.encode(pixels, bpp=rate, effort=2))
            for way, synthesis in found.items():
                made[rate, way].append(decoded_by(synthesis, latent))
        print(path.name, flush=True)
    return [
        {
            "rate": rate,
            "way": way,
            "psnr": statistics.mean(map(psnr, of, originals)),
            "ms_ssim": statistics.mean(map(ms_ssim, of, originals)),
            "ssimulacra2": statistics.mean(map(ssimulacra2, of, originals)),
            "patches": patch_distances(of, originals),
            "power_db": power_lost(of, originals),
        }
        for (rate, way), of in made.items()
    ]


def draw_strip(paths: list[Path], work: Path, rate: float) -> Image.Image:
    """Middles of pictures in columns: the original, by the own synthesis, by the sharper one."""
    codec, found = vqcodec.load("photo", device="cpu"), ways(work)
    rows: list[list[Pixels]] = [[], [], []]
    for path in paths:
        pixels = read_rgb(path)
        latent = latent_of(codec, codec.encode(pixels, bpp=rate))
        shown = [pixels, *(decoded_by(found[way], latent) for way in ("own", "sharper"))]
        top, left = ((length - SIDE) // 2 for length in pixels.shape[:2])
        for row, picture in zip(rows, shown, strict=True):
            row.append(picture[top : top + SIDE, left : left + SIDE])
    return Image.fromarray(np.concatenate([np.concatenate(row, axis=1) for row in rows]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.1, 0.2])
    parser.add_argument("--all", action="store_true", help="judge all of the folder's pictures")
    parser.add_argument("--strip", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/sharper.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    paths = find_pictures(given.folder)
    paths = paths if given.all else split_files(paths, held_out=HELD_OUT)[1]
    if given.strip is not None:
        draw_strip(paths[:3], given.work, given.rates[0]).save(given.strip)
        return
    records = judge(paths, given.work, given.rates)
    facts = circumstances(("ssimulacra2",))
    result = {"pictures": len(paths), "circumstances": facts, "records": records}
    write_whole(given.output, (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(records, indent=1))


if __name__ == "__main__":
    main()
