"""Jobs side by side: threads that share a number of processor threads, results in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch

from vqcodec.choices import check_whole

__all__ = ["Submit", "at_once", "checked_threads", "in_order", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")

# How many jobs a worker may be ahead of what was taken: enough that none waits for another.
_AHEAD = 2


class Submit(Protocol):
    """Begins a job, sooner or later, and promises its result. Jobs begin in the order given."""

    def __call__(self, job: Callable[..., R], /, *args: Any) -> Future[R]:
        """Begin `job(*args)`."""


def checked_threads(threads: int | None) -> int:
    """A number of threads, as many as torch has here for None.

    Raises:
        InputError: it is not a whole number from 1.
    """
    if threads is None:
        return torch.get_num_threads()
    check_whole("threads", threads, 1)
    return threads


@contextmanager
def side_by_side(threads: int | None, *, jobs: int) -> Iterator[tuple[Submit, int]]:
    """Run jobs on a number of threads that torch, too, takes for its own.

    One job gets all threads, as torch divides it. Several are divided among workers first, which
    pays more, and each has its share of the threads. A single worker is the caller's own thread,
    where a job ends before the next line is reached. Jobs that have not begun when the block is
    left by an exception never do.

    Args:
        threads: at most so many; None for as many as torch has here.
        jobs: how many there will be.

    Yields:
        what submits a job, and how many workers there are.

    Raises:
        InputError: threads is not a whole number from 1.

    >>> with side_by_side(2, jobs=5) as (submit, workers):
    ...     workers, [submit(pow, 2, n).result() for n in range(5)]
    (2, [1, 2, 4, 8, 16])
    """
    before = torch.get_num_threads()
    threads = checked_threads(threads)
    workers = max(1, min(threads, jobs))
    share = threads // workers
    try:
        if workers == 1:
            torch.set_num_threads(share)
            yield at_once, 1
            return
        pool = ThreadPoolExecutor(workers, "vqcodec", torch.set_num_threads, (share,))
        try:
            yield pool.submit, workers
        finally:
            pool.shutdown(cancel_futures=True)
    finally:
        # A number that is set in any thread is the start of every later one.
        torch.set_num_threads(before)


def in_order(
    submit: Submit, workers: int, job: Callable[[T], R], items: Iterable[T]
) -> Iterator[R]:
    """Results of a job for each item, in the order of items.

    Items are drawn in the caller's thread, a few ahead of the results that were taken, so that
    neither many items nor many results are in memory.

    >>> with side_by_side(2, jobs=9) as (submit, workers):
    ...     list(in_order(submit, workers, lambda n: n * n, range(4)))
    [0, 1, 4, 9]
    """
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(submit(job, item))
        if len(waiting) > (_AHEAD * workers if workers > 1 else 0):
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def at_once(job: Callable[..., R], /, *args: Any) -> Future[R]:
    """Do a job in the caller's thread, for those who take a promise of its result.

    >>> at_once(pow, 2, 5).result()
    32
    """
    done: Future[R] = Future()
    done.set_result(job(*args))
    return done
