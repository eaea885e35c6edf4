"""Bare samples that are encoded as they come, so that a pipe may give more than memory holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import Limits
from vqcodec.errors import LimitError
from vqcodec.media.base import Medium
from vqcodec_cli.inputs import Source

if TYPE_CHECKING:
    from vqcodec.codec import Codec

# A whole number of samples of any format and up to two channels.
_BLOCK_BYTES = 48 * 2**14


def encode_piped(
    codec: "Codec",
    source: Source,
    said: str,
    limits: Limits,
    *,
    quality: float,
    effort: int,
    threads: int | None = None,
) -> tuple[bytes, Any]:
    """The stream of bare samples, and what is known of their signal; see `SoundEncoder`.

    said: what the samples are, see `Medium.from_raw`.
    Raises: InputError, LimitError as `Medium.from_raw`.
    """
    from vqcodec.live import SoundEncoder  # loads torch

    blocks = _signals(codec.medium, source, said, limits)
    first = next(blocks)
    encoder = SoundEncoder(
        codec,
        rate=first.rate,
        channels=first.channels,
        quality=quality,
        effort=effort,
        threads=threads,
    )
    encoder.push(first.samples)
    for block in blocks:
        encoder.push(block.samples)
    return encoder.close(), encoder.signal


def _signals(medium: Medium, source: Source, said: str, limits: Limits) -> Iterator[Any]:
    """The input in blocks; one at least, which says if there is nothing in it."""
    samples = 0
    for data in source.blocks(_BLOCK_BYTES):
        signal = medium.from_raw(data, said, limits)
        samples += signal.extent[0]
        if samples > limits.max_samples:
            raise LimitError(
                f"there are more samples than the limit of {limits.max_samples}",
                argument="max_samples",
            )
        yield signal
    if samples == 0:
        yield medium.from_raw(b"", said, limits)
