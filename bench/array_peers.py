"""The coders of arrays that are compared, each at its default and at all that helps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import imagecodecs
import numpy as np
import pysz
import zfpy

from bench.array_bins import jpeg_ls, jpeg_xl, pco, zstd
from bench.array_layouts import (
    Setting,
    Values,
    as_floats,
    by_parts,
    flat_layouts,
    layouts,
    with_mask,
)
from vqcodec import decode_array, encode_array

# Some overstep their tolerance by a rounding, and are given another chance a hair inside.
INSIDE = (1, 0.9999)


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
                lambda part, t=allowed: zfpy.compress_numpy(
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
                lambda part, n=name, i=inside: encode(part, n, i),
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
            lambda part, i=inside: imagecodecs.sperr_encode(
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
            lambda part, o=outer, i=inside: imagecodecs.lerc_encode(
                np.ascontiguousarray(part), level=level * i, compression=o
            ),
            imagecodecs.lerc_decode,
            default=layout.name == "planes" and outer is None and inside == 1,
        )


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
