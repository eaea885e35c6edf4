"""Coders of whole numbers, which get the bins of a uniform quantizer.

Without a bound they get the values, or where floats have few of them their ranks and a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import imagecodecs
import numpy as np
import pcodec
import zstandard

from bench.array_layouts import Bytes, Setting, Values, by_parts, flat_layouts, planar, restore


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
    # Inside the bound by what rounding to the dtype and in float64 adds.
    rounding = float(np.spacing(np.abs(values).max())) + bound * 1e-9
    width = 2 * max(bound - rounding, bound / 2) / (2 * near + 1)
    wide = np.rint((values.astype(np.float64) - float(lowest)) / width)
    return Bins(
        smallest(wide.astype(np.int64)),
        [],
        lambda q: (float(lowest) + q.astype(np.float64) * width).astype(dtype),
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
                lambda part, near=near: imagecodecs.jpegls_encode(
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
                lambda part, effort=effort: imagecodecs.jpegxl_encode(
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
