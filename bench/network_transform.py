"""A transform of other blocks than the product's, and of finer ones, as a kind of configuration.

The product knows the kind once this file is imported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.network_blocks import Bottleneck, Gated, Inverted, Windows
from vqcodec.model import network
from vqcodec.model.config import ModelConfig
from vqcodec.parts import Part, whole
from vqcodec.transforms.base import Transform
from vqcodec.transforms.blocks import ResidualBlock, convolution, project
from vqcodec.transforms.config import (
    ANALYSES,
    SYNTHESES,
    AnalysisConfig,
    ConvolutionalSynthesisConfig,
)
from vqcodec.transforms.convolutional import principal_components
from vqcodec.transforms.layout import from_patches, to_patches

STRIDE, FINE, HALF = (8, 8), (4, 4), (2, 2)
PLAIN, INVERTED, BOTTLENECK, GATED = range(4)
# As in the product: the network beside the linear path starts as a small correction of it.
CORRECTION_SCALE = 0.05
MIDDLE = 0.5


@dataclass(frozen=True, kw_only=True)
class Shape(Part):
    """What a network is made of, beside its width and depth at the resolution of the codes.

    block: PLAIN, INVERTED (with depthwise convolutions of `side` and `expansion` times the
    channels), BOTTLENECK or GATED (with `hidden` channels). windows: blocks of attention, spread
    evenly among the others. fine, fine_width: blocks at twice the resolution, and their channels.
    """

    width: int = whole(1, 4096)
    depth: int = whole(0, 256)
    block: int = whole(0, 3, default=PLAIN)
    side: int = whole(1, 15, default=5)
    expansion: int = whole(1, 8, default=3)
    hidden: int = whole(1, 4096, default=88)
    windows: int = whole(0, 16, default=0)
    fine: int = whole(0, 16, default=0)
    fine_width: int = whole(1, 4096, default=64)


@dataclass(frozen=True, kw_only=True)
class VariantAnalysisConfig(AnalysisConfig, Shape):
    kind: ClassVar[str] = "variant"


@dataclass(frozen=True, kw_only=True)
class VariantSynthesisConfig(ConvolutionalSynthesisConfig, Shape):
    kind: ClassVar[str] = "variant"


class _Patches(nn.Module):
    """Patches of some samples to channels, or back."""

    def __init__(self, stride: Sequence[int], *, back: bool = False) -> None:
        super().__init__()
        self.stride, self.turn = stride, from_patches if back else to_patches

    def forward(self, x: Tensor) -> Tensor:
        return self.turn(x, self.stride)


class _Network(nn.Module):
    """Layers beside the linear path; basis and scale as in the product."""

    basis: Tensor
    scale: Tensor

    def __init__(self, layers: list[nn.Module], *, latent_dim: int, patch: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.register_buffer("basis", torch.zeros(latent_dim, patch, dtype=torch.float32))
        self.register_buffer("scale", torch.ones((), dtype=torch.float32))
        last = [layer for layer in layers if isinstance(layer, nn.Conv2d)][-1]
        with torch.no_grad():
            for parameter in last.parameters():
                parameter.mul_(CORRECTION_SCALE)


class VariantAnalysis(_Network):
    """Samples (B, C, H, W) in [0, 1] -> latent float32 (B, D, h, w)."""

    def forward(self, x: Tensor) -> Tensor:
        x = x - MIDDLE
        linear = project(to_patches(x, STRIDE), self.basis)
        latent: Tensor = (linear + self.layers(x)) / self.scale
        return latent


class VariantSynthesis(_Network):
    """Latent (B, D, h, w) -> samples float32 (B, C, H, W), near [0, 1] and not clamped."""

    def forward(self, latent: Tensor) -> Tensor:
        latent = latent * self.scale
        linear = from_patches(project(latent, self.basis.T), STRIDE)
        samples: Tensor = linear + self.layers(latent) + MIDDLE
        return samples


class VariantTransform(Transform):
    """Both networks; fits and says what the product's convolutional transform does."""

    analysis: VariantAnalysis
    synthesis: VariantSynthesis

    def __init__(self, channels: int, *, latent_dim: int, analysis: Shape, synthesis: Shape):
        super().__init__()
        numbers = {"latent_dim": latent_dim, "patch": channels * math.prod(STRIDE)}
        self.analysis = VariantAnalysis(_inward(channels, latent_dim, analysis), **numbers)
        self.synthesis = VariantSynthesis(_outward(channels, latent_dim, synthesis), **numbers)
        self.stride = STRIDE
        self.analysis_reach, self.synthesis_reach = _reach(analysis), _reach(synthesis)

    @property
    def unit(self) -> float:
        latent_dim, patch = self.synthesis.basis.shape
        return latent_dim / patch * float(self.synthesis.scale) ** 2

    @torch.no_grad()
    def start(self, samples: Tensor) -> None:
        basis, scale = principal_components(samples, STRIDE, len(self.synthesis.basis))
        for part in (self.analysis, self.synthesis):
            part.basis.copy_(basis)
            part.scale.copy_(scale)


def _inward(channels: int, latent_dim: int, shape: Shape) -> list[nn.Module]:
    """The layers of an analysis."""
    width, fine = shape.width, shape.fine_width
    leave = convolution(width, latent_dim, axes=2)
    if not shape.fine:
        enter = convolution(channels * math.prod(STRIDE), width, axes=2)
        return [_Patches(STRIDE), enter, *_blocks(shape), leave]
    enter = convolution(channels * math.prod(FINE), fine, axes=2)
    down = convolution(fine * math.prod(HALF), width, axes=2)
    first = [_Patches(FINE), enter, *_fine_blocks(shape)]
    return [*first, _Patches(HALF), down, *_blocks(shape), leave]


def _outward(channels: int, latent_dim: int, shape: Shape) -> list[nn.Module]:
    """The layers of a synthesis."""
    width, fine = shape.width, shape.fine_width
    first = [convolution(latent_dim, width, axes=2), *_blocks(shape)]
    if not shape.fine:
        leave = convolution(width, channels * math.prod(STRIDE), axes=2)
        return [*first, leave, _Patches(STRIDE, back=True)]
    up = convolution(width, fine * math.prod(HALF), axes=2)
    leave = convolution(fine, channels * math.prod(FINE), axes=2)
    last = [*_fine_blocks(shape), leave, _Patches(FINE, back=True)]
    return [*first, up, _Patches(HALF, back=True), *last]


def _fine_blocks(shape: Shape) -> list[nn.Module]:
    return [ResidualBlock(shape.fine_width, axes=2) for _ in range(shape.fine)]


def _blocks(shape: Shape) -> list[nn.Module]:
    """Those at the resolution of the codes."""
    blocks: list[nn.Module] = []
    ends = [round(n * shape.depth / (shape.windows + 1)) for n in range(1, shape.windows + 1)]
    for count in range(1, shape.depth + 1):
        blocks.append(_block(shape))
        if count in ends:
            blocks.append(Windows(shape.width))
    return blocks


def _block(shape: Shape) -> nn.Module:
    if shape.block == INVERTED:
        return Inverted(shape.width, side=shape.side, expansion=shape.expansion)
    if shape.block == BOTTLENECK:
        return Bottleneck(shape.width)
    if shape.block == GATED:
        return Gated(shape.width, hidden=shape.hidden)
    return ResidualBlock(shape.width, axes=2)


def _reach(shape: Shape) -> int:
    """Positions that an output depends on; with windows, whole ones."""
    each = {PLAIN: 2, INVERTED: shape.side // 2, BOTTLENECK: 1, GATED: 2}[shape.block]
    # Two for the first and the last convolution.
    reach = 2 + shape.depth * each + shape.windows * Windows.reach
    if shape.fine:
        # The convolution on the far side of the finer blocks, and theirs, which go half as far.
        reach += -(-(1 + 2 * shape.fine) // 2)
    return reach if not shape.windows else -(-reach // Windows.side) * Windows.side


def _build(config: ModelConfig) -> Transform:
    parts: Any = config
    return VariantTransform(
        config.medium.channels,
        latent_dim=config.synthesis.latent_dim,
        analysis=parts.analysis,
        synthesis=parts.synthesis,
    )


ANALYSES.append(VariantAnalysisConfig)
SYNTHESES.append(VariantSynthesisConfig)
network._KINDS["variant"] = _build
