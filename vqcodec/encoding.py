"""A signal on its way to bytes, region by region, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from vqcodec.bitstream import Chunk, Header, Stream, write_stream
from vqcodec.decoding import Progress, decode_parts
from vqcodec.errors import InputError
from vqcodec.grid import Region, inside, lengths, whole
from vqcodec.media.base import Medium, Signal
from vqcodec.media.naming import with_article
from vqcodec.payload import encode_region, smallest_payloads
from vqcodec.priors import Prior, RawPrior
from vqcodec.rate.search import LatentSearch, refines
from vqcodec.rate.target import fit_psnr, fit_size
from vqcodec.tokenizer import Tokenizer
from vqcodec.workers import in_order, side_by_side

__all__ = ["Encoding", "size_at"]

T = TypeVar("T")

Codes = NDArray[np.int64]

# What a target may keep of latents, from one quality that it tries to the next; beyond that they
# are made anew.
_KEPT_BYTES = 2**28


def size_at(medium: Medium, signal: Signal, value: float, unit: str) -> int:
    """The most bytes of a file at a rate in the medium's own unit.

    Raises: InputError if it has another unit.
    """
    own, of_a_byte = medium.rate(1, signal)
    if own != unit:
        raise InputError(f"the rate of {with_article(medium.name)} is in {own}, got {unit}")
    return int(value / of_a_byte)


class Encoding:
    """One signal on its way to bytes; every region is analysed, searched and coded on its own.

    What is chosen for a region depends on its samples and those around it alone, so the bytes are
    the same however many regions are worked on at a time.

    Args:
        effort: 1 (fast) to 9 (good).
        facts: whether what travels with the samples is kept.
        threads: as for `side_by_side`; on a GPU there is one job at a time.
        progress: is told how many of how many regions are done, anew for each quality that a
            target tries.

    Attributes:
        side_chunks: what the medium keeps beside the codes.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        medium: Medium,
        priors: Mapping[int, Prior],
        signal: Signal,
        *,
        effort: int,
        facts: bool = True,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._tokenizer, self._medium, self._priors = tokenizer, medium, priors
        self._original, self._effort = signal, effort
        self._signal = signal = medium.prepare(signal, tokenizer.card.config)
        self._refines = refines(effort) and tokenizer.pieces.is_local
        self.side_chunks: list[Chunk] = medium.side_chunks(signal, facts=facts)
        self._config = tokenizer.card.config
        self._grid = self._config.positions(signal.extent)
        self._regions = self._config.regions(signal.extent)
        self._threads = threads if tokenizer.device.type == "cpu" else 1
        self._progress = progress
        self._kept: dict[int, LatentSearch] = {}
        self._keeps = range(0)

    def at_quality(self, quality: float, *, draft: bool = False) -> bytes:
        """The stream at a quality; see `LatentSearch.at_quality` for drafts."""
        found = list(self._each(partial(self._coded, quality=quality, draft=draft)))
        return self._write(found[0][0], [payloads for _, payloads in found])

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return len(self._regions)

    def region_at_quality(self, number: int, quality: float) -> tuple[int, dict[int, bytes]]:
        """The stages of a region, by its number, and its payloads by the number of the prior."""
        return self._coded(self._search(number, self._window(number)), quality=quality)

    def samples_seen(self, number: int) -> Region:
        """The samples, of the model's, that the codes of a region depend on."""
        seen, _ = self._seen(number)
        return self._tokenizer.pieces.samples_of(seen, self._signal.extent)

    def to_size(self, size: int) -> tuple[float, bytes]:
        """The best stream of at most so many bytes, and its quality."""
        self._keep()
        if len(self._keeps) < len(self._regions):
            self._need_again("a size")
        near = 50.0
        if self._refines:
            # Refined streams are nearly as large as drafts, and take far longer to find.
            near, _ = fit_size(lambda quality: self.at_quality(quality, draft=True), size)
        return fit_size(self.at_quality, size, near=near)

    def to_psnr(self, psnr: float) -> tuple[float, bytes]:
        """The smallest stream of at least so many decibels, and its quality."""
        if self._tokenizer.card.restorer is not None:
            raise InputError(
                f"psnr={psnr:g} is no target of a restoring encoder: it is not to come near the "
                "damaged signal; ask for a quality or a size"
            )
        self._keep()
        self._need_again("decibels")

        def measure(quality: float) -> tuple[float, list[Codes]]:
            codes = list(self._each(lambda search: search.at_quality(quality).cpu().numpy()))
            return self._medium.decibels(self._decoded(codes), self._original), codes

        quality, codes = fit_psnr(measure, psnr)
        return quality, self.of_codes(codes)

    def of_codes(self, codes: list[Codes]) -> bytes:
        """The stream of the codes of every region, int64 (S, *positions), in their order."""
        with side_by_side(self._threads, jobs=len(codes)) as (submit, workers):
            payloads = list(in_order(submit, workers, self._payloads, codes))
        return self._write(len(codes[0]), payloads)

    def to_target(
        self, quality: float, *, size: int | None, psnr: float | None
    ) -> tuple[float, bytes]:
        """The stream of a size or of decibels where one is given, else at the quality; and that."""
        if size is not None:
            return self.to_size(size)
        if psnr is not None:
            return self.to_psnr(psnr)
        return quality, self.at_quality(quality)

    def _each(self, job: Callable[[LatentSearch], T]) -> Iterator[T]:
        """What a job makes of every region's search, in the order of regions."""
        with side_by_side(self._threads, jobs=len(self._regions)) as (submit, workers):
            windows = ((number, self._window(number)) for number in range(len(self._regions)))

            def work(item: tuple[int, NDArray[np.float32] | None]) -> T:
                return job(self._search(*item))

            for done, found in enumerate(in_order(submit, workers, work, windows), 1):
                yield found
                if self._progress is not None:
                    self._progress(done, len(self._regions))

    def _seen(self, number: int) -> tuple[Region, Region]:
        """The positions whose samples matter for a region, and those that its search looks at."""
        pieces, region = self._tokenizer.pieces, self._regions[number]
        around = pieces.positions_around(region, self._grid) if self._refines else region
        return pieces.positions_seen(around, self._grid), around

    def _window(self, number: int) -> NDArray[np.float32] | None:
        """The samples that a region's codes depend on; None where its search was kept."""
        if number in self._kept:
            return None
        place = self.samples_seen(number)
        return self._medium.to_samples(self._signal, self._config.medium, place)

    def _search(self, number: int, window: NDArray[np.float32] | None) -> LatentSearch:
        if window is None:
            return self._kept[number]
        pieces, region = self._tokenizer.pieces, self._regions[number]
        seen, around = self._seen(number)
        samples = torch.from_numpy(window)
        latent = pieces.analyse(samples, piece=inside(around, seen))
        if self._refines:
            extent = self._signal.extent
            shown = inside(pieces.samples_of(around, extent), pieces.samples_of(seen, extent))
            samples = samples[:, *shown]
        search = self._tokenizer.search(
            latent,
            samples=samples if self._refines else None,
            piece=inside(region, around),
            effort=self._effort,
        )
        if number in self._keeps:
            self._kept[number] = search
        return search

    def _need_again(self, target: str) -> None:
        """Refuse at once what would be found out when samples are needed once more."""
        # Regions that begin where the first one does find its samples still there.
        several = self._regions[-1][0].start > 0
        if several and getattr(self._signal, "drawn_once", False):
            raise InputError(
                f"for {target} the samples are needed once more and can be drawn once: ask for a "
                "quality, or give a signal that begins anew"
            )

    def _keep(self) -> None:
        """Keep what is asked for again and again, as far as memory goes."""
        one = 4 * self._config.synthesis.latent_dim * int(np.prod(lengths(self._regions[0])))
        self._keeps = range(_KEPT_BYTES // one)

    def _decoded(self, codes: list[Codes]) -> Signal:
        """The signal that codes stand for."""
        header = self.header(len(codes[0]), RawPrior.mode)
        stream = Stream(header, tuple(self.side_chunks), ())
        shown = whole(self._medium.extent_of(stream))
        parts = decode_parts(
            self._tokenizer.pieces,
            lambda number, _: codes[number],
            extent=header.extent,
            grid=self._grid,
            side=self._config.region,
            region=self._medium.samples_for(stream, shown),
            threads=self._threads,
        )
        signal: Signal = self._medium.from_samples(parts, stream, shown)
        return signal

    def _coded(
        self, search: LatentSearch, *, quality: float, draft: bool = False
    ) -> tuple[int, dict[int, bytes]]:
        codes = search.at_quality(quality, draft=draft).cpu().numpy()
        return len(codes), self._payloads(codes)

    def _payloads(self, codes: Codes) -> dict[int, bytes]:
        return encode_region(codes, self._priors, threads=torch.get_num_threads())

    def _write(self, stages: int, found: list[dict[int, bytes]]) -> bytes:
        prior, payloads = smallest_payloads(found)
        return write_stream(self.header(stages, prior), self.side_chunks, payloads)

    def header(self, stages: int, prior: int) -> Header:
        """The header of its stream, for a number of stages and of a prior."""
        return Header(
            medium=self._medium.number,
            extent=self._signal.extent,
            channels=self._signal.channels,
            stages=stages,
            prior=prior,
            fingerprint=bytes.fromhex(self._tokenizer.card.fingerprint),
            regions=len(self._regions),
        )
