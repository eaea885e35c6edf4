"""Missing parts of a signal made anew: codes that a restoring encoder guesses, or a prior draws."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vqcodec.choices import check_whole
from vqcodec.codec import Codec, load
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.grid import cover, cut
from vqcodec.sampling import seed_of

__all__ = ["Inpainter", "as_mask"]

# What a missing sample is for the network: the middle of the range, see the damage "mask".
MISSING = 0.5


class Inpainter:
    """Fills in what a mask says is missing; what is there stays as it is, sample by sample.

    The restoring encoder guesses the codes of all stages. From `drawn_from` on those of positions
    that the mask touches can be drawn from the model's prior instead, given all others: guesses
    are smooth, and what is drawn has texture, another one for each seed.

    model: by name or path. restore: the restoring encoder.

    Raises:
        ModelError: no such model or restoring encoder.
    """

    def __init__(
        self,
        model: str | Path = "photo",
        *,
        restore: str | Path = "mask",
        device: str | torch.device = "auto",
    ) -> None:
        self.codec: Codec = load(model, restore=restore, device=device)

    @kernels_refuse()
    def fill(
        self,
        signal: Any,
        mask: NDArray[np.bool_],
        *,
        count: int = 1,
        seed: int | None = None,
        drawn_from: int | None = None,
    ) -> Iterator[NDArray[Any]]:
        """Fill in a signal, as arrays of its own kind.

        Args:
            signal: as `Codec.encode` takes it in memory, of uint8 or uint16.
            mask: of its extent, true where samples are missing.
            count: how many variants.
            seed: of what is drawn; without it nothing is, and there is one variant alone.
            drawn_from: the first stage that is drawn, from 0; a third of the stages by default.

        Raises:
            InputError: a mask of another size, nothing missing, everything missing, or a number out
                of range.
        """
        wrapped = self.codec.medium.wrap(signal)
        samples = self._samples(wrapped, mask)
        stages = self.codec.card.config.quantizer.stages
        first = stages // 3 if drawn_from is None else drawn_from
        check_whole("drawn_from", first, 0, stages)
        check_whole("count", count, 1)
        if seed is None and count > 1:
            raise InputError(f"{count} variants need a seed: without one there is but one")
        hidden = torch.from_numpy(mask)
        codes = self.codec.quantize(samples.masked_fill(hidden, MISSING))
        for number in range(count):
            chosen = codes
            if seed is not None:
                chosen = self._drawn(codes, mask, first, seed_of(seed, number))
            decoded = self.codec.reconstruct(chosen, extent=mask.shape)[0].clamp(0, 1)
            yield _filled(self.codec.medium.unwrap(wrapped), mask, decoded.cpu().numpy())

    def _samples(self, wrapped: Any, mask: NDArray[np.bool_]) -> torch.Tensor:
        medium, config = self.codec.medium, self.codec.card.config
        if mask.dtype != np.bool_ or mask.shape != wrapped.extent:
            raise InputError(
                f"a mask of this signal is bool {wrapped.extent}, got {mask.dtype} {mask.shape}"
            )
        if not mask.any() or mask.all():
            raise InputError(f"the mask hides {mask.mean():.0%} of the signal")
        region = tuple(slice(0, length) for length in wrapped.extent)
        prepared = medium.prepare(wrapped, config)
        return torch.from_numpy(medium.to_samples(prepared, config.medium, region))[None]

    def _drawn(
        self, codes: torch.Tensor, mask: NDArray[np.bool_], first: int, seed: int
    ) -> torch.Tensor:
        """The codes with those of the later stages drawn where the mask is."""
        config = self.codec.card.config
        touched = _touched(mask, config.synthesis.stride)
        grid = codes[0].cpu().numpy().copy()
        prior = self.codec.priors[max(self.codec.priors)]
        for number, region in enumerate(cut(touched.shape, config.region)):
            part = grid[:, *region]
            part[first:, touched[tuple(region)]] = -1
            grid[:, *region] = prior.sample(part.shape, seed=seed_of(seed, number), given=part)
        return torch.from_numpy(grid)[None].to(codes.device)


def as_mask(values: NDArray[Any], *, axes: int) -> NDArray[np.bool_]:
    """What a mask in samples of light hides: where it is lighter than grey; alpha does not count.

    >>> as_mask(np.array([[0, 255], [127, 128]], np.uint8), axes=2)
    array([[False,  True],
           [False,  True]])
    """
    if values.ndim > axes:
        values = values[..., : 1 if values.shape[-1] < 3 else 3].max(axis=-1)
    return np.asarray(values > np.iinfo(values.dtype).max // 2)


def _touched(mask: NDArray[np.bool_], stride: tuple[int, ...]) -> NDArray[np.bool_]:
    """The positions of which a sample is missing."""
    positions = cover(mask.shape, stride)
    padded = np.zeros([n * step for n, step in zip(positions, stride, strict=True)], bool)
    padded[tuple(slice(0, length) for length in mask.shape)] = mask
    shape = [size for n, step in zip(positions, stride, strict=True) for size in (n, step)]
    return np.asarray(padded.reshape(shape).any(axis=tuple(range(1, len(shape), 2))))


def _filled(
    signal: NDArray[Any], mask: NDArray[np.bool_], samples: NDArray[np.float32]
) -> NDArray[Any]:
    """The signal with samples (C, *extent) in [0, 1] where it has none; alpha stays."""
    filled = signal.copy()
    scaled = np.rint(np.moveaxis(samples, 0, -1) * np.iinfo(signal.dtype).max)
    values = scaled[mask].astype(signal.dtype)
    if signal.ndim == mask.ndim:
        filled[mask] = values[:, 0]
    else:
        colours = min(values.shape[1], signal.shape[-1] - (signal.shape[-1] + 1) % 2)
        filled[mask, :colours] = values[:, :colours]
    return filled
