"""Colour profiles: for which colours one is; one made from primaries and a curve (ICC.1:2022)."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["SRGB_CURVE", "fits_channels", "gamma_curve", "make_profile", "table_curve"]

Floats = NDArray[np.float64]

# Signatures of the colour spaces that a profile can be for, section 7.2.6.
_SPACES = (
    *(b"XYZ ", b"Lab ", b"Luv ", b"YCbr", b"Yxy ", b"RGB ", b"GRAY", b"HSV ", b"HLS "),
    *(b"CMYK", b"CMY ", *(b"%XCLR" % count for count in range(2, 16))),
)
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def fits_channels(icc: bytes, channels: int) -> bool:
    """Whether a profile is for pixels of so many channels: bytes 16 to 20 say for which colours.

    What is no profile at all is not judged.
    """
    space = icc[16:20]
    return space not in _SPACES or space == (b"RGB " if channels >= 3 else b"GRAY")


def gamma_curve(gamma: float) -> bytes:
    """A curve of light: light = sample ** gamma."""
    return b"para" + bytes(4) + struct.pack(">HH", 0, 0) + _fixed(gamma)


def table_curve(light: Floats) -> bytes:
    """A curve of light at samples evenly spaced over [0, 1], each in [0, 1]."""
    values = np.rint(light * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(values)) + values.tobytes()


# IEC 61966-2-1.
SRGB_CURVE = (
    b"para"
    + bytes(4)
    + struct.pack(">HH", 3, 0)
    + b"".join(
        struct.pack(">i", round(value * 65536))
        for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    )
)


def make_profile(
    chromaticities: Sequence[float], curve: bytes, *, grey: bool, cicp: bytes | None = None
) -> bytes | None:
    """Return a display profile, or None if the points make no colours.

    chromaticities: x and y of white, red, green and blue. curve: of all channels. grey: for one
    channel. cicp: the four bytes of ITU-T H.273 that the profile stands for.
    """
    x, y = np.array(chromaticities, np.float64).reshape(4, 2).T
    points = np.stack([x, y, 1 - x - y])
    if not _is_sound(points):
        return None
    white = points[:, 0] / points[1, 0]
    adapt = _adaptation(white)
    light = points[:, 1:] * np.linalg.solve(points[:, 1:], white)
    columns = (adapt @ light).T
    if np.abs(columns).max() > 4:
        return None
    tags = {b"desc": _text("vqcodec"), b"cprt": _text("CC0"), b"wtpt": _xyz(_D50)}
    tags[b"chad"] = b"sf32" + bytes(4) + _fixed(*adapt.ravel())
    if grey:
        tags[b"kTRC"] = curve
    else:
        tags |= {b"%cXYZ" % c: _xyz(column) for c, column in zip(b"rgb", columns, strict=True)}
        tags |= {b"%cTRC" % c: curve for c in b"rgb"}
        if cicp is not None:
            tags[b"cicp"] = b"cicp" + bytes(4) + cicp
    return _assemble(b"GRAY" if grey else b"RGB ", tags)


def _is_sound(points: Floats) -> bool:
    """Whether white looks like one and the primaries span a triangle; points: (3, 4), sum 1."""
    x, y, z = points[:, 0]
    lies_inside = min(x, y) >= 0.2 and max(x, y) <= 0.5 and z >= 0.05
    return bool(lies_inside and abs(np.linalg.det(points[:, 1:])) > 1e-4)


def _adaptation(white: Floats) -> Floats:
    """Return the matrix (3, 3) that takes light under a white to light under D50, by Bradford."""
    scale = (_BRADFORD @ np.array(_D50)) / (_BRADFORD @ white)
    matrix: Floats = np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD
    return matrix


def _fixed(*values: float) -> bytes:
    """Numbers of 16 bits before the point and 16 behind it."""
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _xyz(values: Sequence[float] | Floats) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _text(text: str) -> bytes:
    raw = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(raw), 28) + raw


def _assemble(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return header, table of tags and their data, equal data once."""
    offset = 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        if data not in places:
            places[data] = offset + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    head = struct.pack(">I4sI4s4s4s", offset + len(body), b"", 0x04400000, b"mntr", space, b"XYZ ")
    # The date is of the standard: the same colours give the same bytes.
    head += struct.pack(">6H", 2022, 5, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*_D50)
    return head.ljust(128, b"\x00") + table + body
