"""Streams that must decode the same for ever, and damaged ones that must fail the same way."""

import hashlib
import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from golden import GOLDEN, Golden, named
from numpy.typing import NDArray

import vqcodec.errors
from vqcodec import Codec, inspect, load
from vqcodec.bitstream import Limits, Stream
from vqcodec.errors import FormatError, VqcodecError
from vqcodec.media.registry import MEDIA, OWN_CODER, read_any_stream
from vqcodec.model.file import read_card, read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.payload import decode_codes
from vqcodec.priors import Prior, RawPrior
from vqcodec_kernels.errors import CorruptPayloadError

every_medium = pytest.mark.parametrize("medium", GOLDEN)
every_built_in = pytest.mark.parametrize(
    ("medium", "model"),
    [(m, name) for m, golden in GOLDEN.items() for name in golden.built_in_models],
)

# Every kind of damage, in every medium.
DAMAGE = {
    *("TruncatedError", "BadMagicError", "ChecksumError", "CorruptError", "LimitError"),
    *("UnsupportedVersionError", "UnknownModelError"),
}


@cache
def codec_of(model: str) -> Codec:
    return load(model, device="cpu")


@cache
def priors_of(golden: Golden, backend: str | None) -> dict[int, Any]:
    config = read_card(golden.model).config
    quantizer = config.quantizer
    raw: dict[int, Prior] = {0: RawPrior(quantizer.codebook_size, quantizer.stages)}
    fitted = priors_from_tensors(config, read_model(golden.model)[1], golden.model)
    return {number: _Decoder(prior, backend) for number, prior in (raw | fitted).items()}


def codes_of(stream: Stream, golden: Golden, backend: str | None) -> NDArray[np.int64]:
    config, extent = read_card(golden.model).config, stream.header.extent
    grid, regions = config.positions(extent), config.regions(extent)
    priors = priors_of(golden, backend)
    return decode_codes(stream.codes, stream.header, priors, grid=grid, regions=regions)


def digest(codes: NDArray[np.int64]) -> str:
    return hashlib.sha256(codes.astype("<u2").tobytes()).hexdigest()


def test_every_registered_medium_has_golden_files() -> None:
    """Made by `tests/golden/NAME/make_golden.py`; see `tests/golden/README.md`."""
    assert set(GOLDEN) == set(MEDIA) - OWN_CODER


@every_medium
def test_nothing_is_missing_and_nothing_is_unlisted(medium: str) -> None:
    golden = GOLDEN[medium]
    valid, damaged = golden.manifest["valid"], golden.manifest["damaged"]
    assert {entry["error"] for entry in damaged.values()} >= DAMAGE
    assert len(damaged) >= 32
    names = {path.relative_to(golden.folder).as_posix() for path in golden.folder.glob("*/*.*")}
    listed = {f"valid/{entry['signal']}" for entry in valid.values()}
    listed |= {
        f"{group}/{name}.vqc"
        for group in ("valid", "damaged", "built_in")
        for name in golden.manifest[group]
    }
    assert {name for name in names if "__pycache__" not in name} == listed


@every_medium
def test_streams_are_of_their_medium_and_model(medium: str) -> None:
    golden = GOLDEN[medium]
    streams = [inspect(golden.stream("valid", name)) for name in golden.manifest["valid"]]
    assert {stream.medium for stream in streams} == {medium}
    assert {stream.fingerprint for stream in streams} == {golden.manifest["fingerprint"]}
    assert codec_of(str(golden.model)).card.fingerprint == golden.manifest["fingerprint"]


@every_medium
def test_every_prior_is_covered(medium: str) -> None:
    golden = GOLDEN[medium]
    found = {entry["prior"] for entry in golden.manifest["valid"].values()}
    assert found == set(priors_of(golden, None))


@pytest.mark.parametrize(("medium", "name"), named("valid"))
@pytest.mark.parametrize("backend", [None, "numpy"])
def test_codes_are_the_same(medium: str, name: str, backend: str | None) -> None:
    golden = GOLDEN[medium]
    data, entry = golden.stream("valid", name), golden.manifest["valid"][name]
    assert len(data) == entry["bytes"]
    codes = codes_of(read_any_stream(data)[1], golden, backend)
    assert list(codes.shape) == entry["codes_shape"]
    assert digest(codes) == entry["codes_sha256"]


@pytest.mark.parametrize(("medium", "name"), named("valid"))
def test_signals_are_the_same(medium: str, name: str) -> None:
    """Samples within the tolerance that the manifest states; side chunks exactly."""
    golden = GOLDEN[medium]
    codec = codec_of(str(golden.model))
    file = golden.folder / "valid" / golden.manifest["valid"][name]["signal"]
    expected = codec.medium.read(file.read_bytes(), Limits())
    decoded = codec.decode_signal(golden.stream("valid", name))
    assert (decoded.extent, decoded.channels) == (expected.extent, expected.channels)
    found, wanted = (codec.medium.unwrap(signal) for signal in (decoded, expected))
    assert found.dtype == wanted.dtype
    found, wanted = (np.asarray(values, np.float64) for values in (found, wanted))
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    assert np.abs(np.nan_to_num(found - wanted)).max() <= golden.manifest["tolerance"]
    found_facts, wanted_facts = (
        codec.medium.side_chunks(signal, facts=True) for signal in (decoded, expected)
    )
    assert found_facts == wanted_facts


@pytest.mark.parametrize(("medium", "name"), named("damaged"))
def test_damage_is_named(medium: str, name: str) -> None:
    golden = GOLDEN[medium]
    entry = golden.manifest["damaged"][name]
    error: type[VqcodecError] = getattr(vqcodec.errors, entry["error"])
    with pytest.raises(error) as caught:
        codec_of(str(golden.model)).decode_signal(golden.stream("damaged", name))
    assert type(caught.value) is error
    assert entry["says"] in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("medium", "name"),
    [
        (medium, name)
        for medium, name in named("damaged")
        if GOLDEN[medium].manifest["damaged"][name]["says"].startswith(("code chunk", "64 stages"))
        if GOLDEN[medium].manifest["damaged"][name]["error"] == "CorruptError"
    ],
)
def test_the_plain_decoder_refuses_the_same(medium: str, name: str) -> None:
    golden = GOLDEN[medium]
    _, stream = read_any_stream(golden.stream("damaged", name))
    with pytest.raises((FormatError, CorruptPayloadError)):
        codes_of(stream, golden, "numpy")


@every_built_in
def test_files_of_the_built_in_models_hold_the_same_codes(medium: str, model: str) -> None:
    """From codes to bytes and back nothing may ever differ."""
    golden, codec = GOLDEN[medium], codec_of(model)
    for name, entry in golden.built_in(model).items():
        _, stream = read_any_stream(golden.stream("built_in", name))
        codes = codec.decode_codes(stream)
        assert list(codes.shape) == entry["codes_shape"]
        assert digest(codes) == entry["codes_sha256"]
        assert (codec._priors[entry["prior"]].encode(codes),) == stream.codes


@every_medium
def test_the_model_file_is_small_and_undamaged(medium: str) -> None:
    golden = GOLDEN[medium]
    assert golden.model.stat().st_size < 500_000
    card, tensors = read_model(golden.model)
    assert card.name == "tiny"
    assert card.config.medium.kind == medium
    assert set(priors_from_tensors(card.config, tensors, golden.model)) == {1, 2}


@every_medium
def test_the_fingerprint_is_as_documented(medium: str) -> None:
    golden = GOLDEN[medium]
    short = {"F16": "<f2", "F32": "<f4", "I16": "<i2", "U16": "<u2", "I32": "<i4", "I64": "<i8"}
    data = golden.model.read_bytes()
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
    assert hashed.hexdigest()[:16] == golden.manifest["fingerprint"] == facts["fingerprint"]


class _Decoder:
    """A prior that decodes with a given backend."""

    def __init__(self, prior: Prior, backend: str | None) -> None:
        self.stages = prior.stages
        self._prior = prior
        self._backend = backend

    def decode(self, payload: bytes, shape: tuple[int, ...], *, stages: int | None = None) -> Any:
        return self._prior.decode(payload, shape, stages=stages, backend=self._backend)
