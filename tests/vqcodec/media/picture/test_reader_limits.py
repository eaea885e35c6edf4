"""How large a picture may be: said before memory is taken for it."""

import resource
import struct
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_files import noise, saved
from PIL import Image

from vqcodec.bitstream import Limits
from vqcodec.errors import LimitError
from vqcodec.media.picture import memory
from vqcodec.media.picture.medium import MEDIUM
from vqcodec.media.picture.reader import read_picture

Pixels = NDArray[np.uint8]


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = saved(Image.new("L", (1, 1)), "PNG")
    head = b"IHDR" + struct.pack(">II", 50_000, 50_000) + bomb[24:29]
    bomb = bomb[:12] + head + zlib.crc32(head).to_bytes(4) + bomb[33:]
    with pytest.raises(LimitError, match="50000 x 50000 pixels, more than the limit of"):
        read_picture(bomb)


def test_the_limit_is_the_callers_and_exact() -> None:
    data = saved(Image.fromarray(noise(10, 12, 3)), "PNG")
    before = Image.MAX_IMAGE_PIXELS
    assert read_picture(data, max_pixels=120).width == 12
    with pytest.raises(LimitError, match="12 x 10"):
        read_picture(data, max_pixels=119)
    assert before == Image.MAX_IMAGE_PIXELS


def test_pillows_own_limit_does_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    data = saved(Image.fromarray(noise(10, 12, 3)), "PNG")
    assert read_picture(data).pixels.shape == (10, 12, 3)


def lying_icon(width: int, height: int) -> bytes:
    """An icon that says 16 x 16 in its directory and something else in its bitmap."""
    bitmap = struct.pack("<IiiHHIIiiII", 40, width, 2 * height, 1, 32, 0, 0, 0, 0, 0, 0)
    bitmap += bytes(16 * 16 * 4 + 64)
    head = struct.pack("<HHH", 0, 1, 1)
    return head + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(bitmap), 22) + bitmap


def test_an_icon_that_lies_is_refused_before_memory_is_taken() -> None:
    assert read_picture(lying_icon(16, 16)).extent == (16, 16)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for width, height in ((9000, 5000), (2**15, 2**12), (50000, 50000)):
        with pytest.raises(LimitError, match="an icon has at most 2097152 pixels"):
            read_picture(lying_icon(width, height))
    with pytest.raises(LimitError, match="16 x 16 pixels, more than the limit of 255"):
        read_picture(lying_icon(16, 16), max_pixels=255)
    # In kibibytes on Linux, in bytes on a Mac.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**15


def test_memory_limits_what_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(Image.new("RGB", (1000, 1000)), "PNG")
    monkeypatch.setattr(memory, "_memory", lambda: 24 * 10**6)
    assert read_picture(data).extent == (1000, 1000)
    monkeypatch.setattr(memory, "_memory", lambda: 24 * 10**6 - 1)
    for read in (read_picture, partial(MEDIUM.read, limits=Limits())):
        with pytest.raises(LimitError, match="1000 x 1000 pixels, more than the limit of 999999"):
            read(data)
    assert read_picture(data, max_pixels=10**6).extent == (1000, 1000)
    assert MEDIUM.read(data, Limits(max_samples=10**6)).extent == (1000, 1000)
    monkeypatch.undo()
    assert 2**20 < memory.default_max_pixels() <= 2**28


@pytest.mark.parametrize(("text", "expected"), [("4096\n", 4096), ("max\n", None), ("", None)])
def test_the_limit_of_a_container_counts(
    text: str, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_CONTAINER_LIMIT", tmp_path / "absent")
    whole = memory._memory()
    (tmp_path / "memory.max").write_text(text)
    monkeypatch.setattr(memory, "_CONTAINER_LIMIT", tmp_path / "memory.max")
    assert memory._memory() == (expected or whole)
