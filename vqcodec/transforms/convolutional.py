"""Networks for pictures of any size: every convolution runs at the resolution of the codes.

A pixel unshuffle turns each `stride` x `stride` patch into one position first, so a network of a
given cost sees far more context and trains far faster than a strided pyramid. Beside each network
runs a linear projection on the principal components of the patches (a Karhunen-Loeve transform):
with an untrained network the model is a working transform codec already.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vqcodec.transforms.blocks import ResidualBlock

__all__ = ["ConvolutionalAnalysis", "ConvolutionalSynthesis", "principal_components"]

# The network beside the linear path starts as a small correction of it.
_CORRECTION_SCALE = 0.05


class ConvolutionalAnalysis(nn.Module):
    """Analysis transform: pixels (B, C, H, W) in [0, 1] -> latent (B, D, H/stride, W/stride).

    H and W are multiples of `stride`. The latent has unit mean square on the data that
    `set_linear_path` was fitted on; before that there is no linear path.
    """

    basis: Tensor
    scale: Tensor

    def __init__(
        self, channels: int, *, stride: int, width: int, depth: int, latent_dim: int
    ) -> None:
        super().__init__()
        self.stride = stride
        patch = channels * stride**2
        self.enter = nn.Conv2d(patch, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(depth)))
        self.leave = nn.Conv2d(width, latent_dim, 3, padding=1)
        # Not torch.eye: laid out without memory, it loads torch's compiler, half a second.
        self.register_buffer("basis", torch.zeros(latent_dim, patch))
        self.register_buffer("scale", torch.ones(()))
        with torch.no_grad():
            for parameter in self.leave.parameters():
                parameter.mul_(_CORRECTION_SCALE)

    def set_linear_path(self, basis: Tensor, scale: Tensor) -> None:
        """Take the rows of `basis` (D, C * stride^2) as linear path, and `scale` as the unit."""
        self.basis.copy_(basis)
        self.scale.copy_(scale)

    @property
    def reach(self) -> int:
        """How many positions away an input can still change an output."""
        return 2 + 2 * len(self.blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Map pixels to the latent."""
        patches = functional.pixel_unshuffle(x - 0.5, self.stride)
        correction: Tensor = self.leave(self.blocks(self.enter(patches)))
        linear = functional.conv2d(patches, self.basis[:, :, None, None])
        return (linear.float() + correction.float()) / self.scale


class ConvolutionalSynthesis(nn.Module):
    """Synthesis transform: latent (B, D, h, w) -> pixels (B, C, h * stride, w * stride).

    The pixels are near [0, 1] and not clamped. Holds the transpose of the analysis' linear path.
    """

    basis: Tensor
    scale: Tensor

    def __init__(
        self, channels: int, *, stride: int, width: int, depth: int, latent_dim: int
    ) -> None:
        super().__init__()
        self.stride = stride
        patch = channels * stride**2
        self.enter = nn.Conv2d(latent_dim, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(depth)))
        self.leave = nn.Conv2d(width, patch, 3, padding=1)
        self.register_buffer("basis", torch.zeros(latent_dim, patch))
        self.register_buffer("scale", torch.ones(()))
        with torch.no_grad():
            for parameter in self.leave.parameters():
                parameter.mul_(_CORRECTION_SCALE)

    def set_linear_path(self, basis: Tensor, scale: Tensor) -> None:
        """Undo the linear path that the analysis was given with the same numbers."""
        self.basis.copy_(basis)
        self.scale.copy_(scale)

    @property
    def reach(self) -> int:
        """How many positions away an input can still change an output."""
        return 2 + 2 * len(self.blocks)

    def forward(self, latent: Tensor) -> Tensor:
        """Map the latent to pixels."""
        latent = latent * self.scale
        correction = self.leave(self.blocks(self.enter(latent)))
        linear = functional.conv2d(latent, self.basis.T[:, :, None, None])
        return functional.pixel_shuffle(linear.float() + correction.float(), self.stride) + 0.5


def principal_components(pixels: Tensor, stride: int, latent_dim: int) -> tuple[Tensor, Tensor]:
    """Fit the linear path: the first principal axes of the patches, and the latent's unit.

    Args:
        pixels: float (B, C, H, W) in [0, 1], a sample of the training data.
        stride: side of a patch, in pixels.
        latent_dim: number of axes kept, at most C * stride^2.

    Returns:
        basis (latent_dim, C * stride^2) with orthonormal rows, and the root mean square of the
        projections, a positive scalar.
    """
    patches = functional.pixel_unshuffle(pixels - 0.5, stride)
    rows = patches.permute(0, 2, 3, 1).reshape(-1, patches.shape[1]).double()
    _, axes = torch.linalg.eigh(rows.T @ rows / len(rows))
    basis = axes.flip(1)[:, :latent_dim].T
    unit = (rows @ basis.T).square().mean().sqrt().clamp_min(1e-6)
    return basis.float(), unit.float()
