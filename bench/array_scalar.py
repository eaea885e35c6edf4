"""Numbers of a linear transform, each rounded on its own, written by context mixing.

What bench/array_learned.py holds vectors against. Rounding looks at the cost of each number in
training arrays; what is decoded lies where training numbers of the same code lie in the mean; the
first component is predicted from its neighbours where that helps; counters of the mixing start from
training, and where a fixed table of frequencies gives fewer bytes, that is taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.array_alike import Scale, Values
from vqcodec.model.file import read_model
from vqcodec.model.tensors import network_from_tensors
from vqcodec.priors import MixingPrior, StaticPrior

Latent = NDArray[np.float32]
Bins = NDArray[np.int64]

SIZE = 512
# In squared steps; and components to leave out, of which fewer numbers than that are not 0.
PRICE, SELDOM = 0.12, 1e-4


class Scalars:
    """Numbers rounded one by one, on the components of a linear model."""

    settings = tuple(4 * 1.6 ** (3 - n) for n in range(12))

    def __init__(self, path: Path, scale: Scale, signals: list[Tensor]) -> None:
        card, tensors = read_model(path)
        model = network_from_tensors(card.config, tensors, path)
        self.transform, self.scale = model.transform, scale
        self.latents = [self.transform.analyse(s[None])[0].numpy() for s in signals]
        self.fitted: dict[float, Rounding] = {}

    @property
    def tables(self) -> int:
        basis = self.transform.synthesis.get_buffer("basis")
        return 2 * basis.numel() + sum(coder.tables() for coder in self.fitted.values())

    def code(self, values: Values, setting: Any, verify: bool) -> tuple[int, Values]:
        if setting not in self.fitted:
            self.fitted[setting] = Rounding(setting, self.latents)
        latent = self.transform.analyse(self.scale.samples(values)[None])[0].numpy()
        data, back = self.fitted[setting].code(latent, verify=verify)
        samples = self.transform.synthesise(torch.from_numpy(back)[None])[0]
        return len(data), self.scale.values(samples, values.dtype)


class Rounding:
    """Codes of latents (D, h, w) at one step; fitted to those of training arrays."""

    def __init__(self, step: float, latents: list[Latent]) -> None:
        self.step = np.float32(step)
        self.shrink = np.zeros(4, np.float32)
        self.costs = np.zeros((len(latents[0]), SIZE), np.float32)
        for _ in range(3):
            bins = [self._rounded(latent) for latent in latents]
            self._learn(np.stack(latents) / self.step, np.stack(bins))
        bins = [self._rounded(latent) for latent in latents]
        live = np.nonzero((np.stack(bins) != 0).mean((0, 2, 3)) > SELDOM)[0]
        self.components = 1 + max(live, default=0)
        first = [b[0] for b in bins]
        self.foreseen = _entropy([b - _foreseen(b) for b in first]) < _entropy(first)
        grids = [self._codes(b) for b in bins]
        self.priors = [kind.fit(grids, codebook_size=SIZE) for kind in (MixingPrior, StaticPrior)]

    def code(self, latent: Latent, *, verify: bool) -> tuple[bytes, Latent]:
        """The payload, and what it decodes to; whether that is so is checked where it is asked."""
        bins = self._rounded(latent)
        bins[self.components :] = 0
        codes = self._codes(bins)
        payloads = [prior.encode(codes) for prior in self.priors]
        for prior, data in zip(self.priors, payloads, strict=True):
            if verify:
                found = prior.decode(data, codes.shape)
                back = np.where(found % 2 == 1, (found + 1) // 2, -(found // 2))
                back[0] = _undone(back[0]) if self.foreseen else back[0]
                assert np.array_equal(back, bins[: self.components])
        return min(payloads, key=len), self._values(bins) * self.step

    def _rounded(self, latent: Latent) -> Bins:
        """The nearest bin, the one before it, or none: what is best at the price of a bit."""
        scaled = latent / self.step
        nearest = np.rint(scaled).astype(np.int64).clip(-SIZE // 2 + 1, SIZE // 2 - 1)
        components = np.arange(len(latent))[:, None, None]
        best: Bins = nearest
        least = np.full(latent.shape, np.inf, np.float32)
        for bins in (nearest, nearest - np.sign(nearest), 0 * nearest):
            cost = (scaled - self._values(bins)) ** 2 + PRICE * self.costs[components, zigzag(bins)]
            best, least = np.where(cost < least, bins, best), np.minimum(cost, least)
        return best

    def _values(self, bins: Bins) -> Latent:
        sizes = np.abs(bins)
        values: Latent = np.sign(bins) * (sizes - self.shrink[np.minimum(sizes, 3)])
        return values.astype(np.float32)

    def _learn(self, scaled: Latent, bins: Bins) -> None:
        sizes, towards = np.abs(bins), scaled * np.sign(bins)
        for size in (1, 2, 3):
            of_size = sizes == size if size < 3 else sizes >= 3
            if of_size.any():
                self.shrink[size] = (sizes[of_size] - towards[of_size]).mean()
        for component, costs in enumerate(self.costs):
            counts = np.bincount(zigzag(bins[:, component]).ravel(), minlength=SIZE) + 0.05
            costs[:] = -np.log2(counts / counts.sum())

    def _codes(self, bins: Bins) -> Bins:
        left = bins[: self.components].copy()
        if self.foreseen:
            left[0] -= _foreseen(left[0])
        return np.minimum(zigzag(left), SIZE - 1)

    def tables(self) -> int:
        """Bytes of what a decoder has to know beside the transform."""
        arrays = [array for prior in self.priors for array in prior.tensors().values()]
        return self.shrink.nbytes + sum(array.nbytes for array in arrays)


def _entropy(planes: list[Bins]) -> float:
    """Bits of one of these, by how often each is there."""
    _, counts = np.unique(np.stack(planes), return_counts=True)
    shares = counts / counts.sum()
    return -float((shares * np.log2(shares)).sum())


def zigzag(bins: Bins) -> Bins:
    """0, 1, -1, 2, -2 and so on as 0, 1, 2, 3, 4."""
    return np.where(bins > 0, 2 * bins - 1, -2 * bins)


def _foreseen(plane: Bins) -> Bins:
    """What the bins to the left, above and between the two say of each (MED of JPEG-LS)."""
    foreseen = np.zeros_like(plane)
    foreseen[0, 1:], foreseen[1:, 0] = plane[0, :-1], plane[:-1, 0]
    left, above, between = plane[1:, :-1], plane[:-1, 1:], plane[:-1, :-1]
    low, high = np.minimum(left, above), np.maximum(left, above)
    foreseen[1:, 1:] = np.clip(left + above - between, low, high)
    return foreseen


def _undone(left: Bins) -> Bins:
    """The bins of which this is left once what was foreseen is taken away."""
    plane = left.copy()
    for row in range(len(plane)):
        for column in range(len(plane[0])):
            corner = plane[max(row - 1, 0) : row + 1, max(column - 1, 0) : column + 1].copy()
            corner[-1, -1] = 0
            plane[row, column] += _foreseen(corner)[-1, -1] if row + column else 0
    return plane
