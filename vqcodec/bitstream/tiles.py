"""How a picture is cut into tiles, and so how many code chunks a stream holds."""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["TILE_SIDE", "Tile", "count_tiles", "iterate_tiles"]

TILE_SIDE = 1024


@dataclass(frozen=True)
class Tile:
    """A rectangle of the picture, in pixels; tiles at the right and lower edge are smaller."""

    top: int
    left: int
    height: int
    width: int

    def grid(self, stride: int) -> tuple[int, int]:
        """Return rows and columns of the latent grid that covers the tile at a stride."""
        return -(-self.height // stride), -(-self.width // stride)


def count_tiles(width: int, height: int) -> int:
    """Return how many tiles cover a picture of so many pixels."""
    return -(-width // TILE_SIDE) * -(-height // TILE_SIDE)


def iterate_tiles(width: int, height: int) -> Iterator[Tile]:
    """Yield the tiles of a picture in the order of their chunks: row by row, left to right."""
    for top in range(0, height, TILE_SIDE):
        for left in range(0, width, TILE_SIDE):
            yield Tile(top, left, min(TILE_SIDE, height - top), min(TILE_SIDE, width - left))
