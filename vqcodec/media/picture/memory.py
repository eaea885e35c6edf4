"""How many pixels are read by default: no more than half of the memory here encodes."""

import os
from pathlib import Path

from vqcodec.bitstream import DEFAULT_LIMITS

__all__ = ["default_max_pixels"]

# What reading takes more for 8,000 x 6,000 pixels than for 4,000 x 3,000, by the pixel: 7 for RGB,
# 10 where it is turned, 12 with alpha or of 16 bits. Encoding takes no more than that.
_BYTES_PER_PIXEL = 12
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def default_max_pixels() -> int:
    """Return the default limit of a stream, or less where half of the memory encodes less."""
    return min(DEFAULT_LIMITS.max_samples, _memory() // 2 // _BYTES_PER_PIXEL)


def _memory() -> int:
    """Return the bytes of memory that this process may take, as far as the system says."""
    known = [2**62]
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if _CONTAINER_LIMIT.is_file():
        text = _CONTAINER_LIMIT.read_text().strip()
        known += [int(text)] if text.isdigit() else []
    return min(size for size in known if size > 0)
