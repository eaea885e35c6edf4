"""Changes from frame to frame: what comes back is what was given, on both implementations."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec_kernels.entropy.changes import Change, ChangeDecoder, ChangeEncoder, blocks_of
from vqcodec_kernels.errors import BackendError, CorruptPayloadError, InvalidInputError

SIZES: Any = {"stages": 3, "codebook_size": 11}
SHAPE = (5, 7)


def changes(
    seed: int, count: int, shape: tuple[int, int] = SHAPE, activity: float = 0.2
) -> list[Change]:
    """Frames in which some blocks move, most of them alike, and some positions say something."""
    rng = np.random.default_rng(seed)
    blocks = blocks_of(*shape)
    found = []
    for _ in range(count):
        busy = activity * rng.integers(0, 3)
        moving = (rng.random(blocks) < busy).astype(np.uint8)
        motion = rng.integers(-31, 32, (*blocks, 2)).astype(np.int8)
        motion[rng.random(blocks) < 0.6] = (2, -5)
        codes = rng.integers(0, SIZES["codebook_size"], (SIZES["stages"], *shape))
        codes[rng.random(codes.shape) < 0.4] = 0
        codes[:, rng.random(shape) >= busy] = 0
        found.append(Change(moving, motion * moving[..., None].astype(np.int8), codes))
    return found


def coded(frames: list[Change], shape: tuple[int, int] = SHAPE, start: object = None) -> bytes:
    encoder = ChangeEncoder(*shape, **SIZES, start=start)  # type: ignore[arg-type]
    for frame in frames:
        assert encoder.add(frame) > 0
    return encoder.finish()


def read(
    payload: bytes, count: int, backend: str | None = None, start: object = None
) -> list[Change]:
    decoder = ChangeDecoder(payload, *SHAPE, **SIZES, start=start, backend=backend)  # type: ignore[arg-type]
    found = [decoder.next() for _ in range(count)]
    decoder.finish()
    return found


def assert_equal(found: list[Change], wanted: list[Change]) -> None:
    for one, other in zip(found, wanted, strict=True):
        for name in Change._fields:
            part, expected = getattr(one, name), getattr(other, name)
            assert part.dtype == expected.dtype
            np.testing.assert_array_equal(part, expected)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_both_read_what_was_written(seed: int, count: int) -> None:
    frames = changes(seed, count)
    payload = coded(frames)
    for backend in ("native", "numpy"):
        assert_equal(read(payload, count, backend), frames)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32 - 1), st.data())
def test_changed_bytes_are_refused_or_are_other_frames(seed: int, data: st.DataObject) -> None:
    """One payload for given frames: what decodes at all is what an encoder writes."""
    payload = bytearray(coded(changes(seed, 3)))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    try:
        frames = read(bytes(payload), 3)
    except CorruptPayloadError:
        with pytest.raises(CorruptPayloadError):
            read(bytes(payload), 3, "numpy")
        return
    assert coded(frames) == bytes(payload)


def test_cut_and_continued_payloads_are_refused() -> None:
    payload = coded(changes(1, 4))
    for wrong in (payload[:-1], payload[: len(payload) // 2], b"", payload + b"\x00"):
        with pytest.raises(CorruptPayloadError):
            read(wrong, 4)
    with pytest.raises(CorruptPayloadError):
        read(payload, 3)


def test_silence_costs_next_to_nothing() -> None:
    quiet = changes(0, 1, activity=0)[0]
    assert len(coded([quiet] * 1000)) < 10


def test_a_start_is_what_was_learned() -> None:
    frames = changes(3, 12)
    encoder = ChangeEncoder(*SHAPE, **SIZES)
    for frame in frames:
        encoder.add(frame)
    start = encoder.state()
    again = coded(frames, start=start)
    assert len(again) < len(encoder.finish())
    for backend in ("native", "numpy"):
        assert_equal(read(again, 12, backend, start), frames)


def test_a_start_of_other_codebooks_is_refused() -> None:
    start = ChangeEncoder(*SHAPE, stages=2, codebook_size=11).state()
    with pytest.raises(InvalidInputError, match="other codebooks"):
        ChangeEncoder(*SHAPE, **SIZES, start=start)
    with pytest.raises(InvalidInputError, match="other codebooks"):
        ChangeDecoder(b"\x00", *SHAPE, **SIZES, start=start, backend="numpy")
    with pytest.raises(InvalidInputError):
        ChangeEncoder(*SHAPE, **SIZES, start={"counters": np.zeros(3, np.uint16)})


@pytest.mark.parametrize(
    "part",
    [
        {"moving": np.full((3, 4), 2, np.uint8)},
        {"moving": np.zeros((3, 4), np.int64)},
        {"moving": np.zeros((3, 3), np.uint8)},
        {"motion": np.full((3, 4, 2), 32, np.int8)},
        {"codes": np.full((3, 5, 7), 11, np.int64)},
        {"codes": np.full((3, 5, 7), -1, np.int64)},
        {"codes": np.zeros((2, 5, 7), np.int64)},
    ],
)
def test_other_frames_are_refused(part: dict[str, np.ndarray]) -> None:
    encoder = ChangeEncoder(*SHAPE, **SIZES)
    with pytest.raises(InvalidInputError):
        encoder.add(changes(0, 1)[0]._replace(**part))


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((0, 5), SIZES),
        ((1 << 13, 1 << 13), SIZES),
        ((5, 5), {"stages": 65, "codebook_size": 11}),
        ((5, 5), {"stages": 1, "codebook_size": 1}),
    ],
)
def test_other_sizes_are_refused(shape: tuple[int, int], sizes: Any) -> None:
    with pytest.raises(InvalidInputError, match="got"):
        ChangeEncoder(*shape, **sizes)
    with pytest.raises(BackendError, match="cuda"):
        ChangeDecoder(b"", *SHAPE, **SIZES, backend="cuda")
