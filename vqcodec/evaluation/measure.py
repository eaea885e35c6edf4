"""Running a codec over pictures: bytes of real files, distortion and time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vqcodec.errors import InputError
from vqcodec.evaluation.contestants import Contestant, Pixels
from vqcodec.evaluation.measures import DEFAULT_MEASURES
from vqcodec.media.picture.metrics import bits_per_pixel, ms_ssim, ms_ssim_db, psnr, ssimulacra2

__all__ = ["Measurement", "Point", "evaluate", "measure"]

# Name of a measure -> the function, and the shorter side that it needs.
_FUNCTIONS = {"psnr": (psnr, 1), "ms-ssim": (ms_ssim, 11), "ssimulacra2": (ssimulacra2, 8)}


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One picture through one codec at one setting.

    size in bytes of the whole file; psnr in dB over 8-bit RGB; ms_ssim in [0, 1]; ssimulacra2 up to
    100. A measure that was not asked for is None, and NaN where the picture is too small for it.
    """

    image: str
    size: int
    bpp: float
    psnr: float | None
    ms_ssim: float | None
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
    psnr: float | None
    ms_ssim: float | None
    ms_ssim_db: float | None
    ssimulacra2: float | None
    encode_seconds: float
    decode_seconds: float
    images: tuple[Measurement, ...]


def evaluate(
    contestant: Contestant,
    pictures: Sequence[tuple[str, Pixels]],
    *,
    measures: Sequence[str] = DEFAULT_MEASURES,
    report: Callable[[], None] | None = None,
) -> list[Point]:
    """Measure every setting of a codec's ladder on every picture.

    pictures: names and uint8 (H, W, 3). measures: names, as `find_measures` takes them. report:
    called after each measurement.

    Raises:
        InputError: there are no pictures.
    """
    if not pictures:
        raise InputError("no pictures to measure on")
    points = []
    for setting in contestant.ladder:
        rows = []
        for name, pixels in pictures:
            row = measure(contestant, setting, name=name, pixels=pixels, measures=measures)
            rows.append(row)
            if report is not None:
                report()
        points.append(_mean(contestant.name, setting, rows))
    return points


def measure(
    contestant: Contestant,
    setting: float,
    *,
    name: str,
    pixels: Pixels,
    measures: Sequence[str] = DEFAULT_MEASURES,
) -> Measurement:
    """Encode and decode one picture and compare; pixels uint8 (H, W, 3)."""
    started = time.perf_counter()
    data = contestant.encode(pixels, setting)
    encoded = time.perf_counter()
    decoded = contestant.decode(data)
    done = time.perf_counter()
    height, width = pixels.shape[:2]

    def quality(measure: str) -> float | None:
        if measure not in measures:
            return None
        function, side = _FUNCTIONS[measure]
        return function(decoded, pixels) if min(height, width) >= side else math.nan

    return Measurement(
        image=name,
        size=len(data),
        bpp=bits_per_pixel(len(data), width=width, height=height),
        psnr=quality("psnr"),
        ms_ssim=quality("ms-ssim"),
        ssimulacra2=quality("ssimulacra2"),
        encode_seconds=encoded - started,
        decode_seconds=done - encoded,
    )


def _mean(codec: str, setting: float, rows: Sequence[Measurement]) -> Point:
    def mean(field: str) -> float | None:
        values = [getattr(row, field) for row in rows]
        return None if None in values else float(np.mean(values))

    similarity = mean("ms_ssim")
    return Point(
        codec=codec,
        setting=setting,
        bpp=float(np.mean([row.bpp for row in rows])),
        psnr=mean("psnr"),
        ms_ssim=similarity,
        ms_ssim_db=None if similarity is None else ms_ssim_db(similarity),
        ssimulacra2=mean("ssimulacra2"),
        encode_seconds=float(np.mean([row.encode_seconds for row in rows])),
        decode_seconds=float(np.mean([row.decode_seconds for row in rows])),
        images=tuple(rows),
    )
