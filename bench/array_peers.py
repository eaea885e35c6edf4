"""The coders of arrays that vqcodec is set beside, each at its default and at all that helps it.

Arrays of integers go to coders of floats as float32 and come back rounded, with all of the
tolerance that rounding leaves. Coders of integers get the bins of a uniform quantizer; without a
bound, of floats with few values, their ranks and a table. Missing values are filled in along rows
and cost a compressed mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import imagecodecs
import numpy as np
import pcodec
import pysz
import zfpy
import zstandard
from numpy.typing import NDArray

from vqcodec import decode_array, encode_array

Values = NDArray[Any]
Bytes = list[bytes]

# Some overstep their tolerance by a rounding, and are given another chance a hair inside.
INSIDE = (1, 0.9999)


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
    encode: Callable[[Values], bytes],
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


def zfp(values: Values, bound: float) -> Iterator[Setting]:
    """Its own tolerance is far too careful: looser ones are tried as well."""
    floats, tolerance, back = as_floats(values, bound)
    for layout in layouts(floats, 4):
        for factor in (1, 2, 4, 8, 16, 32) if tolerance else (-1,):
            allowed = tolerance * factor if tolerance else -1
            yield by_parts(
                f"tolerance x {factor}" if tolerance else "reversible",
                layout,
                floats,
                lambda part, t=allowed: zfpy.compress_numpy(  # type: ignore[misc]
                    np.ascontiguousarray(part), tolerance=t
                ),
                lambda data: back(zfpy.decompress_numpy(data)),
                default=layout.name == "n-d" and factor in (1, -1),
            )


def sz3(values: Values, bound: float) -> Iterator[Setting]:
    floats, tolerance, back = as_floats(values, bound)
    if not tolerance:
        return

    def encode(part: Values, algorithm: str, inside: float) -> bytes:
        config = pysz.szConfig()
        config.errorBoundMode = pysz.szErrorBoundMode.ABS
        config.absErrorBound = tolerance * inside
        config.cmprAlgo = getattr(pysz.szAlgorithm, algorithm)
        code = pysz.sz.compress(np.ascontiguousarray(part), config)[0].tobytes()
        # Its decoder asks for the shape; that is not counted.
        shapes[code] = part.shape
        return bytes(code)

    shapes: dict[bytes, tuple[int, ...]] = {}
    for layout in layouts(floats, 4):
        for name, inside in product(("INTERP_LORENZO", "INTERP", "LORENZO_REG", "NOPRED"), INSIDE):
            yield by_parts(
                f"{name}, tolerance x {inside}",
                layout,
                floats,
                lambda part, n=name, i=inside: encode(part, n, i),  # type: ignore[misc]
                lambda data: back(
                    pysz.sz.decompress(
                        np.frombuffer(data, np.uint8), floats.dtype, shapes[bytes(data)]
                    )[0]
                ),
                default=layout.name == "n-d" and name == "INTERP_LORENZO" and inside == 1,
            )


def sperr(values: Values, bound: float) -> Iterator[Setting]:
    floats, tolerance, back = as_floats(values, bound)
    if not tolerance:
        return
    for layout, inside in product(layouts(floats, 3), INSIDE):
        yield by_parts(
            f"tolerance x {inside}",
            layout,
            floats,
            lambda part, i=inside: imagecodecs.sperr_encode(  # type: ignore[misc]
                np.ascontiguousarray(part), tolerance * i, mode="pwe", header=True
            ),
            lambda data: back(imagecodecs.sperr_decode(data)),
            default=layout.name == "n-d" and inside == 1,
        )


def lerc(values: Values, bound: float) -> Iterator[Setting]:
    level = bound if values.dtype.kind == "f" else float(np.floor(bound))
    scales = INSIDE if level and values.dtype.kind == "f" else (1,)
    for layout, outer, inside in product(flat_layouts(values), (None, "zstd"), scales):
        yield by_parts(
            f"tolerance x {inside}, then {outer}",
            layout,
            values,
            lambda part, o=outer, i=inside: imagecodecs.lerc_encode(  # type: ignore[misc]
                np.ascontiguousarray(part), level=level * i, compression=o
            ),
            imagecodecs.lerc_decode,
            default=layout.name == "planes" and outer is None and inside == 1,
        )


@dataclass(frozen=True)
class Bins:
    """An array as whole numbers from 0, the bytes of a table, and the way back."""

    numbers: Values
    table: Bytes
    back: Callable[[Values], Values]


def quantized(values: Values, bound: float, near: int = 0) -> Bins | None:
    """Bins so fine that numbers may be off by near; None where there would be too many."""
    dtype = values.dtype
    lowest = values.min()
    if dtype.kind != "f":
        step = max((2 * int(bound) + 1) // (2 * near + 1), 1) if near else 2 * int(bound) + 1
        reach = step // 2
        whole = (values.astype(np.int64) - int(lowest) + reach) // step
        limits = np.iinfo(dtype)

        def restored(q: Values) -> Values:
            found = int(lowest) + q.astype(np.int64) * step
            return np.clip(found, limits.min, limits.max).astype(dtype)

        return Bins(smallest(whole), [], restored)
    if not bound:
        distinct, ranks = np.unique(values, return_inverse=True)
        if len(distinct) > 65536:
            return None
        table = zstandard.ZstdCompressor(level=19).compress(distinct.tobytes())
        return Bins(smallest(ranks.reshape(values.shape)), [table], lambda q: distinct[q])
    # A hair inside the bound, for what rounding to the dtype adds.
    step = 2 * bound * (1 - 1e-5) / (2 * near + 1)
    wide = np.rint((values.astype(np.float64) - float(lowest)) / step)
    return Bins(
        smallest(wide.astype(np.int64)),
        [],
        lambda q: (float(lowest) + q.astype(np.float64) * step).astype(dtype),
    )


def smallest(numbers: Values) -> Values:
    """In the narrowest unsigned dtype."""
    highest = numbers.max(initial=0)
    return numbers.astype(
        np.uint8 if highest < 256 else np.uint16 if highest < 65536 else np.uint32
    )


def of_bins(setting: Setting, bins: Bins) -> Setting:
    """A setting that codes bins, as one that codes the array."""
    count = len(bins.table)
    return Setting(
        setting.name,
        lambda: bins.table + setting.encode(),
        lambda data: bins.back(setting.decode(data[count:])),
        setting.default,
    )


def jpeg_ls(values: Values, bound: float) -> Iterator[Setting]:
    """Near-lossless of bins that are finer than the bound, where it has one."""
    for near in (0, 1, 3, 15, 127) if bound >= 1 or (values.dtype.kind == "f" and bound) else (0,):
        bins = quantized(values, bound, near)
        if bins is None or bins.numbers.dtype.itemsize > 2:
            continue
        for layout in flat_layouts(bins.numbers):
            setting = by_parts(
                f"near {near}",
                layout,
                bins.numbers,
                lambda part, near=near: imagecodecs.jpegls_encode(  # type: ignore[misc]
                    np.ascontiguousarray(part), level=near
                ),
                imagecodecs.jpegls_decode,
                default=layout.name == "planes" and near == 0,
            )
            yield of_bins(setting, bins)


def jpeg_xl(values: Values, bound: float) -> Iterator[Setting]:
    """Lossless of bins; effort 9 where there is time for it."""
    bins = quantized(values, bound)
    if bins is None or bins.numbers.dtype.itemsize > 2:
        return
    for layout in flat_layouts(bins.numbers):
        for effort in (7, 9) if values.size < 2**20 and layout.name == "one plane" else (7,):
            setting = by_parts(
                f"effort {effort}",
                layout,
                bins.numbers,
                lambda part, effort=effort: imagecodecs.jpegxl_encode(  # type: ignore[misc]
                    np.ascontiguousarray(part), lossless=True, effort=effort, numthreads=1
                ),
                lambda data: imagecodecs.jpegxl_decode(data, numthreads=1),
                default=layout.name == "planes" and effort == 7,
            )
            yield of_bins(setting, bins)


def pco(values: Values, bound: float) -> Iterator[Setting]:
    """Of the values without a bound, of bins with one, and of ranks where they are few."""
    choices = [("bins", quantized(values, bound))]
    if not bound:
        choices.insert(0, ("values", Bins(values, [], lambda q: q)))
    first = True
    for name, bins in choices:
        for level in (8, 12):
            if bins is not None:
                yield of_bins(pco_setting(bins.numbers, name, level, first), bins)
                first = False


def pco_setting(numbers: Values, name: str, level: int, default: bool) -> Setting:
    flat = planar(numbers).ravel()
    config = pcodec.ChunkConfig(compression_level=level, enable_8_bit=True)
    return Setting(
        f"{name}, level {level}",
        lambda: [pcodec.standalone.simple_compress(flat, config)],
        lambda data: restore(pcodec.standalone.simple_decompress(data[0]), numbers),
        default,
    )


def zstd(values: Values, bound: float) -> Iterator[Setting]:
    """Of the same, plain, with bytes or bits shuffled, and of differences of neighbours."""
    choices = [("bins", quantized(values, bound))]
    if not bound:
        choices.insert(0, ("values", Bins(values, [], lambda q: q)))
    first = True
    for name, bins in choices:
        for level, change in ((3, "shuffle"), (19, "plain"), (19, "shuffle"), (19, "delta")):
            if bins is not None:
                yield of_bins(zstd_setting(bins.numbers, name, level, change, first), bins)
                first = False


def zstd_setting(numbers: Values, name: str, level: int, change: str, default: bool) -> Setting:
    """Zstandard of numbers after a change that can be undone."""
    size = numbers.dtype.itemsize
    whole = np.dtype(f"u{size}")

    def encode() -> Bytes:
        flat = planar(numbers).ravel().view(whole)
        if change == "delta":
            flat = np.diff(flat, prepend=flat.dtype.type(0))
        raw = flat.view(np.uint8).reshape(-1, size)
        data = raw.tobytes() if change == "plain" else raw.T.tobytes()
        return [zstandard.ZstdCompressor(level=level).compress(data)]

    def decode(data: Bytes) -> Values:
        raw = np.frombuffer(zstandard.ZstdDecompressor().decompress(data[0]), np.uint8)
        raw = raw if change == "plain" else np.ascontiguousarray(raw.reshape(size, -1).T).ravel()
        flat = raw.view(whole)
        if change == "delta":
            flat = np.cumsum(flat, dtype=whole)
        return restore(flat.view(numbers.dtype), numbers)

    return Setting(f"{name}, {change}, level {level}", encode, decode, default)


def vqcodec(values: Values, bound: float) -> Iterator[Setting]:
    """The file as the command writes it, from the array as it is."""
    wanted: dict[str, Any] = {"max_error": bound} if bound else {"lossless": True}
    yield Setting(
        "as it comes",
        lambda: [encode_array(values, threads=1, **wanted)],
        lambda data: decode_array(data[0], threads=1),
        True,
    )


Coder = Callable[[Values, float], Iterator[Setting]]


def knows_no_nan(coder: Coder) -> Coder:
    """The same coder for arrays with missing values."""
    return lambda values, bound: with_mask(coder, values, bound)


CODERS: dict[str, Coder] = {
    "vqcodec": vqcodec,
    "zfp": knows_no_nan(zfp),
    "SZ3": knows_no_nan(sz3),
    "SPERR": knows_no_nan(sperr),
    "LERC": knows_no_nan(lerc),
    "JPEG-LS": knows_no_nan(jpeg_ls),
    "JPEG XL": knows_no_nan(jpeg_xl),
    "pcodec": knows_no_nan(pco),
    "zstd": knows_no_nan(zstd),
}
