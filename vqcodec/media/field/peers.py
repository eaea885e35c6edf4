"""The codecs that a user would otherwise take for fields at a mean error."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from vqcodec.media.field.signal import Field
from vqcodec.media.workshop import Contestant

__all__ = ["PEERS"]

_LEVELS = 65535
# Of each channel: the value of level 0, the step between levels, the bytes that follow.
_PLANE = struct.Struct("<ffI")


def _contestant(
    name: str,
    version: str,
    settings: str,
    ladder: tuple[float, ...],
    *,
    levels: Callable[[float], int],
    pack: Callable[[NDArray[np.uint16], float], bytes],
    unpack: Callable[[bytes, tuple[int, int]], NDArray[np.uint16]],
) -> Contestant:
    """A codec of planes of whole numbers, which the values of each channel are rounded to."""

    def encode(field: Field, setting: float) -> bytes:
        out = [struct.pack("<HII", field.channels, *field.extent)]
        for plane in field.planes.astype(np.float64):
            low, span = float(plane.min()), float(np.ptp(plane))
            step = (span / levels(setting)) or 1.0
            data = pack(np.rint((plane - low) / step).astype(np.uint16), setting)
            out += [_PLANE.pack(low, step, len(data)), data]
        return b"".join(out)

    def decode(data: bytes) -> Field:
        channels, rows, columns = struct.unpack_from("<HII", data)
        place, planes = struct.calcsize("<HII"), []
        for _ in range(channels):
            low, step, size = _PLANE.unpack_from(data, place)
            place += _PLANE.size
            numbers = unpack(data[place : place + size], (rows, columns))
            place += size
            planes.append((numbers * step + low).astype(np.float32))
        return Field(np.stack(planes))

    return Contestant(
        name=name, version=version, settings=settings, ladder=ladder, encode=encode, decode=decode
    )


def _deflate() -> Contestant:
    def unpack(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint16]:
        return np.frombuffer(zlib.decompress(data), np.uint16).reshape(shape)

    return _contestant(
        "deflate",
        f"zlib {zlib.ZLIB_RUNTIME_VERSION}",
        "values rounded to so many steps of their range, level 9",
        (2, 4, 8, 16, 32, 64, 128),
        levels=lambda steps: int(steps),
        pack=lambda numbers, _: zlib.compress(numbers.tobytes(), 9),
        unpack=unpack,
    )


def _jpeg2000() -> Contestant:
    def pack(numbers: NDArray[np.uint16], decibels: float) -> bytes:
        file = io.BytesIO()
        options = {"quality_mode": "dB", "quality_layers": [decibels], "irreversible": True}
        Image.fromarray(numbers).save(file, format="JPEG2000", no_jp2=True, **options)
        return file.getvalue()

    def unpack(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint16]:
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(picture).astype(np.uint16)

    return _contestant(
        "jpeg2000",
        f"OpenJPEG {features.version('jpg_2000')}",
        "16 bits of the range, irreversible, plane by plane",
        (12, 16, 20, 24, 28, 32, 36, 40, 48, 56),
        levels=lambda _: _LEVELS,
        pack=pack,
        unpack=unpack,
    )


PEERS: Mapping[str, Callable[[], Contestant]] = {"jpeg2000": _jpeg2000, "deflate": _deflate}
