"""Signals that nobody made: codes drawn from a model's prior, as streams and decoded."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vqcodec.choices import check_whole
from vqcodec.encoding import Encoding
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.generative.generator import Generator
from vqcodec.grid import lengths
from vqcodec.model.file import ModelCard, Tensors
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.priors import Prior, RawPrior
from vqcodec.signal_tokenizer import SignalTokenizer

__all__ = ["Sampling", "seed_of"]


def seed_of(*numbers: int) -> int:
    """A seed of 64 bits for a seed and the numbers of a signal and of a part of it.

    >>> seed_of(1, 0) != seed_of(0, 1) != seed_of(1, 1)
    True
    """
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


class Sampling(SignalTokenizer):
    """A tokenizer with its priors, which also draw codes.

    >>> import vqcodec
    >>> codec = vqcodec.load("photo", device="cpu")
    >>> [signal.shape for signal in codec.sample((64, 48), count=2, seed=1, stages=2)]
    [(64, 48, 3), (64, 48, 3)]
    """

    def __init__(self, card: ModelCard, tensors: Tensors, *, device: Any = "auto") -> None:
        super().__init__(card, tensors, device=device)
        self._priors = priors_from_tensors(card.config, tensors, card.path)
        quantizer = card.config.quantizer
        self._priors[RawPrior.mode] = RawPrior(quantizer.codebook_size, quantizer.stages)

    @property
    def priors(self) -> Mapping[int, Prior]:
        """What codes payloads, by the number in the header."""
        return self._priors

    @abstractmethod
    def decode(self, *args: Any, **options: Any) -> Any:
        """Decode a stream."""

    def sample(self, extent: Sequence[int] | None = None, **options: Any) -> list[Any]:
        """Draw signals: what `decode` gives of the streams of `sample_streams`."""
        return [self.decode(data) for data in self.sample_streams(extent, **options)]

    def sample_streams(
        self,
        extent: Sequence[int] | None = None,
        *,
        count: int = 1,
        seed: int = 0,
        stages: int | None = None,
        prior: int | None = None,
        generator: str | Path | None = None,
        **options: Any,
    ) -> Iterator[bytes]:
        """Draw signals as streams, as likely as the prior takes their codes to be.

        Which codes a seed draws does not depend on the machine, nor on how many signals are drawn.

        Args:
            extent: samples of each signal along each axis, of the model's own; by default those
                that it is for, or of 32 positions.
            count: how many.
            seed: whole, at least 0.
            stages: how many stages of codes; fewer are coarser. All by default.
            prior: number of the one to draw from, see `priors`; the highest, which knows most, by
                default.
            generator: a learned prior to draw from instead, by its name or file; the extent, None
                for it, and the stages are what it has learned.
            options: of the generator: label, temperature, top_p, see `Generator.draw`.

        Raises:
            InputError: an extent that no signal of the model has, or a number out of range.
            ModelError: no such generator, or not of this model.

        >>> import vqcodec
        >>> codec = vqcodec.load("photo", device="cpu")
        >>> (data,) = codec.sample_streams((64, 48), seed=1, stages=2)
        >>> codec.decode(data).shape
        (64, 48, 3)
        """
        check_whole("count", count, 1)
        check_whole("seed", seed, 0)
        if generator is not None:
            if any(given is not None for given in (extent, stages, prior)):
                raise InputError("a generator has an extent, stages and a prior of its own")
            return self._generated(Generator(generator, self.card), count, seed, options)
        if options:
            raise InputError(f"without a generator there is no {', '.join(options)}")
        mode = max(self._priors) if prior is None else prior
        if mode not in self._priors:
            raise InputError(f"prior must be one of {sorted(self._priors)}, got {prior!r}")
        every = self.card.config.quantizer.stages
        stages = every if stages is None else stages
        check_whole("stages", stages, 1, every)
        blank = self.medium.blank(self._checked(extent), self.card.config)
        return (self._sampled(blank, mode, stages, seed, number) for number in range(count))

    def _checked(self, extent: Sequence[int] | None) -> tuple[int, ...]:
        config = self.card.config
        if extent is None:
            extent = config.usual_extent
        try:
            checked = tuple(operator.index(length) for length in extent)
        except TypeError:
            raise InputError(f"extent must be whole numbers, got {extent!r}") from None
        config.positions(checked)
        return checked

    @kernels_refuse()
    def _sampled(self, blank: Any, mode: int, stages: int, seed: int, number: int) -> bytes:
        job, prior = self._job(blank), self._priors[mode]
        codes = [
            prior.sample((stages, *lengths(region)), seed=seed_of(seed, number, place))
            for place, region in enumerate(self.card.config.regions(blank.extent))
        ]
        return job.of_codes(codes)

    def _generated(
        self, generator: Generator, count: int, seed: int, options: Mapping[str, Any]
    ) -> Iterator[bytes]:
        blank = self.medium.blank(generator.config.extent, self.card.config)
        seeds = (seed_of(seed, number) for number in range(count))
        drawn = generator.draw(count, seeds=seeds, **options)
        regions = self.card.config.regions(blank.extent)
        return (
            self._job(blank).of_codes([codes[:, *region] for region in regions]) for codes in drawn
        )

    def _job(self, blank: Any) -> Encoding:
        return Encoding(self, self.medium, self._priors, blank, effort=1)
