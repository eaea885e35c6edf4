"""Networks for small pictures of one fixed size: the fully connected VQ-VAE of the textbooks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["DenseAnalysis", "DenseSynthesis"]


class DenseAnalysis(nn.Module):
    """Analysis transform: pixels (B, C, H, W) in [0, 1] -> latent (B, D, positions)."""

    scale: Tensor

    def __init__(
        self,
        channels: int,
        *,
        height: int,
        width: int,
        hidden: int,
        latent_dim: int,
        positions: int,
    ) -> None:
        super().__init__()
        self.latent_shape = (latent_dim, positions)
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * height * width, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, latent_dim * positions),
        )
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map pixels to the latent."""
        latent: Tensor = self.layers(x - 0.5)
        return latent.float().reshape(-1, *self.latent_shape) / self.scale


class DenseSynthesis(nn.Module):
    """Synthesis transform: latent (B, D, positions) -> pixels (B, C, H, W), not clamped."""

    scale: Tensor

    def __init__(
        self,
        channels: int,
        *,
        height: int,
        width: int,
        hidden: int,
        latent_dim: int,
        positions: int,
    ) -> None:
        super().__init__()
        self.picture_shape = (channels, height, width)
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(latent_dim * positions, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, channels * height * width),
        )
        self.register_buffer("scale", torch.ones(()))

    def forward(self, latent: Tensor) -> Tensor:
        """Map the latent to pixels."""
        pixels: Tensor = self.layers(latent * self.scale)
        return pixels.float().reshape(-1, *self.picture_shape) + 0.5
