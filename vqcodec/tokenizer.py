"""Samples to codes and back: everything a model does that involves no bytes."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import Tensor

from vqcodec.device import find_device, own_modes
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.grid import Region, clip, stretch, whole
from vqcodec.model.file import ModelCard, Tensors
from vqcodec.model.tensors import network_from_tensors, search_masking, search_mu
from vqcodec.pieces import Pieces
from vqcodec.rate.search import LatentSearch, Look
from vqcodec.rate.slope import error_slope
from vqcodec.transforms.half import cpu_multiplies_bfloat16
from vqcodec.transforms.layout import channels_last, pad_to_strides
from vqcodec.transforms.tiled import apply_tiled

__all__ = ["Tokenizer"]

# How far samples may lie outside of the range of their medium.
_SPARE = 1e-3


class Tokenizer:
    """A model's networks and codebooks, ready to quantize and reconstruct.

    Calls compute in the model's precision and without gradients, whatever autocast, inference mode
    or process-wide defaults they are made under; what they return can be trained on.

    Attributes:
        card: what the model says about itself.
        device: where its networks run.
        pieces: its networks, applied to a piece of a signal at a time.

    >>> from vqcodec import load
    >>> tokenizer = load("photo", device="cpu")
    >>> codes = tokenizer.quantize(torch.zeros(1, 3, 48, 64))
    >>> codes.shape  # a code of each of 12 stages for every 8 x 8 samples
    torch.Size([1, 12, 6, 8])
    >>> tokenizer.reconstruct(codes[:, :4], extent=(48, 64)).shape
    torch.Size([1, 3, 48, 64])
    >>> tokenizer.vectors(codes).shape, tokenizer.codebooks.shape
    (torch.Size([1, 48, 6, 8]), torch.Size([12, 1024, 48]))
    """

    def __init__(
        self, card: ModelCard, tensors: Tensors, *, device: str | torch.device = "auto"
    ) -> None:
        self.card = card
        # The range of samples; what is for one medium sets it.
        self._span: tuple[float, float] | None = None
        self.device = find_device(device)
        self._mu = search_mu(tensors, card.path)
        self._masking = search_masking(tensors, card.path)
        with own_modes(self.device):
            self._model = network_from_tensors(card.config, tensors, card.path).to(self.device)
            self._transform = self._model.transform
            if self.device.type == "cpu" and cpu_multiplies_bfloat16():
                self._transform.use_half()
            self.pieces = Pieces(self._model, self.device)
            books = self._model.quantizer.books()
            self._codebooks = torch.stack([book.vectors for book in books])
            self._bits = [self._model.quantizer.bits(1 + stage) for stage in range(len(books))]

    @property
    def codebooks(self) -> Tensor:
        """The vectors of every stage's codes, float32 (S, K, D), on the model's device: a copy."""
        with own_modes(self.device):
            return self._codebooks.clone()

    def vectors(self, codes: Tensor) -> Tensor:
        """The latent that codes stand for: their vectors, added up over the stages.

        Args:
            codes: int64 (B, S', *positions), each in [0, K), 1 <= S' <= S; any number of positions.

        Returns:
            float32 (B, D, *positions), on the model's device: what `reconstruct` decodes.

        Raises:
            InputError: another dtype, rank or number of stages, or a code out of range.
        """
        self._check_codes(codes, tuple(codes.shape[2:]))
        with own_modes(self.device):
            return self._model.quantizer.reconstruct(codes.to(self.device))

    @kernels_refuse()
    def quantize(self, samples: Tensor) -> Tensor:
        """Turn signals into codes of all stages, by plain nearest-code search.

        Args:
            samples: float (B, C, *extent), as `analyse` takes them.

        Returns:
            int64 (B, S, *positions), on the model's device.

        Raises:
            InputError: another rank or number of channels, no samples, or values that are not
                finite or, from a codec, more than 1e-3 outside of the range of its medium.
        """
        with own_modes(self.device):
            codes: Tensor = self._model.quantizer(self._checked_latent(samples)).codes
        return codes

    @kernels_refuse()
    def reconstruct(self, codes: Tensor, *, extent: tuple[int, ...]) -> Tensor:
        """Turn codes back into samples, float (B, C, *extent), near the range of their originals.

        Args:
            codes: int64 (B, S', *positions), each in [0, K), 1 <= S' <= S.
            extent: samples of the signal along each axis.

        Raises:
            InputError: a code out of range, or a grid that does not belong to the extent.
        """
        extent = _checked_extent(extent)
        grid = self.card.config.positions(extent)
        self._check_codes(codes, grid)
        with own_modes(self.device):
            latent = self._model.quantizer.reconstruct(codes.to(self.device))
            samples = apply_tiled(
                self._transform.synthesise,
                channels_last(latent),
                grid=grid,
                side=self.card.config.region,
                reach=self._transform.synthesis_reach,
            )
        return samples[:, :, *(slice(0, length) for length in extent)]

    def analyse(self, samples: Tensor) -> Tensor:
        """Run the analysis: the latent, float32 (B, D, *positions), before any quantization.

        Args:
            samples: float (B, C, *extent), with the channels of the model and in the range that its
                medium gives them.

        Raises:
            InputError: the model is not for signals of this extent.
        """
        grid = self.card.config.positions(tuple(samples.shape[2:]))
        with own_modes(self.device):
            samples = samples.to(self.device, torch.float32)
            return apply_tiled(
                self._transform.analyse,
                channels_last(pad_to_strides(samples, self._transform.stride)),
                grid=grid,
                side=self.card.config.region,
                reach=self._transform.analysis_reach,
            )

    def search(
        self,
        latent: Tensor,
        *,
        samples: Tensor | None = None,
        piece: Region | None = None,
        effort: int = 5,
    ) -> LatentSearch:
        """Prepare the search for the codes of a latent (D, *positions) at any quality.

        Args:
            samples: float (C, *extent), what the latent came from; with it the highest efforts look
                at what the codes decode to.
            piece: the positions that are searched, all by default; what is around them counts only
                in what they decode to.
            effort: 1 (fast) to 9 (good).
        """
        piece = whole(latent.shape[1:]) if piece is None else piece
        return LatentSearch(
            latent[:, *piece],
            self._codebooks,
            bits=self._bits,
            residual_energy=self._model.quantizer.residual_energy,
            mu=self._mu,
            masking=self._masking,
            effort=effort,
            look=self._look_at(samples, latent, piece),
        )

    def _look_at(self, samples: Tensor | None, latent: Tensor, piece: Region) -> Look | None:
        local = self._transform.synthesis_reach is not None
        # What is to be restored is no example of what the codes are to decode to.
        restoring = self.card.restorer is not None
        if samples is None or restoring or not (local and self._transform.looks):
            return None
        extent = tuple(samples.shape[1:])
        place = clip(stretch(piece, self._transform.stride), whole(extent))
        # What is not of this piece does not count.
        target = torch.full_like(samples, torch.nan, dtype=torch.float32, device=self.device)
        target[:, *place] = samples[:, *place].to(self.device, torch.float32)
        # The transform's unit is that of means; errors here are sums, over samples and latent.
        patch = len(samples) * math.prod(self._transform.stride)
        unit = self._transform.unit * patch / self.card.config.synthesis.latent_dim

        def look(codes: Tensor) -> tuple[float, Tensor]:
            values = latent.clone()
            values[:, *piece] = self._model.quantizer.reconstruct(codes[None])[0]
            error, slope = error_slope(self._transform, values, target)
            return error / unit, slope[:, *piece] / unit

        return look

    def _checked_latent(self, samples: Tensor) -> Tensor:
        _check_tensor("samples", samples)
        config = self.card.config
        axes, channels = len(self._transform.stride), config.medium.channels
        if (
            samples.ndim != 2 + axes
            or samples.shape[1] != channels
            or not samples.is_floating_point()
        ):
            raise InputError(
                f"samples must be float (B, {channels}, then {axes} axes), "
                f"got {samples.dtype} {tuple(samples.shape)}"
            )
        if samples.numel() == 0:
            raise InputError(f"samples are empty: {tuple(samples.shape)}")
        if not bool(samples.isfinite().all()):
            raise InputError("samples hold NaN or infinite values")
        if self._span is not None:
            _check_span(samples, *self._span)
        return self.analyse(samples)

    def _check_codes(self, codes: Tensor, grid: tuple[int, ...]) -> None:
        _check_tensor("codes", codes)
        quantizer = self.card.config.quantizer
        if codes.dtype != torch.int64:
            raise InputError(f"codes must be int64, got {codes.dtype}")
        if (
            codes.ndim < 3
            or tuple(codes.shape[2:]) != grid
            or not 1 <= codes.shape[1] <= quantizer.stages
        ):
            raise InputError(
                f"codes of such a signal must be (B, 1 to {quantizer.stages}, "
                f"{', '.join(map(str, grid))}), got {tuple(codes.shape)}"
            )
        if (
            codes.numel()
            and not 0 <= int(codes.min()) <= int(codes.max()) < quantizer.codebook_size
        ):
            raise InputError(
                f"codes must be in [0, {quantizer.codebook_size}), "
                f"got {int(codes.min())} to {int(codes.max())}"
            )


def _check_tensor(name: str, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise InputError(f"{name} must be a torch tensor, got {type(value).__name__}")


def _checked_extent(extent: Any) -> tuple[int, ...]:
    try:
        return tuple(operator.index(length) for length in extent)
    except TypeError:
        raise InputError(
            f"extent must be whole numbers, one for each axis, got {extent!r}"
        ) from None


def _check_span(samples: Tensor, low: float, high: float) -> None:
    """Refuse samples that are further outside of their range than a resize may leave them."""
    for bound in (float(bound) for bound in samples.aminmax()):
        if not low - _SPARE <= bound <= high + _SPARE:
            raise InputError(f"samples must be in [{low:g}, {high:g}], got {bound:g}")
