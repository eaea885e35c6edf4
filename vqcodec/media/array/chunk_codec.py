"""One chunk of an array to the payload of a code chunk, and back.

A payload is a byte of flags, the lowest integer, how far the highest lies above it, and in this
order, as the flags say: the mask, the low bits, the numbers that are written out, the field.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import kernels_refuse
from vqcodec.media.array.integers import Coding, targets_of
from vqcodec.media.array.words import words_of
from vqcodec.media.packing import Reader, Writer, inflate
from vqcodec_kernels.entropy.fields import MAX_SPAN, decode_field, encode_field

__all__ = ["Coded", "decode_chunk", "encode_chunk", "errors_of"]

_MASK, _LOW, _PATCHES, _FIELD = 1, 2, 4, 8
_AXES = 4


@dataclass(frozen=True)
class Coded:
    """A payload, the largest error in the measure of the mode, the sum of all squared errors."""

    payload: bytes
    reached: float
    squares: float


def encode_chunk(parts: NDArray[Any], coding: Coding) -> Coded:
    """Code a chunk: (2, *lengths) for complex values, otherwise (*lengths)."""
    d = coding.description
    numbers = np.ascontiguousarray(parts.transpose(d.order))
    mask = _mask_of(numbers, d.specials)
    t = targets_of(numbers, coding)
    kept = t[mask == 0]
    lowest, highest = (int(kept.min()), int(kept.max())) if kept.size else (0, 0)
    t = np.clip(t, lowest, highest) - lowest
    low = _low_bits(numbers, coding)
    plan = _plan(coding, lowest, highest, mask)
    field = b""
    if highest > lowest:
        field, t = encode_field(_folded(t), **plan)
    again = _numbers(coding, t.reshape(numbers.shape), lowest, highest, low, mask)
    errors, wrong = errors_of(numbers, again, coding)
    wrong |= mask > len(d.specials)
    errors[wrong] = 0.0
    out = Writer()
    out.byte(
        _MASK * bool(mask.any())
        | _LOW * d.has_low_bits
        | _PATCHES * bool(wrong.any())
        | _FIELD * (highest > lowest)
    )
    out.number(lowest)
    out.number(highest - lowest)
    if mask.any():
        top = len(d.specials) + 1
        out.part(encode_field(_folded(mask.astype(np.int64)), lowest=0, highest=top)[0])
    if low is not None:
        out.part(zlib.compress(_bytes_of(low, d.shift), 6))
    if wrong.any():
        _write_patches(out, numbers, wrong)
        again[wrong] = numbers[wrong]
    return Coded(bytes(out.data) + field, float(errors.max(initial=0.0)), _squares(numbers, again))


@kernels_refuse()
def decode_chunk(payload: bytes, lengths: tuple[int, ...], coding: Coding) -> NDArray[Any]:
    """Read a chunk, of these lengths with the parts of complex values first.

    Raises:
        CorruptError: a payload that no encoder writes.
    """
    d = coding.description
    shape = tuple(lengths[axis] for axis in d.order)
    count = math.prod(shape)
    read = Reader(payload, "the payload of a chunk")
    flags, lowest, span = read.byte(), read.number(), read.number()
    if flags >= 16 or bool(flags & _FIELD) != (span > 0) or lowest + span > MAX_SPAN:
        raise read.corrupt(f"has flags {flags} for {lowest} and {span} above it")
    if bool(flags & _LOW) != d.has_low_bits:
        raise read.corrupt("has low bits, or lacks them")
    if not flags:
        read.finish()
        only = coding.numbers(np.array([lowest]), None)
        return np.full(lengths, only[0], coding.dtype)
    mask = np.zeros(shape, np.int64)
    if flags & _MASK:
        top = len(d.specials) + 1
        mask = decode_field(read.part(), _fold(shape), lowest=0, highest=top).reshape(shape)
    low = None
    if flags & _LOW:
        size = count * -(-d.shift // 8)
        low = _from_bytes(inflate(read.part(), size, "the low bits"), shape, d.shift)
    patches = _read_patches(read, coding, count) if flags & _PATCHES else None
    t = np.zeros(shape, np.int64)
    if flags & _FIELD:
        plan = _plan(coding, lowest, lowest + span, mask)
        t = decode_field(read.rest(), _fold(shape), **plan).reshape(shape)
    read.finish()
    numbers = _numbers(coding, t, lowest, lowest + span, low, mask)
    if patches is not None:
        numbers.reshape(-1)[patches[0]] = patches[1]
    return numbers.transpose(np.argsort(d.order))


def errors_of(
    original: NDArray[Any], decoded: NDArray[Any], coding: Coding
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How far each number is off in the measure of the mode, and where that is too far.

    Numbers that are not finite are off by nothing or too far.
    """
    d = coding.description
    size = original.dtype.itemsize
    same = original.view(f"u{size}") == decoded.view(f"u{size}")
    if d.mode == "lossless":
        return np.zeros(original.shape), ~same
    with np.errstate(invalid="ignore", over="ignore"):
        if original.dtype.kind == "f":
            off = np.abs(original.astype(np.float64) - decoded.astype(np.float64))
        else:
            larger, smaller = np.maximum(original, decoded), np.minimum(original, decoded)
            off = (
                (larger.astype(object) - smaller).astype(np.float64)
                if size == 8
                else (np.abs(larger.astype(np.int64) - smaller.astype(np.int64)).astype(np.float64))
            )
        if d.mode == "max_relative_error":
            scale = np.abs(original.astype(np.float64))
            off = np.divide(off, scale, out=np.where(off == 0, 0.0, np.inf), where=scale > 0)
    off[same] = 0.0
    return off, ~(off <= d.bound) if d.mode != "psnr" else ~np.isfinite(off)


def _numbers(
    coding: Coding,
    t: NDArray[np.int64],
    lowest: int,
    highest: int,
    low: NDArray[np.uint64] | None,
    mask: NDArray[np.int64],
) -> NDArray[Any]:
    """Numbers of decoded integers, which may lie beyond the range by half a step."""
    numbers = coding.numbers(np.clip(t + lowest, lowest, highest), low)
    for number, special in enumerate(coding.description.specials, 1):
        numbers[mask == number] = np.frombuffer(special, numbers.dtype.newbyteorder("<"))[0]
    return numbers


def _plan(coding: Coding, lowest: int, highest: int, mask: NDArray[np.int64]) -> dict[str, Any]:
    d = coding.description
    interpolated = d.family if d.family in ("slices", "boxes") else ""
    return {
        "lowest": 0,
        "highest": highest - lowest,
        "step": d.step,
        "coefficients": coding.coefficients,
        "interpolated": interpolated,
        "tight": d.tight,
        "missing": _folded(mask != 0) if mask.any() else None,
    }


def _mask_of(numbers: NDArray[Any], specials: tuple[bytes, ...]) -> NDArray[np.int64]:
    """Which special a number is, from 1; one more for others that are not finite; otherwise 0."""
    mask = np.zeros(numbers.shape, np.int64)
    if numbers.dtype.kind == "f":
        mask[~np.isfinite(numbers)] = len(specials) + 1
    bits = numbers.view(f"u{numbers.dtype.itemsize}")
    for number, special in enumerate(specials, 1):
        mask[bits == int.from_bytes(special, "little")] = number
    return mask


def _low_bits(numbers: NDArray[Any], coding: Coding) -> NDArray[np.uint64] | None:
    d = coding.description
    if not d.has_low_bits:
        return None
    above = words_of(numbers).view(np.uint64) - np.uint64(d.base)
    return above & np.uint64((1 << d.shift) - 1)


def _bytes_of(low: NDArray[np.uint64], shift: int) -> bytes:
    """Byte by byte: the lowest of all, then the next."""
    planes = low.astype("<u8").view(np.uint8).reshape(-1, 8)[:, : -(-shift // 8)]
    return planes.T.tobytes()


def _from_bytes(data: bytes, shape: tuple[int, ...], shift: int) -> NDArray[np.uint64]:
    planes = np.frombuffer(data, np.uint8).reshape(-(-shift // 8), -1)
    low = np.zeros(planes.shape[1], np.uint64)
    for place, plane in enumerate(planes):
        low |= plane.astype(np.uint64) << np.uint64(8 * place)
    return (low & np.uint64((1 << shift) - 1)).reshape(shape)


def _write_patches(out: Writer, numbers: NDArray[Any], wrong: NDArray[np.bool_]) -> None:
    places = np.flatnonzero(wrong)
    out.number(len(places))
    inside = Writer()
    for gap in np.diff(places, prepend=-1).tolist():
        inside.number(gap)
    exact = numbers.reshape(-1)[places]
    inside.data += exact.astype(exact.dtype.newbyteorder("<")).tobytes()
    out.number(len(inside.data))
    out.part(zlib.compress(bytes(inside.data), 6))


def _read_patches(
    read: Reader, coding: Coding, count: int
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Places and numbers."""
    item, many, size = coding.dtype.itemsize, read.number(), read.number()
    if not 1 <= many <= count or not many * (1 + item) <= size <= many * (10 + item):
        raise read.corrupt(f"has {many} numbers written out in {size} bytes")
    inside = Reader(inflate(read.part(), size, "what is written out"), "what is written out")
    gaps = np.array([inside.number() for _ in range(many)], np.uint64)
    exact = np.frombuffer(inside.raw(many * item), coding.dtype.newbyteorder("<"))
    inside.finish()
    if gaps.min() < 1 or gaps.max() > count or int(gaps.sum()) > count:
        raise read.corrupt("has numbers written out beyond its end")
    return np.cumsum(gaps).astype(np.int64) - 1, exact.astype(coding.dtype)


def _squares(original: NDArray[Any], decoded: NDArray[Any]) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        off = original.astype(np.float64) - decoded.astype(np.float64)
        return float(np.square(off[np.isfinite(off)]).sum())


def _fold(shape: tuple[int, ...]) -> tuple[int, ...]:
    """At most four axes: the first ones become one."""
    extra = len(shape) - _AXES + 1
    return shape if extra <= 1 else (math.prod(shape[:extra]), *shape[extra:])


def _folded(array: NDArray[Any]) -> NDArray[Any]:
    return array.reshape(_fold(array.shape))
