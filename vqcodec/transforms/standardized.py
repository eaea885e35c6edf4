"""The convolutional transform for values of any unit: each channel has its own middle and span."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vqcodec.errors import InputError
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
# Of a mean or a span; and the smallest span beside a mean that float32 resolves well.
_LARGEST, _FINEST = 1e30, 2.0**-16
_MIDDLE = 0.5


class StandardizedAnalysis(ConvolutionalAnalysis):
    """Values (B, C, *extent) of any unit -> latent float32 (B, D, *positions)."""

    def __init__(self, channels: int, **numbers: Any) -> None:
        super().__init__(channels, **numbers)
        _register_levels(self, channels)

    def forward(self, x: Tensor, piece: Region | None = None) -> Tensor:
        """Map values to the latent, of a piece or of all."""
        return super().forward(self.standardized(x), piece)

    def standardized(self, x: Tensor) -> Tensor:
        """Values about 1/2, in spans; NaN is the mean."""
        mean, span = (_along(self.get_buffer(name), x) for name in ("mean", "span"))
        # A value that no training data come near is coded as one that is merely far.
        return ((x - mean) / span).nan_to_num(0.0).clamp(-_FARTHEST, _FARTHEST) + _MIDDLE


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

    analysis: StandardizedAnalysis
    synthesis: StandardizedSynthesis
    analysis_kind = StandardizedAnalysis
    synthesis_kind = StandardizedSynthesis
    # What a search looks at is an error in the unit of the samples, the same for all channels.
    looks = False
    fine_means = True

    def error(self, decoded: Tensor, samples: Tensor) -> Tensor:
        """The mean squared error in spans, a scalar; where samples are NaN there is none."""
        span = _along(self.synthesis.get_buffer("span"), samples)
        off = (decoded - samples) / span
        return off.masked_fill(samples.isnan(), 0.0).square().mean()

    @torch.no_grad()
    def measure(self, samples: Tensor) -> None:
        """Fit mean and span of each channel, of what is not NaN."""
        for channel, values in enumerate(samples.transpose(0, 1).flatten(1)):
            mean, span = _level(values[~values.isnan()].double(), channel)
            for network in (self.analysis, self.synthesis):
                network.get_buffer("mean")[channel] = mean
                network.get_buffer("span")[channel] = span

    @torch.no_grad()
    def start(self, samples: Tensor) -> None:
        """Measure, and become a transform codec on the principal components."""
        self.measure(samples)
        super().start(self.analysis.standardized(samples))


def _level(values: Tensor, channel: int) -> tuple[float, float]:
    """Mean and span of the values of a channel."""
    if not len(values):
        raise InputError(f"channel {channel} has no value in what there is to learn from")
    mean, deviation = float(values.mean()), float(values.std(correction=0))
    # A channel that does not vary says nothing of how far it may.
    span = _DEVIATIONS * deviation if deviation > 0 else 1.0
    if max(abs(mean), span) > _LARGEST:
        raise InputError(
            f"channel {channel} has values about {mean:.3g}: take a unit in which they are below "
            f"{_LARGEST:.0e}"
        )
    if deviation > 0 and span < _FINEST * abs(mean):
        raise InputError(
            f"channel {channel} varies by {deviation:.3g} about {mean:.9g}, which float32 hardly "
            "tells apart: subtract the mean before"
        )
    return mean, span


def _register_levels(network: torch.nn.Module, channels: int) -> None:
    network.register_buffer("mean", torch.zeros(channels, dtype=torch.float32))
    network.register_buffer("span", torch.ones(channels, dtype=torch.float32))


def _along(values: Tensor, samples: Tensor) -> Tensor:
    """One value for each channel of samples (B, C, *axes)."""
    return values.reshape(-1, *[1] * (samples.dim() - 2))
