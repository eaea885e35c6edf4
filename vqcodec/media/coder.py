"""What a medium without models codes its signals by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from vqcodec.bitstream import Stream

__all__ = ["Coder"]


class Coder(Protocol):
    """What a medium without models codes its signals by; `registry.find_coder` gives it.

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

    def compare(self, stream: Stream, original: Any, **options: Any) -> str:
        """How far a stream is from its original, in words.

        Raises:
            CorruptError: further than it says.
        """
