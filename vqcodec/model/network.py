"""The VQ-VAE: a transform and a residual quantizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vqcodec.errors import BadModelError
from vqcodec.model.config import ModelConfig
from vqcodec.quantizers.base import Quantized
from vqcodec.quantizers.residual import ResidualQuantizer
from vqcodec.transforms.base import Transform
from vqcodec.transforms.convolutional import ConvolutionalTransform
from vqcodec.transforms.dense import DenseTransform
from vqcodec.transforms.lapped import LappedTransform
from vqcodec.transforms.standardized import StandardizedTransform

__all__ = ["VQVAE", "Reconstruction"]


@dataclass(frozen=True)
class Reconstruction:
    """What a forward pass gives: samples (B, C, *extent), the latent and its quantized form."""

    samples: Tensor
    latent: Tensor
    quantized: Quantized


class VQVAE(nn.Module):
    """A vector-quantized autoencoder (van den Oord et al. 2017) with one residual quantizer.

    Samples are float (B, C, *extent); the extent is a whole number of the transform's strides.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        kind = config.synthesis.kind
        if kind not in _KINDS:
            raise BadModelError(f"a model of kind {kind!r} has no networks of its own")
        self.transform = _KINDS[kind](config)
        self.quantizer = ResidualQuantizer(
            config.synthesis.latent_dim,
            stages=config.quantizer.stages,
            codebook_size=config.quantizer.codebook_size,
        )

    def start(self, samples: Tensor) -> None:
        """Fit what has a closed form on training samples, before the first step."""
        self.transform.start(samples)

    def forward(
        self,
        samples: Tensor,
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
        latent = self.transform.analyse(samples)
        if quantize:
            quantized = self.quantizer(latent, mu=mu, restart=restart, stages=stages, beams=beams)
        else:
            zero = latent.new_zeros(())
            codes = torch.zeros(0, dtype=torch.int64, device=latent.device)
            quantized = Quantized(latent, codes, zero, zero)
        return Reconstruction(self.transform.synthesise(quantized.values), latent, quantized)


def _convolutional(
    config: ModelConfig, kind: type[ConvolutionalTransform] = ConvolutionalTransform
) -> Transform:
    analysis: Any = config.analysis
    synthesis: Any = config.synthesis
    return kind(
        config.medium.channels,
        stride=synthesis.stride,
        latent_dim=synthesis.latent_dim,
        analysis_width=analysis.width,
        analysis_depth=analysis.depth,
        synthesis_width=synthesis.width,
        synthesis_depth=synthesis.depth,
    )


def _dense(config: ModelConfig) -> Transform:
    analysis: Any = config.analysis
    synthesis: Any = config.synthesis
    return DenseTransform(
        config.medium.channels,
        extent=synthesis.extent,
        count=synthesis.count,
        latent_dim=synthesis.latent_dim,
        analysis_hidden=analysis.hidden,
        synthesis_hidden=synthesis.hidden,
    )


def _lapped(config: ModelConfig) -> Transform:
    analysis: Any = config.analysis
    synthesis: Any = config.synthesis
    return LappedTransform(
        config.medium.channels,
        size=synthesis.stride[0],
        overlap=synthesis.overlap,
        power=synthesis.power / 100,
        latent_dim=synthesis.latent_dim,
        analysis_width=analysis.width,
        analysis_depth=analysis.depth,
        analysis_ahead=analysis.ahead,
        synthesis_width=synthesis.width,
        synthesis_depth=synthesis.depth,
        synthesis_ahead=synthesis.ahead,
    )


# The one place that asks for the kind: what a kind of configuration becomes.
_KINDS: dict[str, Callable[[ModelConfig], Transform]] = {
    "convolutional": _convolutional,
    "dense": _dense,
    "lapped": _lapped,
    "standardized": partial(_convolutional, kind=StandardizedTransform),
}
