"""Streams that must decode the same for ever, and damaged ones that must fail the same way."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vqcodec.errors
from vqcodec import Codec, inspect, load
from vqcodec.bitstream import Stream
from vqcodec.errors import FormatError, VqcodecError
from vqcodec.media.picture.reader import read_picture
from vqcodec.media.registry import read_any_stream
from vqcodec.model.config import ModelConfig
from vqcodec.model.file import read_card, read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.payload import decode_codes
from vqcodec.priors import Prior, RawPrior
from vqcodec_kernels.errors import CorruptPayloadError

GOLDEN = Path(__file__).parents[1] / "golden"
MODEL = GOLDEN / "tiny.safetensors"
MANIFEST: dict[str, Any] = json.loads((GOLDEN / "manifest.json").read_text())
VALID: dict[str, dict[str, Any]] = MANIFEST["valid"]
DAMAGED: dict[str, dict[str, str]] = MANIFEST["damaged"]
BUILT_IN: dict[str, dict[str, Any]] = MANIFEST["built_in"]

# What must be covered, so that a file cannot go missing together with its entry.
MUST_HAVE = {
    *("grey", "grey-alpha", "rgb", "rgb-coarse", "rgba", "one-pixel", "one-row", "one-column"),
    *("odd", "metadata", "two-regions", "unknown-optional-chunk"),
    *("rgb-raw", "rgb-static", "rgb-mixing"),
    *("two-regions-raw", "two-regions-static", "two-regions-mixing"),
}
# Where networks round otherwise, so many codes stay, and the bytes move by so much at most.
SAME_CODES, SAME_BYTES = 0.8, 0.03


@pytest.fixture(scope="module")
def codec() -> Codec:
    return load(MODEL, device="cpu")


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    return read_card(MODEL).config


@pytest.fixture(scope="module")
def priors(config: ModelConfig) -> dict[int, Prior]:
    quantizer = config.quantizer
    raw: dict[int, Prior] = {0: RawPrior(quantizer.codebook_size, quantizer.stages)}
    return raw | priors_from_tensors(config, read_model(MODEL)[1], MODEL)


@pytest.fixture(scope="module", params=["photo", "photo-psnr"])
def built_in(request: pytest.FixtureRequest) -> Codec:
    return load(request.param, device="cpu")


def stream_of(folder: str, name: str) -> bytes:
    return (GOLDEN / folder / f"{name}.vqc").read_bytes()


def codes_of(stream: Stream, config: ModelConfig, priors: dict[int, Any]) -> NDArray[np.int64]:
    extent = stream.header.extent
    grid, regions = config.positions(extent), config.regions(extent)
    return decode_codes(stream.codes, stream.header, priors, grid=grid, regions=regions)


def digest(codes: NDArray[np.int64]) -> str:
    return hashlib.sha256(codes.astype("<u2").tobytes()).hexdigest()


def test_nothing_is_missing_and_nothing_is_unlisted() -> None:
    assert set(VALID) >= MUST_HAVE
    assert len(DAMAGED) >= 35
    assert len(BUILT_IN) == 16
    names = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.glob("*/*.*")}
    listed = {f"valid/{name}.vqc" for name in VALID}
    listed |= {f"valid/{entry['pixels']}" for entry in VALID.values()}
    listed |= {f"damaged/{name}.vqc" for name in DAMAGED}
    listed |= {f"built_in/{name}.vqc" for name in BUILT_IN}
    assert names == listed


def test_every_prior_is_covered() -> None:
    assert {entry["prior"] for entry in VALID.values()} == {0, 1, 2}
    assert {entry["prior"] for entry in BUILT_IN.values()} == {2}


def test_the_model_is_the_one_that_wrote_them(codec: Codec) -> None:
    assert codec.card.fingerprint == MANIFEST["fingerprint"]
    assert {inspect(stream_of("valid", name)).fingerprint for name in VALID} == {
        MANIFEST["fingerprint"]
    }


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize("backend", [None, "numpy"])
def test_codes_are_the_same(
    name: str, backend: str | None, config: ModelConfig, priors: dict[int, Prior]
) -> None:
    data = stream_of("valid", name)
    assert len(data) == VALID[name]["bytes"]
    chosen: dict[int, Any] = {number: _Decoder(prior, backend) for number, prior in priors.items()}
    codes = codes_of(read_any_stream(data)[1], config, chosen)
    assert list(codes.shape) == VALID[name]["codes_shape"]
    assert digest(codes) == VALID[name]["codes_sha256"]


@pytest.mark.parametrize("name", VALID)
def test_pixels_are_the_same_within_one(name: str, codec: Codec) -> None:
    picture = codec.decode_signal(stream_of("valid", name))
    expected = read_picture(GOLDEN / "valid" / VALID[name]["pixels"])
    assert picture.pixels.shape == expected.pixels.shape
    difference = np.abs(picture.pixels.astype(int) - expected.pixels)
    assert difference.max() <= 1
    if picture.channels in (2, 4):
        assert difference[:, :, -1].max() == 0
    assert (picture.icc, picture.exif) == (expected.icc, expected.exif)


def test_facts_are_really_there() -> None:
    facts = inspect(stream_of("valid", "metadata")).facts
    assert facts["icc_bytes"] > 300
    assert facts["exif_bytes"] > 20


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_named(name: str, codec: Codec) -> None:
    entry = DAMAGED[name]
    error: type[VqcodecError] = getattr(vqcodec.errors, entry["error"])
    with pytest.raises(error) as caught:
        codec.decode_signal(stream_of("damaged", name))
    assert type(caught.value) is error
    assert entry["says"] in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", [n for n, e in DAMAGED.items() if e["error"] == "CorruptError"])
def test_the_plain_decoder_refuses_the_same(
    name: str, config: ModelConfig, priors: dict[int, Prior]
) -> None:
    try:
        _, stream = read_any_stream(stream_of("damaged", name))
    except FormatError:
        return
    plain: dict[int, Any] = {number: _Decoder(prior, "numpy") for number, prior in priors.items()}
    if DAMAGED[name]["says"].startswith(("code chunk", "64 stages")):
        with pytest.raises((FormatError, CorruptPayloadError)):
            codes_of(stream, config, plain)


def test_files_of_the_built_in_models_hold_the_same_codes(built_in: Codec) -> None:
    """From codes to bytes and back nothing may ever differ."""
    prior = built_in._priors[2]
    assert len(entries_of(built_in)) == 8
    for name, entry in entries_of(built_in).items():
        _, stream = read_any_stream(stream_of("built_in", name))
        codes = built_in.decode_codes(stream)
        assert list(codes.shape) == entry["codes_shape"]
        assert digest(codes) == entry["codes_sha256"]
        assert (prior.encode(codes),) == stream.codes


def test_built_in_models_write_these_files(
    built_in: Codec, photos: list[NDArray[np.uint8]]
) -> None:
    """Codes come out of networks in floating point: another processor may choose a few others."""
    crops = {"china": photos[0][100:311, 200:477], "flower": photos[1][80:277, 150:403]}
    for name, entry in entries_of(built_in).items():
        pixels = np.ascontiguousarray(crops[entry["photograph"]])
        data = built_in.encode(pixels, quality=entry["quality"])
        expected = stream_of("built_in", name)
        if data == expected:
            continue
        found, wanted = (
            built_in.decode_codes(read_any_stream(stream)[1]) for stream in (data, expected)
        )
        assert np.mean(found == wanted) >= SAME_CODES, name
        assert len(data) == pytest.approx(len(expected), rel=SAME_BYTES), name


def test_the_model_file_is_small_and_undamaged(config: ModelConfig) -> None:
    assert MODEL.stat().st_size < 500_000
    card, tensors = read_model(MODEL)
    assert card.name == "tiny"
    assert config.synthesis.stride == (8, 8)
    assert set(priors_from_tensors(config, tensors, MODEL)) == {1, 2}


def test_the_fingerprint_is_as_documented() -> None:
    short = {"F16": "<f2", "F32": "<f4", "I16": "<i2", "U16": "<u2", "I32": "<i4", "I64": "<i8"}
    data = MODEL.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    facts = header.pop("__metadata__")
    hashed = hashlib.sha256(facts["config"].encode())
    for name in sorted(header):
        if name.startswith(("analysis.", "search.")):
            continue
        entry = header[name]
        first, last = entry["data_offsets"]
        hashed.update(f"\n{name} {short[entry['dtype']]} {tuple(entry['shape'])}\n".encode())
        hashed.update(data[start + first : start + last])
    assert hashed.hexdigest()[:16] == MANIFEST["fingerprint"] == facts["fingerprint"]


def entries_of(codec: Codec) -> dict[str, dict[str, Any]]:
    return {name: entry for name, entry in BUILT_IN.items() if entry["model"] == codec.card.name}


class _Decoder:
    """A prior that decodes with a given backend."""

    def __init__(self, prior: Prior, backend: str | None) -> None:
        self.stages = prior.stages
        self._prior = prior
        self._backend = backend

    def decode(self, payload: bytes, shape: tuple[int, ...]) -> Any:
        return self._prior.decode(payload, shape, backend=self._backend)
