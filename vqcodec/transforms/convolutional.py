"""The transform for signals of any extent: every convolution runs at the resolution of the codes.

Each patch of `stride` samples is turned into one position first, so a network of a given cost sees
far more context and trains far faster than a strided pyramid. Beside each network runs a linear
projection on the principal components of the patches (a Karhunen-Loeve transform): with an
untrained network the model is a working transform codec already.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vqcodec.grid import Region, inside, whole, widen
from vqcodec.transforms.base import Transform
from vqcodec.transforms.blocks import ResidualBlock, convolution, project
from vqcodec.transforms.half import halve_branches
from vqcodec.transforms.layout import channels_last, from_patches, to_patches

__all__ = [
    "ConvolutionalAnalysis",
    "ConvolutionalSynthesis",
    "ConvolutionalTransform",
    "principal_axes",
    "principal_components",
]

# The network beside the linear path starts as a small correction of it.
_CORRECTION_SCALE = 0.05
# Numbers of a patch up to which its principal axes are exact; beyond, the patches that they are
# estimated from, and axes that are sought beside those that are kept.
_MOST_EXACT, _ROWS, _SPARE = 2048, 4096, 16
# Samples lie in [0, 1]; networks see them around zero.
_MIDDLE = 0.5


class _Network(nn.Module):
    """Convolutions from one number of channels to another, beside a linear path.

    basis: (D, patch), orthonormal rows. scale: a positive scalar, the unit of the latent.
    """

    basis: Tensor
    scale: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int,
        depth: int,
        axes: int,
        basis: tuple[int, int],
    ) -> None:
        super().__init__()
        self.enter = convolution(inputs, width, axes=axes)
        self.blocks = nn.Sequential(*(ResidualBlock(width, axes=axes) for _ in range(depth)))
        self.leave = convolution(width, outputs, axes=axes)
        # Not torch.eye: laid out without memory, it loads torch's compiler, half a second.
        self.register_buffer("basis", torch.zeros(basis, dtype=torch.float32))
        self.register_buffer("scale", torch.ones((), dtype=torch.float32))
        with torch.no_grad():
            for parameter in self.leave.parameters():
                parameter.mul_(_CORRECTION_SCALE)

    def correct(self, x: Tensor, piece: Region | None) -> Tensor:
        """What the convolutions add to the linear path, at the positions of a piece or at all.

        After each block all is let go that the piece no longer depends on: of a region of 128 x 128
        positions, with 20 more on each side, that is a fifth of the work.
        """
        grid = tuple(x.shape[2:])
        held, reach = whole(grid), 2 * len(self.blocks) + 1
        piece = held if piece is None else piece
        x = self.enter(x)
        for block in self.blocks:
            needed = widen(piece, reach, grid)
            if needed != held:
                x, held = channels_last(x[:, :, *inside(needed, held)]), needed
            x, reach = block(x), reach - 2
        correction: Tensor = self.leave(x)[:, :, *inside(piece, held)]
        return correction.float()


class ConvolutionalAnalysis(_Network):
    """Samples (B, C, *extent) in [0, 1] -> latent float32 (B, D, *positions).

    The extent is a whole number of strides.
    """

    def __init__(
        self, channels: int, *, stride: tuple[int, ...], width: int, depth: int, latent_dim: int
    ) -> None:
        patch = channels * math.prod(stride)
        basis, axes = (latent_dim, patch), len(stride)
        super().__init__(patch, latent_dim, width=width, depth=depth, axes=axes, basis=basis)
        self.stride = stride

    def forward(self, x: Tensor, piece: Region | None = None) -> Tensor:
        """Map samples to the latent, of a piece or of all."""
        patches = to_patches(x - _MIDDLE, self.stride)
        correction = self.correct(patches, piece)
        linear = project(patches if piece is None else patches[:, :, *piece], self.basis)
        return (linear.float() + correction) / self.scale


class ConvolutionalSynthesis(_Network):
    """Latent (B, D, *positions) -> samples float32 (B, C, *extent), near [0, 1] and not clamped."""

    def __init__(
        self, channels: int, *, stride: tuple[int, ...], width: int, depth: int, latent_dim: int
    ) -> None:
        patch = channels * math.prod(stride)
        basis, axes = (latent_dim, patch), len(stride)
        super().__init__(latent_dim, patch, width=width, depth=depth, axes=axes, basis=basis)
        self.stride = stride

    def forward(self, latent: Tensor, piece: Region | None = None) -> Tensor:
        """Map the latent to samples, of a piece or of all."""
        latent = latent * self.scale
        correction = self.correct(latent, piece)
        linear = project(latent if piece is None else latent[:, :, *piece], self.basis.T)
        return from_patches(linear.float() + correction, self.stride) + _MIDDLE


class ConvolutionalTransform(Transform):
    """Both networks; the synthesis holds the transpose of the analysis' linear path."""

    analysis: ConvolutionalAnalysis
    synthesis: ConvolutionalSynthesis
    analysis_kind = ConvolutionalAnalysis
    synthesis_kind = ConvolutionalSynthesis

    def __init__(
        self,
        channels: int,
        *,
        stride: tuple[int, ...],
        latent_dim: int,
        analysis_width: int,
        analysis_depth: int,
        synthesis_width: int,
        synthesis_depth: int,
    ) -> None:
        super().__init__()
        self.analysis = self.analysis_kind(
            channels,
            stride=stride,
            width=analysis_width,
            depth=analysis_depth,
            latent_dim=latent_dim,
        )
        self.synthesis = self.synthesis_kind(
            channels,
            stride=stride,
            width=synthesis_width,
            depth=synthesis_depth,
            latent_dim=latent_dim,
        )
        self.stride = stride
        # Two for the first and the last convolution, two for each block.
        self.analysis_reach = 2 + 2 * analysis_depth
        self.synthesis_reach = 2 + 2 * synthesis_depth

    @property
    def unit(self) -> float:
        """The latent's share of the numbers of a patch, in the latent's unit."""
        latent_dim, patch = self.synthesis.basis.shape
        return latent_dim / patch * float(self.synthesis.scale) ** 2

    @torch.no_grad()
    def start(self, samples: Tensor) -> None:
        """Become a transform codec on the principal components of the patches."""
        latent_dim = len(self.synthesis.basis)
        basis, scale = principal_components(samples, self.stride, latent_dim)
        for network in (self.analysis, self.synthesis):
            network.basis.copy_(basis)
            network.scale.copy_(scale)

    def analyse(self, samples: Tensor, *, piece: Region | None = None) -> Tensor:
        """Run the analysis network, with the less work the smaller the piece is."""
        latent: Tensor = self.analysis(samples, piece)
        return latent

    def synthesise(self, latent: Tensor, *, piece: Region | None = None) -> Tensor:
        """Run the synthesis network, with the less work the smaller the piece is."""
        samples: Tensor = self.synthesis(latent, piece)
        return samples

    def use_half(self) -> None:
        """Compute the branches of the residual blocks in bfloat16."""
        for network in (self.analysis, self.synthesis):
            network.blocks = halve_branches(network.blocks)


def principal_components(
    samples: Tensor, stride: tuple[int, ...], latent_dim: int
) -> tuple[Tensor, Tensor]:
    """Fit the linear path: the first principal axes of the patches, and the latent's unit.

    Args:
        samples: float (B, C, *extent) in [0, 1], from the training data.
        stride: samples of a patch along each axis.
        latent_dim: number of axes kept, at most the samples of a patch.

    Returns:
        basis (latent_dim, samples of a patch) with orthonormal rows, and the root mean square of
        the projections, a positive scalar.
    """
    patches = to_patches(samples - _MIDDLE, stride)
    return principal_axes(patches.movedim(1, -1).reshape(-1, patches.shape[1]), latent_dim)


def principal_axes(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first principal axes of rows (N, D) about zero, and the unit of what they keep.

    Returns:
        basis (count, D) with orthonormal rows, and the root mean square of the projections, a
        positive scalar.
    """
    if rows.shape[1] > _MOST_EXACT:
        # A matrix of all pairs of numbers would take gigabytes, and its axes hours.
        some = rows[torch.randperm(len(rows))[:_ROWS]].float()
        basis = torch.svd_lowrank(some, q=min(count + _SPARE, *some.shape), niter=4)[2].T[:count]
        # Fewer rows than axes: the others say nothing, but are at right angles to them.
        basis = _filled_up(basis, count)
        unit = (some @ basis.T).square().mean().sqrt().clamp_min(1e-6)
        return basis, unit
    rows = rows.double()
    _, axes = torch.linalg.eigh(rows.T @ rows / len(rows))
    basis = axes.flip(1)[:, :count].T
    unit = (rows @ basis.T).square().mean().sqrt().clamp_min(1e-6)
    return basis.float(), unit.float()


def _filled_up(basis: Tensor, count: int) -> Tensor:
    """Orthonormal rows (n, D), and others that make them `count`."""
    others = torch.randn(count - len(basis), basis.shape[1])
    square: Tensor = torch.linalg.qr(torch.cat([basis, others]).T)[0]
    return square.T.contiguous()
