"""Which tile each search runs with: by the size of the problem and the memory of a processor.

Never by the name of a GPU: a new one gets the largest tile that fits its shared memory. Kernels
take `Tile` and `Widths` whole, as constants of their compilation.
"""

from typing import NamedTuple

__all__ = [
    "Device",
    "Tile",
    "Widths",
    "choose_tile",
    "pad_width",
    "residual_tile",
    "settle_tile",
    "split_tiles",
]


class Device(NamedTuple):
    """Multiprocessors, shared memory of one program (bytes), compute capability (major)."""

    processors: int
    shared_bytes: int
    capability: int


class Tile(NamedTuple):
    """Rows and codes of a tile, warps of a program, tiles of codes in flight, register cap.

    group: codes that share a running minimum; adjacent: neighbours, or far apart, see `scan`.
    """

    rows: int
    codes: int
    warps: int
    stages: int
    registers: int | None = None
    group: int = 1
    adjacent: bool = False


class Widths(NamedTuple):
    """Columns of a row, and how they are padded: two powers of two, or `chunk` at a time.

    total: those that a row or a code takes in memory, `first + second`; a field, as Triton keeps no
    properties of what is constant. rounded_before: the rows are rounded by a kernel of their own.
    """

    dim: int
    first: int
    second: int
    total: int
    chunk: int
    rounded_before: bool


# From large to small, for smaller shared memories. More rows a tile mean that each code is read
# fewer times from the second cache; 64 codes leave room for two programs on a processor, so that
# one computes its minima while the other multiplies.
_TILES = (Tile(128, 64, 8, 3), Tile(128, 64, 8, 2), Tile(64, 64, 4, 2), Tile(64, 32, 4, 2))

# What a program needs beside its operands: reductions across warps, alignment, the runtime's own.
_RESERVED = 6 << 10

# Two programs of eight warps share the registers of a processor. Only Hopper's products, which
# read both operands from shared memory, leave room for a row tile of more than 48 columns.
_HALF_THE_REGISTERS = 128
_IN_REGISTERS = 96
_ON_CHIP = 256
_CHUNK = 64

# A group's codes are read once more for each row, so grouping is for narrow rows and many codes:
# below this many codes a column, by the count of instructions and bytes, it would not pay.
_GROUP = 4
_GROUPED_WIDTH = 64
_CODES_PER_COLUMN = 64
# What the fifth generation of tensor cores writes lies in rows, one thread each; before it, a
# thread holds columns some way apart.
_ROWS_IN_THREADS = (10, 11)


def pad_width(dim: int) -> Widths:
    """Cover D columns by blocks that the tensor cores take.

    48 becomes 32 + 16 rather than 64, so a product spends little on columns of zeros; 64 becomes
    32 + 32, which takes fewer registers on the way in; above 256 a row is read in chunks of 64.
    """
    if dim > _ON_CHIP:
        padded = -(-dim // _CHUNK) * _CHUNK
        return Widths(dim, padded, 0, padded, _CHUNK, True)
    whole = max(16, 1 << (dim - 1).bit_length())
    large = whole // 2
    small = max(16, 1 << max(0, dim - large - 1).bit_length())
    split = large >= 16 and (large + small < whole or whole == 64)
    first, second = (large, small) if split else (whole, 0)
    return Widths(dim, first, second, first + second, 0, dim > _IN_REGISTERS)


def choose_tile(dim: int, codebook_size: int, device: Device) -> Tile:
    """Take the largest tile whose operands fit the shared memory of the device."""
    widths = pad_width(dim)
    registers = _HALF_THE_REGISTERS if device.capability == 9 else None
    narrow = widths.total <= _GROUPED_WIDTH
    group = _GROUP if narrow and codebook_size >= _CODES_PER_COLUMN * widths.total else 1
    adjacent = device.capability in _ROWS_IN_THREADS
    for tile in _TILES:
        if widths.chunk:
            operands = 2 * widths.chunk * tile.stages * (tile.rows + tile.codes)
        else:
            operands = 2 * widths.total * (tile.rows + tile.stages * tile.codes)
        columns = 4 * tile.codes * tile.stages
        fits = operands + columns + _RESERVED <= device.shared_bytes
        if fits and tile.codes <= max(32, 1 << (codebook_size - 1).bit_length()):
            return tile._replace(registers=registers, group=group, adjacent=adjacent)
    return _TILES[-1]._replace(group=group, adjacent=adjacent)


def settle_tile(device: Device) -> Tile:
    """Tile of the second pass, where a full register file matters more than the tile's size.

    Without the explicit cap the assembler spills to reach an occupancy that it guessed.
    """
    return Tile(32, 64, 4, 1, 255) if device.capability < 9 else Tile(64, 64, 8, 1, 255)


def split_tiles(row_blocks: int, tiles: int, processors: int) -> tuple[int, int]:
    """Share the tiles of codes over programs when there are too few rows: (programs, tiles each).

    At least two tiles each, so that joining the shares stays cheap beside them.
    """
    wanted = max(1, min(processors // max(row_blocks, 1), tiles // 2))
    each = -(-tiles // wanted)
    return -(-tiles // each), each


def residual_tile(device: Device) -> Tile:
    """Tile of the search that keeps its residuals in registers beside the minima."""
    return Tile(32, 64, 4, 2, 255) if device.capability < 9 else Tile(128, 64, 8, 2, 255)
