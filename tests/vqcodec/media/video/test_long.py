"""A long recording in the memory of a few frames."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from vqcodec import VideoEncoder, open_video

MEBI = 1 << 20


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_memory_does_not_grow_with_the_frames(tmp_path: Path) -> None:
    path, count = tmp_path / "long.vqc", 1_000
    frame = np.full((32, 32, 3), 90, np.uint8)
    held = {}
    with VideoEncoder(path, height=32, width=32, rate=25, keyframe_seconds=4) as encoder:
        for number in range(count):
            frame[8:14, :] = 90
            frame[8:14, number // 5 % 26 : number // 5 % 26 + 6] = 220
            encoder.add(frame)
            if number in (250, count - 1):
                held[number] = resident()
    assert held[count - 1] - held[250] < 24 * MEBI
    with open_video(path) as video:
        assert video.frames == count
        for number, shown in enumerate(video):
            assert shown.time * 25 == number
            if number in (250, count - 1):
                held[number] = resident()
    assert held[count - 1] - held[250] < 24 * MEBI
