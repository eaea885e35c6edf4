"""Files by path and open ones, wherever a signal or a stream is asked for."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import vqcodec
from vqcodec.bitstream import Chunk, Limits, write_stream
from vqcodec.codec import Codec
from vqcodec.content import content_of
from vqcodec.errors import FormatError, InputError, LimitError
from vqcodec.media.registry import read_any_stream

Pixels = NDArray[np.uint8]


@pytest.fixture
def png(tmp_path: Path, photo: Pixels) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    return path


@pytest.fixture
def vqc(tmp_path: Path, codec: Codec, photo: Pixels) -> Path:
    path = tmp_path / "photo.vqc"
    path.write_bytes(codec.encode(photo, quality=20))
    return path


# The same file, as every caller may hand it over.
WAYS: dict[str, Callable[[Path], Any]] = {
    "str": str,
    "path": Path,
    "bytes": Path.read_bytes,
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview": lambda path: memoryview(path.read_bytes()),
    "buffer": lambda path: io.BytesIO(path.read_bytes()),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_file_is_encoded_as_its_pixels_are(
    codec: Codec, png: Path, photo: Pixels, way: str
) -> None:
    assert codec.encode(WAYS[way](png), quality=20) == codec.encode(photo, quality=20)


@pytest.mark.parametrize("way", WAYS)
def test_a_file_is_decoded_as_its_bytes_are(
    codec: Codec, tiny_model: Path, vqc: Path, way: str
) -> None:
    expected = codec.decode(vqc.read_bytes())
    np.testing.assert_array_equal(codec.decode(WAYS[way](vqc)), expected)
    np.testing.assert_array_equal(codec.decode_signal(WAYS[way](vqc)).pixels, expected)
    np.testing.assert_array_equal(vqcodec.decode(WAYS[way](vqc)), expected)
    assert vqcodec.inspect(WAYS[way](vqc)).file_bytes == vqc.stat().st_size


def test_an_open_file_is_read_from_where_it_stands_and_left_open(codec: Codec, vqc: Path) -> None:
    padded = vqc.with_name("padded")
    padded.write_bytes(b"before" + vqc.read_bytes())
    with padded.open("rb") as file:
        file.seek(6)
        np.testing.assert_array_equal(codec.decode(file), codec.decode(vqc))
        assert not file.closed
        assert file.tell() == padded.stat().st_size


def test_facts_of_a_file_are_kept(codec: Codec, tmp_path: Path, photo: Pixels) -> None:
    path = tmp_path / "facts.png"
    picture = vqcodec.Picture(photo, exif=b"II*\0" + bytes(40))
    path.write_bytes(codec.medium.write(picture, format="png"))
    kept = codec.medium.read(path.read_bytes(), Limits()).exif
    assert kept is not None
    assert codec.decode_signal(codec.encode(path)).exif == kept
    assert codec.decode_signal(codec.encode(path, facts=False)).exif is None


def test_limits_hold_for_files(codec: Codec, vqc: Path) -> None:
    with pytest.raises(LimitError, match="more than the limit of 1000"):
        codec.decode(vqc, max_samples=1000)


@pytest.mark.parametrize("typecode", ["B", "H", "I", "d"])
def test_sizes_are_counted_in_bytes(vqc: Path, typecode: Literal["B", "H", "I", "d"]) -> None:
    """A view's length counts its items."""
    _, stream = read_any_stream(vqc.read_bytes())
    fillers = ([Chunk("z", bytes(count))] for count in range(8))
    sizes = (write_stream(stream.header, filler, stream.codes) for filler in fillers)
    data = next(data for data in sizes if len(data) % 8 == 0)
    view: Any = memoryview(data).cast(typecode)
    assert vqcodec.inspect(view) == vqcodec.inspect(data)
    assert vqcodec.inspect(view).file_bytes == len(data)


def _missing(folder: Path) -> Path:
    return folder / "missing.png"


def _folder(folder: Path) -> Path:
    return folder


def _pipe(folder: Path) -> Path:
    path = folder / "pipe"
    os.mkfifo(path)
    return path


def _text(folder: Path) -> Any:
    path = folder / "text.png"
    path.write_bytes(b"\x89PNG")
    return path.open(encoding="utf-8")


def _closed(folder: Path) -> Any:
    with (folder / "closed.png").open("wb+") as file:
        return file


class _Words:
    name = "words"

    def read(self) -> str:
        return "words"


REFUSED: list[tuple[Callable[[Path], Any], str]] = [
    (_missing, r"missing\.png: no such file or directory"),
    (_folder, r": is a folder"),
    (_pipe, r"pipe: is no regular file"),
    (lambda folder: os.devnull, r"null: is no regular file"),
    (_text, r"text\.png: is open as text"),
    (_closed, r"closed\.png: read of closed file"),
    (lambda folder: _Words(), "words: reading it gives str"),
    (lambda folder: "a\0b", "null"),
]


@pytest.mark.parametrize(("make", "says"), REFUSED)
def test_what_cannot_be_read_is_refused_by_name(
    codec: Codec, tmp_path: Path, make: Callable[[Path], Any], says: str
) -> None:
    thing = make(tmp_path)
    for call in (codec.encode, codec.decode, codec.decode_signal, vqcodec.decode, vqcodec.inspect):
        with pytest.raises(InputError, match=says):
            call(thing)
    if hasattr(thing, "close"):
        thing.close()


def test_a_file_of_something_else_is_refused(codec: Codec, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("words")
    with pytest.raises(InputError):
        codec.encode(path)
    with pytest.raises(FormatError, match="not a vqcodec file"):
        codec.decode(path)


def test_what_is_no_file_is_handed_on() -> None:
    array = np.zeros(3)
    assert content_of(array) is array
    assert content_of(None) is None
