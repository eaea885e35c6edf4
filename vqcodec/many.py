"""Many signals, one after another: results in their order, several at a time, in bounded memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal, TypeVar

import torch

from vqcodec.errors import InputError, VqcodecError
from vqcodec.workers import checked_threads, in_order, side_by_side

__all__ = ["Errors", "Many"]

T = TypeVar("T")
R = TypeVar("R")

Errors = Literal["raise", "return"]


class Many(ABC):
    """`encode_many` and `decode_many` of a codec, of its `encode` and `decode`."""

    device: torch.device

    @abstractmethod
    def encode(self, *args: Any, **options: Any) -> bytes:
        """Encode one signal."""

    @abstractmethod
    def decode(self, *args: Any, **options: Any) -> Any:
        """Decode one stream."""

    def encode_many(
        self,
        signals: Iterable[Any],
        *,
        threads: int | None = None,
        errors: Errors = "raise",
        **options: Any,
    ) -> Iterator[Any]:
        """Encode signals, each on one thread: the bytes that `encode` gives, in the same order.

        Signals are drawn in the caller's thread, at most two for each thread ahead of the streams
        that were taken. On a GPU there is one at a time.

        Args:
            signals: what `encode` takes, each of them.
            threads: so many at a time, as many as torch has threads by default.
            errors: "raise" what a signal is refused for, which ends it all, or "return" the
                `VqcodecError` in the place of its stream.
            options: of `encode`, for all of them.

        Raises:
            InputError: threads is not a whole number from 1, or errors neither of the two.

        >>> import numpy as np, vqcodec
        >>> codec = vqcodec.load("photo", device="cpu")
        >>> signals = [np.zeros((48, 64), np.uint8), "missing.png"]
        >>> [type(found).__name__ for found in codec.encode_many(signals, errors="return")]
        ['bytes', 'InputError']
        """
        return self._each(partial(self.encode, threads=1, **options), signals, threads, errors)

    def decode_many(
        self,
        streams: Iterable[Any],
        *,
        threads: int | None = None,
        errors: Errors = "raise",
        **options: Any,
    ) -> Iterator[Any]:
        """Decode streams, each on one thread: what `decode` gives, in the same order.

        Args:
            streams: what `decode` takes, each of them.
            threads, errors: as for `encode_many`.
            options: of `decode`, for all of them.

        Raises:
            InputError: as `encode_many`.

        >>> import numpy as np, vqcodec
        >>> codec = vqcodec.load("photo", device="cpu")
        >>> streams = codec.encode_many(np.zeros((3, 48, 64), np.uint8))
        >>> [samples.shape for samples in codec.decode_many(streams)]
        [(48, 64), (48, 64), (48, 64)]
        """
        return self._each(partial(self.decode, threads=1, **options), streams, threads, errors)

    def _each(
        self, job: Callable[[T], R], items: Iterable[T], threads: int | None, errors: str
    ) -> Iterator[R | VqcodecError]:
        if errors not in ("raise", "return"):
            raise InputError(f"errors must be 'raise' or 'return', got {errors!r}")
        count = checked_threads(threads) if self.device.type == "cpu" else 1
        return _results(job if errors == "raise" else partial(_returned, job), items, count)


def _results(job: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    # As many jobs as workers, if not more: how many there will be is not known.
    with side_by_side(threads, jobs=threads) as (submit, workers):
        yield from in_order(submit, workers, job, items)


def _returned(job: Callable[[T], R], item: T) -> R | VqcodecError:
    try:
        return job(item)
    except VqcodecError as error:
        return error
