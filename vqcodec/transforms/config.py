"""What the transforms are made of, as parts of a configuration; reading them takes no torch.

An analysis and a synthesis of one kind belong together. The synthesis says what both must agree
on: the stride, the latent, the positions that a signal has.
"""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from vqcodec.errors import BadModelError, InputError
from vqcodec.grid import cover
from vqcodec.parts import Part, whole, wholes

__all__ = [
    "ANALYSES",
    "SYNTHESES",
    "AnalysisConfig",
    "BorrowedAnalysisConfig",
    "BorrowedSynthesisConfig",
    "ConvolutionalAnalysisConfig",
    "ConvolutionalSynthesisConfig",
    "DenseAnalysisConfig",
    "DenseSynthesisConfig",
    "LappedAnalysisConfig",
    "LappedSynthesisConfig",
    "StandardizedAnalysisConfig",
    "StandardizedSynthesisConfig",
    "SynthesisConfig",
]

_LARGEST_PATCH = 1 << 16
_LONGEST_STRIDE = 4096
_LARGEST_DENSE = 1 << 24


class AnalysisConfig(Part):
    """Base of what describes an analysis; only an encoder depends on it."""


class SynthesisConfig(Part):
    """Base of what describes a synthesis.

    stride: samples that a position stands for along each axis. latent_dim: numbers of a position.
    """

    stride: tuple[int, ...]
    latent_dim: int

    @property
    def grid_axes(self) -> int:
        """How many axes the grid of positions has."""
        raise NotImplementedError

    def positions(self, extent: tuple[int, ...]) -> tuple[int, ...]:
        """The grid of a signal of this extent.

        Raises:
            InputError: the transform is not for signals of this extent.
        """
        raise NotImplementedError

    def check(self, channels: int) -> None:
        """Raise BadModelError where the numbers do not fit signals of so many channels."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvolutionalAnalysisConfig(AnalysisConfig):
    """`depth` residual blocks of `width` channels at the resolution of the codes."""

    kind: ClassVar[str] = "convolutional"
    width: int = whole(1, 4096)
    depth: int = whole(0, 256)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvolutionalSynthesisConfig(SynthesisConfig):
    """As the analysis, back to patches of `stride` samples; signals of any extent.

    >>> config = ConvolutionalSynthesisConfig(stride=(8, 8), latent_dim=48, width=128, depth=9)
    >>> config.positions((427, 640))
    (54, 80)
    """

    kind: ClassVar[str] = "convolutional"
    stride: tuple[int, ...] = wholes(1, _LONGEST_STRIDE)
    latent_dim: int = whole(1, 1024)
    width: int = whole(1, 4096)
    depth: int = whole(0, 256)

    @property
    def grid_axes(self) -> int:
        """As many as the signal has."""
        return len(self.stride)

    def positions(self, extent: tuple[int, ...]) -> tuple[int, ...]:
        """One position for each patch that a signal of this extent begins."""
        if len(extent) != len(self.stride) or min(extent) < 1:
            raise InputError(
                f"the model is for signals of {len(self.stride)} axes with at least one sample "
                f"along each, got {extent}"
            )
        return cover(extent, self.stride)

    def check(self, channels: int) -> None:
        """Refuse more than three axes, huge patches, and more numbers than a patch has samples."""
        if len(self.stride) > 3:
            raise BadModelError(f"a convolution has 1 to 3 axes, stride is {self.stride}")
        samples = channels * math.prod(self.stride)
        if samples > _LARGEST_PATCH:
            raise BadModelError(f"a patch has at most {_LARGEST_PATCH} samples, is {samples}")
        if self.latent_dim > samples:
            raise BadModelError(
                f"latent_dim {self.latent_dim} is more than the {samples} samples of a patch"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class StandardizedAnalysisConfig(ConvolutionalAnalysisConfig):
    """The convolutional one on values of any unit, brought to the span of their channel."""

    kind: ClassVar[str] = "standardized"


@dataclasses.dataclass(frozen=True, kw_only=True)
class StandardizedSynthesisConfig(ConvolutionalSynthesisConfig):
    """The convolutional one back to values of any unit."""

    kind: ClassVar[str] = "standardized"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DenseAnalysisConfig(AnalysisConfig):
    """Two hidden layers of `hidden` units over the whole signal."""

    kind: ClassVar[str] = "dense"
    hidden: int = whole(1, 4096)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DenseSynthesisConfig(SynthesisConfig):
    """The same back; signals of exactly `extent`, which have `count` positions in a row."""

    kind: ClassVar[str] = "dense"
    extent: tuple[int, ...] = wholes(1, 65536)
    count: int = whole(1, 65536)
    latent_dim: int = whole(1, 1024)
    hidden: int = whole(1, 4096)

    @property
    def stride(self) -> tuple[int, ...]:  # type: ignore[override]
        """The whole signal: no part of it has positions of its own."""
        return self.extent

    @property
    def grid_axes(self) -> int:
        """One: the positions are not laid out as the samples are."""
        return 1

    def positions(self, extent: tuple[int, ...]) -> tuple[int, ...]:
        """The positions, which are always the same number."""
        if extent != self.extent:
            raise InputError(
                f"the model is for signals of extent {self.extent} alone, got {extent}"
            )
        return (self.count,)

    def check(self, channels: int) -> None:
        """Refuse signals and latents of more numbers than a fully connected network is for."""
        for what, numbers in (
            ("samples", channels * math.prod(self.extent)),
            ("latent numbers", self.count * self.latent_dim),
        ):
            if numbers > _LARGEST_DENSE:
                raise BadModelError(
                    f"a dense model has at most {_LARGEST_DENSE} {what}, has {numbers}"
                )


@dataclasses.dataclass(frozen=True, kw_only=True)
class LappedAnalysisConfig(AnalysisConfig):
    """`depth` residual blocks of `width` channels on the frequencies of overlapping blocks.

    ahead: how many convolutions, the first ones, look a position ahead; the others look back alone.
    """

    kind: ClassVar[str] = "lapped"
    width: int = whole(1, 4096)
    depth: int = whole(0, 256)
    ahead: int = whole(0, 1024)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LappedSynthesisConfig(ConvolutionalSynthesisConfig):
    """As the analysis, back to blocks of `stride` samples on one axis; signals of any extent.

    overlap: samples around a border of two blocks that both see, even. ahead: as in the analysis.
    power: of the companded frequencies, in hundredths.
    """

    kind: ClassVar[str] = "lapped"
    overlap: int = whole(0, _LONGEST_STRIDE)
    ahead: int = whole(0, 1024)
    power: int = whole(10, 100)

    def check(self, channels: int) -> None:
        """Refuse more than one axis, and an overlap that is odd or longer than a block."""
        super().check(channels)
        if len(self.stride) != 1:
            raise BadModelError(f"a lapped transform has one axis, stride is {self.stride}")
        if self.overlap % 2 or self.overlap > self.stride[0]:
            raise BadModelError(
                f"overlap must be even and at most the stride {self.stride[0]}, is {self.overlap}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class BorrowedAnalysisConfig(AnalysisConfig):
    """That of another model, which the synthesis names."""

    kind: ClassVar[str] = "borrowed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class BorrowedSynthesisConfig(ConvolutionalSynthesisConfig):
    """The convolutional one of another model; high and low are the halves of its fingerprint.

    >>> numbers = {"stride": (8, 8), "latent_dim": 48, "width": 128, "depth": 9}
    >>> BorrowedSynthesisConfig(**numbers, high=0x0123ABCD, low=7).fingerprint
    '0123abcd00000007'
    """

    kind: ClassVar[str] = "borrowed"
    high: int = whole(0, 2**32 - 1)
    low: int = whole(0, 2**32 - 1)

    @property
    def fingerprint(self) -> str:
        """Of the model whose networks these are, 16 hexadecimal digits."""
        return f"{self.high:08x}{self.low:08x}"


ANALYSES: list[type[AnalysisConfig]] = [
    ConvolutionalAnalysisConfig,
    DenseAnalysisConfig,
    LappedAnalysisConfig,
    BorrowedAnalysisConfig,
    StandardizedAnalysisConfig,
]
SYNTHESES: list[type[SynthesisConfig]] = [
    ConvolutionalSynthesisConfig,
    DenseSynthesisConfig,
    LappedSynthesisConfig,
    BorrowedSynthesisConfig,
    StandardizedSynthesisConfig,
]
