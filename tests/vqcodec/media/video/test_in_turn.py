"""Sources that are drawn side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event

import pytest

from vqcodec.media.video.in_turn import in_turn


def source(*things: int, fails: bool = False) -> Callable[[], Iterator[int]]:
    def draw() -> Iterator[int]:
        yield from things
        if fails:
            raise ValueError("no more")

    return draw


@pytest.mark.parametrize(("threads", "ahead"), [(1, 5), (2, 0), (2, 1), (3, 2), (5, 9)])
def test_things_come_in_order(threads: int, ahead: int) -> None:
    sources = [source(*range(3 * n, 3 * n + 3)) for n in range(7)]
    assert list(in_turn(sources, threads=threads, ahead=ahead)) == list(range(21))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_source_fails_in_its_turn(threads: int) -> None:
    drawn = in_turn([source(1, 2), source(3, fails=True), source(4)], threads=threads, ahead=2)
    assert [next(drawn) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ValueError, match="no more"):
        next(drawn)


def test_sources_run_side_by_side_and_stop_when_they_are_left() -> None:
    waits, given = Event(), []

    def first() -> Iterator[int]:
        yield 1
        # The second source runs meanwhile, or this would wait in vain.
        assert waits.wait(timeout=20)
        yield 2

    def second() -> Iterator[int]:
        for number in range(10**9):
            waits.set()
            given.append(number)
            yield number
            if number > 100:
                assert stopped.wait(timeout=20)

    stopped = Event()
    drawn = in_turn([first, second], threads=2, ahead=1)
    assert [next(drawn), next(drawn)] == [1, 2]
    stopped.set()
    drawn.close()  # type: ignore[attr-defined]
    assert len(given) < 10**9
