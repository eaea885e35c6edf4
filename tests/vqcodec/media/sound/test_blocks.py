"""Sounds in memory, whole and in blocks: what they take, what they hold, what they refuse."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.sound.blocks import SoundBlocks
from vqcodec.media.sound.flow import SoundFlow
from vqcodec.media.sound.signal import Sound

COUNT: NDArray[np.float32] = np.linspace(0, 0.999, 1000, dtype=np.float32).reshape(500, 2)


class Again:
    """Blocks of a sound, anew each time, in memory that is filled again."""

    def __init__(self, samples: NDArray[np.float32], step: int) -> None:
        self.samples, self.step, self.times = samples, step, 0

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        self.times += 1
        memory = np.empty((self.step, 2), np.float32)
        for start in range(0, len(self.samples), self.step):
            block = self.samples[start : start + self.step]
            memory[: len(block)] = block
            yield memory[: len(block)]


@given(
    step=st.integers(1, 600),
    windows=st.lists(st.tuples(st.integers(0, 499), st.integers(1, 500)), min_size=1),
)
def test_windows_are_what_the_whole_has_there(step: int, windows: list[tuple[int, int]]) -> None:
    blocks = Again(COUNT, step)
    sound = SoundBlocks(blocks, samples=500, rate=8000, channels=2)
    furthest = 0
    for start, length in windows:
        part = (slice(start, min(500, start + length)),)
        np.testing.assert_array_equal(sound.window(part), COUNT[part], strict=True)
        furthest = max(furthest, part[0].stop)
        assert sound.held < furthest - start + 2 * step
    begins = sum(b < a for (a, _), (b, _) in pairwise(windows))
    assert blocks.times <= 1 + begins


def test_what_is_kept_can_be_asked_for_again() -> None:
    blocks = Again(COUNT, 10)
    sound = SoundBlocks(blocks, samples=500, rate=8000, channels=2)
    sound.window((slice(200, 300),), keep=100)
    np.testing.assert_array_equal(sound.window((slice(100, 120),)), COUNT[100:120])
    assert blocks.times == 1
    sound.window((slice(99, 120),))
    assert blocks.times == 2


def test_an_iterator_gives_its_blocks_once() -> None:
    sound = SoundBlocks(iter([COUNT]), samples=500, rate=8000, channels=2)
    sound.window((slice(499, 500),))
    sound = SoundBlocks(iter([COUNT[:250], COUNT[250:]]), samples=500, rate=8000, channels=2)
    sound.window((slice(300, 310),))
    with pytest.raises(InputError, match="can be drawn once"):
        sound.window((slice(0, 1),))


@pytest.mark.parametrize(
    ("blocks", "wrong"),
    [
        ([COUNT[:499]], "ends after 499 of 500"),
        ([COUNT, COUNT[:1]], "more samples than 500"),
        ([np.concatenate([COUNT, COUNT])], "more samples than 500"),
        ([COUNT[:, 0]], r"\(n, 2\), got float32 \(500,\)"),
        ([COUNT.astype(np.float64)], "got float64"),
        ([np.full_like(COUNT, np.inf)], "finite"),
        ([COUNT * 100], "at most 64"),
        ([b"bytes"], "got bytes"),
    ],
)
def test_blocks_that_are_none(blocks: list[Any], wrong: str) -> None:
    sound = SoundBlocks(blocks, samples=500, rate=8000, channels=2)
    with pytest.raises(InputError, match=wrong):
        sound.window((slice(499, 500),))


@pytest.mark.parametrize(
    "wrong",
    [{"samples": 0}, {"samples": 2**32}, {"rate": 999}, {"rate": 8000.0}, {"channels": 3}],
)
def test_numbers_that_no_sound_has(wrong: dict[str, Any]) -> None:
    options: dict[str, Any] = {"samples": 500, "rate": 8000, "channels": 2} | wrong
    with pytest.raises(InputError):
        SoundBlocks([COUNT], **options)


@pytest.mark.parametrize(
    ("samples", "wrong"),
    [
        (COUNT[:, 0], r"float32 \(500,\)"),
        (COUNT.astype(np.float64), "got float64"),
        (COUNT[:0], "empty"),
        (np.zeros((9, 3), np.float32), r"\(9, 3\)"),
        (np.full((9, 1), np.nan, np.float32), "got nan"),
        (np.full((9, 1), -np.inf, np.float32), "got inf"),
        (np.full((9, 1), 64.5, np.float32), "got 64.5"),
    ],
)
def test_samples_that_are_no_sound(samples: Any, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        Sound(samples, rate=8000)


def test_what_is_pushed_is_copied_and_let_go() -> None:
    flow, memory = SoundFlow(rate=8000, channels=2), np.empty((100, 2), np.float32)
    for start in range(0, 500, 100):
        memory[:] = COUNT[start : start + 100]
        flow.push(memory)
    assert (flow.ready, flow.extent > (500,)) == (500, True)
    np.testing.assert_array_equal(flow.window((slice(150, 420),)), COUNT[150:420])
    assert flow.held == 400
    flow.end()
    assert flow.extent == (500,)
    np.testing.assert_array_equal(flow.window((slice(400, 500),)), COUNT[400:])
