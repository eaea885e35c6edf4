"""A region of a file: only the chunks that matter are read, from a disk or over a network."""

import io
import itertools
import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counted import Counted
from numpy.typing import NDArray
from range_server import serve

import vqcodec
from vqcodec import Codec
from vqcodec.bitstream import FileBytes, Limits, read_stream, seek_stream
from vqcodec.decoded_file import decode_file
from vqcodec.errors import (
    ChecksumError,
    CorruptError,
    InputError,
    LimitError,
    MissingDependencyError,
    TruncatedError,
)
from vqcodec.media.registry import open_any_stream
from vqcodec.remote import is_url

PLACE = (slice(104, 150), slice(120, 190))
LETTERS = "ARie"


@pytest.fixture(scope="module")
def data(regions_codec: Codec, photos: list[NDArray[np.uint8]]) -> bytes:
    """A picture of 5 x 7 regions."""
    return regions_codec.encode(photos[0], quality=80)


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch, regions_codec: Codec) -> None:
    for module in ("vqcodec.recent", "vqcodec.decoded_file"):
        monkeypatch.setattr(f"{module}.recent_codec", lambda *_, **__: regions_codec)


def chunk_places(data: bytes) -> list[range]:
    """Where the code chunks lie, the last bytes of the stream among them."""
    stream = read_stream(data, letters=LETTERS)
    sizes = [1 + 1 + (len(c) > 127) + (len(c) > 16383) + len(c) + 4 for c in stream.codes]
    start = len(data) - sum(sizes)
    ends = np.cumsum([start, *sizes])
    return [range(a, b) for a, b in itertools.pairwise(ends.tolist())]


def test_only_the_chunks_that_matter_are_read(regions_codec: Codec, data: bytes) -> None:
    whole, places = regions_codec.decode(data), chunk_places(data)
    assert len(places) == 35
    file = Counted(data)
    np.testing.assert_array_equal(regions_codec.decode(file, region=PLACE), whole[PLACE])
    # Rows 0 to 2 and columns 0 to 2 of the regions, what the network sees around 46 x 70 pixels.
    near = [places[row * 7 + column] for row in range(3) for column in range(3)]
    assert file.count <= sum(map(len, near)) + 6 * 35 + 256
    assert file.count < len(data) / 2
    assert file.tell() == len(data)


def test_each_byte_is_read_once(regions_codec: Codec, data: bytes) -> None:
    """And those of other chunks are not touched, not even what follows their heads."""
    places, file = chunk_places(data), Counted(data)
    file.refused = range(places[3].start + 6, places[4].start)
    regions_codec.decode(file, region=(slice(0, 80), slice(0, 80)))
    assert file.count < sum(map(len, places[:10]))
    file.seek(0)
    with pytest.raises(AssertionError, match="should not be read"):
        regions_codec.decode(file, region=(slice(0, 80), slice(340, 380)))


def test_a_file_by_path_open_or_in_memory_gives_the_same(
    regions_codec: Codec, data: bytes, tmp_path: Path
) -> None:
    path, wanted = tmp_path / "a.vqc", regions_codec.decode(data)[PLACE]
    path.write_bytes(data)
    behind = io.BytesIO(b"something else" + data)
    behind.seek(14)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for thing in (path, str(path), file, behind, mapped, data, memoryview(data)):
            for decode in (regions_codec.decode, vqcodec.decode):
                if isinstance(thing, io.IOBase):
                    thing.seek(14 if thing is behind else 0)
                for threads in (1, 2):
                    if isinstance(thing, io.IOBase):
                        thing.seek(14 if thing is behind else 0)
                    found = decode(thing, region=PLACE, threads=threads)
                    np.testing.assert_array_equal(found, wanted)
    decode_file(path, tmp_path / "a.png", region=PLACE)
    assert (tmp_path / "a.png").exists()


def test_a_pipe_is_read_whole(regions_codec: Codec, data: bytes) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.rest = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            return self.rest.readinto(buffer)

    wanted = regions_codec.decode(data)[PLACE]
    np.testing.assert_array_equal(regions_codec.decode(Pipe(), region=PLACE), wanted)


def test_a_region_is_judged_by_what_is_read(regions_codec: Codec, data: bytes) -> None:
    places, wanted = chunk_places(data), regions_codec.decode(data)[PLACE]
    for place, is_read in ((places[34], False), (places[0], True), (places[8], True)):
        spoilt = bytearray(data)
        spoilt[place.start + 9] ^= 16
        if is_read:
            with pytest.raises(ChecksumError, match="code chunk"):
                regions_codec.decode(io.BytesIO(spoilt), region=PLACE)
        else:
            found = regions_codec.decode(io.BytesIO(spoilt), region=PLACE)
            np.testing.assert_array_equal(found, wanted)
        # All of it is read, and checked.
        for whole in (bytes(spoilt), io.BytesIO(spoilt)):
            with pytest.raises(ChecksumError):
                regions_codec.decode(whole)


def test_cut_files(regions_codec: Codec, data: bytes) -> None:
    places = chunk_places(data)
    for length in (0, 5, 20, 30, places[2].start + 20):
        with pytest.raises(TruncatedError):
            regions_codec.decode(io.BytesIO(data[:length]), region=PLACE)
    far = (slice(400, 420), slice(600, 630))
    with pytest.raises(TruncatedError, match="code chunk 34"):
        regions_codec.decode(io.BytesIO(data[:-1]), region=far)
    with pytest.raises(TruncatedError, match="after 33 of 35 code chunks"):
        regions_codec.decode(io.BytesIO(data[: places[34].start]), region=far)
    found = regions_codec.decode(io.BytesIO(data[:-1]), region=PLACE)
    np.testing.assert_array_equal(found, regions_codec.decode(data)[PLACE])


def test_heads_that_lead_astray(data: bytes) -> None:
    places = chunk_places(data)
    for place, value in ((0, ord("D")), (1, 0x7F)):
        spoilt = bytearray(data)
        spoilt[places[3].start + place] = value
        stream = seek_stream(FileBytes(io.BytesIO(spoilt)), letters=LETTERS)
        assert stream.codes_of(2) == read_stream(data, letters=LETTERS).codes[2]
        with pytest.raises((CorruptError, ChecksumError, TruncatedError)):
            stream.codes_of(5)


def test_limits_hold_before_anything_is_read(data: bytes) -> None:
    file = Counted(data)
    few = Limits(max_samples=1000)
    with pytest.raises(LimitError), open_any_stream(file, few, part=True):
        pass
    assert file.count <= 256


def test_a_file_that_is_cut_while_it_is_read(data: bytes) -> None:
    file = io.BytesIO(data)
    stream = seek_stream(FileBytes(file), letters=LETTERS)
    file.truncate(200)
    with pytest.raises(TruncatedError, match="shorter while it was read"):
        stream.codes_of(1)


def test_what_cannot_be_read_is_named(regions_codec: Codec, tmp_path: Path) -> None:
    closed = io.BytesIO(b"closed")
    closed.close()
    things = (tmp_path / "missing.vqc", tmp_path, closed, io.StringIO("text"))
    for thing in things:
        with pytest.raises(InputError):
            regions_codec.decode(thing, region=PLACE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "url"),
    [("https://host/x.vqc", True), ("s3://b/x", True), ("memory://x", True), ("a.vqc", False),
     ("C:\\x", False), ("C://x", False), ("dir/x://y", False), ("simplecache::s3://b/x", True)],
)  # fmt: skip
def test_what_is_a_url(name: str, url: bool) -> None:
    assert is_url(name) is url


def test_a_url_without_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    for region in (None, PLACE):
        with pytest.raises(MissingDependencyError, match=r"pip install 'vqcodec\[fsspec\]'"):
            vqcodec.decode("s3://bucket/x.vqc", region=region)


def test_memory(regions_codec: Codec, data: bytes) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/x.vqc", data)
    whole = regions_codec.decode(data)
    np.testing.assert_array_equal(vqcodec.decode("memory://x.vqc"), whole)
    np.testing.assert_array_equal(vqcodec.decode("memory://x.vqc", region=PLACE), whole[PLACE])
    with fsspec.open("memory://x.vqc", "rb") as file:
        np.testing.assert_array_equal(vqcodec.decode(file, region=PLACE), whole[PLACE])
    with pytest.raises(InputError, match=r"memory://missing\.vqc"):
        vqcodec.decode("memory://missing.vqc", region=PLACE)
    with pytest.raises(InputError, match="nowhere://x"):
        vqcodec.decode("nowhere://x.vqc")
    assert vqcodec.inspect("memory://x.vqc").regions == 35


def test_http(regions_codec: Codec, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp")
    # Blocks as small beside this stream as 1 MiB is beside a large one.
    monkeypatch.setattr("vqcodec.remote._BLOCK_BYTES", 1024)
    whole = regions_codec.decode(data)
    with serve({"x.vqc": data}) as served:
        url = f"{served.url}/x.vqc"
        near = (slice(0, 60), slice(0, 60))
        np.testing.assert_array_equal(vqcodec.decode(url, region=near), whole[near])
        assert 0 < served.sent < len(data) / 2
        served.sent = 0
        np.testing.assert_array_equal(vqcodec.decode(url), whole)
        assert served.sent == len(data)
        for region in (None, near):
            with pytest.raises(InputError, match=f"{served.url}/y"):
                vqcodec.decode(f"{served.url}/y.vqc", region=region)
    with serve({"x.vqc": data}, ranges=False) as served:
        found = vqcodec.decode(f"{served.url}/x.vqc", region=near)
        np.testing.assert_array_equal(found, whole[near])
    # Nobody listens there.
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1/x"):
        vqcodec.decode("http://127.0.0.1:1/x.vqc", region=near)
