"""Files that were written once and are read for ever: see tests/golden/README.md."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from video_digest import digest

from vqcodec import inspect, open_video
from vqcodec.bitstream import open_stream
from vqcodec.media.video.facts import unpack_facts
from vqcodec.media.video.group import unpack_group
from vqcodec.media.video.group_decoder import decode_codes
from vqcodec.media.video.letters import FACTS, LETTERS
from vqcodec_kernels.entropy.changes import Change, ChangeDecoder, ChangeEncoder

GOLDEN = Path(__file__).parents[3] / "golden" / "video"
BUILT_IN = GOLDEN / "built_in"
MANIFEST = json.loads((BUILT_IN / "manifest.json").read_text(encoding="utf-8"))
# Networks in float32 and bfloat16 differ by so much in steps of 255 over a group of these frames.
MOST_APART, MEAN_APART = 8, 0.5
SIZES: Any = {"stages": 3, "codebook_size": 11}


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_changes_are_read_as_they_were_written(backend: str) -> None:
    payload = (GOLDEN / "changes.bin").read_bytes()
    with np.load(GOLDEN / "changes.npz") as wanted:
        decoder = ChangeDecoder(payload, 5, 7, **SIZES, backend=backend)
        for moving, motion, codes in zip(*(wanted[name] for name in Change._fields), strict=True):
            found = decoder.next()
            np.testing.assert_array_equal(found.moving, moving)
            np.testing.assert_array_equal(found.motion, motion)
            np.testing.assert_array_equal(found.codes, codes)
        decoder.finish()


def test_changes_are_written_as_they_were() -> None:
    encoder = ChangeEncoder(5, 7, **SIZES)
    with np.load(GOLDEN / "changes.npz") as wanted:
        for parts in zip(*(wanted[name] for name in Change._fields), strict=True):
            encoder.add(Change(parts[0], parts[1], parts[2].astype(np.int64)))
    assert encoder.finish() == (GOLDEN / "changes.bin").read_bytes()


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_files_of_the_built_in_model_hold_the_same_codes(name: str) -> None:
    """Integers exactly; pixels as near as networks of another precision come."""
    wanted = MANIFEST[name]
    with open_video((BUILT_IN / f"{name}.vqc").read_bytes(), device="cpu") as video:
        assert video.model.card.fingerprint == wanted["model"]
        assert list(video.counts) == wanted["counts"]
        assert [digest(video.codes(n)) for n in range(video.groups)] == wanted["groups"]
        grid = video.model.grid(video.height, video.width)
        for number in range(video.groups):
            native = decode_codes(video.group(number), video.model, grid)
            plain = decode_codes(video.group(number), video.model, grid, backend="numpy")
            for one, other in itertools.islice(zip(native, plain, strict=True), 1, None):
                for part, expected in zip(one, other, strict=True):
                    np.testing.assert_array_equal(part, expected)
        shown = [np.concatenate([f.y.ravel(), f.u.ravel(), f.v.ravel()]) for f in video]
    with np.load(BUILT_IN / f"{name}.npz") as stored:
        apart = np.abs(np.stack(shown).astype(int) - stored["planes"])
    assert apart.max() <= MOST_APART
    assert apart.mean() <= MEAN_APART


def test_groups_are_found_and_read() -> None:
    data = (GOLDEN / "groups.vqc").read_bytes()
    stream = open_stream(data, letters=LETTERS)
    assert stream.amounts == (3, 2, 1)
    facts = unpack_facts(stream.side_chunks[0].payload)
    assert stream.side_chunks[0].type == FACTS
    assert (facts.rate, facts.rotation) == (Fraction(30000, 1001), 90)
    groups = [unpack_group(stream.codes_of(number), regions=1) for number in range(3)]
    assert [group.ticks(facts) for group in groups] == [[0, 33, 67], [100, 140], [170]]
    assert [(group.first, group.scale, group.key[0]) for group in groups] == [
        (0, 100, b"key 0"),
        (3, 103, b"key 3"),
        (5, 105, b"key 5"),
    ]
    info = inspect(data)
    assert info.extent == {"frames": 6, "height": 180, "width": 320}
    assert info.regions == 3
