"""What is remembered of the integers of a video."""

from __future__ import annotations

import hashlib

import numpy as np

from vqcodec.media.video.player import GroupCodes


def digest(codes: GroupCodes) -> str:
    """SHA-256 of a group's integers, little-endian and in C order, frame by frame."""
    found = hashlib.sha256(np.ascontiguousarray(codes.key, "<u2").tobytes())
    for change in codes.changes:
        for part, kind in zip(change, ("u1", "i1", "<u2"), strict=True):
            found.update(np.ascontiguousarray(part, kind).tobytes())
    return found.hexdigest()
