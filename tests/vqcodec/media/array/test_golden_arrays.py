"""Streams of arrays that decode to the same bits for ever."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from sources import ROOT

from vqcodec import decode_array, inspect
from vqcodec.bitstream import Stream
from vqcodec.media.array.description import FAMILIES, MAPS, MODES
from vqcodec.media.registry import read_any_stream
from vqcodec_kernels.entropy import fields

FOLDER: Path = ROOT / "tests/golden/array"
MANIFEST = json.loads((FOLDER / "arrays.json").read_text(encoding="utf-8"))


def digest(name: str) -> str:
    found = decode_array(FOLDER / "valid" / f"{name}.vqc", threads=1)
    assert (found.dtype.name, list(found.shape)) == (
        MANIFEST[name]["dtype"],
        MANIFEST[name]["shape"],
    )
    return hashlib.sha256(found.astype(found.dtype.newbyteorder("<")).tobytes()).hexdigest()


def test_nothing_is_missing_and_every_way_is_there() -> None:
    assert {path.stem for path in (FOLDER / "valid").iterdir()} == set(MANIFEST)
    facts = [entry["facts"] for entry in MANIFEST.values()]
    assert {fact["map"] for fact in facts} == set(MAPS)
    assert {fact["predictor"] for fact in facts} == set(FAMILIES)
    assert {fact["mode"] for fact in facts} == set(MODES)


@pytest.mark.parametrize("name", MANIFEST)
def test_values_are_the_same(name: str) -> None:
    assert digest(name) == MANIFEST[name]["sha256"]
    facts = inspect(FOLDER / "valid" / f"{name}.vqc").facts
    assert {key: facts[key] for key in MANIFEST[name]["facts"]} == MANIFEST[name]["facts"]


@pytest.mark.parametrize("name", MANIFEST)
def test_the_plain_decoder_reads_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "choose_decoder", lambda backend, twin: twin)
    if np.prod(MANIFEST[name]["shape"]) < 3000:
        assert digest(name) == MANIFEST[name]["sha256"]


def test_streams_hold_what_the_format_says() -> None:
    """The letters of side chunks, by map and family."""
    for name, entry in MANIFEST.items():
        stream: Stream = read_any_stream((FOLDER / "valid" / f"{name}.vqc").read_bytes())[1]
        letters = "".join(chunk.type for chunk in stream.side_chunks)
        linear, ranks = entry["facts"]["predictor"] == "linear", entry["facts"]["map"] == "ranks"
        assert letters == "A" + "K" * linear + "R" * ranks
