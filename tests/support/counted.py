"""A file in memory that knows how much of it was read."""

import io

__all__ = ["Counted"]


class Counted(io.BytesIO):
    """Counts the bytes that are read of it; none of `refused` may be."""

    name = "counted"

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.count = 0
        self.refused: range | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        if self.refused is not None and set(range(start, start + len(data))) & set(self.refused):
            raise AssertionError(f"{len(data)} bytes at {start} should not be read")
        self.count += len(data)
        return data
