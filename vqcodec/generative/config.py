"""What a learned prior is made of; reading it takes no torch."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from vqcodec.errors import BadModelError
from vqcodec.parts import Part, parse_object, read_part, whole, wholes

__all__ = ["TransformerConfig"]

# Attention looks at all codes before one at once.
_MOST_CODES = 4096


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerConfig(Part):
    """A causal transformer over the codes of signals of one extent.

    stages, codebook_size, positions: of the codes. extent: samples of the signals. classes: that it
    can be asked for, 0 without any. channels: numbers of a code between layers. depth: layers.
    heads: of each layer's attention, a divisor of the channels.

    Raises:
        BadModelError: more codes than it can look at, or heads that do not divide the channels.
    """

    kind: ClassVar[str] = "transformer"
    stages: int = whole(1, 64)
    codebook_size: int = whole(1, 4096)
    positions: tuple[int, ...] = wholes(1, _MOST_CODES)
    extent: tuple[int, ...] = wholes(1, 1 << 24)
    classes: int = whole(0, 65536)
    channels: int = whole(1, 4096)
    depth: int = whole(1, 64)
    heads: int = whole(1, 64)

    def __post_init__(self) -> None:
        if self.length > _MOST_CODES:
            raise BadModelError(f"a transformer is for {_MOST_CODES} codes, not {self.length}")
        if self.channels % self.heads:
            raise BadModelError(f"{self.heads} heads do not divide a channels of {self.channels}")

    @property
    def length(self) -> int:
        """How many codes a signal has."""
        return self.stages * math.prod(self.positions)

    @classmethod
    def from_text(cls, text: str) -> TransformerConfig:
        """Read what `as_dict` gave as JSON. Raises BadModelError.

        >>> TransformerConfig.from_text('{"kind": "recurrent"}')
        Traceback (most recent call last):
        vqcodec.errors.BadModelError: the generator is of the unknown kind 'recurrent'; ...
        """
        return read_part(parse_object(text, "the generator"), [cls], "the generator")
