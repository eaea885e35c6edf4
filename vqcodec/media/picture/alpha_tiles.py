"""The tiles in an alpha payload, told apart before a plane is made, and before NumPy is there."""

from collections.abc import Iterator

from vqcodec.bitstream.varint import read_varint
from vqcodec.errors import CorruptError, TruncatedError
from vqcodec.grid import Region, cut

__all__ = ["TILE", "TILED", "read_tiles", "steps_of"]

# The first byte of a payload.
TILED = 2
# Rows and columns of a tile: few enough that a coder's memory is bounded, and enough to learn from.
TILE = (1024, 1024)
_HEAD_BYTES = 2


def steps_of(payload: bytes) -> int:
    """The highest level of a tiled payload, which stands for 255. Raises: CorruptError."""
    if len(payload) < _HEAD_BYTES or payload[0] != TILED or payload[1] == 0:
        raise CorruptError(f"the alpha chunk does not begin as one should: {payload[:2].hex()!r}")
    return payload[1]


def read_tiles(payload: bytes, height: int, width: int) -> Iterator[tuple[Region, int | bytes]]:
    """Give where each tile lies, and the level that all of it has or the bytes of its field.

    Raises: CorruptError if there are not exactly the tiles of a plane of this size.

    >>> list(read_tiles(bytes((TILED, 15, 0, 15)), 2, 3))
    [((slice(0, 2, None), slice(0, 3, None)), 15)]
    """
    steps, place = steps_of(payload), _HEAD_BYTES
    for region in cut((height, width), TILE):
        try:
            length, place = read_varint(payload, place, "a tile of the alpha chunk")
        except TruncatedError as error:
            # The chunk is whole, so it is not a file that was cut.
            raise CorruptError(f"the alpha chunk lacks tiles: {error}") from error
        end = place + max(length, 1)
        if end > len(payload):
            raise CorruptError(f"the alpha chunk ends inside a tile: {len(payload)} bytes of {end}")
        if length == 0 and payload[place] > steps:
            raise CorruptError(f"the alpha chunk has a level of {payload[place]}, above {steps}")
        yield region, payload[place:end] if length else payload[place]
        place = end
    if place != len(payload):
        raise CorruptError(f"{len(payload) - place} bytes follow the tiles of the alpha chunk")
