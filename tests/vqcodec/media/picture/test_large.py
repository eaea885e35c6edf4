"""Large pictures go through files by rows: the same bytes and pixels as held whole."""

import io
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from picture_files import exif_data, noise, saved
from PIL import Image
from tiny import tiny_config, write_tiny

from vqcodec import Codec, Picture, PictureRows, load
from vqcodec.bitstream import Limits
from vqcodec.decoded_file import decode_file, write_decoded
from vqcodec.errors import InputError, LimitError
from vqcodec.files import open_whole
from vqcodec.grid import whole
from vqcodec.media.picture import large
from vqcodec.media.picture.medium import MEDIUM
from vqcodec.media.picture.png_rows import write_png
from vqcodec.media.picture.reader import read_picture
from vqcodec.media.picture.tiff import write_tiff
from vqcodec.media.registry import read_any_stream

Pixels = NDArray[np.uint8]
EXIF = exif_data(1)
ICC = b"\0" * 16 + b"RGB " + b"profile" * 40


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_LARGE_PIXELS", 99)


@pytest.fixture(scope="module")
def codec(photos: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """A model whose regions are 7 x 7 positions of 8 x 8 pixels."""
    samples = torch.from_numpy(photos[0][:424]).permute(2, 0, 1).float() / 255
    folder = tmp_path_factory.mktemp("weights")
    path = folder / "small-regions.safetensors"
    write_tiny(path, tiny_config(region=7), samples[None], [samples], name="small-regions")
    return load(path, device="cpu")


@pytest.fixture(scope="module")
def picture(photos: list[Pixels]) -> Pixels:
    return np.ascontiguousarray(photos[0][100:311, 60:183])


class Unread:
    """Says how often a whole picture was made of parts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        before = MEDIUM.from_samples

        def counted(*arguments: Any, **options: Any) -> Picture:
            self.times += 1
            return before(*arguments, **options)

        monkeypatch.setattr(MEDIUM, "from_samples", counted)


@pytest.mark.parametrize("format", ["png", "tiff"])
@pytest.mark.parametrize("region", [None, (slice(3, 150), slice(50, 120))], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_of_rows_holds_what_is_decoded(
    codec: Codec,
    picture: Pixels,
    format: str,
    region: tuple[slice, slice] | None,
    channels: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    icc = ICC if channels == 3 else None
    data = codec.encode(Picture(picture[:, :, :channels], icc=icc, exif=EXIF))
    wanted = codec.decode_signal(data, region=region)
    unread = Unread(monkeypatch)
    _, stream = read_any_stream(data)
    opened = open_whole(tmp_path / "out")
    write_decoded(codec, stream, opened, format=format, region=region, threads=2)
    assert unread.times == 0
    found = (tmp_path / "out").read_bytes()
    read = read_picture(found)
    np.testing.assert_array_equal(read.pixels, wanted.pixels)
    assert read.icc == icc
    with Image.open(io.BytesIO(found)) as image:
        assert image.getexif()[0x010F] == "abc"
    if format == "tiff":
        assert found == MEDIUM.write(wanted, format="tiff")
    else:
        assert read.exif == EXIF


@pytest.mark.parametrize(
    ("channels", "format"), [(4, "png"), (2, "tiff"), (3, "bmp"), (1, "jpeg")], ids=str
)
def test_what_cannot_go_by_rows_is_held_whole(
    codec: Codec,
    picture: Pixels,
    channels: int,
    format: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = np.concatenate([picture, picture[:, :, :1]], axis=2)[:, :, -channels:]
    data = codec.encode(pixels)
    unread = Unread(monkeypatch)
    opened = open_whole(tmp_path / "out")
    write_decoded(codec, read_any_stream(data)[1], opened, format=format)
    assert unread.times == 1
    wanted = MEDIUM.write(codec.decode_signal(data), format=format)
    assert (tmp_path / "out").read_bytes() == wanted


def test_a_file_that_fails_on_the_way_leaves_nothing(
    codec: Codec, picture: Pixels, tmp_path: Path
) -> None:
    (tmp_path / "out.png").write_bytes(b"older")
    _, stream = read_any_stream(codec.encode(picture))

    def stop(done: int, regions: int) -> None:
        if done == regions // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_decoded(codec, stream, open_whole(tmp_path / "out.png"), format="png", progress=stop)
    assert (tmp_path / "out.png").read_bytes() == b"older"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_is_named_by_its_format(
    codec: Codec, picture: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VQCODEC_MODELS", str(Path(codec.card.path).parent))
    data = codec.encode(picture)
    decode_file(data, tmp_path / "back.TIF", device="cpu")
    np.testing.assert_array_equal(read_picture(tmp_path / "back.TIF").pixels, codec.decode(data))
    with pytest.raises(InputError, match=r"cannot write '.pdf': use .png, .jpg"):
        decode_file(data, tmp_path / "back.pdf")
    with pytest.raises(LimitError, match="more than the limit of 1000"):
        decode_file(data, tmp_path / "back.png", max_samples=1000)
    with pytest.raises(InputError, match="a region"):
        decode_file(data, tmp_path / "back.png", device="cpu", region=(slice(0, 999), slice(0, 1)))
    assert [path.name for path in tmp_path.iterdir()] == ["back.TIF"]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 301, 3), (301, 1, 2), (37, 53, 4)], ids=str)
@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_written_bands_are_read_as_they_were(shape: tuple[int, int, int], rows: int) -> None:
    pixels = noise(*shape)
    bands = [pixels[top : top + rows] for top in range(0, shape[0], rows)]
    whole_tiff = MEDIUM.write(Picture(pixels), format="tiff")
    for write in (write_png, write_tiff):
        file = io.BytesIO()
        write(file, bands, extent=shape[:2], channels=shape[2], icc=None, exif=None)
        np.testing.assert_array_equal(read_picture(file.getvalue()).pixels, pixels)
    assert file.getvalue() == whole_tiff


def test_paeth_is_chosen_as_the_specification_says() -> None:
    """Each sample by the formula of section 9.4, one after the other."""
    pixels = noise(9, 11, 3, seed=4)
    file = io.BytesIO()
    write_png(file, [pixels[:4], pixels[4:]], extent=(9, 11), channels=3, icc=None, exif=None)
    data = file.getvalue()
    place = data.index(b"IDAT")
    (length,) = struct.unpack_from(">I", data, place - 4)
    lines = np.frombuffer(zlib.decompress(data[place + 4 : place + 4 + length]), np.uint8)
    padded = np.pad(pixels.astype(int), ((1, 0), (1, 0), (0, 0)))
    for y, x, c in np.ndindex(pixels.shape):
        a, b, d = padded[y + 1, x, c], padded[y, x + 1, c], padded[y, x, c]
        guess = min((abs(b - d), 0, a), (abs(a - d), 1, b), (abs(a + b - 2 * d), 2, d))[2]
        assert lines.reshape(9, 34)[y, 1 + 3 * x + c] == (pixels[y, x, c] - guess) % 256
    assert set(lines.reshape(9, 34)[:, 0]) == {4}


def test_a_tiff_of_4_gib_is_refused_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    class Far(io.BytesIO):
        def tell(self) -> int:
            return super().tell() + 2**32 - 1000

    drawn = []

    def bands() -> Any:
        for number in range(100):
            drawn.append(number)
            yield noise(1, 500, 3, seed=number)

    monkeypatch.setattr("vqcodec.media.picture.tiff._STRIP_BYTES", 1)
    with pytest.raises(InputError, match="less than 4 GiB: write PNG"):
        write_tiff(Far(), bands(), extent=(100, 500), channels=3, icc=None, exif=None)
    assert drawn == [0]


def png(pixels: NDArray[Any], **options: Any) -> bytes:
    return saved(Image.fromarray(pixels), "PNG", **options)


def jpeg(pixels: Pixels, **options: Any) -> bytes:
    return saved(Image.fromarray(pixels), "JPEG", **options)


def tiff(pixels: Pixels, **options: Any) -> bytes:
    return saved(Image.fromarray(pixels), "TIFF", **options)


def late_exif(data: bytes, exif: bytes) -> bytes:
    """A PNG with its EXIF data behind the pixels, where it may stand as well."""
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    return data[:-12] + chunk + data[-12:]


def tiled_tiff(pixels: Pixels) -> bytes:
    """A TIFF of tiles of 64 x 64, as libvips writes it."""
    import pyvips

    image = pyvips.Image.new_from_array(pixels)
    options = {"tile": True, "tile_width": 64, "tile_height": 64, "compression": "deflate"}
    written: bytes = image.tiffsave_buffer(**options)
    return written


BY_ROWS: dict[str, Callable[[Pixels], bytes]] = {
    "png": png,
    "png with facts": lambda p: png(p, icc_profile=ICC, exif=b"Exif\0\0" + EXIF),
    "png, late exif": lambda p: late_exif(png(p), EXIF),
    "grey png": lambda p: png(p[:, :, 0]),
    "jpeg": lambda p: jpeg(p, icc_profile=ICC, exif=b"Exif\0\0" + EXIF),
    "jpeg 4:4:4": lambda p: jpeg(p, quality=30, subsampling=0),
    "grey jpeg": lambda p: jpeg(p[:, :, 0]),
    "tiff": lambda p: tiff(p, icc_profile=ICC),
    "grey tiff": lambda p: tiff(p[:, :, 0], compression="tiff_lzw"),
    "tiff of jpeg": lambda p: tiff(p, compression="jpeg"),
    "tiles": tiled_tiff,
}


@pytest.mark.parametrize("kind", BY_ROWS)
def test_a_file_is_read_by_rows_as_it_is_whole(kind: str, picture: Pixels, tmp_path: Path) -> None:
    pytest.importorskip("pyvips")
    path = tmp_path / "picture"
    path.write_bytes(BY_ROWS[kind](picture))
    wanted = read_picture(path)
    found = MEDIUM.open(str(path), Limits())
    assert found is not None
    assert (found.extent, found.channels) == (wanted.extent, wanted.channels)
    assert (found.icc, found.exif) == (wanted.icc, wanted.exif)
    for _ in range(2):
        bands = [(slice(top, min(top + 50, 211)), slice(0, 123)) for top in range(0, 211, 50)]
        pixels = np.concatenate([found.window(band) for band in bands])
        np.testing.assert_array_equal(pixels, wanted.pixels)


def test_a_file_gives_the_bytes_of_the_whole(
    codec: Codec, picture: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyvips")
    monkeypatch.setattr("vqcodec.media.picture.rows_of_file._BAND_ROWS", 10)
    path = tmp_path / "picture.jpg"
    path.write_bytes(jpeg(picture, icc_profile=ICC))
    wanted = codec.encode(read_picture(path), bpp=0.4)
    monkeypatch.setattr("vqcodec.encoding._KEPT_BYTES", 0)
    assert codec.encode(path, bpp=0.4) == wanted
    assert codec.encode(str(path), bpp=0.4, threads=2) == wanted
    with pytest.raises(LimitError, match="123 x 211 pixels, more than the limit of 1000"):
        codec.encode(path, max_samples=1000)


HELD_WHOLE: dict[str, Callable[[Pixels], bytes]] = {
    "alpha": lambda p: png(np.concatenate([p, p[:, :, :1]], axis=2)),
    "palette": lambda p: saved(Image.fromarray(p).quantize(9), "PNG"),
    "transparent colour": lambda p: png(p, transparency=(1, 2, 3)),
    "sixteen bits": lambda p: png(p[:, :, 0].astype(np.uint16) * 257),
    "turned jpeg": lambda p: jpeg(p, exif=b"Exif\0\0" + exif_data(6)),
    "turned png": lambda p: late_exif(png(p), exif_data(3)),
    "progressive": lambda p: jpeg(p, progressive=True),
    "cmyk": lambda p: saved(Image.fromarray(p).convert("CMYK"), "JPEG"),
    "turned tiff": lambda p: tiff(p, tiffinfo={274: 8}),
    "two tiffs": lambda p: tiff(p, save_all=True, append_images=[Image.fromarray(p)]),
    "webp": lambda p: saved(Image.fromarray(p), "WEBP"),
    "no picture": lambda p: b"\x89PNG and then nothing",
    "cut in its head": lambda p: png(p)[:20],
    "small": lambda p: png(p[:9, :11]),
}


@pytest.mark.parametrize("kind", HELD_WHOLE)
def test_what_libvips_would_give_otherwise_is_left_to_pillow(
    kind: str, picture: Pixels, tmp_path: Path
) -> None:
    pytest.importorskip("pyvips")
    path = tmp_path / "picture"
    path.write_bytes(HELD_WHOLE[kind](picture))
    assert MEDIUM.open(str(path), Limits()) is None
    assert MEDIUM.open(str(tmp_path / "missing"), Limits()) is None


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "tiles"])
def test_a_file_that_ends_early_is_named(
    kind: str, codec: Codec, picture: Pixels, tmp_path: Path
) -> None:
    pytest.importorskip("pyvips")
    data = BY_ROWS[kind](picture)
    path = tmp_path / "picture"
    path.write_bytes(data)
    drawn = MEDIUM.open(str(path), Limits())
    assert drawn is not None
    # The directory of a TIFF stands behind its pixels: it is cut between looking and reading.
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(InputError, match=f"{path}: the picture is damaged or cut off: "):
        codec.encode(drawn)


def test_a_png_with_a_wrong_bit_is_refused(codec: Codec, tmp_path: Path) -> None:
    pytest.importorskip("pyvips")
    data = bytearray(png(noise(60, 70, 3)))
    data[len(data) // 2] ^= 4
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"{path}: the picture is damaged or cut off: "):
        codec.encode(path)


def test_a_file_that_has_changed_is_refused(codec: Codec, picture: Pixels, tmp_path: Path) -> None:
    pytest.importorskip("pyvips")
    path = tmp_path / "picture.png"
    path.write_bytes(png(picture))
    drawn = MEDIUM.open(str(path), Limits())
    assert isinstance(drawn, PictureRows)
    path.write_bytes(png(picture[:-1]))
    with pytest.raises(InputError, match="is not the picture any more that it was"):
        drawn.window(whole(drawn.extent))


def test_without_pyvips_pillow_reads(
    picture: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyvips", None)
    path = tmp_path / "picture.png"
    path.write_bytes(png(picture))
    assert MEDIUM.open(str(path), Limits()) is None
