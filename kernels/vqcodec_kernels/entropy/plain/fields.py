"""The decoder of fields in Python integers: slow, exact, and needs no compiler.

The twin of kernels/csrc/predict: the same values from the same bytes.
"""

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.interpolation import decode_interpolated
from vqcodec_kernels.entropy.plain.quantizer import Quantizer
from vqcodec_kernels.entropy.plain.range_decoder import RangeDecoder
from vqcodec_kernels.entropy.plain.raster import decode_raster

__all__ = ["decode_field"]


def decode_field(
    payload: bytes,
    shape: tuple[int, ...],
    lowest: int,
    highest: int,
    step: int,
    coefficients: NDArray[np.int16] | None,
    interpolated: str,
    tight: bool,
    missing: NDArray[np.uint8] | None,
) -> NDArray[np.int64]:
    """Read a field of four axes. Raises CorruptPayloadError."""
    coder = RangeDecoder(payload)
    skipped = np.zeros(shape, np.bool_) if missing is None else missing != 0
    quantizer = Quantizer(lowest, highest, step)
    if interpolated:
        values = decode_interpolated(
            coder, shape, quantizer, skipped, whole=interpolated == "boxes", tight=tight
        )
    else:
        values = decode_raster(coder, shape, quantizer, skipped, coefficients)
    coder.finish()
    return values
