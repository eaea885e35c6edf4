"""Which tile each search runs with: by the size of the problem and the memory of a processor.

Never by the name of a GPU: a new one gets the largest tile that fits its shared memory.
"""

from dataclasses import dataclass

__all__ = ["Tile", "choose_tile", "padded_widths", "split_tiles"]


@dataclass(frozen=True)
class Tile:
    """Rows and codes of a tile, warps of a program, tiles of codes in flight."""

    rows: int
    codes: int
    warps: int
    stages: int


# From large to small. On one processor 128 x 128 reads each code from the second cache once for
# 128 rows; smaller tiles are for rows too wide to keep beside the codes in shared memory.
_TILES = (
    Tile(128, 128, 8, 3),
    Tile(128, 128, 8, 2),
    Tile(128, 64, 8, 2),
    Tile(64, 64, 4, 2),
    Tile(64, 32, 4, 2),
    Tile(32, 32, 4, 1),
    Tile(16, 16, 4, 1),
)

# What a program needs beside its operands: reductions across warps, alignment, the runtime's own.
_RESERVED = 6 << 10


def padded_widths(dim: int) -> tuple[int, int]:
    """Split D into two powers of two of at least 16 that cover it; the second may be 0.

    48 becomes 32 + 16 rather than 64, so a product spends nothing on columns of zeros.
    """
    whole = max(16, 1 << (dim - 1).bit_length())
    large = whole // 2
    small = max(16, 1 << max(0, dim - large - 1).bit_length())
    return (large, small) if large >= 16 and large + small < whole else (whole, 0)


def choose_tile(dim: int, codebook_size: int, shared_bytes: int) -> Tile:
    """Take the largest tile whose operands fit the shared memory of a program (bytes)."""
    width = sum(padded_widths(dim))
    for tile in _TILES:
        operands = 2 * width * (tile.rows + tile.stages * tile.codes)
        columns = 4 * tile.codes * tile.stages
        small_enough = tile.codes <= max(16, 1 << (codebook_size - 1).bit_length())
        if small_enough and operands + columns + _RESERVED <= shared_bytes:
            return tile
    return _TILES[-1]


def split_tiles(row_blocks: int, tiles: int, processors: int) -> tuple[int, int]:
    """Share the tiles of codes over programs when there are too few rows: (programs, tiles each).

    At least four tiles each, so that joining the shares stays cheap beside them.
    """
    wanted = max(1, min(processors // max(row_blocks, 1), tiles // 4))
    each = -(-tiles // wanted)
    return -(-tiles // each), each
