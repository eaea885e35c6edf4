"""Restoring encoders beside plain encoding, and beside denoising first: equal bytes, one run.

    python -m bench.restore PICTURES [--every 4] [--rates 0.25 0.5] [-o bench/results/restore.json]

The middle 384 x 256 pixels of each picture: BM3D of a whole one takes a minute. Every way writes
files of `photo` of at most so many bytes; errors are to the clean picture. The denoisers are told
the noise (for JPEG its estimate), the restoring encoder is not. Needs
bench/requirements-restore.txt. What a results file has already is not measured again.
"""

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import vqcodec
from vqcodec.evaluation.machine import circumstances
from vqcodec.files import write_whole
from vqcodec.media.picture.crops import find_pictures
from vqcodec.media.picture.measures import ms_ssim, psnr, ssimulacra2

Pixels = NDArray[np.uint8]
Denoiser = Callable[[Pixels, float], Pixels]

NOISES = ("noise 10", "noise 25", "noise 50")
JPEGS = ("jpeg 10", "jpeg 20")
# Faster than the command's 5, the same for all.
EFFORT = 2


def damaged(clean: Pixels, damage: str, number: int) -> Pixels:
    """Noise drawn for each picture anew, or a JPEG of Pillow's, 4:2:0."""
    name, strength = damage.split()
    if name == "noise":
        noise = np.random.default_rng(number).normal(0, float(strength), clean.shape)
        return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(clean).save(file, "JPEG", quality=int(strength))
    return np.array(Image.open(file))


def sigma_of(pixels: Pixels, damage: str) -> float:
    """The deviation of the noise, in steps of 255; of a JPEG what scikit-image takes it for."""
    from skimage.restoration import estimate_sigma

    name, strength = damage.split()
    if name == "noise":
        return float(strength)
    found: float = estimate_sigma(pixels, channel_axis=2, average_sigmas=True)
    return max(1.0, found)


def non_local_means(pixels: Pixels, sigma: float) -> Pixels:
    """As scikit-image's example has it: patches of 5, within 6, fast."""
    from skimage.restoration import denoise_nl_means

    found = denoise_nl_means(
        pixels / 255,
        h=0.8 * sigma / 255,
        sigma=sigma / 255,
        patch_size=5,
        patch_distance=6,
        fast_mode=True,
        channel_axis=2,
    )
    return in_eight_bits(255 * found)


def wavelets(pixels: Pixels, sigma: float) -> Pixels:
    """BayesShrink on luma and chroma."""
    from skimage.restoration import denoise_wavelet

    found = denoise_wavelet(
        pixels / 255, sigma=sigma / 255, convert2ycbcr=True, channel_axis=2, rescale_sigma=True
    )
    return in_eight_bits(255 * found)


def bm3d(pixels: Pixels, sigma: float) -> Pixels:
    """BM3D of colours by its authors' package."""
    from bm3d import bm3d_rgb

    return in_eight_bits(255 * bm3d_rgb(pixels / 255, sigma / 255))


def in_eight_bits(values: NDArray[np.float64]) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


DENOISERS: dict[str, Denoiser] = {
    "non-local means": non_local_means,
    "wavelets": wavelets,
    "bm3d": bm3d,
}


MIDDLE = (256, 384)


def ways(damage: str) -> list[str]:
    """All of them where the goal is set; elsewhere without those that take long."""
    return ["plain", "restored", *(DENOISERS if damage == "noise 25" else ("wavelets",))]


def middle(pixels: Pixels) -> Pixels:
    top, left = ((a - min(a, b)) // 2 for a, b in zip(pixels.shape, MIDDLE, strict=False))
    return np.ascontiguousarray(pixels[top : top + MIDDLE[0], left : left + MIDDLE[1]])


def measure(path: Path, number: int, damage: str, rates: list[float]) -> list[dict[str, object]]:
    """What every way gives for one picture."""
    clean = middle(np.array(Image.open(path).convert("RGB")))
    bad = damaged(clean, damage, number)
    plain = vqcodec.load("photo", device="cpu")
    restoring = vqcodec.load("photo", restore=damage.split()[0], device="cpu")
    assert restoring.card.fingerprint == plain.card.fingerprint
    sigma = sigma_of(bad, damage)
    records: list[dict[str, object]] = []
    for way in ways(damage):
        began = time.perf_counter()
        source = DENOISERS[way](bad, sigma) if way in DENOISERS else bad
        seconds = time.perf_counter() - began
        codec = restoring if way == "restored" else plain
        for rate in rates:
            try:
                data = codec.encode(source, bpp=rate, effort=EFFORT)
            except vqcodec.errors.InputError:
                # Noise that no quality makes so small.
                continue
            decoded = plain.decode(data)
            records.append(
                {
                    "set": path.parent.name,
                    "picture": path.name,
                    "damage": damage,
                    "way": way,
                    "rate": rate,
                    "bytes": len(data),
                    "psnr": psnr(decoded, clean),
                    "ms-ssim": ms_ssim(decoded, clean),
                    "ssimulacra2": ssimulacra2(decoded, clean),
                    "seconds_before": seconds,
                }
            )
    return records


def table(records: list[dict[str, object]]) -> str:
    """Medians over pictures, Markdown."""
    lines = [
        "| pictures | damage | bpp | way | PSNR | MS-SSIM | SSIMULACRA2 |",
        "|---|---|---|---|---|---|---|",
    ]
    of_row = ("set", "damage", "rate", "way")
    keys = dict.fromkeys(tuple(r[name] for name in of_row) for r in records)
    for key in sorted(keys, key=lambda key: (*map(str, key[:2]), float(str(key[2])))):
        own = [r for r in records if tuple(r[name] for name in of_row) == key]
        of = {
            name: statistics.median(float(str(r[name])) for r in own)
            for name in ("psnr", "ms-ssim", "ssimulacra2")
        }
        place, damage, rate, way = key
        lines.append(
            f"| {len(own)} {place} | {damage} | {rate} | {way} | {of['psnr']:.2f} | "
            f"{of['ms-ssim']:.4f} | {of['ssimulacra2']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="every n-th picture alone")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.25, 0.5])
    parser.add_argument("--damages", nargs="+", default=[*NOISES, *JPEGS])
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/restore.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    records: list[dict[str, object]] = []
    if args.output.exists():
        records = json.loads(args.output.read_text())["records"]
    paths = find_pictures(args.folder)[:: args.every]
    there = {(r["set"], r["picture"], r["damage"]) for r in records}
    for number, path in enumerate(paths):
        for damage in args.damages:
            if (args.folder.name, path.name, damage) in there:
                continue
            records += measure(path, number, damage, args.rates)
            facts = circumstances(("bm3d", "pillow", "scikit-image", "ssimulacra2", "torch"))
            result = {"effort": EFFORT, "circumstances": facts, "records": records}
            write_whole(args.output, (json.dumps(result, indent=1) + "\n").encode())
            print(f"{path.name} {damage}", flush=True)
    print(table(records))


if __name__ == "__main__":
    main()
