"""Streams that must decode the same for ever, and damaged ones that must fail the same way."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vqcodec.errors
from vqcodec import Codec, inspect
from vqcodec.bitstream import Stream, read_stream
from vqcodec.errors import FormatError, VqcodecError
from vqcodec.media.picture.image import read_picture
from vqcodec.model.file import ModelCard, Tensors, read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.payload import decode_codes, tile_regions
from vqcodec.priors import Prior, RawPrior
from vqcodec_kernels.errors import CorruptPayloadError

GOLDEN = Path(__file__).parents[1] / "golden"
MODEL = GOLDEN / "tiny.safetensors"
MANIFEST: dict[str, Any] = json.loads((GOLDEN / "manifest.json").read_text())
VALID: dict[str, dict[str, Any]] = MANIFEST["valid"]
DAMAGED: dict[str, dict[str, str]] = MANIFEST["damaged"]
STRIDE = 8

# What must be covered, so that a file cannot go missing together with its entry.
MUST_HAVE = {
    *("grey", "grey-alpha", "rgb", "rgb-coarse", "rgba", "one-pixel", "one-row", "one-column"),
    *("odd", "metadata", "two-tiles", "unknown-optional-chunk"),
    *("rgb-raw", "rgb-static", "rgb-mixing"),
    *("two-tiles-raw", "two-tiles-static", "two-tiles-mixing"),
}


OF_ANOTHER_PRIOR = pytest.mark.skip(reason="golden streams are made anew with the format")
VALID_NAMES = [
    pytest.param(name, marks=[OF_ANOTHER_PRIOR] if entry["prior"] == 2 else [])
    for name, entry in VALID.items()
]
READ_WITH_THE_PRIOR = {
    *("alpha-wrong-size", "codes-too-long", "codes-too-short", "metadata-not-zlib", "no-codes"),
    "too-many-stages",
}
DAMAGED_NAMES = [
    pytest.param(name, marks=[OF_ANOTHER_PRIOR] if name in READ_WITH_THE_PRIOR else [])
    for name in DAMAGED
]


def read_tiny() -> tuple[ModelCard, Tensors]:
    card, tensors = read_model(MODEL)
    return card, {n: t for n, t in tensors.items() if not n.startswith("prior.mixing.")}


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(*read_tiny(), device="cpu")


@pytest.fixture(scope="module")
def priors() -> dict[int, Prior]:
    card, tensors = read_tiny()
    quantizer = card.config.quantizer
    raw: dict[int, Prior] = {0: RawPrior(quantizer.codebook_size, quantizer.stages)}
    return raw | priors_from_tensors(card.config, tensors, MODEL)


def stream_of(folder: str, name: str) -> bytes:
    return (GOLDEN / folder / f"{name}.vqc").read_bytes()


def codes_of(stream: Stream, priors: dict[int, Any]) -> NDArray[np.int64]:
    header = stream.header
    return decode_codes(
        stream.codes,
        header,
        priors,
        grid=(-(-header.height // STRIDE), -(-header.width // STRIDE)),
        regions=tile_regions(header.width, header.height, STRIDE),
    )


def test_nothing_is_missing_and_nothing_is_unlisted() -> None:
    assert set(VALID) >= MUST_HAVE
    assert len(DAMAGED) >= 30
    folders = (GOLDEN / "valid", GOLDEN / "damaged")
    names = {f"{f.name}/{path.name}" for f in folders for path in f.iterdir()}
    listed = {f"valid/{name}.vqc" for name in VALID}
    listed |= {f"valid/{entry['pixels']}" for entry in VALID.values()}
    listed |= {f"damaged/{name}.vqc" for name in DAMAGED}
    assert names == listed


def test_every_prior_is_covered() -> None:
    assert {entry["prior"] for entry in VALID.values()} == {0, 1, 2}


def test_the_model_is_the_one_that_wrote_them(codec: Codec) -> None:
    assert codec.card.fingerprint == MANIFEST["fingerprint"]
    assert {inspect(stream_of("valid", name)).fingerprint for name in VALID} == {
        MANIFEST["fingerprint"]
    }


@pytest.mark.parametrize("name", VALID_NAMES)
@pytest.mark.parametrize("backend", [None, "numpy"])
def test_codes_are_the_same(name: str, backend: str | None, priors: dict[int, Prior]) -> None:
    data = stream_of("valid", name)
    stream = read_stream(data)
    assert len(data) == VALID[name]["bytes"]
    chosen: dict[int, Any] = {mode: _Decoder(prior, backend) for mode, prior in priors.items()}
    codes = codes_of(stream, chosen)
    assert list(codes.shape) == VALID[name]["codes_shape"]
    digest = hashlib.sha256(codes.astype("<u2").tobytes()).hexdigest()
    assert digest == VALID[name]["codes_sha256"]


@pytest.mark.parametrize("name", VALID_NAMES)
def test_pixels_are_the_same_within_one(name: str, codec: Codec) -> None:
    picture = codec.decode_picture(stream_of("valid", name))
    expected = read_picture(GOLDEN / "valid" / VALID[name]["pixels"])
    assert picture.pixels.shape == expected.pixels.shape
    difference = np.abs(picture.pixels.astype(int) - expected.pixels)
    assert difference.max() <= 1
    if picture.channels in (2, 4):
        assert difference[:, :, -1].max() == 0
    assert (picture.icc, picture.exif) == (expected.icc, expected.exif)


def test_metadata_is_really_there() -> None:
    info = inspect(stream_of("valid", "metadata"))
    assert info.icc_bytes > 300
    assert info.exif_bytes > 20


@pytest.mark.parametrize("name", DAMAGED_NAMES)
def test_damage_is_named(name: str, codec: Codec) -> None:
    entry = DAMAGED[name]
    error: type[VqcodecError] = getattr(vqcodec.errors, entry["error"])
    with pytest.raises(error) as caught:
        codec.decode_picture(stream_of("damaged", name))
    assert type(caught.value) is error
    assert entry["says"] in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", [n for n, e in DAMAGED.items() if e["error"] == "CorruptError"])
def test_the_plain_decoder_refuses_the_same(name: str, priors: dict[int, Prior]) -> None:
    if name in READ_WITH_THE_PRIOR:
        pytest.skip("golden streams are made anew with the format")
    data = stream_of("damaged", name)
    try:
        stream = read_stream(data)
    except FormatError:
        return
    plain: dict[int, Any] = {mode: _Decoder(prior, "numpy") for mode, prior in priors.items()}
    if DAMAGED[name]["says"].startswith(("code chunk", "stages")):
        with pytest.raises((FormatError, CorruptPayloadError)):
            codes_of(stream, plain)
    else:
        codes_of(stream, plain)


def test_the_model_file_is_small_and_undamaged() -> None:
    assert MODEL.stat().st_size < 400_000
    card, tensors = read_tiny()
    assert card.name == "tiny"
    assert card.config.transform.stride == STRIDE
    assert set(priors_from_tensors(card.config, tensors, MODEL)) == {1}


def test_the_fingerprint_is_as_documented() -> None:
    short = {"F16": "<f2", "F32": "<f4", "I16": "<i2", "U16": "<u2", "I32": "<i4", "I64": "<i8"}
    data = MODEL.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    facts = header.pop("__metadata__")
    digest = hashlib.sha256(facts["config"].encode())
    for name in sorted(header):
        if name.startswith(("analysis.", "search.")):
            continue
        entry = header[name]
        first, last = entry["data_offsets"]
        digest.update(f"\n{name} {short[entry['dtype']]} {tuple(entry['shape'])}\n".encode())
        digest.update(data[start + first : start + last])
    assert digest.hexdigest()[:16] == MANIFEST["fingerprint"] == facts["fingerprint"]


class _Decoder:
    """A prior that decodes with a given backend."""

    def __init__(self, prior: Prior, backend: str | None) -> None:
        self.stages = prior.stages
        self._prior = prior
        self._backend = backend

    def decode(self, payload: bytes, shape: tuple[int, ...]) -> Any:
        return self._prior.decode(payload, shape, backend=self._backend)
