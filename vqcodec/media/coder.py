"""What a medium without models codes its signals by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from vqcodec.bitstream import Limits, Stream

__all__ = ["Coder", "StreamingCoder"]


class Coder(Protocol):
    """What a medium codes its signals by that does so itself; `registry.find_coder` gives it.

    Attributes:
        options: of `encode`, besides `threads` and `progress`.
        decode_options: of `decode` and `compare`, besides those that are here.
    """

    options: frozenset[str]
    decode_options: frozenset[str]

    def encode(self, signal: Any, **options: Any) -> bytes:
        """The stream of a signal.

        options: `threads`, `progress`, and those of its own, such as how near is near enough.

        Raises:
            InputError: an option that is missing, or that makes no sense for the signal.
        """

    def decode(
        self,
        stream: Stream,
        *,
        region: Sequence[slice] | None = None,
        threads: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        **options: Any,
    ) -> Any:
        """The signal of a stream that was checked, or a region of it.

        Raises:
            CorruptError: a payload that no encoder writes. InputError: no such region.
        """

    def write_decoded(
        self,
        stream: Stream,
        file: BinaryIO,
        *,
        format: str,
        region: Sequence[slice] | None = None,
        threads: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        **options: Any,
    ) -> tuple[int, ...]:
        """Write what `decode` gives to an empty file, part by part; gives its extent.

        format: one of the medium's.

        Raises: as `decode`.
        """

    def compare(self, stream: Stream, original: Any, **options: Any) -> str:
        """How far a stream is from its original, in words.

        Raises:
            CorruptError: further than it says.
        """


class StreamingCoder(Coder, Protocol):
    """One whose signals may be longer than memory; `registry.find_streaming_coder` gives it."""

    def load(self, name_or_path: str | Path, *, device: str = "auto") -> Any:
        """A model, with `encode` and `decode_signal` of signals in memory. Raises: ModelError."""

    def read_from(self, file: BinaryIO, limits: Limits) -> Any:
        """The signal in a pipe, drawn as it comes, once."""

    def encode_to(
        self, signal: Any, write: Callable[[bytes], object], **options: Any
    ) -> dict[str, Any]:
        """Write the stream of a signal as it is drawn; gives what is worth telling.

        Raises: as `encode`.
        """

    def opened(self, data: Any, **options: Any) -> AbstractContextManager[Any]:
        """A stream in a file, to be played.

        What is played has `groups`, how many parts stand alone; `codes` and `packets` give those of
        one by its number, and raise CorruptError.
        """

    def decode_to(self, player: Any, target: Path | BinaryIO, **options: Any) -> dict[str, Any]:
        """Write what is played to a file; gives what is worth telling.

        Raises: as `decode`, and InputError where a format cannot hold it.
        """

    def is_many(self, target: str) -> bool:
        """Whether the name of an output stands for many files; InputError for no output."""

    def picture(self, player: Any, seconds: float) -> Any:
        """What is shown at a time, as an array that a picture is made of."""
