"""Bytes of soft alpha beside PNG and WebP, and how fast planes are coded: made masks, verified.

    python bench/alpha.py

`rows` is the form of filtered rows that a plane had before, WebP its ALPH chunk at method 6.
"""

import io
import itertools
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from vqcodec.media.picture.alpha import decode_alpha, encode_alpha, encode_rows
from vqcodec.media.picture.alpha_levels import with_alpha_quality
from vqcodec.media.picture.alpha_mixing import encode_tiles
from vqcodec.media.picture.channels import alpha_of
from vqcodec.media.picture.signal import Picture

Plane = npt.NDArray[np.uint8]

SIDE = 512
QUALITIES = (80, 60, 40)
RUNS = 3
_WORDS = ("Vector quantisation", "finds the nearest", "code of a codebook", "0123456789 & soft")


def drawn(draw: Callable[[ImageDraw.ImageDraw], None], blur: float) -> Plane:
    """What is drawn in white on black, blurred."""
    image = Image.new("L", (SIDE, SIDE))
    draw(ImageDraw.Draw(image))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur)))


def text(draw: ImageDraw.ImageDraw) -> None:
    """Lines of antialiased letters, in sizes from 16 to 58 points."""
    for number in range(12):
        size = 16 + 14 * (number % 4)
        font = ImageFont.load_default(size=size)
        draw.text((10, 42 * number), _WORDS[number % 4], fill=255, font=font)


def masks() -> dict[str, Plane]:
    """The masks by name."""
    y, x = np.mgrid[:SIDE, :SIDE]
    corners = [(60, 80), (430, 40), (470, 300), (300, 250), (250, 470), (90, 390)]
    disc = drawn(lambda draw: draw.ellipse((76, 76, 436, 436), fill=255), 12)
    noise = np.random.default_rng(1).normal(0, 3, disc.shape)
    noisy = np.where((disc > 0) & (disc < 255), np.clip(np.rint(disc + noise), 0, 255), disc)
    return {
        "blurred disc": disc,
        "the same, noise of 3 in the rim": noisy.astype(np.uint8),
        "feathered polygon": drawn(lambda draw: draw.polygon(corners, fill=255), 6),
        "gradient": ((3 * x + y) * 255 // (4 * (SIDE - 1))).astype(np.uint8),
        "radial gradient": np.clip(300 - np.hypot(y - 200, x - 300), 0, 255).astype(np.uint8),
        "antialiased text": drawn(text, 0),
    }


def png(plane: Plane) -> int:
    """Bytes of the plane as a PNG."""
    file = io.BytesIO()
    Image.fromarray(plane).save(file, "PNG", optimize=True)
    return len(file.getvalue())


def webp(plane: Plane) -> int:
    """Bytes of the ALPH chunk of a WebP whose alpha is the plane, without loss."""
    colours = np.zeros((*plane.shape, 3), np.uint8)
    file = io.BytesIO()
    image = Image.fromarray(np.dstack([colours, plane]))
    image.save(file, "WEBP", quality=50, alpha_quality=100, method=6)
    data = file.getvalue()
    with Image.open(io.BytesIO(data)) as again:
        assert np.array_equal(np.asarray(again)[:, :, 3], plane)
    place = data.index(b"ALPH") + 4
    return 8 + int.from_bytes(data[place : place + 4], "little")


def coarser(plane: Plane, quality: float) -> Plane:
    """The plane at a quality."""
    grey = Picture(np.dstack([np.zeros_like(plane), plane]))
    whole = (slice(0, len(plane)), slice(0, plane.shape[1]))
    return alpha_of(with_alpha_quality(grey, quality).window(whole))


def ours(plane: Plane) -> int:
    """Bytes of the alpha chunk."""
    payload = encode_alpha(plane)
    assert np.array_equal(decode_alpha(payload, *plane.shape), plane)
    return len(payload)


def megapixels_a_second(plane: Plane) -> tuple[float, float]:
    """How fast tiles of a plane are encoded and decoded, by processor time: medians."""
    payload, found = encode_tiles(plane), list[list[float]]()
    for _ in range(RUNS):
        times = [time.process_time()]
        assert encode_tiles(plane) == payload
        times.append(time.process_time())
        assert np.array_equal(decode_alpha(payload, *plane.shape), plane)
        times.append(time.process_time())
        found.append([later - first for first, later in itertools.pairwise(times)])
    encode, decode = (statistics.median(times) for times in zip(*found, strict=True))
    return plane.size / encode / 1e6, plane.size / decode / 1e6


def main() -> None:
    """Print the tables."""
    print(f"{platform.machine()}, Python {platform.python_version()}, Pillow {PIL.__version__}\n")
    lower = " | ".join(f"quality {quality}" for quality in QUALITIES)
    print(f"| mask, {SIDE} x {SIDE} | PNG | WebP | rows | **alpha chunk** | {lower} |")
    print("|" + "---|" * (5 + len(QUALITIES)))
    for name, plane in masks().items():
        sizes = [png(plane), webp(plane), len(encode_rows(plane))]
        lossy = [ours(coarser(plane, quality)) for quality in QUALITIES]
        print(f"| {name} | " + " | ".join(f"{n:,}" for n in [*sizes, ours(plane), *lossy]) + " |")
    disc = masks()["blurred disc"]
    large = {
        "one disc, the rest transparent": np.pad(disc, ((700, 700), (800, 800))),
        "a disc in each tile": np.tile(disc, (4, 4)),
        "noise": np.random.default_rng(2).integers(0, 256, (1024, 1024)).astype(np.uint8),
    }
    print("\n| plane | Mpixel | encode, Mpixel a processor second | decode |\n|---|---|---|---|")
    for name, plane in large.items():
        speeds = megapixels_a_second(plane)
        print(f"| {name} | {plane.size / 1e6:.1f} | {speeds[0]:.2f} | {speeds[1]:.2f} |")


if __name__ == "__main__":
    main()
