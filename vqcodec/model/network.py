"""The VQ-VAE: analysis, residual quantizer, synthesis."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vqcodec.model.config import ModelConfig
from vqcodec.quantizers.base import Quantized
from vqcodec.quantizers.residual import ResidualQuantizer
from vqcodec.transforms.convolutional import (
    ConvolutionalAnalysis,
    ConvolutionalSynthesis,
    principal_components,
)
from vqcodec.transforms.dense import DenseAnalysis, DenseSynthesis

__all__ = ["VQVAE", "Reconstruction"]


@dataclass(frozen=True)
class Reconstruction:
    """What a forward pass gives: pixels (B, C, H, W), the latent and its quantized form."""

    pixels: Tensor
    latent: Tensor
    quantized: Quantized


class VQVAE(nn.Module):
    """A vector-quantized autoencoder (van den Oord et al. 2017) with one residual quantizer.

    Pixels are float (B, C, H, W) in [0, 1]. For a convolutional model H and W are multiples of the
    stride; for a dense one they are the configured size.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        transform, quantizer = config.transform, config.quantizer
        self.analysis: ConvolutionalAnalysis | DenseAnalysis
        self.synthesis: ConvolutionalSynthesis | DenseSynthesis
        if transform.kind == "convolutional":
            self.analysis = ConvolutionalAnalysis(
                transform.channels,
                stride=transform.stride,
                width=transform.analysis_width,
                depth=transform.analysis_depth,
                latent_dim=transform.latent_dim,
            )
            self.synthesis = ConvolutionalSynthesis(
                transform.channels,
                stride=transform.stride,
                width=transform.synthesis_width,
                depth=transform.synthesis_depth,
                latent_dim=transform.latent_dim,
            )
        else:
            shape = {
                "height": transform.height,
                "width": transform.width,
                "latent_dim": transform.latent_dim,
                "positions": transform.positions,
            }
            self.analysis = DenseAnalysis(
                transform.channels, hidden=transform.analysis_width, **shape
            )
            self.synthesis = DenseSynthesis(
                transform.channels, hidden=transform.synthesis_width, **shape
            )
        self.quantizer = ResidualQuantizer(
            transform.latent_dim, stages=quantizer.stages, codebook_size=quantizer.codebook_size
        )

    @torch.no_grad()
    def start(self, pixels: Tensor) -> None:
        """Fit what has a closed form on a sample of the training data, before the first step.

        The convolutional model becomes a transform codec on principal components; the latent of
        either gets unit mean square.
        """
        if isinstance(self.analysis, ConvolutionalAnalysis):
            basis, scale = principal_components(
                pixels, self.analysis.stride, self.config.transform.latent_dim
            )
            self.analysis.set_linear_path(basis, scale)
            assert isinstance(self.synthesis, ConvolutionalSynthesis)
            self.synthesis.set_linear_path(basis, scale)
        else:
            scale = self.analysis(pixels).square().mean().sqrt().clamp_min(1e-6)
            self.analysis.scale.copy_(scale)
            self.synthesis.scale.copy_(scale)

    @property
    def latent_unit(self) -> float:
        """Mean squared pixel error that a mean squared latent error of 1 causes, to first order."""
        transform = self.config.transform
        per_pixel = transform.latent_dim / (transform.channels * transform.stride**2)
        if transform.kind == "dense":
            values = transform.channels * transform.height * transform.width
            per_pixel = transform.latent_dim * transform.positions / values
        return per_pixel * float(self.synthesis.scale) ** 2

    def forward(
        self,
        pixels: Tensor,
        *,
        quantize: bool = True,
        mu: float = 0.0,
        restart: bool = False,
        stages: int | None = None,
        beams: int = 1,
    ) -> Reconstruction:
        """Run the whole model; with `quantize` off the latent reaches the synthesis as it is.

        The other arguments are those of `ResidualQuantizer.forward`.
        """
        latent = self.analysis(pixels)
        if quantize:
            quantized = self.quantizer(latent, mu=mu, restart=restart, stages=stages, beams=beams)
        else:
            zero = latent.new_zeros(())
            codes = torch.zeros(0, dtype=torch.int64, device=latent.device)
            quantized = Quantized(latent, codes, zero, zero)
        return Reconstruction(self.synthesis(quantized.values), latent, quantized)
