"""What --max-pixels means to the reader of a stream."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vqcodec.bitstream import Limits


def limits(max_pixels: int | None) -> "Limits":
    """The reader's limits: its own, or those with another number of pixels."""
    from vqcodec.bitstream import DEFAULT_LIMITS, Limits

    return DEFAULT_LIMITS if max_pixels is None else Limits(max_pixels=max_pixels)
