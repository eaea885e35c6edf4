"""The bytes of a stream to blocks of samples, region by region."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Buffer, PartialStream, Stream, StreamReader, limits_of
from vqcodec.codec import Codec
from vqcodec.decoding import amount_made, decode_piece
from vqcodec.errors import kernels_refuse
from vqcodec.grid import Region, clip, inside, lengths, meeting, whole
from vqcodec.media.base import Part
from vqcodec.media.registry import check_stream
from vqcodec.payload import checked_cut, decode_region, prior_of

__all__ = ["SoundDecoder"]

Codes = NDArray[np.int64]


class SoundDecoder:
    """Takes the bytes of a stream as they come and gives the sound that they settle.

    What `Codec.decode` gives of the whole, block by block. With a region's bytes comes its sound up
    to what the network looks ahead, and the end of the one before.

    Args:
        codec: of the model that the stream names.
        rate, max_samples: as of `Codec.decode`.
        early: compute each region twice, so that its sound need not wait for the next one's bytes.

    >>> import numpy, vqcodec
    >>> codec = vqcodec.load("speech", device="cpu")
    >>> decoder = SoundDecoder(codec)
    >>> decoder.push(codec.encode((numpy.zeros(1500, numpy.float32), 8000))).shape
    (1500,)
    >>> decoder.close()
    """

    def __init__(
        self,
        codec: Codec,
        *,
        rate: int | str | None = None,
        max_samples: int | None = None,
        early: bool = True,
    ) -> None:
        self._codec, self._medium, self._rate = codec, codec.medium, rate
        self._limits, self._early = limits_of(max_samples), early
        self._reader = StreamReader(self._limits, letters=self._medium.letters)
        self._stream: Stream | None = None
        self._grid: tuple[int, ...] = ()
        self._pieces: list[Region] = []
        self._codes: dict[int, Codes] = {}
        self._piece = self._read = 0
        # Samples of the model that are decoded, samples of the signal that were given.
        self._made = self._given = 0
        self._parts: deque[Part] = deque()

    @property
    def facts(self) -> dict[str, int | None] | None:
        """Rate, channels and number of samples of what is decoded, once the bytes say them."""
        stream = self._stream
        if stream is None:
            return None
        (samples,) = self._medium.extent_of(stream)
        rate, channels = self._medium.per_second(stream), stream.header.channels
        return {"rate": rate, "channels": channels, "samples": samples}

    @kernels_refuse()
    def push(self, data: Buffer) -> NDArray[Any] | None:
        """Take bytes; give the samples that are settled by them, as `Codec.decode` gives them.

        Raises:
            FormatError, UnknownModelError: as `Codec.decode`; the stream is of no more use.
        """
        payloads = self._reader.push(data)
        if self._stream is None and self._reader.header is not None:
            self._begin(PartialStream(self._reader.header, self._reader.side_chunks, (), ()))
        if self._stream is None or not payloads:
            return None
        for payload in payloads:
            self._take(payload, self._stream)
        return self._samples(self._stream)

    def close(self) -> None:
        """Take the end of the stream.

        Raises:
            TruncatedError: it is not whole.
        """
        self._reader.close()

    def _begin(self, stream: PartialStream) -> None:
        medium, pieces = self._medium, self._codec.pieces
        self._grid, self._regions = checked_cut(
            stream.header, self._codec.card, medium=medium.number
        )
        check_stream(medium, stream, self._limits)
        self._prior = prior_of(stream.header, self._codec.priors)
        self._pieces = self._regions if pieces.is_local else [whole(self._grid)]
        self._stream = stream if self._rate is None else medium.at_rate(stream, self._rate)

    def _take(self, payload: bytes, stream: Stream) -> None:
        """Read the next region's codes, and decode what they complete."""
        self._codes[self._read] = decode_region(
            payload,
            self._prior,
            stages=stream.header.stages,
            region=self._regions[self._read],
            number=self._read,
        )
        self._read += 1
        while self._piece < len(self._pieces) and self._needed(self._piece)[-1][0] < self._read:
            self._decode(self._pieces[self._piece][0].stop, stream)
            self._piece += 1
        ahead = self._codec.pieces.ahead
        if self._early and ahead is not None and self._piece < self._read:
            self._decode(self._regions[self._read - 1][0].stop - ahead, stream)
        first = self._needed(self._piece)[0][0] if self._piece < len(self._pieces) else self._read
        self._codes = {number: codes for number, codes in self._codes.items() if number >= first}

    def _needed(self, piece: int) -> list[tuple[int, Region]]:
        """The regions whose codes matter for a piece, each with its number."""
        around = self._codec.pieces.positions_around(self._pieces[piece], self._grid)
        return list(meeting(around, self._grid, self._codec.card.config.region))

    def _decode(self, stop: int, stream: Stream) -> None:
        """Decode the piece whose turn it is up to a position; regions that are not there are blank.

        Its shape is the same however far it is decoded, and so are its samples.
        """
        pieces, piece = self._codec.pieces, self._pieces[self._piece]
        until = (slice(0, max(0, min(stop, piece[0].stop))),)
        last = pieces.samples_of(until, stream.header.extent)[0].stop
        if last <= self._made:
            return
        codes = [
            (region, self._codes.get(number, self._blank(region)))
            for number, region in self._needed(self._piece)
        ]
        samples = decode_piece(pieces, piece, pieces.positions_around(piece, self._grid), codes)
        place = (slice(self._made, last),)
        begin = pieces.samples_of(piece, stream.header.extent)
        self._parts.append((place, samples[:, *inside(place, begin)]))
        self._made = last

    def _blank(self, region: Region) -> Codes:
        stages = next(iter(self._codes.values())).shape[0]
        return np.zeros((stages, *lengths(region)), np.int64)

    def _samples(self, stream: Stream) -> NDArray[Any] | None:
        """What can be made of the parts that are there and was not given yet."""
        medium, made = self._medium, amount_made(stream, self._medium, self._made)
        if made == self._given:
            return None
        region = (slice(self._given, made),)
        (needed,) = medium.samples_for(stream, region)
        parts = [
            (shared, samples[:, *inside(shared, place)])
            for place, samples in self._parts
            if min(lengths(shared := clip(place, (needed,)))) > 0
        ]
        signal = medium.from_samples(parts, stream, region)
        self._given = made
        if made < medium.extent_of(stream)[0]:
            (after,) = medium.samples_for(stream, (slice(made, made + 1),))
            while self._parts and self._parts[0][0][0].stop <= after.start:
                self._parts.popleft()
        return medium.unwrap(signal)
