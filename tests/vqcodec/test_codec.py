"""Signals to streams and back, on pictures: every size and kind, targets, refusals, codes."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import start_model

import vqcodec
from vqcodec.bitstream import Header, Stream, read_header, write_stream
from vqcodec.codec import Codec, load
from vqcodec.device import find_device
from vqcodec.errors import (
    BackendError,
    CorruptError,
    FormatError,
    InputError,
    LimitError,
    UnknownModelError,
)
from vqcodec.media.picture.signal import Picture
from vqcodec.media.registry import read_any_stream
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.model.file import read_model, write_model
from vqcodec.model.tensors import network_tensors
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.recent import decode
from vqcodec.tokenizer import Tokenizer
from vqcodec.transforms.config import DenseAnalysisConfig, DenseSynthesisConfig

Pixels = NDArray[np.uint8]

# Height and width: single pixels and lines, primes, exactly and nearly the stride.
SIZES = [(1, 1), (1, 29), (31, 1), (7, 5), (8, 8), (9, 16), (17, 23), (64, 63)]
KINDS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGBA"}


def read_stream(data: bytes) -> Stream:
    return read_any_stream(data)[1]


def psnr(a: Pixels, b: Pixels) -> float:
    return float(-10 * np.log10(np.square(a / 255.0 - b / 255.0).mean()))


def of_kind(photo: Pixels, channels: int) -> Pixels:
    """The photograph with 1 to 4 channels, and an alpha plane of gradients and hard edges."""
    colours = photo if channels >= 3 else photo[:, :, 1:2]
    if channels in (1, 3):
        return np.ascontiguousarray(colours)
    rows, columns = np.mgrid[: photo.shape[0], : photo.shape[1]]
    alpha = np.where(rows % 50 < 25, rows + columns, 255 * (columns % 7 > 2)).astype(np.uint8)
    return np.concatenate([colours, alpha[:, :, None]], axis=2)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("channels", KINDS, ids=KINDS.values())
def test_round_trip_of_any_size_and_kind(
    codec: Codec, photo: Pixels, size: tuple[int, int], channels: int
) -> None:
    pixels = of_kind(photo, channels)[: size[0], : size[1]]
    decoded = codec.decode_signal(codec.encode(pixels, quality=100)).pixels
    assert decoded.shape == pixels.shape
    assert decoded.dtype == np.uint8
    colours = 3 if channels >= 3 else 1
    assert psnr(decoded[:, :, :colours], pixels[:, :, :colours]) > 17
    np.testing.assert_array_equal(decoded[:, :, colours:], pixels[:, :, colours:])


@pytest.mark.parametrize("channels", KINDS, ids=KINDS.values())
def test_quality_of_a_photograph(codec: Codec, photo: Pixels, channels: int) -> None:
    """The kinds share one model: none of them is much worse than the others."""
    pixels = of_kind(photo, channels)
    decoded = codec.decode_signal(codec.encode(pixels, quality=100)).pixels
    colours = 3 if channels >= 3 else 1
    assert psnr(decoded[:, :, :colours], pixels[:, :, :colours]) > 21


def test_rate_and_quality_grow_together(codec: Codec, photo: Pixels) -> None:
    streams = [codec.encode(photo, quality=quality) for quality in range(0, 101, 10)]
    sizes = [len(data) for data in streams]
    found = [psnr(codec.decode(data), photo) for data in streams]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 4 * sizes[0]
    # More bits never cost more than a rounding of quality, and buy several dB in all.
    assert all(after > before - 0.05 for before, after in itertools.pairwise(found))
    assert found[-1] > found[0] + 2


def test_equal_pictures_give_equal_bytes(codec: Codec, tiny_path: Path, photo: Pixels) -> None:
    data = codec.encode(photo)
    assert codec.encode(photo) == data
    assert load(tiny_path, device="cpu").encode(photo) == data


def test_layout_in_memory_does_not_show(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(photo)
    frozen = photo.copy()
    frozen.flags.writeable = False
    backwards = np.ascontiguousarray(photo[::-1])[::-1]
    for pixels in (frozen, backwards, np.asfortranarray(photo)):
        assert codec.encode(pixels) == data
        assert codec.encode(Picture(pixels)) == data
    tensor = torch.from_numpy(photo).permute(2, 0, 1)
    assert codec.encode(tensor) == data
    assert codec.encode(photo.astype(np.float32) / 255) == data


def test_pixels_of_the_caller_are_left_alone(codec: Codec, photo: Pixels) -> None:
    pixels = photo.copy()
    codec.encode(pixels)
    np.testing.assert_array_equal(pixels, photo)


def test_facts_are_kept_or_stripped(codec: Codec, photo: Pixels) -> None:
    picture = Picture(photo, icc=b"profile" * 50, exif=b"II*\0" + bytes(40))
    kept = codec.encode(picture)
    decoded = codec.decode_signal(kept)
    assert (decoded.icc, decoded.exif) == (picture.icc, picture.exif)
    stripped = codec.encode(picture, facts=False)
    decoded = codec.decode_signal(stripped)
    assert (decoded.icc, decoded.exif) == (None, None)
    assert stripped == codec.encode(photo)
    assert len(stripped) < len(kept)


def test_grey_is_two_dimensional(codec: Codec, photo: Pixels) -> None:
    grey = photo[:, :, 0]
    assert codec.decode(codec.encode(grey)).shape == grey.shape


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_size_is_met_and_used(codec: Codec, photo: Pixels, share: float) -> None:
    target = int(share * len(codec.encode(photo, quality=100)))
    data = codec.encode(photo, size=target)
    assert 0.98 * target <= len(data) <= target
    assert codec.decode(data).shape == photo.shape


def test_bits_per_pixel_are_those_of_the_whole_stream(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(Picture(photo, exif=b"II*\0" + bytes(60)), bpp=0.2)
    rate = 8 * len(data) / (photo.shape[0] * photo.shape[1])
    assert 0.98 * 0.2 <= rate <= 0.2


def test_a_rate_beyond_all_sizes_is_no_limit(codec: Codec, photo: Pixels) -> None:
    assert codec.encode(photo, bpp=1e6) == codec.encode(photo, quality=100)


def test_generous_target_gives_the_best_quality(codec: Codec, photo: Pixels) -> None:
    assert codec.encode(photo, size=10**9) == codec.encode(photo, quality=100)


def test_what_is_no_tensor_or_extent_is_named(codec: Codec) -> None:
    array: Any = np.zeros((1, 3, 8, 8), np.float32)
    with pytest.raises(InputError, match=r"an array must be \(H, W\) or .*got \(1, 3, 8, 8\)"):
        codec.quantize(array)
    with pytest.raises(InputError, match="samples must be a torch tensor, got ndarray"):
        Tokenizer.quantize(codec, array)
    with pytest.raises(InputError, match="codes must be a torch tensor, got ndarray"):
        codec.reconstruct(array, extent=(8, 8))
    extent: Any
    for extent in (8, (8.0, 8), None):
        with pytest.raises(InputError, match="whole numbers, one for each axis, got"):
            codec.reconstruct(torch.zeros(1, 1, 1, 1, dtype=torch.int64), extent=extent)


def test_psnr_is_reached_and_not_by_far(codec: Codec, photo: Pixels) -> None:
    found = psnr(codec.decode(codec.encode(photo, psnr=20.5)), photo)
    assert 20.5 <= found <= 20.6


@pytest.mark.parametrize(
    "arguments",
    [
        {"quality": -1},
        {"quality": 101},
        {"quality": float("nan")},
        {"bpp": 0},
        {"bpp": -1},
        {"bpp": float("inf")},
        {"bpp": float("nan")},
        {"bpp": 1e-9},
        {"size": 0},
        {"size": 10},
        {"psnr": 80},
        {"effort": 0},
        {"effort": 10},
        {"bpp": 1, "size": 1000},
        {"size": 1000, "psnr": 20},
    ],
    ids=str,
)
def test_targets_that_make_no_sense_or_cannot_be_met(
    codec: Codec, photo: Pixels, arguments: dict[str, float]
) -> None:
    with pytest.raises(InputError):
        codec.encode(photo, **arguments)  # type: ignore[arg-type]


def test_effort_makes_the_file_no_worse(codec: Codec, photo: Pixels) -> None:
    """Judged by what the search minimises: distortion and rate at the model's own slope."""
    greedy, thorough = (codec.encode(photo, quality=60, effort=effort) for effort in (1, 9))
    gain = psnr(codec.decode(thorough), photo) - psnr(codec.decode(greedy), photo)
    # At high rate a dB costs about a sixth of a bit per sample; here a sixth of the file per dB.
    growth = len(thorough) / len(greedy) - 1
    assert gain > 0 or growth < 0
    assert growth < max(0.02, gain / 2)


def test_decode_finds_the_model_by_its_fingerprint(
    codec: Codec, tiny_model: Path, photo: Pixels
) -> None:
    data = codec.encode(photo)
    np.testing.assert_array_equal(decode(data, device="cpu"), codec.decode(data))
    np.testing.assert_array_equal(vqcodec.decode(bytearray(data)), codec.decode(data))
    for key in ("tiny", codec.card.fingerprint):
        assert load(key, device="cpu").card.fingerprint == codec.card.fingerprint


def test_model_that_is_not_installed(
    codec: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Pixels
) -> None:
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nothing"))
    with pytest.raises(UnknownModelError, match=codec.card.fingerprint) as caught:
        decode(codec.encode(photo))
    assert str(tmp_path / "none") in str(caught.value)
    assert str(tmp_path / "nothing") in str(caught.value)
    with pytest.raises(UnknownModelError, match="no file of weights"):
        load(tmp_path / "lost.safetensors")


def test_stream_of_another_model_is_refused(
    codec: Codec, tiny_path: Path, tmp_path: Path, photo: Pixels
) -> None:
    card, tensors = read_model(tiny_path)
    tensors["synthesis.leave.bias"] = tensors["synthesis.leave.bias"] + np.float16(0.5)
    write_model(tmp_path / "other.safetensors", "other", card.config, tensors, {})
    other = load(tmp_path / "other.safetensors", device="cpu")
    with pytest.raises(UnknownModelError, match=other.card.fingerprint) as caught:
        codec.decode(other.encode(photo))
    assert codec.card.fingerprint in str(caught.value)


def test_more_samples_than_allowed(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(photo)
    count = photo.shape[0] * photo.shape[1]
    assert codec.decode(data, max_samples=count).shape == photo.shape
    for refuse in (codec.decode, codec.decode_signal, decode):
        with pytest.raises(LimitError):
            refuse(data, max_samples=count - 1)


def test_a_stream_that_was_read_is_not_read_again(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(Picture(photo, exif=b"II*\0"))
    stream = read_stream(data)
    assert codec.decode_signal(stream).exif == b"II*\0"
    np.testing.assert_array_equal(codec.decode(stream), codec.decode(data))


def test_damaged_streams_are_refused(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(photo[:40, :40], quality=20)
    for length in range(len(data)):
        with pytest.raises(FormatError):
            codec.decode(data[:length])
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        # Damage to the fingerprint is caught by the header's checksum before it names a model.
        with pytest.raises(FormatError):
            codec.decode(damaged)


def rewritten(data: bytes, *, codes: bytes | None = None, **fields: object) -> bytes:
    """The stream with another header or payload, and right checksums."""
    stream = read_stream(data)
    header = replace(stream.header, **fields)  # type: ignore[arg-type]
    payloads = stream.codes if codes is None else (codes,)
    return write_stream(header, stream.side_chunks, payloads)


def test_whole_streams_that_no_encoder_writes(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(photo[:40, :40])
    assert codec.decode(rewritten(data)).shape == (40, 40, 3)
    for changed in (
        rewritten(data, stages=6),
        rewritten(data, stages=2),
        rewritten(data, prior=0),
        rewritten(data, extent=(40, 400)),
        rewritten(data, extent=(9, 40)),
        rewritten(data, extent=(40, 1025)),
        rewritten(data, codes=b""),
        rewritten(data, codes=read_stream(data).codes[0] + b"\0\0\0\0"),
    ):
        with pytest.raises(CorruptError):
            codec.decode(changed)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_codes_of_a_stream_do_not_depend_on_threads(codec: Codec, photos: list[Pixels]) -> None:
    data = codec.encode(photos[1][:200, :300], quality=80)
    found = []
    for count in (1, 2):
        torch.set_num_threads(count)
        found.append(codec.decode_codes(read_stream(data)))
    np.testing.assert_array_equal(found[0], found[1])


def test_codes_of_a_stream_are_those_that_were_chosen(codec: Codec, photo: Pixels) -> None:
    pixels = torch.from_numpy(photo).permute(2, 0, 1).float() / 255
    codes = codec.search(codec.analyse(pixels[None])[0]).at_quality(70)
    stream = read_stream(codec.encode(photo, quality=70))
    np.testing.assert_array_equal(codec.decode_codes(stream), codes.numpy())


def test_regions_are_coded_one_by_one(codec: Codec, photos: list[Pixels]) -> None:
    """A picture of three regions: equal to one that is coded as a whole by the same codes."""
    pixels = np.tile(photos[0], (1, 4, 1))[:9, :2049]
    data = codec.encode(pixels, quality=100)
    stream = read_stream(data)
    assert len(stream.codes) == stream.header.regions == 3
    codes = codec.decode_codes(stream)
    assert codes.shape == (5, 2, 257)
    for stages in (1, 3, 5, 9):
        np.testing.assert_array_equal(codec.decode_codes(stream, stages=stages), codes[:stages])
    with pytest.raises(InputError, match="stages must be a whole number from 1, got 0"):
        codec.decode_codes(stream, stages=0)
    latent = codec._model.quantizer.reconstruct(torch.from_numpy(codes)[None])
    whole = codec._model.transform.synthesise(latent)
    wanted = whole[0, :, :9, :2049].clamp(0, 1).mul(255).permute(1, 2, 0).numpy()
    # Rounded to eight bits, so half a step and the rounding of convolutions of other shapes.
    assert np.abs(codec.decode(data) - wanted).max() <= 0.501


def test_regions_that_are_not_the_models_are_refused(codec: Codec, photo: Pixels) -> None:
    stream = read_stream(codec.encode(photo[:40, :40]))
    header = replace(stream.header, regions=2)
    data = write_stream(header, (), stream.codes * 2)
    with pytest.raises(CorruptError, match="says 2 regions, its model cuts such a signal into 1"):
        codec.decode(data)


def test_quantize_and_reconstruct(codec: Codec, photos: list[Pixels]) -> None:
    images = torch.stack([torch.from_numpy(p[:61, :83]).permute(2, 0, 1) / 255 for p in photos])
    codes = codec.quantize(images)
    assert codes.shape == (2, 5, 8, 11)
    assert codes.dtype == torch.int64
    assert 0 <= int(codes.min()) <= int(codes.max()) < 32
    for number in range(2):
        alone = codec.quantize(images[number : number + 1])
        assert torch.equal(alone[0], codes[number])
    errors = []
    for stages in (1, 3, 5):
        output = codec.reconstruct(codes[:, :stages], extent=(61, 83))
        assert output.shape == images.shape
        errors.append(float((output - images).square().mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.01


def test_decode_is_reconstruct_rounded(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(photo)
    codes = torch.from_numpy(codec.decode_codes(read_stream(data)))[None]
    output = codec.reconstruct(codes, extent=photo.shape[:2])[0]
    wanted = output.clamp(0, 1).mul(255).permute(1, 2, 0).numpy()
    assert np.abs(codec.decode(data) - wanted).max() <= 0.5 + 1e-4


@pytest.mark.parametrize(
    "samples",
    [
        torch.zeros(3, 8, 8),
        torch.zeros(1, 1, 8, 8),
        torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        torch.full((1, 3, 8, 8), torch.nan),
        torch.full((1, 3, 8, 8), torch.inf),
        torch.zeros(0, 3, 8, 8),
        torch.zeros(1, 3, 0, 8),
        torch.zeros(1, 3, 8, 0),
    ],
)
def test_quantize_refuses(codec: Codec, samples: torch.Tensor) -> None:
    with pytest.raises(InputError, match="samples"):
        codec.quantize(samples)


@pytest.mark.parametrize(
    ("codes", "height", "width"),
    [
        (torch.full((1, 5, 1, 1), 32), 8, 8),
        (torch.full((1, 5, 1, 1), -1), 8, 8),
        (torch.zeros(1, 6, 1, 1, dtype=torch.int64), 8, 8),
        (torch.zeros(1, 0, 1, 1, dtype=torch.int64), 8, 8),
        (torch.zeros(1, 5, 1, 1, dtype=torch.int64), 9, 8),
        (torch.zeros(1, 5, 1, 1, dtype=torch.int64), 8, 0),
        (torch.zeros(1, 5, 1, 1, dtype=torch.int64), -8, 8),
        (torch.zeros(5, 1, 1, dtype=torch.int64), 8, 8),
        (torch.zeros(1, 5, 1, 1), 8, 8),
        (torch.zeros(1, 5, 1, 1, dtype=torch.uint8), 8, 8),
    ],
)
def test_reconstruct_refuses(codec: Codec, codes: torch.Tensor, height: int, width: int) -> None:
    with pytest.raises(InputError):
        codec.reconstruct(codes, extent=(height, width))


def test_what_the_kernels_refuse_is_an_error_of_ours(
    codec: Codec, photo: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VQCODEC_CPU_LEVEL", "bogus")
    with pytest.raises(BackendError, match="'bogus'"):
        codec.encode(photo)
    with pytest.raises(BackendError, match="'bogus'"):
        codec.quantize(torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize("name", ["tpu", "", "CPU", "cpu:x", "cuda:", "cuda:-1", "cuda:99", "meta"])
def test_device_that_is_not_here(tiny_path: Path, name: str) -> None:
    with pytest.raises(BackendError):
        load(tiny_path, device=name)


def test_devices_by_name() -> None:
    assert find_device("cpu").type == "cpu"
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture
def dense(tmp_path: Path) -> Codec:
    """An untrained dense model for pictures of 7 x 5 pixels, three positions."""
    config = ModelConfig(
        medium=MediumConfig(kind="picture", channels=1),
        analysis=DenseAnalysisConfig(hidden=8),
        synthesis=DenseSynthesisConfig(extent=(5, 7), count=3, latent_dim=4, hidden=8),
        quantizer=QuantizerConfig(stages=2, codebook_size=16),
        region=(3,),
    )
    torch.manual_seed(0)
    model = start_model(config, torch.rand(64, 1, 5, 7))
    tensors = network_tensors(model) | {"search.mu": np.zeros((), np.float32)}
    write_model(tmp_path / "dense.safetensors", "dense", config, tensors, {})
    return load(tmp_path / "dense.safetensors", device="cpu")


def test_dense_model(dense: Codec) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7), np.uint8)
    data = dense.encode(pixels, quality=100)
    codes = dense.decode_codes(read_stream(data))
    assert codes.shape == (2, 3)
    output = dense.reconstruct(torch.from_numpy(codes)[None], extent=(5, 7))[0, 0]
    assert np.abs(dense.decode(data) - output.clamp(0, 1).numpy() * 255).max() <= 0.5 + 1e-4
    plain = dense.quantize(torch.from_numpy(pixels)[None, None] / 255)
    assert plain.shape == (1, 2, 3)


def test_dense_model_refuses_other_sizes(dense: Codec) -> None:
    with pytest.raises(InputError, match=r"\(5, 7\) alone, got \(7, 5\)"):
        dense.encode(np.zeros((7, 5), np.uint8))
    header = Header(
        medium=0,
        extent=(7, 5),
        channels=1,
        stages=2,
        prior=0,
        fingerprint=bytes.fromhex(dense.card.fingerprint),
        regions=1,
    )
    with pytest.raises(CorruptError, match=r"\(5, 7\) alone, got \(7, 5\)"):
        dense.decode(write_stream(header, [], [b"\0" * 3]))


def test_header_says_what_the_picture_is(codec: Codec, photo: Pixels) -> None:
    header = read_header(codec.encode(photo, quality=0))
    assert (*header.extent, header.channels) == photo.shape
    assert (header.medium, header.stages, header.regions) == (0, 1, 1)
    assert header.fingerprint.hex() == codec.card.fingerprint
