"""The transform for small signals of one extent: the fully connected VQ-VAE of the textbooks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vqcodec.transforms.base import Transform

__all__ = ["DenseAnalysis", "DenseSynthesis", "DenseTransform"]


class _Network(nn.Module):
    """Three fully connected layers. scale: a positive scalar, the unit of the latent."""

    scale: Tensor

    def __init__(self, inputs: int, outputs: int, *, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(inputs, hidden, dtype=torch.float32),
            nn.SiLU(),
            nn.Linear(hidden, hidden, dtype=torch.float32),
            nn.SiLU(),
            nn.Linear(hidden, outputs, dtype=torch.float32),
        )
        self.register_buffer("scale", torch.ones((), dtype=torch.float32))


class DenseAnalysis(_Network):
    """Samples (B, C, *extent) in [0, 1] -> latent float32 (B, D, count)."""

    def __init__(self, samples: int, *, latent_dim: int, count: int, hidden: int) -> None:
        super().__init__(samples, latent_dim * count, hidden=hidden)
        self.latent_shape = (latent_dim, count)

    def forward(self, x: Tensor) -> Tensor:
        """Map samples to the latent."""
        latent: Tensor = self.layers(x - 0.5)
        return latent.float().reshape(-1, *self.latent_shape) / self.scale


class DenseSynthesis(_Network):
    """Latent (B, D, count) -> samples float32 (B, C, *extent), near [0, 1] and not clamped."""

    def __init__(self, shape: tuple[int, ...], *, latent: int, hidden: int) -> None:
        super().__init__(latent, math.prod(shape), hidden=hidden)
        self.shape = shape

    def forward(self, latent: Tensor) -> Tensor:
        """Map the latent to samples."""
        samples: Tensor = self.layers(latent * self.scale)
        return samples.float().reshape(-1, *self.shape) + 0.5


class DenseTransform(Transform):
    """Both networks; every position depends on all samples, and they on every position."""

    analysis: DenseAnalysis
    synthesis: DenseSynthesis
    analysis_reach = None
    synthesis_reach = None

    def __init__(
        self,
        channels: int,
        *,
        extent: tuple[int, ...],
        count: int,
        latent_dim: int,
        analysis_hidden: int,
        synthesis_hidden: int,
    ) -> None:
        super().__init__()
        shape = (channels, *extent)
        self.analysis = DenseAnalysis(
            math.prod(shape), latent_dim=latent_dim, count=count, hidden=analysis_hidden
        )
        self.synthesis = DenseSynthesis(shape, latent=latent_dim * count, hidden=synthesis_hidden)
        self.stride = extent

    @property
    def unit(self) -> float:
        """The latent's share of the numbers of a signal, in the latent's unit."""
        share = math.prod(self.analysis.latent_shape) / math.prod(self.synthesis.shape)
        return share * float(self.synthesis.scale) ** 2

    @torch.no_grad()
    def start(self, samples: Tensor) -> None:
        """Give the latent unit mean square."""
        scale = self.analyse(samples).square().mean().sqrt().clamp_min(1e-6)
        for network in (self.analysis, self.synthesis):
            network.scale.copy_(scale)
