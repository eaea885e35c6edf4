"""How an array is handed to coders that take few axes, floats alone or no missing values.

Missing values are filled in along rows and cost a compressed mask. Arrays of integers go to
coders of floats as float32 and come back rounded, with all of the tolerance that rounding leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

Values = NDArray[Any]
Bytes = list[bytes]


@dataclass(frozen=True)
class Setting:
    """One way to code one array within one bound."""

    name: str
    encode: Callable[[], Bytes]
    decode: Callable[[Bytes], Values]
    default: bool = False


@dataclass(frozen=True)
class Layout:
    """An array as a coder gets it: whole, or cut into parts, and how it is put together again."""

    name: str
    parts: Callable[[Values], list[Values]]
    join: Callable[[list[Values]], Values]


def planar(values: Values) -> Values:
    """Few bands, if they are the last axis, before the two axes of the picture."""
    bands_last = values.ndim == 4 and values.shape[-1] < 16
    return np.ascontiguousarray(np.moveaxis(values, -1, 1) if bands_last else values)


def restore(flat: Values, values: Values) -> Values:
    """What planar has changed, back in the shape of the array."""
    moved = planar(values)
    flat = flat.reshape(moved.shape)
    return flat if moved.shape == values.shape else np.moveaxis(flat, 1, -1)


def layouts(values: Values, most_axes: int) -> Iterator[Layout]:
    """As it is, with the bands in front, in planes, and as one high plane; the first is default."""
    folded = values.shape
    if len(folded) > most_axes:
        folded = (-1, *folded[len(folded) - most_axes + 1 :])
    yield Layout("n-d", lambda v: [v.reshape(folded)], lambda p: p[0].reshape(values.shape))
    moved = planar(values).shape
    if moved != values.shape:
        front = moved if len(moved) <= most_axes else (-1, *moved[len(moved) - most_axes + 1 :])
        yield Layout(
            "bands first", lambda v: [planar(v).reshape(front)], lambda p: restore(p[0], values)
        )
    if values.ndim > 2:
        yield from flat_layouts(values)


def flat_layouts(values: Values) -> Iterator[Layout]:
    """For coders of pictures."""
    height, width = planar(values).shape[-2:]
    yield Layout(
        "planes",
        lambda v: list(planar(v).reshape(-1, height, width)),
        lambda p: restore(np.stack(p), values),
    )
    if values.ndim > 2:
        yield Layout(
            "one plane",
            lambda v: [planar(v).reshape(-1, width)],
            lambda p: restore(p[0], values),
        )


def by_parts(
    name: str,
    layout: Layout,
    values: Values,
    encode: Callable[..., bytes | bytearray],
    decode: Callable[[bytes], Values],
    *,
    default: bool = False,
) -> Setting:
    """A coder of one part, over all parts of a layout."""
    return Setting(
        f"{layout.name}, {name}" if name else layout.name,
        lambda: [bytes(encode(part)) for part in layout.parts(values)],
        lambda data: layout.join([decode(part) for part in data]),
        default,
    )


def filled(values: Values) -> tuple[Values, Bytes, Values | None]:
    """An array without missing values, what their mask costs, and the mask."""
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return values, [], None
    missing = np.isnan(values)
    rows = values.reshape(-1, values.shape[-1]).copy()
    place = np.arange(values.shape[-1])
    for row in rows:
        known = ~np.isnan(row)
        row[:] = np.interp(place, place[known], row[known]) if known.any() else 0
    mask = zstandard.ZstdCompressor(level=19).compress(np.packbits(missing).tobytes())
    return rows.reshape(values.shape), [mask], missing


def with_mask(
    coder: Callable[[Values, float], Iterator[Setting]], values: Values, bound: float
) -> Iterator[Setting]:
    """The settings of a coder that knows no NaN."""
    whole, mask, missing = filled(values)

    def masked(decode: Callable[[Bytes], Values], data: Bytes) -> Values:
        back = decode(data[len(mask) :])
        if missing is not None:
            back = np.where(missing, np.array(np.nan, back.dtype), back)
        return back

    for s in coder(whole, bound):
        yield Setting(
            s.name,
            lambda s=s: mask + s.encode(),  # type: ignore[misc]
            lambda data, s=s: masked(s.decode, data),  # type: ignore[misc]
            s.default,
        )


def as_floats(values: Values, bound: float) -> tuple[Values, float, Callable[[Values], Values]]:
    """An array for a coder of floats, the tolerance that it has, and the way back."""
    if values.dtype.kind == "f":
        return values, bound, lambda back: back
    limits = np.iinfo(values.dtype)
    return (
        values.astype(np.float32),
        np.floor(bound) + 0.49,
        lambda back: np.clip(np.rint(back), limits.min, limits.max).astype(values.dtype),
    )
