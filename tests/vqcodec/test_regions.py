"""Signals of many regions: the same bytes and samples however they are worked on, and parts."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec import Codec, Picture
from vqcodec.decoding import checked_region
from vqcodec.errors import CorruptError, InputError
from vqcodec.media.registry import read_any_stream
from vqcodec.rate.search import LatentSearch

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def codec(regions_codec: Codec) -> Codec:
    return regions_codec


@pytest.fixture(scope="module")
def picture(photos: list[Pixels]) -> Pixels:
    """Of 3 x 4 regions, those at the far ends cut short, the last ones to a position."""
    return np.ascontiguousarray(photos[0][100:311, 60:375])


@pytest.mark.parametrize("target", [{}, {"effort": 9}, {"bpp": 0.4}, {"psnr": 18.0}], ids=str)
def test_threads_change_nothing(codec: Codec, picture: Pixels, target: dict[str, float]) -> None:
    one, two, five = (codec.encode(picture, threads=n, **target) for n in (1, 2, 5))  # type: ignore[arg-type]
    assert one == two == five
    assert read_any_stream(one)[1].header.regions == 12
    wanted = codec.decode(one, threads=1)
    for threads in (2, 5, None):
        np.testing.assert_array_equal(codec.decode(one, threads=threads), wanted)


def test_a_region_is_coded_by_what_is_near(codec: Codec, picture: Pixels) -> None:
    """Another picture far from a region leaves its payload alone."""
    changed = picture.copy()
    changed[:, 250:] = 255 - changed[:, 250:]
    before, after = (read_any_stream(codec.encode(p))[1].codes for p in (picture, changed))
    same = [a == b for a, b in zip(before, after, strict=True)]
    assert same == [True, True, False, False] * 3


def test_codes_of_a_region_are_those_of_its_window(codec: Codec, picture: Pixels) -> None:
    """The analysis of the whole, searched region by region: another way to the same codes."""
    samples = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    network = codec._model.transform
    padded = torch.nn.functional.pad(samples[None], (0, 5, 0, 5), mode="replicate")
    latent = network.analyse(padded)[0].detach()
    codes = codec.decode_codes(read_any_stream(codec.encode(picture, quality=70))[1])
    for top in range(0, 27, 13):
        for left in range(0, 40, 13):
            part = latent[:, top : top + 13, left : left + 13]
            search: LatentSearch = codec.search(part)
            found = search.at_quality(70).numpy()
            wanted = codes[:, top : top + 13, left : left + 13]
            assert np.mean(found == wanted) > 0.995


@pytest.mark.parametrize(
    "region",
    [
        (slice(0, 211), slice(0, 315)),
        (slice(0, 1), slice(0, 1)),
        (slice(210, 211), slice(314, 315)),
        (slice(103, 105), slice(100, 110)),
        (slice(37, 190), slice(5, 301)),
        (slice(None), slice(17, None)),
    ],
    ids=str,
)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_region_is_what_the_whole_has_there(
    codec: Codec, picture: Pixels, region: tuple[slice, slice], threads: int
) -> None:
    rgba = np.concatenate([picture, picture[:, :, :1] | 1], axis=2)
    data = codec.encode(rgba)
    part = codec.decode(data, region=region, threads=threads)
    np.testing.assert_array_equal(part, codec.decode(data)[region])


def test_a_region_reads_only_the_chunks_that_matter(codec: Codec, picture: Pixels) -> None:
    _, stream = read_any_stream(codec.encode(picture))
    spoilt = [b"?"] * len(stream.codes)
    # The synthesis reaches 4 positions around: regions 0 and 1 of the first row, and those below.
    for number in (0, 1, 4, 5):
        spoilt[number] = stream.codes[number]
    damaged = dataclasses.replace(stream, codes=tuple(spoilt))
    near = (slice(0, 104), slice(0, 104))
    np.testing.assert_array_equal(
        codec.decode(damaged, region=near), codec.decode(stream, region=near)
    )
    with pytest.raises(CorruptError, match="code chunk 2"):
        codec.decode(damaged, region=(slice(0, 104), slice(0, 105)))


@pytest.mark.parametrize(
    "region",
    [
        (slice(0, 212), slice(0, 5)),
        (slice(5, 5), slice(0, 5)),
        (slice(-3, None), slice(0, 5)),
        (slice(0, 9, 2), slice(0, 5)),
        (slice(0, 9.0), slice(0, 5)),
        (slice(0, "9"), slice(0, 5)),
        (slice(0, 9),),
        (3, 4),
        "ab",
        7,
    ],
    ids=str,
)
def test_what_is_no_region_is_refused(codec: Codec, picture: Pixels, region: object) -> None:
    data = codec.encode(picture)
    with pytest.raises(InputError, match="a region"):
        codec.decode(data, region=region)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a region"):
        checked_region(region, picture.shape[:2])  # type: ignore[arg-type]


def test_any_whole_numbers_make_a_region() -> None:
    """A detector's box is of NumPy's."""
    region = (slice(np.int64(3), np.uint8(9)), slice(None, np.int32(5)))
    assert checked_region(region, (20, 30)) == (slice(3, 9), slice(0, 5))


def test_progress_counts_regions(codec: Codec, picture: Pixels) -> None:
    told: list[tuple[int, int]] = []
    data = codec.encode(picture, threads=2, progress=lambda *done: told.append(done))
    assert told == [(n, 12) for n in range(1, 13)]
    told.clear()
    codec.decode(
        data, region=(slice(0, 9), slice(0, 200)), progress=lambda *done: told.append(done)
    )
    assert told == [(1, 2), (2, 2)]


def test_a_memory_map_is_encoded_as_the_array(
    codec: Codec, picture: Pixels, tmp_path: Path
) -> None:
    np.save(tmp_path / "picture.npy", picture)
    mapped = np.load(tmp_path / "picture.npy", mmap_mode="r")
    assert np.shares_memory(Picture(mapped).pixels, mapped)
    assert np.shares_memory(codec.medium.wrap(mapped).pixels, mapped)
    assert codec.encode(mapped) == codec.encode(picture)
