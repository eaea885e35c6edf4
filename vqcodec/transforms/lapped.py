"""The transform for signals on one axis: convolutions over the frequencies of overlapping blocks.

As in the plane, every convolution runs at the resolution of the codes, beside a linear path on
principal components. But a block of samples first becomes its frequencies, which overlap with
those of the blocks around so that no border shows, each is divided by how strong it usually is,
and all are companded: the squared error of what is left is nearer to what is heard or seen.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vqcodec.transforms.base import Transform
from vqcodec.transforms.blocks import BackwardConvolution, ResidualBlock, convolution, project
from vqcodec.transforms.convolutional import principal_axes
from vqcodec.transforms.half import halve_branches
from vqcodec.transforms.spectrum import compand, expand, lap, unlap

__all__ = ["LappedAnalysis", "LappedSynthesis", "LappedTransform"]

# The network beside the linear path starts as a small correction of it.
_CORRECTION_SCALE = 0.05
# Mean square of companded frequencies of training samples, in the size of those of a photograph.
_ENERGY = 0.06
# How far strong and weak frequencies are brought together: levels to this power divide them.
_EVENNESS = 0.25
# What is weaker than the strongest by more is noise of the training samples' own coder.
_WEAKEST = 1e-3


class _Network(nn.Module):
    """Convolutions over positions, the first ones of which look ahead, beside a linear path.

    basis: (D, C size), orthonormal rows. scale: a positive scalar, the unit of the latent.
    levels: (size,), positive, what frequencies are divided by.
    """

    basis: Tensor
    scale: Tensor
    levels: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        channels: int,
        size: int,
        overlap: int,
        power: float,
        width: int,
        depth: int,
        ahead: int,
        latent_dim: int,
    ) -> None:
        super().__init__()
        self.channels, self.size, self.overlap, self.power = channels, size, overlap, power
        basis = (latent_dim, channels * size)
        last = 1 + 2 * depth
        self.enter = _convolution(inputs, width, ahead=ahead > 0)
        self.blocks = nn.Sequential(
            *(ResidualBlock(width, axes=1, ahead=ahead - 1 - 2 * i) for i in range(depth))
        )
        self.leave = _convolution(width, outputs, ahead=ahead > last)
        self.register_buffer("basis", torch.zeros(basis, dtype=torch.float32))
        self.register_buffer("scale", torch.ones((), dtype=torch.float32))
        self.register_buffer("levels", torch.ones(size, dtype=torch.float32))
        with torch.no_grad():
            for parameter in self.leave.parameters():
                parameter.mul_(_CORRECTION_SCALE)

    def correct(self, x: Tensor) -> Tensor:
        """What the convolutions add to the linear path."""
        correction: Tensor = self.leave(self.blocks(self.enter(x)))
        return correction.float()

    def divisor(self, channels: int) -> Tensor:
        """The levels of all rows of frequencies, (C size, 1)."""
        return self.levels.repeat(channels)[:, None]


class LappedAnalysis(_Network):
    """Samples (B, C, n size) -> latent float32 (B, D, n)."""

    def __init__(self, channels: int, *, size: int, latent_dim: int, **numbers: Any) -> None:
        shape: dict[str, int] = {"channels": channels, "size": size, "latent_dim": latent_dim}
        super().__init__(channels * size, latent_dim, **shape, **numbers)

    def frequencies(self, samples: Tensor) -> Tensor:
        """Companded frequencies, float32 (B, C size, n)."""
        with torch.autocast(samples.device.type, enabled=False):
            found = lap(samples.float(), self.size, self.overlap)
            return compand(found / self.divisor(samples.shape[1]), self.power)

    def forward(self, samples: Tensor) -> Tensor:
        """Map samples to the latent."""
        found = self.frequencies(samples)
        correction = self.correct(found)
        return (project(found, self.basis).float() + correction) / self.scale


class LappedSynthesis(_Network):
    """Latent (B, D, n) -> samples float32 (B, C, n size)."""

    def __init__(self, channels: int, *, size: int, latent_dim: int, **numbers: Any) -> None:
        shape: dict[str, int] = {"channels": channels, "size": size, "latent_dim": latent_dim}
        super().__init__(latent_dim, channels * size, **shape, **numbers)

    def forward(self, latent: Tensor) -> Tensor:
        """Map the latent to samples."""
        latent = latent * self.scale
        companded = project(latent, self.basis.T).float() + self.correct(latent)
        with torch.autocast(latent.device.type, enabled=False):
            found = expand(companded, self.power) * self.divisor(self.channels)
            return unlap(found, self.size, self.overlap)


class LappedTransform(Transform):
    """Both networks; what they call error is that of companded frequencies."""

    analysis: LappedAnalysis
    synthesis: LappedSynthesis
    looks = False

    def __init__(
        self,
        channels: int,
        *,
        size: int,
        overlap: int,
        power: float,
        latent_dim: int,
        analysis_width: int,
        analysis_depth: int,
        analysis_ahead: int,
        synthesis_width: int,
        synthesis_depth: int,
        synthesis_ahead: int,
    ) -> None:
        super().__init__()
        shared: dict[str, Any] = {
            "size": size,
            "overlap": overlap,
            "power": power,
            "latent_dim": latent_dim,
        }
        self.analysis = LappedAnalysis(
            channels,
            width=analysis_width,
            depth=analysis_depth,
            ahead=analysis_ahead,
            **shared,
        )
        self.synthesis = LappedSynthesis(
            channels,
            width=synthesis_width,
            depth=synthesis_depth,
            ahead=synthesis_ahead,
            **shared,
        )
        self.stride = (size,)
        self.analysis_reach = _reach(analysis_depth, analysis_ahead)
        self.synthesis_reach = _reach(synthesis_depth, synthesis_ahead)
        # One more for the overlap.
        self._ahead = tuple(
            1 + min(ahead, _convolutions(depth))
            for ahead, depth in (
                (analysis_ahead, analysis_depth),
                (synthesis_ahead, synthesis_depth),
            )
        )

    @property
    def analysis_ahead(self) -> int:
        """Positions ahead that count for the latent."""
        return self._ahead[0]

    @property
    def synthesis_ahead(self) -> int:
        """Positions ahead that count for the samples."""
        return self._ahead[1]

    @property
    def unit(self) -> float:
        """The latent's share of the numbers of a block, in the latent's unit."""
        latent_dim, rows = self.synthesis.basis.shape
        return latent_dim / rows * float(self.synthesis.scale) ** 2

    def error(self, decoded: Tensor, samples: Tensor) -> Tensor:
        """The mean squared error of companded frequencies, a scalar."""
        ours, theirs = (self.analysis.frequencies(x) for x in (decoded, samples))
        return (ours - theirs).square().mean()

    @torch.no_grad()
    def start(self, samples: Tensor) -> None:
        """Measure the levels, and become a transform codec on principal components."""
        network = self.analysis
        found = lap(samples.float(), network.size, network.overlap)
        self._set(levels=_levels(found, network.size))
        # The levels carry the size of what is companded; its power makes that no simple division.
        for _ in range(4):
            energy = float(network.frequencies(samples).square().mean())
            ratio = (max(energy, 1e-9) / _ENERGY) ** (0.5 / network.power)
            self._set(levels=network.levels * ratio)
        companded = network.frequencies(samples)
        rows = companded.movedim(1, -1).reshape(-1, companded.shape[1])
        basis, scale = principal_axes(rows, len(network.basis))
        self._set(basis=basis, scale=scale)

    def _set(self, **values: Tensor) -> None:
        for network in (self.analysis, self.synthesis):
            for name, value in values.items():
                network.get_buffer(name).copy_(value)

    def use_half(self) -> None:
        """Compute the branches of the residual blocks in bfloat16."""
        for network in (self.analysis, self.synthesis):
            network.blocks = halve_branches(network.blocks)


def _convolution(inputs: int, outputs: int, *, ahead: bool) -> nn.Conv1d:
    if ahead:
        found = convolution(inputs, outputs, axes=1)
        assert isinstance(found, nn.Conv1d)
        return found
    return BackwardConvolution(inputs, outputs)


def _reach(depth: int, ahead: int) -> int:
    """Positions back that count, which are never fewer than those ahead.

    Two for each convolution that looks back, one for each other, and one for the overlap.
    """
    return 1 + 2 * _convolutions(depth) - min(ahead, _convolutions(depth))


def _convolutions(depth: int) -> int:
    return 2 + 2 * depth


def _levels(frequencies: Tensor, size: int) -> Tensor:
    """How strong each frequency usually is, smoothed over its neighbours, to `_EVENNESS`."""
    batch, rows, count = frequencies.shape
    power = frequencies.reshape(batch, rows // size, size, count).square().mean((0, 1, 3))
    around = nn.functional.avg_pool1d(power[None], 9, 1, 4, count_include_pad=False)[0]
    level = around.sqrt()
    return level.clamp_min(max(float(level.max()) * _WEAKEST, 1e-6)) ** _EVENNESS
