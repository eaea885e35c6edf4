"""What a model is made of: a medium, a transform and a quantizer, each part by its kind."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from vqcodec.errors import BadModelError, InputError
from vqcodec.grid import Region, count_regions, cut, meeting
from vqcodec.parts import as_text, parse_object, read_part, shown
from vqcodec.quantizers.config import QUANTIZERS, QuantizerConfig
from vqcodec.transforms.config import ANALYSES, SYNTHESES, AnalysisConfig, SynthesisConfig

__all__ = ["MediumConfig", "ModelConfig"]

# Along an axis, and in all: what a prior keeps of a region is laid out at once.
_LONGEST_SIDE = 65536
_LARGEST_REGION = 1 << 20
_USUAL_POSITIONS = 32
_DECODER = ("medium", "synthesis", "quantizer", "region")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MediumConfig:
    """What the model's samples are.

    kind: name of the medium. channels: of the samples, in [1, 256]. numbers: further whole numbers
    below 2^32 that the medium gives a meaning, such as a sample rate.
    """

    kind: str
    channels: int
    numbers: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The part as JSON holds it."""
        return {"kind": self.kind, "channels": self.channels, **self.numbers}

    @classmethod
    def read(cls, data: Any) -> MediumConfig:
        """Read the part from what JSON holds; the kind is judged by who looks the medium up.

        Raises:
            BadModelError: no kind, no channels, or what is no whole number.
        """
        if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
            raise BadModelError(f"the medium must be an object with a kind, is {shown(data)}")
        numbers = {name: value for name, value in data.items() if name != "kind"}
        for name, value in numbers.items():
            if type(value) is not int or not 0 <= value < 2**32:
                raise BadModelError(f"the medium: {name} must be a whole number, is {shown(value)}")
        channels = numbers.pop("channels", 0)
        if not 1 <= channels <= 256:
            raise BadModelError(f"the medium: channels must be 1 to 256, is {channels}")
        return cls(kind=data["kind"], channels=channels, numbers=numbers)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Everything needed to build a model with untrained weights.

    region: how many positions, along each axis of the grid, are coded on their own.

    Raises:
        BadModelError: the parts do not fit each other.
    """

    medium: MediumConfig
    analysis: AnalysisConfig
    synthesis: SynthesisConfig
    quantizer: QuantizerConfig
    region: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.analysis.kind != self.synthesis.kind:
            raise BadModelError(
                f"an analysis of kind {self.analysis.kind!r} does not go with a synthesis of kind "
                f"{self.synthesis.kind!r}"
            )
        self.synthesis.check(self.medium.channels)
        if len(self.region) != self.synthesis.grid_axes:
            raise BadModelError(
                f"region must have {self.synthesis.grid_axes} numbers, is {self.region}"
            )

    def positions(self, extent: tuple[int, ...]) -> tuple[int, ...]:
        """The grid of a signal of this extent. Raises InputError if it can have none."""
        return self.synthesis.positions(extent)

    @property
    def usual_extent(self) -> tuple[int, ...]:
        """Of a signal to begin with: what the model is for, or 32 positions along each axis."""
        stride = self.synthesis.stride
        if self.synthesis.grid_axes != len(stride):
            return stride
        return tuple(_USUAL_POSITIONS * step for step in stride)

    def regions(self, extent: tuple[int, ...]) -> list[Region]:
        """The parts of that grid that are coded on their own, in the order of their chunks."""
        return list(cut(self.positions(extent), self.region))

    def cut_into(self, count: int, extent: tuple[int, ...]) -> tuple[tuple[int, ...], list[Region]]:
        """The grid of a signal and its regions, which are said to be so many.

        Raises:
            InputError: they are not, or it can have none.
        """
        grid = self.positions(extent)
        # Counted before they are listed: the bytes that there are bound what a header may say.
        wanted = count_regions(grid, self.region)
        if count != wanted:
            raise InputError(f"says {count} regions, its model cuts such a signal into {wanted}")
        return grid, self.regions(extent)

    def regions_of(self, part: Region, extent: tuple[int, ...]) -> list[int]:
        """The numbers of the regions that share a sample with a part of a signal."""
        grid = self.positions(extent)
        if len(grid) != len(extent):
            # A dense model's positions stand for all samples at once.
            return list(range(count_regions(grid, self.region)))
        window = tuple(
            slice(axis.start // step, -(-axis.stop // step))
            for axis, step in zip(part, self.synthesis.stride, strict=True)
        )
        return [number for number, _ in meeting(window, grid, self.region)]

    def to_text(self) -> str:
        """What decoding depends on, as JSON: what the fingerprint is taken of."""
        parts = {name: getattr(self, name).as_dict() for name in _DECODER[:-1]}
        return as_text(parts | {"region": self.region})

    def analysis_text(self) -> str:
        """What only an encoder depends on, as JSON."""
        return as_text(self.analysis.as_dict())

    @classmethod
    def from_text(cls, text: str, analysis: str) -> ModelConfig:
        """Read what `to_text` and `analysis_text` wrote, trusting nothing.

        Raises:
            BadModelError: not JSON, an unknown kind or field, a wrong type, or an absurd number.
        """
        data = parse_object(text, "the model's configuration")
        if set(data) != set(_DECODER):
            raise BadModelError(
                f"the model's configuration must hold {', '.join(_DECODER)}, "
                f"holds {shown(list(data))}"
            )
        encoder = parse_object(analysis, "the model's analysis")
        return cls(
            medium=MediumConfig.read(data["medium"]),
            analysis=read_part(encoder, ANALYSES, "the analysis"),
            synthesis=read_part(data["synthesis"], SYNTHESES, "the synthesis"),
            quantizer=read_part(data["quantizer"], QUANTIZERS, "the quantizer"),
            region=_region(data["region"]),
        )


def _region(data: Any) -> tuple[int, ...]:
    whole = isinstance(data, list) and all(type(side) is int for side in data)
    if whole and 1 <= len(data) <= 16 and 1 <= min(data) <= max(data) <= _LONGEST_SIDE:
        if math.prod(data) > _LARGEST_REGION:
            raise BadModelError(f"a region has at most {_LARGEST_REGION} positions, is {data}")
        return tuple(data)
    raise BadModelError(
        f"region must be a list of whole numbers from 1 to {_LONGEST_SIDE}, is {shown(data)}"
    )
