"""Streams of vectors that decode to the same bits for ever."""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sources import ROOT

from vqcodec import inspect, vectors

FOLDER: Path = ROOT / "tests/golden/vector"
MANIFEST = json.loads((FOLDER / "vectors.json").read_text(encoding="utf-8"))


def digest(values: NDArray[Any]) -> str:
    little = values.astype(values.dtype.newbyteorder("<"))
    return hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest()


def opened(name: str) -> vectors.OpenVectors:
    shared = int(MANIFEST[name]["fingerprint"], 16) != 0
    codebook = FOLDER / "shared.vqb" if shared else None
    return vectors.open(FOLDER / "valid" / f"{name}.vqc", codebook=codebook)


def test_nothing_is_missing() -> None:
    assert {path.stem for path in (FOLDER / "valid").iterdir()} == set(MANIFEST)


@pytest.mark.parametrize("name", MANIFEST)
def test_codes_and_vectors_are_the_same(name: str) -> None:
    said, found = MANIFEST[name], opened(name)
    codes = found.codes()
    assert (list(codes.shape), found.description.dtype) == (said["shape"], said["dtype"])
    assert digest(codes.astype(np.uint16)) == said["codes"]
    assert digest(found.rebuild()) == said["vectors"]
    assert inspect(FOLDER / "valid" / f"{name}.vqc").fingerprint == said["fingerprint"]


@pytest.mark.parametrize("name", MANIFEST)
def test_the_plain_decoder_reads_the_same(name: str) -> None:
    found = opened(name)
    prior = found.codebook.prior
    decode = partial(prior.decode, backend="numpy")
    prior.decode = decode  # type: ignore[method-assign]
    assert digest(found.codes().astype(np.uint16)) == MANIFEST[name]["codes"]
