"""What a learned prior is made of; reading it takes no torch."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from vqcodec.errors import BadModelError
from vqcodec.parts import Part, parse_object, read_part, whole, wholes

__all__ = ["GeneratorConfig", "RecurrentConfig", "TransformerConfig", "read_generator_config"]

# Attention looks at all codes before one at once, and training at all steps of a recurrence.
_MOST_CODES = 4096


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneratorConfig(Part):
    """A network over the codes of signals of one extent.

    stages, codebook_size, positions: of the codes. extent: samples of the signals. classes: that it
    can be asked for, 0 without any. channels: numbers of a code between layers. depth: layers.

    Raises:
        BadModelError: more codes than it can look at.
    """

    stages: int = whole(1, 64)
    codebook_size: int = whole(1, 4096)
    positions: tuple[int, ...] = wholes(1, _MOST_CODES)
    extent: tuple[int, ...] = wholes(1, 1 << 24)
    classes: int = whole(0, 65536)
    channels: int = whole(1, 4096)
    depth: int = whole(1, 64)

    def __post_init__(self) -> None:
        if self.length > _MOST_CODES:
            raise BadModelError(f"a {self.kind} is for {_MOST_CODES} codes, not {self.length}")

    @property
    def length(self) -> int:
        """How many codes a signal has."""
        return self.stages * math.prod(self.positions)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerConfig(GeneratorConfig):
    """Attention; `heads` of each layer divide the channels, or BadModelError is raised."""

    kind: ClassVar[str] = "transformer"
    heads: int = whole(1, 64)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.channels % self.heads:
            raise BadModelError(f"{self.heads} heads do not divide a channels of {self.channels}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecurrentConfig(GeneratorConfig):
    """Gated recurrent units."""

    kind: ClassVar[str] = "recurrent"


def read_generator_config(text: str) -> GeneratorConfig:
    """Read what `as_dict` of any of them gave as JSON. Raises BadModelError.

    >>> read_generator_config('{"kind": "oracle"}')
    Traceback (most recent call last):
    vqcodec.errors.BadModelError: the generator is of the unknown kind 'oracle'; ...
    """
    kinds: list[type[GeneratorConfig]] = [TransformerConfig, RecurrentConfig]
    return read_part(parse_object(text, "the generator"), kinds, "the generator")
