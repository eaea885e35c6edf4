"""What a stream says of its array besides the codes: shape, dtype, bound, and how it is coded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vqcodec.errors import CorruptError
from vqcodec.grid import cover
from vqcodec.media.packing import Reader, Writer

__all__ = [
    "DTYPES",
    "FAMILIES",
    "MAPS",
    "MAX_AXES",
    "MODES",
    "Description",
    "count_chunks",
    "extent_of",
    "pack_description",
    "unpack_description",
]

# Number in the file -> name; the sizes of their parts follow from it.
DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
# What was asked for.
MODES = ("lossless", "max_error", "max_relative_error", "psnr")
# What numbers are made integers by.
MAPS = ("lattice", "words", "ranks")
# How integers are predicted.
FAMILIES = ("median", "linear", "slices", "boxes")
MAX_AXES = 16
MAX_SPECIALS = 8
_BIG_ENDIAN, _TIGHT = 1, 2
_FLOATS = {"float16", "float32", "float64", "complex64", "complex128"}
_ITEM = {"complex64": 4, "complex128": 8, "bool": 1}


@dataclass(frozen=True, kw_only=True)
class Description:
    """All of it, as plain numbers.

    dtype: name. big_endian: what the original was. shape: with empty axes. chunk: lengths of a
    chunk, axis by axis. mode, bound: what was asked for, a number of values' units for max_error.
    reached: the largest error there is, in the measure of the mode. map, base, shift, offset, unit:
    see `integers.py`. step: of the quantizer. family, tight: see `vqcodec_kernels.entropy.fields`.
    order: the axes as they are coded. specials: exact bytes of values that a mask names.
    """

    dtype: str
    big_endian: bool
    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    mode: str
    bound: float
    reached: float
    map: str
    base: int
    shift: int
    offset: float
    unit: float
    step: int
    family: str
    tight: bool
    order: tuple[int, ...]
    specials: tuple[bytes, ...]

    @property
    def item(self) -> int:
        """Bytes of a real number, of which a complex one has two."""
        name = self.dtype
        return _ITEM.get(name) or int("".join(c for c in name if c.isdigit())) // 8

    @property
    def is_complex(self) -> bool:
        """Whether values have two parts."""
        return self.dtype.startswith("complex")

    @property
    def is_float(self) -> bool:
        """Whether values are floating-point numbers, complex ones included."""
        return self.dtype in _FLOATS

    @property
    def has_low_bits(self) -> bool:
        """Whether the bits below those that are predicted are in the file."""
        return self.shift > 0 and self.step == 1

    @property
    def is_empty(self) -> bool:
        """Whether there are no values."""
        return 0 in self.shape


def extent_of(shape: Sequence[int]) -> tuple[int, ...]:
    """What a header says of a shape: no axis is empty, and there is one at least.

    >>> extent_of((3, 0)), extent_of(())
    ((3, 1), (1,))
    """
    return tuple(max(length, 1) for length in shape) or (1,)


def count_chunks(description: Description) -> int:
    """How many chunks there are; an empty array has one of nothing."""
    return math.prod(cover(extent_of(description.shape), description.chunk))


def pack_description(d: Description) -> bytes:
    """Write a description."""
    out = Writer()
    out.byte(DTYPES.index(d.dtype))
    out.byte(_BIG_ENDIAN * d.big_endian | _TIGHT * d.tight)
    out.byte(len(d.shape))
    for numbers in (d.shape, d.chunk, d.order):
        for number in numbers:
            out.number(number)
    for name, names in ((d.mode, MODES), (d.map, MAPS), (d.family, FAMILIES)):
        out.byte(names.index(name))
    for value in (d.bound, d.reached, d.offset, d.unit):
        out.real(value)
    out.number(d.base % (1 << 64))
    out.byte(d.shift)
    out.number(d.step)
    out.byte(len(d.specials))
    for special in d.specials:
        out.data += special
    return bytes(out.data)


def unpack_description(data: bytes) -> Description:
    """Read a description.

    Raises:
        CorruptError: none that an encoder writes.
    """
    read = Reader(data, "the description of the array")

    def name(names: Sequence[str]) -> str:
        number = read.byte()
        if number >= len(names):
            raise read.corrupt(f"has {number} for one of {', '.join(names)}")
        return names[number]

    dtype, flags, axes = name(DTYPES), read.byte(), read.byte()
    if flags & ~(_BIG_ENDIAN | _TIGHT) or axes > MAX_AXES:
        raise read.corrupt(f"has flags {flags} and {axes} axes")
    shape = tuple(read.number() for _ in range(axes))
    chunk = tuple(read.number() for _ in extent_of(shape))
    # Of the axes, and of the parts of complex numbers first.
    parts = 1 if dtype.startswith("complex") else 0
    order = tuple(read.number() for _ in range(len(chunk) + parts))
    mode, map, family = name(MODES), name(MAPS), name(FAMILIES)
    bound, reached, offset, unit = (read.real() for _ in range(4))
    base, shift, step = read.number(), read.byte(), read.number()
    found = Description(
        dtype=dtype,
        big_endian=bool(flags & _BIG_ENDIAN),
        shape=shape,
        chunk=chunk,
        mode=mode,
        bound=bound,
        reached=reached,
        map=map,
        base=base,
        shift=shift,
        offset=offset,
        unit=unit,
        step=step,
        family=family,
        tight=bool(flags & _TIGHT),
        order=order,
        specials=(),
    )
    count = read.byte()
    if count > MAX_SPECIALS:
        raise read.corrupt(f"has {count} special values")
    specials = tuple(read.raw(found.item) for _ in range(count))
    read.finish()
    found = Description(**{**found.__dict__, "specials": specials})
    _check(found)
    return found


def _check(d: Description) -> None:
    numbers = (d.bound, d.reached, d.offset, d.unit)
    wrong = (
        any(
            not 1 <= side <= length
            for side, length in zip(d.chunk, extent_of(d.shape), strict=True)
        )
        or sorted(d.order) != list(range(len(d.order)))
        or not all(math.isfinite(number) for number in numbers)
        or min(d.bound, d.reached) < 0
        or not 1 <= d.step <= 1 << 40
        or d.shift > 63
        or (d.map == "lattice" and (not d.is_float or d.unit <= 0 or d.shift))
        or (d.tight and d.family not in ("slices", "boxes"))
    )
    if wrong:
        raise CorruptError(f"the description of the array contradicts itself: {d!r:.200}")
