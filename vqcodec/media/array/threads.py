"""Chunks side by side, without torch, which `vqcodec.workers` shares its threads with."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from vqcodec.choices import check_whole

__all__ = ["in_threads"]

T = TypeVar("T")
R = TypeVar("R")


def in_threads(job: Callable[[T], R], items: Iterable[T], threads: int | None) -> Iterator[R]:
    """Results of a job for each item, in their order; items are drawn as they are needed.

    threads: at most so many, None for as many as the process may run on.

    Raises:
        InputError: not a whole number from 1.

    >>> list(in_threads(abs, [-3, 2, -1], 2))
    [3, 2, 1]
    """
    if threads is None:
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    check_whole("threads", threads, 1)
    if threads == 1:
        yield from map(job, items)
        return
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads, "vqcodec") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(job, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
