"""The convolutional transform for values of any unit: each channel has its own middle and span."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vqcodec.grid import Region
from vqcodec.transforms.convolutional import (
    ConvolutionalAnalysis,
    ConvolutionalSynthesis,
    ConvolutionalTransform,
)

__all__ = ["StandardizedAnalysis", "StandardizedSynthesis", "StandardizedTransform"]

# A span is so many standard deviations: values are then as wide as those of photographs in [0, 1].
_DEVIATIONS = 5.0
_FARTHEST = 1000.0
_MIDDLE = 0.5


class StandardizedAnalysis(ConvolutionalAnalysis):
    """Values (B, C, *extent) of any unit -> latent float32 (B, D, *positions)."""

    def __init__(self, channels: int, **numbers: Any) -> None:
        super().__init__(channels, **numbers)
        _register_levels(self, channels)

    def forward(self, x: Tensor, piece: Region | None = None) -> Tensor:
        """Map values to the latent, of a piece or of all."""
        mean, span = (_along(self.get_buffer(name), x) for name in ("mean", "span"))
        # A value that no training data come near is coded as one that is merely far.
        return super().forward(((x - mean) / span).clamp(-_FARTHEST, _FARTHEST) + _MIDDLE, piece)


class StandardizedSynthesis(ConvolutionalSynthesis):
    """Latent (B, D, *positions) -> values float32 (B, C, *extent) of the unit of the channel."""

    def __init__(self, channels: int, **numbers: Any) -> None:
        super().__init__(channels, **numbers)
        _register_levels(self, channels)

    def forward(self, latent: Tensor, piece: Region | None = None) -> Tensor:
        """Map the latent to values, of a piece or of all."""
        found = super().forward(latent, piece)
        mean, span = (_along(self.get_buffer(name), found) for name in ("mean", "span"))
        return (found - _MIDDLE) * span + mean


class StandardizedTransform(ConvolutionalTransform):
    """Both networks; what they call error is of values divided by the span of their channel.

    >>> kelvin = 280 + 9 * torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> transform = StandardizedTransform(
    ...     1, stride=(4, 4), latent_dim=16, analysis_width=4, analysis_depth=0,
    ...     synthesis_width=4, synthesis_depth=1,
    ... )
    >>> transform.start(kelvin)
    >>> decoded = transform.synthesise(transform.analyse(kelvin))
    >>> bool(transform.error(decoded, kelvin) < 0.01)
    True
    """

    analysis_kind = StandardizedAnalysis
    synthesis_kind = StandardizedSynthesis
    # What a search looks at is an error in the unit of the samples, the same for all channels.
    looks = False

    def error(self, decoded: Tensor, samples: Tensor) -> Tensor:
        """The mean squared error in spans, a scalar."""
        span = _along(self.synthesis.get_buffer("span"), samples)
        return ((decoded - samples) / span).square().mean()

    @torch.no_grad()
    def start(self, samples: Tensor) -> None:
        """Measure mean and span of each channel, and become a transform codec on the components."""
        rows = samples.double().transpose(0, 1).flatten(1)
        mean, deviation = rows.mean(1), rows.std(1, correction=0)
        # A channel that does not vary says nothing of how far it may.
        span = torch.where(deviation > 0, _DEVIATIONS * deviation, 1.0)
        for network in (self.analysis, self.synthesis):
            network.get_buffer("mean").copy_(mean)
            network.get_buffer("span").copy_(span)
        mean, span = (_along(values.to(samples), samples) for values in (mean, span))
        super().start((samples - mean) / span + _MIDDLE)


def _register_levels(network: torch.nn.Module, channels: int) -> None:
    network.register_buffer("mean", torch.zeros(channels, dtype=torch.float32))
    network.register_buffer("span", torch.ones(channels, dtype=torch.float32))


def _along(values: Tensor, samples: Tensor) -> Tensor:
    """One value for each channel of samples (B, C, *axes)."""
    return values.reshape(-1, *[1] * (samples.dim() - 2))
