"""Files of weights: equal bytes for equal models, and every damaged or absurd one refused."""

import dataclasses
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save
from tiny import tiny_config

import vqcodec
from vqcodec.errors import BadModelError
from vqcodec.model import tensor_file
from vqcodec.model.config import ModelConfig
from vqcodec.model.file import (
    FORMAT,
    Tensors,
    compute_fingerprint,
    read_card,
    read_model,
    write_model,
)
from vqcodec.model.tensor_file import MAX_FILE_BYTES
from vqcodec.transforms.config import ConvolutionalAnalysisConfig

CONFIG = tiny_config()


def some_tensors() -> Tensors:
    random = np.random.default_rng(0)
    return {
        "synthesis.scale": np.array(1.5, np.float32),
        "synthesis.leave.weight": random.standard_normal((3, 2)).astype(np.float16),
        "analysis.leave.weight": random.standard_normal((2, 3)).astype(np.float16),
        "codebooks": random.standard_normal((2, 4, 3)).astype(np.float16),
        "search.share": np.full((2, 4), 0.25, np.float32),
        "prior.static.frequencies": np.full((2, 4), 16384, np.uint16),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good file of weights."""
    path = tmp_path / "good.safetensors"
    write_model(path, "good", CONFIG, some_tensors(), {"steps": 7})
    return path


def write_raw(path: Path, tensors: Tensors, **header: str | None) -> None:
    """Write a file whose header says what the test wants; None leaves a field out."""
    fields: dict[str, str | None] = {
        "format": FORMAT,
        "name": "raw",
        "fingerprint": compute_fingerprint(CONFIG.to_text(), tensors),
        "config": CONFIG.to_text(),
        "analysis": CONFIG.analysis_text(),
        "metadata": "{}",
    }
    fields |= header
    path.write_bytes(save(tensors, metadata={k: v for k, v in fields.items() if v is not None}))


def test_round_trip(path: Path) -> None:
    card, tensors = read_model(path)
    assert (card.name, card.path, card.config) == ("good", path, CONFIG)
    assert card.metadata == {"steps": 7}
    assert tensors.keys() == some_tensors().keys()
    for name, wanted in some_tensors().items():
        assert tensors[name].dtype == wanted.dtype
        np.testing.assert_array_equal(tensors[name], wanted)
    assert read_card(path) == card


@pytest.mark.parametrize(("metadata", "wanted"), [({}, 1), ({"generation": 2}, 2)])
def test_generation(tmp_path: Path, metadata: dict[str, int], wanted: int) -> None:
    written = write_model(tmp_path / "w", "moon", CONFIG, some_tensors(), metadata)
    assert (written.generation, written.label) == (wanted, f"moon-{wanted}")
    assert read_card(tmp_path / "w") == written
    assert written.fingerprint == fingerprint(some_tensors())


@pytest.mark.parametrize("value", [0, -1, 1.0, 1e400, "2", None, True, 1_000_000, 10**4000, [1]])
def test_generation_that_is_none(tmp_path: Path, value: object) -> None:
    path = tmp_path / "odd.safetensors"
    with pytest.raises(BadModelError, match="generation") as caught:
        write_model(path, "odd", CONFIG, some_tensors(), {"generation": value})
    assert len(str(caught.value)) < 500
    assert not path.exists()
    write_raw(path, some_tensors(), metadata=json.dumps({"generation": value}))
    for read in (read_card, read_model):
        with pytest.raises(BadModelError, match="generation"):
            read(path)


def test_raw_files_of_these_tests_are_good_by_default(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw", some_tensors())
    assert read_model(tmp_path / "raw")[0].name == "raw"


def test_equal_input_gives_equal_bytes(path: Path, tmp_path: Path) -> None:
    shuffled = dict(reversed(some_tensors().items()))
    fortran = {name: np.asarray(tensor, order="F") for name, tensor in shuffled.items()}
    for number, tensors in enumerate([shuffled, fortran]):
        other = tmp_path / f"{number}.safetensors"
        write_model(other, "good", CONFIG, tensors, {"steps": 7})
        assert other.read_bytes() == path.read_bytes()


def test_nothing_is_left_beside_the_file(path: Path) -> None:
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def fingerprint(tensors: Mapping[str, np.ndarray], config: ModelConfig = CONFIG) -> str:
    return compute_fingerprint(config.to_text(), tensors)


def test_fingerprint_is_sixteen_hexadecimal_digits() -> None:
    assert len(bytes.fromhex(fingerprint(some_tensors()))) == 8


@pytest.mark.parametrize("name", ["analysis.leave.weight", "search.share", "search.other"])
def test_fingerprint_ignores_what_the_encoder_alone_uses(name: str) -> None:
    tensors = some_tensors()
    wanted = fingerprint(tensors)
    tensors[name] = np.zeros(5, np.float32)
    assert fingerprint(tensors) == wanted
    del tensors[name]
    assert fingerprint(tensors) == wanted


@pytest.mark.parametrize(
    "name",
    ["synthesis.scale", "synthesis.leave.weight", "codebooks", "prior.static.frequencies"],
)
def test_fingerprint_changes_with_every_byte_of_the_decoder(name: str) -> None:
    wanted = fingerprint(some_tensors())
    for byte in range(some_tensors()[name].nbytes):
        tensors = some_tensors()
        raw = bytearray(tensors[name].tobytes())
        raw[byte] ^= 1
        tensors[name] = np.frombuffer(bytes(raw), tensors[name].dtype).reshape(tensors[name].shape)
        assert fingerprint(tensors) != wanted, byte


def test_fingerprint_changes_with_names_shapes_types_and_configuration() -> None:
    seen = {fingerprint(some_tensors())}
    renamed = some_tensors()
    renamed["synthesis.other"] = renamed.pop("synthesis.leave.weight")
    reshaped = some_tensors()
    reshaped["codebooks"] = reshaped["codebooks"].reshape(4, 2, 3)
    retyped = some_tensors()
    retyped["codebooks"] = retyped["codebooks"].view(np.uint16)
    for tensors in (renamed, reshaped, retyped):
        seen.add(fingerprint(tensors))
    other = tiny_config(stages=11)
    seen.add(fingerprint(some_tensors(), other))
    assert len(seen) == 5


def test_a_deeper_analysis_leaves_the_fingerprint_alone(tmp_path: Path) -> None:
    deeper = dataclasses.replace(CONFIG, analysis=ConvolutionalAnalysisConfig(width=64, depth=9))
    tensors = some_tensors()
    tensors["analysis.blocks.8.first.weight"] = np.zeros((64, 64), np.float16)
    cards = [
        write_model(tmp_path / "plain", "plain", CONFIG, some_tensors(), {}),
        write_model(tmp_path / "deeper", "deeper", deeper, tensors, {}),
    ]
    assert cards[0].fingerprint == cards[1].fingerprint
    assert [read_model(card.path)[0] for card in cards] == cards


def test_the_fingerprint_is_taken_of_the_text_as_it_stands(tmp_path: Path) -> None:
    spaced = json.dumps(json.loads(CONFIG.to_text()), indent=1)
    written = compute_fingerprint(spaced, some_tensors())
    write_raw(tmp_path / "spaced", some_tensors(), config=spaced, fingerprint=written)
    card, _ = read_model(tmp_path / "spaced")
    assert (card.config, card.fingerprint) == (CONFIG, written)
    assert written != fingerprint(some_tensors())


def test_every_truncation_is_refused(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    cut = tmp_path / "cut.safetensors"
    lengths = [*range(64), *range(64, len(data), 37), *range(len(data) - 16, len(data))]
    for length in lengths:
        cut.write_bytes(data[:length])
        with pytest.raises(BadModelError, match="cut"):
            read_model(cut)


def test_bytes_behind_the_end_are_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BadModelError):
        read_model(path)


def test_every_damaged_byte_of_the_decoder_is_refused(path: Path) -> None:
    """Bytes of the header and of tensors; only what the encoder alone uses may change."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    for name, entry in header.items():
        if name.startswith(("__metadata__", "analysis.", "search.")):
            continue
        for byte in range(start + entry["data_offsets"][0], start + entry["data_offsets"][1]):
            damaged = bytearray(data)
            damaged[byte] ^= 0x55
            path.write_bytes(damaged)
            with pytest.raises(BadModelError):
                read_model(path)


@given(data=st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_random_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.safetensors"
    for prefix in (b"", len(data).to_bytes(8, "little")):
        path.write_bytes(prefix + data)
        with pytest.raises(BadModelError):
            read_model(path)


class Bomb:
    """An object whose unpickling leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    trace, path = tmp_path / "trace", tmp_path / "bomb.safetensors"
    pickled = pickle.dumps({"codebooks": Bomb(trace)})
    pickle.loads(pickled)
    assert trace.exists(), "the bomb works"
    trace.unlink()
    for data in (pickled, len(pickled).to_bytes(8, "little") + pickled):
        path.write_bytes(data)
        for read in (read_card, read_model):
            with pytest.raises(BadModelError):
                read(path)
        assert not trace.exists()


HEADERS = {
    "no metadata": b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
    "metadata is a list": b'{"__metadata__":[]}',
    "metadata is null": b'{"__metadata__":null}',
    "not an object": b"[]",
    "not text": b"\xff\xfe\xfd\xfc\xfb",
    "deep": b"[" * 200_000,
    "number of many digits": b'{"__metadata__":' + b"1" * 5000 + b"}",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_header_that_is_none(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    for read in (read_card, read_model):
        with pytest.raises(BadModelError):
            read(path)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) + 1, 2**40, 2**64 - 1])
def test_header_of_an_absurd_length(tmp_path: Path, size: int) -> None:
    path = tmp_path / "long.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + b"{}" + b" " * 64)
    for read in (read_card, read_model):
        with pytest.raises(BadModelError, match="not a safetensors file"):
            read(path)


def test_file_above_the_limit_is_not_read(path: Path) -> None:
    with path.open("r+b") as file:
        # A hole: no disk is used.
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(BadModelError, match="larger than"):
        read_model(path)


FIELDS: dict[str, dict[str, str | None]] = {
    "another format": {"format": "vqcodec-model-2"},
    "no format": {"format": None},
    "no name": {"name": None},
    "no fingerprint": {"fingerprint": None},
    "no configuration": {"config": None},
    "no facts": {"metadata": None},
    "facts are no JSON": {"metadata": "{"},
    "facts are a list": {"metadata": "[]"},
    "facts are deep": {"metadata": "[" * 100_000},
    "configuration is no JSON": {"config": "x"},
    "no analysis": {"analysis": None},
    "analysis is no JSON": {"analysis": "x"},
    "configuration is deep": {"config": '{"medium":' * 100_000},
    "configuration is absurd": {"config": CONFIG.to_text().replace("[8,8]", "[8,0]")},
}


@pytest.mark.parametrize("header", FIELDS.values(), ids=FIELDS.keys())
def test_header_that_lacks_or_contradicts(tmp_path: Path, header: dict[str, str | None]) -> None:
    path = tmp_path / "odd.safetensors"
    write_raw(path, some_tensors(), **header)
    for read in (read_card, read_model):
        with pytest.raises(BadModelError):
            read(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["codebooks", "analysis.leave.weight", "search.share"])
def test_values_that_are_not_finite(tmp_path: Path, name: str, value: float) -> None:
    tensors = some_tensors()
    tensors[name].flat[1] = value
    path = tmp_path / "nan.safetensors"
    write_raw(path, tensors)
    with pytest.raises(BadModelError, match=f"{name}.*NaN or infinite"):
        read_model(path)
    with pytest.raises(BadModelError, match=f"{name}.*NaN or infinite"):
        write_model(tmp_path / "w.safetensors", "w", CONFIG, tensors, {})
    assert not (tmp_path / "w.safetensors").exists()


@pytest.mark.parametrize(
    ("value", "why"), [(np.nan, "holds NaN"), (3e38, r"holds 3e\+38, more than 65504")]
)
def test_no_tensor_that_would_not_stay_finite_reaches_a_codec(
    tiny_path: Path, tmp_path: Path, value: float, why: str
) -> None:
    """Whichever tensor it is, under a fingerprint that matches."""
    card, tensors = read_model(tiny_path)
    floats = [name for name, tensor in tensors.items() if tensor.dtype.kind == "f"]
    assert {"codebooks", "search.mu", "search.shares", "search.residual_energy"} < set(floats)
    path, text = tmp_path / "nan.safetensors", card.config.to_text()
    for name in floats:
        if value > float(np.finfo(tensors[name].dtype).max):
            continue
        poisoned = {**tensors, name: tensors[name].copy()}
        poisoned[name].reshape(-1)[-1] = value
        write_raw(
            path,
            poisoned,
            config=text,
            analysis=card.config.analysis_text(),
            fingerprint=compute_fingerprint(text, poisoned),
        )
        with pytest.raises(BadModelError, match=f"tensor {name} {why}"):
            vqcodec.load(path)


def test_wrong_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    write_raw(path, some_tensors(), fingerprint="0123456789abcdef")
    with pytest.raises(BadModelError, match="0123456789abcdef") as caught:
        read_model(path)
    assert fingerprint(some_tensors()) in str(caught.value)


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2", "F4", "C64", "F64", "I4", "BOGUS"])
def test_types_of_tensors_that_no_model_has(tmp_path: Path, dtype: str) -> None:
    metadata = {
        "format": FORMAT,
        "name": "odd",
        "fingerprint": "0" * 16,
        "config": CONFIG.to_text(),
        "analysis": CONFIG.analysis_text(),
        "metadata": "{}",
    }
    path = tmp_path / "odd.safetensors"
    for size in (1, 2, 4, 8, 16):
        entry = {"dtype": dtype, "shape": [2], "data_offsets": [0, size]}
        header = json.dumps({"__metadata__": metadata, "codebooks": entry}).encode()
        path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
        with pytest.raises(BadModelError):
            read_model(path)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_values_are_judged_to_the_last_one(kind: str, sign: int) -> None:
    tensor = np.zeros((3, 5), kind)
    tensor[2, 4] = most = sign * tensor.dtype.type(65504)
    tensor_file._check_values(
        Path("m"), {"a": tensor, "b": np.ones((), kind), "c": np.zeros(0, kind)}
    )
    with np.errstate(over="ignore"):
        beyond = np.nextafter(most, tensor.dtype.type(sign * np.inf))
    for value in (beyond, sign * np.inf, sign * np.nan):
        tensor[1, 2] = value
        with pytest.raises(BadModelError, match="tensor a holds"):
            tensor_file._check_values(Path("m"), {"a": tensor})
