"""A model's networks on a piece of a signal, with as much around it as they look at."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.device import own_modes
from vqcodec.grid import Region, clip, stretch, whole, widen
from vqcodec.model.network import VQVAE
from vqcodec.transforms.layout import channels_last, pad_to_strides

__all__ = ["Pieces"]


class Pieces:
    """Latents and samples of pieces of a signal: the same numbers, whichever pieces are asked for.

    A piece is a region of the grid. What a network that is not local gives, it gives at once: then
    there is one piece, the whole.

    Attributes:
        device: where its networks run.
        ahead: positions behind a piece whose codes matter for its samples; None for all.
        is_local: whether a piece can be decoded without all others.

    >>> from vqcodec import load
    >>> pieces = load("photo", device="cpu").pieces
    >>> pieces.positions_around((slice(0, 128), slice(128, 200)), (300, 200))
    (slice(0, 148, None), slice(108, 200, None))
    >>> pieces.samples_of((slice(0, 128), slice(128, 200)), (2397, 1597))
    (slice(0, 1024, None), slice(1024, 1597, None))
    """

    def __init__(self, model: VQVAE, device: torch.device) -> None:
        self.device = device
        self._transform, self._quantizer = model.transform, model.quantizer
        self.ahead = self._transform.synthesis_ahead
        self.is_local = self._transform.synthesis_reach is not None

    def samples_of(self, piece: Region, extent: tuple[int, ...]) -> Region:
        """The samples that a piece stands for, within the signal."""
        if not self.is_local:
            return whole(extent)
        return clip(stretch(piece, self._transform.stride), whole(extent))

    def positions_around(self, piece: Region, grid: tuple[int, ...]) -> Region:
        """The positions whose codes matter for the samples of a piece."""
        reach, ahead = self._transform.synthesis_reach, self._transform.synthesis_ahead
        return whole(grid) if reach is None else widen(piece, reach, grid, ahead=ahead)

    def positions_seen(self, piece: Region, grid: tuple[int, ...]) -> Region:
        """The positions whose samples matter for the latent of a piece."""
        reach, ahead = self._transform.analysis_reach, self._transform.analysis_ahead
        return whole(grid) if reach is None else widen(piece, reach, grid, ahead=ahead)

    def analyse(self, samples: Tensor, *, piece: Region) -> Tensor:
        """The latent of a piece, float32 (D, *positions).

        Args:
            samples: float32 (C, *extent) of the positions that are seen.
            piece: counted from the first of these.
        """
        with own_modes(self.device):
            window = samples.to(self.device, torch.float32)[None]
            padded = channels_last(pad_to_strides(window, self._transform.stride))
            return self._transform.analyse(padded, piece=piece)[0]

    def synthesise(self, codes: NDArray[np.int64], *, piece: Region) -> NDArray[np.float32]:
        """The samples of a piece, float32 (C, *samples), those beyond the signal included.

        Args:
            codes: int64 (S', *positions) of the positions around it.
            piece: counted from the first of these.
        """
        with own_modes(self.device):
            rows = torch.from_numpy(codes)[None].to(self.device)
            latent = channels_last(self._quantizer.reconstruct(rows))
            samples = self._transform.synthesise(latent, piece=piece if self.is_local else None)
            found: NDArray[np.float32] = samples[0].cpu().numpy()
        return found
