"""Blocks of samples to the bytes of a stream, region by region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vqcodec.bitstream import StreamWriter
from vqcodec.choices import check_real
from vqcodec.codec import Codec
from vqcodec.encoding import Encoding
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.payload import smallest_prior
from vqcodec.workers import checked_threads, side_by_side

__all__ = ["SoundEncoder"]


class SoundEncoder:
    """Takes a sound block by block and gives the bytes that `Codec.encode` gives of all of it.

    A region is encoded once its samples and those are there that the network and the resampling
    look ahead. The header says how long the sound is: where that is known, bytes come with each
    region; otherwise they all come in the end, and until then the codes are held.

    Args:
        codec: of a model of sound.
        rate, channels, tags: of the sound; see `vqcodec.Sound`.
        samples: how many there will be, of each channel; None if nobody knows.
        quality, effort, threads: as of `Codec.encode`.

    Raises:
        InputError: a number out of range, or a codec whose signals do not come in blocks.

    >>> import numpy, vqcodec
    >>> codec = vqcodec.load("speech", device="cpu")
    >>> encoder = SoundEncoder(codec, rate=8000, samples=1500)
    >>> pushed = [encoder.push(numpy.zeros(500, numpy.float32)) for _ in range(3)]
    >>> codec.decode(b"".join([*pushed, encoder.close()])).shape
    (1500,)
    """

    def __init__(
        self,
        codec: Codec,
        *,
        rate: int,
        channels: int = 1,
        samples: int | None = None,
        tags: Mapping[str, str] | None = None,
        quality: float = 50.0,
        effort: int = 5,
        threads: int | None = None,
    ) -> None:
        check_real("quality", quality, "0 to 100", low=0, high=100)
        self._codec, self._quality, self._effort = codec, quality, effort
        self._threads = checked_threads(threads if codec.device.type == "cpu" else 1)
        medium = codec.medium
        self._flow = medium.gather(rate=rate, channels=channels, samples=samples, tags=tags)
        self._prepared: Any = medium.prepare(self._flow, codec.card.config)
        self._is_known, self._is_closed = samples is not None, False
        self._encoding = self._begin()
        self._stages = self._prior = 0
        self._payloads: list[bytes] = []
        self._done = 0
        self._writer: StreamWriter | None = None

    @property
    def signal(self) -> Any:
        """What is known of the sound: rate, channels, tags, and once it is closed its extent."""
        return self._flow

    @kernels_refuse()
    def push(self, block: Any) -> bytes:
        """Take samples, float32 (n, C), or (n,) for mono; give the bytes that are settled by them.

        Raises:
            InputError: no samples, more of them than there should be, or the sound was closed.
        """
        if self._is_closed:
            raise InputError("the sound was closed already")
        self._flow.push(block)
        return self._advance()

    @kernels_refuse()
    def close(self) -> bytes:
        """Take the end of the sound; give the bytes that are left.

        Raises:
            InputError: it has no samples, or fewer than it should have.
        """
        if self._is_closed:
            return b""
        self._flow.end()
        self._is_closed = self._is_known = True
        return self._advance()

    def _begin(self) -> Encoding:
        """What encodes regions of a signal that reaches as far as is known, or further."""
        self._extent = self._prepared.extent
        return self._codec.begin(self._prepared, effort=self._effort)

    def _advance(self) -> bytes:
        """Encode the regions of which all is there that they depend on."""
        if self._prepared.extent != self._extent:
            self._encoding = self._begin()
        encoding = self._encoding
        while self._done < encoding.regions:
            if encoding.samples_seen(self._done)[0].stop > self._prepared.ready:
                break
            with side_by_side(self._threads, jobs=1):
                stages, payloads = encoding.region_at_quality(self._done, self._quality)
            if self._done == 0:
                self._stages, self._prior = stages, smallest_prior(payloads)
            self._payloads.append(payloads[self._prior])
            self._done += 1
        return self._written() if self._is_known and self._payloads else b""

    def _written(self) -> bytes:
        """The bytes of the payloads that were not written yet."""
        begin = b""
        if self._writer is None:
            header = self._encoding.header(self._stages, self._prior)
            self._writer = StreamWriter(header)
            begin = self._writer.begin(self._encoding.side_chunks)
        chunks = [self._writer.add(payload) for payload in self._payloads]
        self._payloads.clear()
        return begin + b"".join(chunks)
