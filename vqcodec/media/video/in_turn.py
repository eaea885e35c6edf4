"""Sources drawn side by side, what they give in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

from vqcodec.workers import side_by_side

__all__ = ["in_turn"]

T = TypeVar("T")
Source = Callable[[], Iterator[T]]


def in_turn(sources: Sequence[Source[T]], *, threads: int | None, ahead: int) -> Iterator[T]:
    """What the first source gives, as it comes, then what the second one gives, and so on.

    A source that fails does so in its turn. Left before the end, the sources that are being drawn
    stop at the next thing they give.

    Args:
        threads: for all of them, as `side_by_side` divides them.
        ahead: how many sources may be held beside the one whose turn it is; 0 draws one at a time.

    Raises:
        InputError: threads is not a whole number from 1. Whatever a source raises.

    >>> list(in_turn([lambda: iter("ab"), lambda: iter("cd")], threads=2, ahead=1))
    ['a', 'b', 'c', 'd']
    """
    with side_by_side(threads, jobs=min(len(sources), 1 + ahead)) as (submit, workers):
        if workers == 1:
            for source in sources:
                yield from source()
            return
        left = Event()
        begun: deque[tuple[SimpleQueue[T | None], Future[None]]] = deque()
        try:
            for source in sources:
                given: SimpleQueue[T | None] = SimpleQueue()
                begun.append((given, submit(_draw, source, given, left)))
                if len(begun) > ahead:
                    yield from _taken(*begun.popleft())
            while begun:
                yield from _taken(*begun.popleft())
        finally:
            left.set()


def _draw(source: Source[T], given: SimpleQueue[T | None], left: Event) -> None:
    try:
        for thing in source():
            if left.is_set():
                return
            given.put(thing)
    finally:
        given.put(None)


def _taken(given: SimpleQueue[T | None], done: Future[None]) -> Iterator[T]:
    while (thing := given.get()) is not None:
        yield thing
    done.result()
