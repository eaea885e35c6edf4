"""What a video takes from a model of pictures: networks, key frames, and the price of a quality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.device import own_modes
from vqcodec.errors import BadModelError, CorruptError
from vqcodec.grid import Region, cut, lengths
from vqcodec.media.registry import medium_of_number
from vqcodec.model.file import ModelCard, Tensors
from vqcodec.model.tensors import network_from_tensors, priors_from_tensors, search_mu
from vqcodec.priors import Prior
from vqcodec.rate.quality import plan_search
from vqcodec.rate.search import LatentSearch
from vqcodec.transforms.half import cpu_multiplies_bfloat16
from vqcodec.transforms.layout import channels_last
from vqcodec.transforms.tiled import apply_tiled
from vqcodec_kernels.errors import CorruptPayloadError, InvalidInputError

__all__ = ["STRIDE", "Pictures"]

STRIDE = 8
_MIXING = 2

Codes = NDArray[np.int64]


class Pictures:
    """A model of pictures, as far as a video needs it.

    A picture is uint8 (3, H, W), whole strides along both axes; its latent float32 (D, H / 8,
    W / 8), both on the device.

    Raises:
        BadModelError: the model is none of pictures in colour of 8 x 8 pixels a position, or has no
            prior that mixes.
    """

    def __init__(
        self, card: ModelCard, tensors: Tensors, device: torch.device, *, exact: bool = False
    ) -> None:
        config = card.config
        if config.medium.kind != medium_of_number(0).name or config.medium.channels != 3:
            raise BadModelError(f"{card.label} is no model of pictures in colour")
        if config.synthesis.stride != (STRIDE, STRIDE):
            raise BadModelError(f"{card.label} has not 8 x 8 pixels a position")
        self.card, self.device, self._region = card, device, config.region
        self._mu = search_mu(tensors, card.path)
        with own_modes(device):
            network = network_from_tensors(config, tensors, card.path).to(device)
            self._transform, self._quantizer = network.transform, network.quantizer
            if not exact and device.type == "cpu" and cpu_multiplies_bfloat16():
                self._transform.use_half()
            books = self._quantizer.books()
            self.codebooks = torch.stack([book.vectors for book in books])
            self._bits = [self._quantizer.bits(1 + stage) for stage in range(len(books))]
        self._energies = self._quantizer.residual_energy.cummin(0).values.tolist()
        prior = priors_from_tensors(config, tensors, card.path).get(_MIXING)
        if prior is None:
            raise BadModelError(f"{card.label} has no prior that mixes")
        self._prior: Prior = prior

    @property
    def dim(self) -> int:
        """Numbers of a latent at a position."""
        return int(self.codebooks.shape[2])

    def price(self, quality: float) -> float:
        """Squared distance of latents that a bit of a key frame is worth at a quality."""
        return plan_search(quality, self._energies, self._mu).price

    def analyse(self, picture: Tensor) -> Tensor:
        """The latent of a picture."""
        return self._tiled(self._transform.analyse, _as_samples(picture), analysis=True)

    def synthesise(self, latent: Tensor) -> Tensor:
        """The picture of a latent."""
        return _as_bytes(self._tiled(self._transform.synthesise, latent[None], analysis=False))

    def analyse_window(self, window: Tensor) -> Tensor:
        """The latent of a part of a picture, as if there was nothing around it."""
        with own_modes(self.device):
            return self._transform.analyse(channels_last(_as_samples(window)))[0]

    def synthesise_window(self, latent: Tensor) -> Tensor:
        """The picture of a part of a latent, as if there was nothing around it."""
        with own_modes(self.device):
            return _as_bytes(self._transform.synthesise(channels_last(latent[None]))[0])

    def search(self, latent: Tensor, quality: float, effort: int) -> Codes:
        """Codes of a key frame, (S, *positions)."""
        search = LatentSearch(
            latent,
            self.codebooks,
            bits=self._bits,
            residual_energy=self._quantizer.residual_energy,
            mu=self._mu,
            effort=effort,
        )
        codes: Codes = search.at_quality(quality).cpu().numpy()
        return codes

    def values(self, codes: Codes) -> Tensor:
        """The latent of codes, (D, *positions)."""
        with own_modes(self.device):
            return self._quantizer.reconstruct(torch.from_numpy(codes)[None].to(self.device))[0]

    def pack(self, codes: Codes) -> list[bytes]:
        """The payloads of the regions of a key frame."""
        return [
            self._prior.encode(np.ascontiguousarray(codes[:, *region]))
            for region in self._regions(codes.shape[1:])
        ]

    def unpack(self, payloads: Sequence[bytes], stages: int, grid: tuple[int, int]) -> Codes:
        """The codes of a key frame. Raises: CorruptError for payloads that no encoder writes."""
        regions = self._regions(grid)
        if not 1 <= stages <= self._prior.stages or len(payloads) != len(regions):
            raise CorruptError(
                f"a key frame of {stages} stages in {len(payloads)} parts, its model has "
                f"{self._prior.stages} and {len(regions)}"
            )
        codes = np.empty((stages, *grid), np.int64)
        for payload, region in zip(payloads, regions, strict=True):
            try:
                codes[:, *region] = self._prior.decode(payload, (stages, *lengths(region)))
            except (CorruptPayloadError, InvalidInputError) as error:
                raise CorruptError(f"a key frame: {error}") from error
        return codes

    def count_regions(self, grid: tuple[int, int]) -> int:
        """In how many parts a key frame is coded."""
        return len(self._regions(grid))

    def _regions(self, grid: tuple[int, ...]) -> list[Region]:
        return list(cut(grid, self._region))

    def _tiled(self, network, x: Tensor, *, analysis: bool) -> Tensor:  # type: ignore[no-untyped-def]
        reach = self._transform.analysis_reach if analysis else self._transform.synthesis_reach
        scale = STRIDE if analysis else 1
        with own_modes(self.device):
            return apply_tiled(
                network,
                channels_last(x),
                grid=[side // scale for side in x.shape[2:]],
                side=self._region,
                reach=reach,
            )[0]


def _as_samples(picture: Tensor) -> Tensor:
    return picture[None].float() / 255


def _as_bytes(samples: Tensor) -> Tensor:
    return (samples * 255).round().clamp(0, 255).to(torch.uint8)
