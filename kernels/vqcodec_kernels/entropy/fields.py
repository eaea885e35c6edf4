"""Fields of integers to bytes and back: each value is predicted, what is left over is mixed.

A field is up to four axes of integers, the last ones being rows and columns, those before them
slices. What the model is stands in kernels/csrc/predict; all of it is integers, so the same
payload gives the same values on every machine.
"""

import math

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain import fields as fields_numpy
from vqcodec_kernels.entropy.symbols import check_capacity, choose_decoder, native
from vqcodec_kernels.errors import InvalidInputError

__all__ = [
    "COEFFICIENTS",
    "INTERPOLATED",
    "MAX_SPAN",
    "MAX_STEPS",
    "decode_field",
    "decode_plane",
    "encode_field",
    "encode_plane",
]

# Numbers of a prediction: rows by the slices that there are before a value, see raster.hpp.
COEFFICIENTS = (4, 27)
# The largest value, positive or negative, and the largest number of steps between two of them.
MAX_SPAN = 2**40
MAX_STEPS = 2**28

# What is interpolated: nothing, slices of the last two axes, or boxes of the last three.
INTERPOLATED = ("", "slices", "boxes")

_AXES = 4

Field = NDArray[np.int64]
Coefficients = NDArray[np.int16]
Mask = NDArray[np.bool_]


def encode_field(
    values: Field,
    *,
    lowest: int,
    highest: int,
    step: int = 1,
    coefficients: Coefficients | None = None,
    interpolated: str = "",
    tight: bool = False,
    missing: Mask | None = None,
) -> tuple[bytes, Field]:
    """Code a field within half a step of each value; returns the payload and what it decodes to.

    values: int64, one to four axes, none of them empty, each value in [lowest, highest], which are
    within +-2^40 and at most 2^28 steps apart. step: 1 codes without loss, otherwise values
    decode to at most step // 2 away. coefficients: int16 (4, 27) in units of 2^-12, of the linear
    prediction; without them a value is predicted by the median of W, N and W + N - NW.
    interpolated: instead of row by row, code from coarse to fine, "slices" each for itself or
    "boxes" of the last three axes. tight: with smaller steps at coarse levels, which pays for
    smooth values. missing: bool of the shape of values; where it is true nothing is coded, and a
    prediction stands in what is decoded. A decoder needs the same.

    Raises InvalidInputError, BackendError.

    >>> ramp = np.arange(12).reshape(3, 4)
    >>> payload, decoded = encode_field(ramp, lowest=0, highest=11, step=3)
    >>> int(abs(decoded - ramp).max())
    1
    >>> np.array_equal(decode_field(payload, (3, 4), lowest=0, highest=11, step=3), decoded)
    True
    """
    if values.dtype != np.int64:
        raise InvalidInputError(f"values must be int64, got {values.dtype.name}")
    shape = _checked(values.shape, lowest, highest, step, coefficients, interpolated)
    if values.min() < lowest or values.max() > highest:
        raise InvalidInputError(
            f"values must be in [{lowest}, {highest}], got {values.min()} to {values.max()}"
        )
    whole = np.ascontiguousarray(values).reshape(shape)
    payload, decoded = native().encode_field(
        whole,
        lowest,
        highest,
        step,
        coefficients,
        interpolated,
        tight,
        _mask(missing, values.shape, shape),
    )
    return payload, decoded.reshape(values.shape)


def decode_field(
    payload: bytes,
    shape: tuple[int, ...],
    *,
    lowest: int,
    highest: int,
    step: int = 1,
    coefficients: Coefficients | None = None,
    interpolated: str = "",
    tight: bool = False,
    missing: Mask | None = None,
    backend: str | None = None,
) -> Field:
    """Read back what encode_field wrote, with the same arguments: int64 of this shape.

    Raises CorruptPayloadError for a payload that encode_field does not write for any field of this
    shape, InvalidInputError, BackendError.
    """
    whole = _checked(shape, lowest, highest, step, coefficients, interpolated)
    coded = math.prod(shape) if missing is None else int(np.count_nonzero(~missing))
    check_capacity(payload, coded)
    decoder = choose_decoder(backend, fields_numpy)
    decoded: Field = decoder.decode_field(
        bytes(payload),
        whole,
        lowest,
        highest,
        step,
        coefficients,
        interpolated,
        tight,
        _mask(missing, shape, whole),
    )
    return decoded.reshape(shape)


def encode_plane(plane: NDArray[np.uint8], *, highest: int = 255) -> bytes:
    """Code a plane of bytes without loss, such as the alpha of a picture: uint8 (H, W).

    highest: no value is above it; fewer values take fewer bytes, and less time.

    Raises InvalidInputError for another dtype, another number of axes, an empty plane or values
    above the highest; BackendError.

    >>> disc = np.hypot(*np.mgrid[-20:21, -30:31]) < 17
    >>> payload = encode_plane(disc.astype(np.uint8) * 255)
    >>> len(payload) < 100, np.array_equal(decode_plane(payload, (41, 61)), disc * 255)
    (True, True)
    """
    if plane.dtype != np.uint8 or plane.ndim != 2:
        raise InvalidInputError(f"a plane is uint8 (H, W), got {plane.dtype.name} {plane.shape}")
    return encode_field(plane.astype(np.int64), lowest=0, highest=_of_byte(highest))[0]


def decode_plane(
    payload: bytes, shape: tuple[int, int], *, highest: int = 255, backend: str | None = None
) -> NDArray[np.uint8]:
    """Read back what encode_plane wrote, with the same highest value: uint8 of this shape, (H, W).

    Raises CorruptPayloadError for a payload that encode_plane does not write for any plane of this
    shape, InvalidInputError, BackendError.
    """
    if len(shape) != 2:
        raise InvalidInputError(f"a plane has two axes, got {shape}")
    top = _of_byte(highest)
    return decode_field(payload, shape, lowest=0, highest=top, backend=backend).astype(np.uint8)


def _of_byte(highest: int) -> int:
    """The highest value of a plane. Raises InvalidInputError."""
    if not 0 <= highest <= 255:
        raise InvalidInputError(f"the highest value of a plane is 0 to 255, got {highest}")
    return highest


def _mask(
    missing: Mask | None, shape: tuple[int, ...], whole: tuple[int, ...]
) -> NDArray[np.uint8] | None:
    """What is missing, with four axes. Raises InvalidInputError."""
    if missing is None:
        return None
    if missing.dtype != np.bool_ or missing.shape != shape:
        raise InvalidInputError(
            f"missing must be bool {shape}, got {missing.dtype.name} {missing.shape}"
        )
    return np.ascontiguousarray(missing).view(np.uint8).reshape(whole)


def _checked(
    shape: tuple[int, ...],
    lowest: int,
    highest: int,
    step: int,
    coefficients: Coefficients | None,
    interpolated: str,
) -> tuple[int, ...]:
    """The shape with four axes. Raises InvalidInputError."""
    if not 1 <= len(shape) <= _AXES or min(shape) < 1:
        raise InvalidInputError(f"a field has one to four axes, none of them empty, got {shape}")
    if not -MAX_SPAN <= lowest <= highest <= MAX_SPAN:
        raise InvalidInputError(f"values lie within +-2^40, got {lowest} to {highest}")
    if not 1 <= step <= MAX_SPAN or (highest - lowest) // step > MAX_STEPS:
        raise InvalidInputError(f"{lowest} to {highest} in steps of {step} are too many steps")
    if coefficients is not None and (
        coefficients.dtype != np.int16
        or coefficients.shape != COEFFICIENTS
        or not coefficients.flags.c_contiguous
    ):
        raise InvalidInputError(
            f"coefficients must be int16 {COEFFICIENTS} in C order, "
            f"got {coefficients.dtype.name} {coefficients.shape}"
        )
    if interpolated not in INTERPOLATED or (interpolated and coefficients is not None):
        raise InvalidInputError(
            f"interpolated must be one of {INTERPOLATED}, without coefficients, "
            f"got {interpolated!r:.40}"
        )
    return (1,) * (_AXES - len(shape)) + tuple(shape)
