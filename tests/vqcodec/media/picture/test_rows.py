"""Pictures of rows that are drawn when they are needed: the same bytes, and few rows in memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import tiny_config, write_tiny

from vqcodec import Codec, Picture, PictureRows, encoding, load
from vqcodec.errors import InputError

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def codec(photos: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """A model whose regions are 5 x 5 positions of 8 x 8 pixels."""
    samples = torch.from_numpy(photos[0][:424]).permute(2, 0, 1).float() / 255
    path = tmp_path_factory.mktemp("weights") / "small-regions.safetensors"
    write_tiny(path, tiny_config(region=5), samples[None], [samples], name="small-regions")
    return load(path, device="cpu")


@pytest.fixture(scope="module")
def picture(photos: list[Pixels]) -> Pixels:
    return np.ascontiguousarray(photos[0][100:311, 60:183])


class Bands:
    """Rows of a picture, some at a time, over and over again."""

    def __init__(self, pixels: Pixels, rows: int) -> None:
        self.pixels, self.rows, self.begun = pixels, rows, 0

    def __iter__(self) -> Iterator[Pixels]:
        self.begun += 1
        for top in range(0, len(self.pixels), self.rows):
            yield self.pixels[top : top + self.rows]


@pytest.mark.parametrize("rows", [1, 7, 40, 1000])
@pytest.mark.parametrize("threads", [1, 3])
def test_rows_give_the_bytes_of_the_picture(
    codec: Codec, picture: Pixels, rows: int, threads: int
) -> None:
    facts: Any = {"icc": b"profile" * 9, "exif": b"II*\0" + bytes(40)}
    drawn = PictureRows(iter(Bands(picture, rows)), extent=(211, 123), **facts)
    assert codec.encode(drawn, threads=threads) == codec.encode(Picture(picture, **facts))


@pytest.mark.parametrize("shape", [(123,), (-1, 123), (-1, 123, 1)], ids=str)
def test_rows_of_grey(codec: Codec, picture: Pixels, shape: tuple[int, ...]) -> None:
    grey = np.ascontiguousarray(picture[:, :, 1])
    rows = [row.reshape(shape) for row in grey]
    drawn = PictureRows(rows, extent=(211, 123), channels=1)
    assert codec.encode(drawn) == codec.encode(grey)


@pytest.mark.parametrize("target", [{"bpp": 0.4}, {"psnr": 17.0}, {"effort": 9}], ids=str)
def test_targets_draw_the_rows_again(
    codec: Codec, picture: Pixels, target: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "_KEPT_BYTES", 0)
    bands = Bands(picture, 16)
    drawn = PictureRows(bands, extent=(211, 123))
    assert codec.encode(drawn, **target) == codec.encode(picture, **target)  # type: ignore[arg-type]
    assert bands.begun > 1 or "effort" in target


def test_few_rows_are_held(codec: Codec, picture: Pixels) -> None:
    """A row of regions of 40 pixels, and what the analysis sees on both sides of it."""
    tall = np.tile(picture, (6, 1, 1))
    most = 0

    def rows() -> Iterator[Pixels]:
        nonlocal most
        for row in tall:
            most = max(most, drawn.held)
            yield row

    drawn = PictureRows(rows(), extent=tall.shape[:2])
    data = codec.encode(drawn)
    seen = codec.pieces.positions_seen((slice(50, 55), slice(0, 5)), (100, 16))[0]
    assert 40 < most <= 8 * (seen.stop - seen.start) < 200
    assert data == codec.encode(tall)


def test_the_memory_of_a_row_may_be_used_again(codec: Codec, picture: Pixels) -> None:
    buffer = np.empty_like(picture[0])

    def rows() -> Iterator[Pixels]:
        for row in picture:
            buffer[:] = row
            yield buffer

    assert codec.encode(PictureRows(rows(), extent=(211, 123))) == codec.encode(picture)


def test_an_iterator_gives_its_rows_once(
    codec: Codec, picture: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = PictureRows(iter(picture), extent=(211, 123))
    codec.encode(drawn)
    with pytest.raises(InputError, match="needed once more and can be drawn once"):
        codec.encode(drawn)
    monkeypatch.setattr(encoding, "_KEPT_BYTES", 0)
    targets: list[dict[str, Any]] = [{"bpp": 0.4}, {"size": 2000}, {"psnr": 17.0}]
    for target in targets:
        # Found out before the first row is drawn.
        drawn = PictureRows(iter(picture), extent=(211, 123))
        with pytest.raises(InputError, match="needed once more and can be drawn once: ask for a q"):
            codec.encode(drawn, **target)
        assert drawn.held == 0
    # Of one row of regions all rows are there still.
    low = PictureRows(iter(picture[:40]), extent=(40, 123))
    assert codec.encode(low, psnr=17.0) == codec.encode(picture[:40], psnr=17.0)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (lambda pixels: pixels[:150], "the rows end after 150 of 211"),
        (lambda pixels: pixels[:0], "the rows end after 0 of 211"),
        (lambda pixels: [*pixels, pixels[0]], "there are more rows than 211"),
        (lambda pixels: [pixels, pixels], "there are more rows than 211"),
        (lambda pixels: pixels[:, 1:], r"rows are uint8 \(123, 3\) .* got uint8 \(122, 3\)"),
        (lambda pixels: pixels[:, :, 1:], r"got uint8 \(123, 2\)"),
        (lambda pixels: pixels / 255, r"got float64 \(123, 3\)"),
        (lambda pixels: [pixels[:0]], r"got uint8 \(0, 123, 3\)"),
        (lambda pixels: [b"row"], r"got bytes \(\)"),
        (lambda pixels: [None], r"got NoneType \(\)"),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_rows_that_are_not_as_they_should_be(
    codec: Codec, picture: Pixels, rows: Any, says: str, threads: int
) -> None:
    drawn = PictureRows(iter(rows(picture)), extent=(211, 123))
    with pytest.raises(InputError, match=says):
        codec.encode(drawn, threads=threads)


def test_what_fails_while_rows_are_drawn_is_told_as_it_is(codec: Codec, picture: Pixels) -> None:
    def rows() -> Iterator[Pixels]:
        yield picture[:100]
        raise TimeoutError("the scanner does not answer")

    with pytest.raises(TimeoutError, match="the scanner does not answer"):
        codec.encode(PictureRows(rows(), extent=(211, 123)))


@pytest.mark.parametrize(
    ("extent", "channels", "says"),
    [
        ((0, 5), 3, r"rows first, got \(0, 5\)"),
        ((5,), 3, r"rows first, got \(5,\)"),
        ((5, 5.0), 3, r"rows first, got \(5, 5.0\)"),
        ((5, 5), 4, "1 or 3 channels, got 4: alpha needs a Picture"),
        ((5, 5), 0, "1 or 3 channels, got 0"),
    ],
)
def test_what_no_picture_is_like(extent: Any, channels: int, says: str) -> None:
    with pytest.raises(InputError, match=says):
        PictureRows([], extent=extent, channels=channels)


def test_an_extent_that_no_regions_could_be_listed_of_is_refused() -> None:
    with pytest.raises(InputError, match=r"at most 2\*\*40 pixels, got 2097152 x 1048576"):
        PictureRows([], extent=(2**21, 2**20))
