"""An alpha plane in tiles, each of one level or a field that the coder of arrays mixes."""

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream.varint import append_varint
from vqcodec.errors import CorruptError
from vqcodec.grid import Region, clip, cut, inside, lengths
from vqcodec.media.picture.alpha_levels import fewest_steps, from_levels, to_levels
from vqcodec.media.picture.alpha_tiles import TILE, TILED, read_tiles, steps_of
from vqcodec_kernels.entropy.fields import decode_plane, encode_plane
from vqcodec_kernels.errors import CorruptPayloadError

__all__ = ["decode_tiles", "encode_tiles"]


def encode_tiles(plane: NDArray[np.uint8]) -> bytes:
    """Turn a plane, uint8 (H, W) of at least one sample, into a tiled payload, without loss."""
    steps = fewest_steps(plane)
    payload = bytearray((TILED, steps))
    for region in cut(plane.shape, TILE):
        levels = to_levels(plane[region], steps)
        first = int(levels.flat[0])
        if (levels == first).all():
            payload += bytes((0, first))
            continue
        field = encode_plane(levels, highest=steps)
        append_varint(payload, len(field))
        payload += field
    return bytes(payload)


def decode_tiles(payload: bytes, height: int, width: int, region: Region) -> NDArray[np.uint8]:
    """Turn a tiled payload back into a region of the plane, uint8; other tiles are not decoded.

    Raises: CorruptError if the payload is not exactly one plane of this size.
    """
    steps = steps_of(payload)
    plane = np.empty(lengths(region), np.uint8)
    for tile, coded in read_tiles(payload, height, width):
        shared = clip(tile, region)
        if min(lengths(shared)) > 0:
            levels = _levels(coded, lengths(tile), steps)[inside(shared, tile)]
            plane[inside(shared, region)] = from_levels(levels, steps)
    return plane


def _levels(coded: int | bytes, shape: tuple[int, ...], steps: int) -> NDArray[np.uint8]:
    height, width = shape
    if isinstance(coded, int):
        return np.broadcast_to(np.uint8(coded), shape)
    try:
        return decode_plane(coded, (height, width), highest=steps)
    except CorruptPayloadError as error:
        raise CorruptError(f"a tile of the alpha chunk does not decode: {error}") from error
