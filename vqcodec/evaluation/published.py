"""Curves that others published, for codecs that are not run here."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqcodec.errors import InputError
from vqcodec.media.picture.metrics import ms_ssim_db

__all__ = ["PublishedCurve", "PublishedPoint", "read_published"]

LARGEST_FILE = 2**20


@dataclass(frozen=True, kw_only=True)
class PublishedPoint:
    """Rate and quality as published: bits per pixel, dB, MS-SSIM in [0, 1); None if not said."""

    bpp: float
    psnr: float | None = None
    ms_ssim: float | None = None
    ssimulacra2: float | None = None

    @property
    def ms_ssim_db(self) -> float | None:
        """MS-SSIM as the curves of measured codecs carry it."""
        return None if self.ms_ssim is None else ms_ssim_db(self.ms_ssim)


@dataclass(frozen=True, kw_only=True)
class PublishedCurve:
    """A codec that was not run here. source: where its numbers come from, in a line."""

    name: str
    source: str
    points: tuple[PublishedPoint, ...]

    @property
    def label(self) -> str:
        """The name as tables and plots carry it, so that nobody takes it for a measurement."""
        return f"{self.name} (published)"


# Field of a point -> the values that it can take.
_RANGES = {
    "bpp": (1e-6, 1000.0),
    "psnr": (0.0, 1000.0),
    "ms_ssim": (0.0, 1 - 1e-9),
    "ssimulacra2": (-1e6, 100.0),
}


def read_published(path: str | Path) -> tuple[PublishedCurve, ...]:
    """Read curves from JSON: {"source": text, "curves": [{"name", "points": [{"bpp", ...}]}]}.

    A point holds bpp and any of psnr (dB), ms_ssim (in [0, 1)) and ssimulacra2. Other fields are
    for people and passed over.

    Raises:
        InputError: not such a file, or of more than a mebibyte.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise InputError(f"{path}: more than {LARGEST_FILE} bytes of published curves")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    try:
        source = _text(content, "source")
        curves = tuple(_curve(entry, source) for entry in _items(content, "curves"))
        names = [curve.name for curve in curves]
        if len(set(names)) != len(names):
            raise InputError(f"a name stands twice among {', '.join(names)}")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return curves


def _curve(entry: object, source: str) -> PublishedCurve:
    name = _text(entry, "name")
    return PublishedCurve(
        name=name,
        source=source,
        points=tuple(_point(point, name) for point in _items(entry, "points")),
    )


def _point(entry: object, name: str) -> PublishedPoint:
    if not isinstance(entry, dict) or entry.get("bpp") is None:
        raise InputError(f"a point of {name} has no bpp: {entry!r:.60}")
    values = {field: entry[field] for field in _RANGES if entry.get(field) is not None}
    for field, value in values.items():
        low, high = _RANGES[field]
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not (math.isfinite(value) and low <= value <= high):
            raise InputError(f"a point of {name} has {field} {value!r:.60}")
    return PublishedPoint(**{field: float(value) for field, value in values.items()})


def _text(entry: Any, field: str) -> str:
    value = entry.get(field) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InputError(f"{field} is not a line of text: {value!r:.60}")
    return value


def _items(entry: Any, field: str) -> list[Any]:
    value = entry.get(field) if isinstance(entry, dict) else None
    if not isinstance(value, list) or not value:
        raise InputError(f"{field} is not a list with something in it: {value!r:.60}")
    return value
