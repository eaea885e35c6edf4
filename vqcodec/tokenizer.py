"""Pictures to codes and back: everything a model does that involves no bytes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vqcodec.bitstream import TILE_SIDE
from vqcodec.device import find_device
from vqcodec.errors import BadModelError, InputError
from vqcodec.model.file import ModelCard, Tensors
from vqcodec.model.tensors import network_from_tensors, search_mu
from vqcodec.payload import Region, tile_regions
from vqcodec.rate.search import LatentSearch, Look
from vqcodec.rate.slope import error_slope
from vqcodec.transforms.convolutional import ConvolutionalAnalysis, ConvolutionalSynthesis
from vqcodec.transforms.half import cpu_multiplies_bfloat16, halve_branches
from vqcodec.transforms.tiled import apply_tiled

__all__ = ["Tokenizer"]


class Tokenizer:
    """A model's networks and codebooks, ready to quantize and reconstruct.

    Attributes:
        card: what the model says about itself.
        device: where its networks run.
    """

    def __init__(self, card: ModelCard, tensors: Tensors, *, device: str = "auto") -> None:
        self.card = card
        self.device = find_device(device)
        transform = card.config.transform
        if transform.kind == "convolutional" and TILE_SIDE % transform.stride:
            raise BadModelError(f"{card.path}: stride {transform.stride} does not divide a tile")
        if transform.kind == "dense" and max(transform.height, transform.width) > TILE_SIDE:
            raise BadModelError(f"{card.path}: pictures of a dense model must fit into one tile")
        self._model = network_from_tensors(card.config, tensors, card.path).to(self.device)
        if self.device.type == "cpu" and cpu_multiplies_bfloat16():
            for network in (self._model.analysis, self._model.synthesis):
                if isinstance(network, ConvolutionalAnalysis | ConvolutionalSynthesis):
                    network.blocks = halve_branches(network.blocks)
        books = self._model.quantizer.books()
        self._codebooks = torch.stack([book.vectors for book in books])
        self._bits = [self._model.quantizer.bits(1 + stage) for stage in range(len(books))]
        self._mu = search_mu(tensors, card.path)

    @torch.inference_mode()
    def quantize(self, images: Tensor) -> tuple[Tensor, ...]:
        """Turn pictures into codes of all stages, by plain nearest-code search.

        Args:
            images: float (B, C, H, W) in [0, 1].

        Returns:
            per level, int64 (B, S, ceil(H / stride), ceil(W / stride)), on the model's device.

        Raises:
            InputError: another rank or number of channels, no pixels, or values that are not
                finite.
        """
        channels = self.card.config.transform.channels
        if images.ndim != 4 or images.shape[1] != channels or not images.is_floating_point():
            raise InputError(
                f"images must be float (B, {channels}, H, W), "
                f"got {images.dtype} {tuple(images.shape)}"
            )
        if images.numel() == 0:
            raise InputError(f"images are empty: {tuple(images.shape)}")
        if not bool(images.isfinite().all()):
            raise InputError("images hold NaN or infinite values")
        return (self._model.quantizer(self.analyse(images)).codes,)

    @torch.inference_mode()
    def reconstruct(self, codes: tuple[Tensor, ...], *, height: int, width: int) -> Tensor:
        """Turn codes back into pictures, float (B, C, height, width) near [0, 1].

        Args:
            codes: per level, int64 (B, S', rows, columns), each in [0, K), 1 <= S' <= S.

        Raises:
            InputError: a code out of range, or a grid that does not belong to the size.
        """
        if len(codes) != 1:
            raise InputError(f"the model has one level of codes, got {len(codes)}")
        (level,) = codes
        if level.dtype != torch.int64:
            raise InputError(f"codes must be int64, got {level.dtype}")
        quantizer = self.card.config.quantizer
        grid = self._grid(height, width)
        if level.ndim < 3 or level.shape[2:] != grid or not 1 <= level.shape[1] <= quantizer.stages:
            raise InputError(
                f"codes of {width} x {height} pixels must be (B, 1 to {quantizer.stages}, "
                f"{', '.join(map(str, grid))}), got {tuple(level.shape)}"
            )
        if (
            level.numel()
            and not 0 <= int(level.min()) <= int(level.max()) < quantizer.codebook_size
        ):
            raise InputError(
                f"codes must be in [0, {quantizer.codebook_size}), "
                f"got {int(level.min())} to {int(level.max())}"
            )
        latent = self._model.quantizer.reconstruct(level.to(self.device))
        if not isinstance(self._model.synthesis, ConvolutionalSynthesis):
            dense: Tensor = self._model.synthesis(latent)
            return dense
        pixels = apply_tiled(
            self._model.synthesis,
            latent.contiguous(memory_format=torch.channels_last),
            grid=grid,
            side=TILE_SIDE // self._stride,
            reach=self._model.synthesis.reach,
        )
        return pixels[:, :, :height, :width]

    @torch.inference_mode()
    def analyse(self, images: Tensor) -> Tensor:
        """Run the analysis: the latent, float32 (B, D, *positions), before any quantization.

        Args:
            images: float (B, C, H, W) in [0, 1], with the channels of the model.
        """
        images = images.to(self.device, torch.float32)
        grid = self._grid(images.shape[2], images.shape[3])
        if not isinstance(self._model.analysis, ConvolutionalAnalysis):
            dense: Tensor = self._model.analysis(images)
            return dense
        below = grid[0] * self._stride - images.shape[2]
        right = grid[1] * self._stride - images.shape[3]
        padded = functional.pad(images, (0, right, 0, below), mode="replicate")
        return apply_tiled(
            self._model.analysis,
            padded.contiguous(memory_format=torch.channels_last),
            grid=grid,
            side=TILE_SIDE // self._stride,
            reach=self._model.analysis.reach,
        )

    def search(
        self, latent: Tensor, *, image: Tensor | None = None, effort: int = 5
    ) -> LatentSearch:
        """Prepare the search for the codes of a latent (D, *positions) at any quality.

        Args:
            image: float (C, H, W) in [0, 1], what the latent came from; with it the highest
                efforts look at what the codes decode to.
            effort: 1 (fast) to 9 (small).
        """
        return LatentSearch(
            latent,
            self._codebooks,
            bits=self._bits,
            residual_energy=self._model.quantizer.residual_energy,
            mu=self._mu,
            effort=effort,
            look=self._look_at(image),
        )

    def _look_at(self, image: Tensor | None) -> Look | None:
        synthesis, quantizer = self._model.synthesis, self._model.quantizer
        if image is None or not isinstance(synthesis, ConvolutionalSynthesis):
            return None
        target = image.to(self.device, torch.float32)
        unit = float(synthesis.scale) ** 2

        def look(codes: Tensor) -> tuple[float, Tensor]:
            error, slope = error_slope(
                synthesis,
                quantizer.reconstruct(codes[None])[0],
                target,
                stride=self._stride,
                side=TILE_SIDE // self._stride,
                reach=synthesis.reach,
            )
            return error / unit, slope / unit

        return look

    @property
    def _stride(self) -> int:
        return self.card.config.transform.stride

    def _grid(self, height: int, width: int) -> tuple[int, ...]:
        """The positions of a picture; a dense model has those of its one size."""
        transform = self.card.config.transform
        if min(height, width) < 1:
            raise InputError(f"a picture has at least one pixel, got {width} x {height}")
        if transform.kind == "convolutional":
            return -(-height // transform.stride), -(-width // transform.stride)
        if (height, width) != (transform.height, transform.width):
            raise InputError(
                f"model {self.card.name} is for pictures of {transform.width} x {transform.height} "
                f"pixels alone, got {width} x {height}"
            )
        return (transform.positions,)

    def _regions(self, height: int, width: int) -> list[Region]:
        if self.card.config.transform.kind == "convolutional":
            return tile_regions(width, height, self._stride)
        return [tuple(slice(0, side) for side in self._grid(height, width))]
