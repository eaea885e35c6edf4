"""An alpha plane, without loss: two bytes if it is constant, else mixed tiles or deflated rows.

The payload is laid down in docs/format.md, section "Alpha".
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from vqcodec.grid import Region, lengths, whole
from vqcodec.media.picture.alpha_mixing import decode_tiles, encode_tiles
from vqcodec.media.picture.alpha_rows import CONSTANT, FILTERED, constant_of, inflate_rows
from vqcodec.media.picture.alpha_tiles import TILED

__all__ = ["decode_alpha", "encode_alpha", "encode_rows"]

# What a row is predicted from: nothing, the sample to its left, the one above, or left + above -
# above left. All are sums modulo 256 that whole rows undo at once.
_NONE, _LEFT, _ABOVE, _PLANE = range(4)


def encode_alpha(plane: NDArray[np.uint8]) -> bytes:
    """Turn a plane, uint8 (H, W) of at least one sample, into bytes; the same plane, the same."""
    first = plane.flat[0]
    if (plane == first).all():
        return bytes((CONSTANT, int(first)))
    return min(encode_rows(plane), encode_tiles(plane), key=len)


def encode_rows(plane: NDArray[np.uint8]) -> bytes:
    """Turn a plane into deflated rows, which are the smallest for what repeats, and for noise."""
    candidates = (_filter_rows(plane, choose=False), _filter_rows(plane, choose=True))
    packed = [zlib.compress(rows.tobytes(), 9) for rows in candidates]
    return bytes((FILTERED,)) + min(packed, key=len)


def decode_alpha(
    payload: bytes, height: int, width: int, *, region: Region | None = None
) -> NDArray[np.uint8]:
    """Turn bytes back into the plane, uint8 (height, width), or a region of it.

    Never inflates more than the plane needs. Raises: CorruptError if the payload is not exactly
    one plane of this size.
    """
    region = whole((height, width)) if region is None else region
    if payload[:1] == bytes((TILED,)):
        return decode_tiles(payload, height, width, region)
    constant = constant_of(payload)
    if constant is not None:
        return np.full(lengths(region), constant, np.uint8)
    rows = np.frombuffer(b"".join(inflate_rows(payload, height, width)), np.uint8)
    return _unfilter_rows(rows.reshape(height, width + 1))[region]


def _filter_rows(plane: NDArray[np.uint8], *, choose: bool) -> NDArray[np.uint8]:
    """Return (H, W + 1): each row's filter, then its residual.

    choose: take the filter with the smallest residual for each row, instead of none.
    """
    height, width = plane.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = plane
    if not choose:
        return rows
    above = np.zeros_like(plane)
    above[1:] = plane[:-1]
    residuals = (plane, _minus_left(plane), plane - above, _minus_left(plane - above))
    # A residual is a difference modulo 256: 255 stands for -1 and is as small as 1.
    costs = np.stack([np.minimum(r, -r).sum(axis=1, dtype=np.int64) for r in residuals])
    rows[:, 0] = costs.argmin(axis=0)
    for index, residual in enumerate(residuals):
        chosen = rows[:, 0] == index
        rows[chosen, 1:] = residual[chosen]
    return rows


def _minus_left(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return each sample less the one to its left, modulo 256."""
    residual = plane.copy()
    residual[:, 1:] -= plane[:, :-1]
    return residual


def _unfilter_rows(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo _filter_rows."""
    plane = rows[:, 1:].copy()
    above = np.zeros(plane.shape[1], np.uint8)
    for row, kind in zip(plane, rows[:, 0].tolist(), strict=True):
        if kind in (_LEFT, _PLANE):
            np.cumsum(row, dtype=np.uint8, out=row)
        if kind in (_ABOVE, _PLANE):
            row += above
        above = row
    return plane
