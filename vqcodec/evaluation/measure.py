"""Running a codec over pictures: bytes of real files, distortion and time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vqcodec.errors import InputError
from vqcodec.evaluation.contestants import Contestant, Pixels
from vqcodec.metrics import bits_per_pixel, ms_ssim, ms_ssim_db, psnr

__all__ = ["Measurement", "Point", "evaluate", "has_ssimulacra2", "measure"]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One picture through one codec at one setting.

    size in bytes of the whole file; psnr in dB over 8-bit RGB; ms_ssim in [0, 1], NaN for a
    picture under 11 pixels; ssimulacra2 up to 100, None where its package is not installed.
    """

    image: str
    size: int
    bpp: float
    psnr: float
    ms_ssim: float
    ssimulacra2: float | None
    encode_seconds: float
    decode_seconds: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """One codec at one setting over all pictures: means of the per-picture values.

    ms_ssim_db is taken of the mean MS-SSIM, not the mean of decibels.
    """

    codec: str
    setting: float
    bpp: float
    psnr: float
    ms_ssim: float
    ms_ssim_db: float
    ssimulacra2: float | None
    encode_seconds: float
    decode_seconds: float
    images: tuple[Measurement, ...]


def evaluate(
    contestant: Contestant,
    pictures: Sequence[tuple[str, Pixels]],
    *,
    report: Callable[[], None] | None = None,
) -> list[Point]:
    """Measure every setting of a codec's ladder on every picture.

    pictures: names and uint8 (H, W, 3). report: called after each measurement.

    Raises:
        InputError: there are no pictures.
    """
    if not pictures:
        raise InputError("no pictures to measure on")
    points = []
    for setting in contestant.ladder:
        rows = []
        for name, pixels in pictures:
            rows.append(measure(contestant, setting, name=name, pixels=pixels))
            if report is not None:
                report()
        points.append(_mean(contestant.name, setting, rows))
    return points


def measure(contestant: Contestant, setting: float, *, name: str, pixels: Pixels) -> Measurement:
    """Encode and decode one picture and compare; pixels uint8 (H, W, 3)."""
    started = time.perf_counter()
    data = contestant.encode(pixels, setting)
    encoded = time.perf_counter()
    decoded = contestant.decode(data)
    done = time.perf_counter()
    height, width = pixels.shape[:2]
    return Measurement(
        image=name,
        size=len(data),
        bpp=bits_per_pixel(len(data), width=width, height=height),
        psnr=psnr(decoded, pixels),
        ms_ssim=ms_ssim(decoded, pixels) if min(height, width) >= 11 else math.nan,
        ssimulacra2=_ssimulacra2(decoded, pixels) if has_ssimulacra2() else None,
        encode_seconds=encoded - started,
        decode_seconds=done - encoded,
    )


def has_ssimulacra2() -> bool:
    """Whether the optional package ssimulacra2 is installed."""
    from importlib.util import find_spec

    return find_spec("ssimulacra2") is not None


def _ssimulacra2(picture: Pixels, reference: Pixels) -> float:
    import io

    from PIL import Image
    from ssimulacra2 import compute_ssimulacra2

    files = []
    for pixels in (reference, picture):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format="PNG", compress_level=0)
        file.seek(0)
        files.append(file)
    return float(compute_ssimulacra2(*files))


def _mean(codec: str, setting: float, rows: Sequence[Measurement]) -> Point:
    def mean(name: str) -> float:
        return float(np.mean([getattr(row, name) for row in rows]))

    similarity = mean("ms_ssim")
    return Point(
        codec=codec,
        setting=setting,
        bpp=mean("bpp"),
        psnr=mean("psnr"),
        ms_ssim=similarity,
        ms_ssim_db=ms_ssim_db(similarity),
        ssimulacra2=None if rows[0].ssimulacra2 is None else mean("ssimulacra2"),
        encode_seconds=mean("encode_seconds"),
        decode_seconds=mean("decode_seconds"),
        images=tuple(rows),
    )
