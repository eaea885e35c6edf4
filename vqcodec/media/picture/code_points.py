"""Colours told without a profile: code points (ITU-T H.273), or gamma and chromaticities (PNG)."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.picture.icc import SRGB_CURVE, gamma_curve, make_profile, table_curve

__all__ = ["find_nclx", "profile_of_facts"]

_D65 = (0.3127, 0.3290)
_SRGB = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
# H.273 table 2: white, red, green, blue. What is not here or unspecified (2) is taken for sRGB.
_PRIMARIES = {
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
# H.273 table 3. Curves of television cameras (1, 6, 14, 15) are shown as sRGB.
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_PQ, _HLG = 16, 18
_STEPS = np.linspace(0, 1, 1025)


def profile_of_facts(info: Mapping[Any, Any], *, grey: bool) -> bytes | None:
    """Return the profile of colours that a file tells in other words; None if they are sRGB.

    info: of a Pillow image: `cicp`, four bytes; or `gamma` and `chromaticity`, unless `srgb`.
    """
    cicp = info.get("cicp")
    if isinstance(cicp, bytes) and len(cicp) == 4:
        return _profile_of_code_points(cicp, grey=grey)
    if "srgb" in info:
        return None
    gamma, chromaticities = info.get("gamma", 1 / 2.2), info.get("chromaticity", _SRGB)
    # The usual 1 / 2.2 stands for the curve of sRGB; four digits are all that files give.
    usual = abs(gamma - 1 / 2.2) < 0.005
    if not 0.05 < gamma < 5 or (usual and np.allclose(chromaticities, _SRGB, atol=0.002)):
        return None
    curve = SRGB_CURVE if usual else gamma_curve(1 / gamma)
    return make_profile(chromaticities, curve, grey=grey)


def find_nclx(data: bytes) -> bytes | None:
    """Return primaries, transfer, matrix and range of an AVIF or HEIC file, one byte each."""
    places = [(0, len(data))]
    for wanted, skipped in ((b"meta", 4), (b"iprp", 0), (b"ipco", 0)):
        places = [
            (start + skipped, end)
            for place in places
            for kind, start, end in _boxes(data, *place)
            if kind == wanted
        ]
    for place in places:
        for kind, start, end in _boxes(data, *place):
            if kind == b"colr" and data[start : start + 4] == b"nclx" and end - start >= 11:
                *points, span = struct.unpack_from(">3HB", data, start + 4)
                return bytes(min(point, 255) for point in points) + bytes([span >> 7])
    return None


def _profile_of_code_points(cicp: bytes, *, grey: bool) -> bytes | None:
    """Return the profile of code points, None for sRGB and what is taken for it."""
    primaries, transfer = cicp[0], cicp[1]
    if transfer in _GAMMAS:
        curve = gamma_curve(_GAMMAS[transfer])
    elif transfer == _PQ:
        curve = table_curve(_light_of_pq())
    elif transfer == _HLG:
        curve = table_curve(_light_of_hlg())
    elif primaries not in _PRIMARIES:
        return None
    else:
        curve = SRGB_CURVE
    # Samples are RGB here, of full range, whatever they were in the file.
    points = bytes((primaries, transfer, 0, 1))
    return make_profile(_PRIMARIES.get(primaries, _SRGB), curve, grey=grey, cicp=points)


def _light_of_pq() -> NDArray[np.float64]:
    """SMPTE ST 2084: light of samples, 1 being 10,000 candela per square metre."""
    root = _STEPS ** (1 / 78.84375)
    ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    light: NDArray[np.float64] = ratio ** (1 / 0.1593017578125)
    return light


def _light_of_hlg() -> NDArray[np.float64]:
    """ITU-R BT.2100: scene light of samples."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(_STEPS <= 0.5, _STEPS**2 / 3, (np.exp((_STEPS - c) / a) + b) / 12)


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, begin and end of the contents of the boxes between two offsets."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        stop = start + size if size else end
        # Boxes of more than 4 GiB hold samples and stand behind what is looked for.
        if size in range(1, 8) or stop > end:
            return
        yield kind, start + 8, stop
        start = stop
