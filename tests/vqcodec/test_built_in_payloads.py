"""The built-in models' payloads: from one version to the next the same codes, and the same bytes.

Codes come out of networks in floating point, so another processor may choose a few others; from
codes to bytes and back nothing may ever differ.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec import Codec, load
from vqcodec.bitstream import read_stream

FOLDER = Path(__file__).parents[1] / "golden" / "built_in"
MANIFEST: dict[str, dict[str, Any]] = json.loads((FOLDER / "manifest.json").read_text())
CROPS = {
    "china": (0, slice(100, 311), slice(200, 477)),
    "flower": (1, slice(80, 277), slice(150, 403)),
}
# Where networks round otherwise, so many codes stay, and the bytes move by so much at most.
SAME_CODES, SAME_BYTES = 0.8, 0.03


@pytest.fixture(scope="module", params=["photo", "photo-psnr"])
def codec(request: pytest.FixtureRequest) -> Codec:
    return load(request.param, device="cpu")


def entries(codec: Codec) -> dict[str, dict[str, Any]]:
    return {name: e for name, e in MANIFEST.items() if e["model"] == codec.card.name}


def test_there_are_sixteen() -> None:
    assert {path.stem for path in FOLDER.glob("*.bin")} == set(MANIFEST)
    assert len(MANIFEST) == 16


def test_payloads_give_the_same_codes_and_codes_the_same_payloads(codec: Codec) -> None:
    prior = codec._priors[2]
    assert len(entries(codec)) == 8
    for name, entry in entries(codec).items():
        payload = (FOLDER / f"{name}.bin").read_bytes()
        codes = prior.decode(payload, tuple(entry["codes_shape"]))
        assert hashlib.sha256(codes.astype("<u2").tobytes()).hexdigest() == entry["codes_sha256"]
        assert prior.encode(codes) == payload


def test_encoding_gives_these_payloads(codec: Codec, photos: list[NDArray[np.uint8]]) -> None:
    for name, entry in entries(codec).items():
        index, rows, columns = CROPS[entry["photo"]]
        data = codec.encode(photos[index][rows, columns].copy(), quality=entry["quality"])
        (payload,) = read_stream(data).codes
        expected = (FOLDER / f"{name}.bin").read_bytes()
        if payload == expected:
            continue
        shape = tuple(entry["codes_shape"])
        prior = codec._priors[2]
        found, wanted = prior.decode(payload, shape), prior.decode(expected, shape)
        assert np.mean(found == wanted) >= SAME_CODES, name
        assert len(payload) == pytest.approx(len(expected), rel=SAME_BYTES), name
