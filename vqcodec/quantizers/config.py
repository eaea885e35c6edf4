"""What a quantizer is made of, as a part of a configuration."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from vqcodec.parts import Part, whole

__all__ = ["QUANTIZERS", "QuantizerConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuantizerConfig(Part):
    """A residual quantizer: `stages` codebooks of `codebook_size` vectors each."""

    kind: ClassVar[str] = "residual"
    stages: int = whole(1, 64)
    codebook_size: int = whole(1, 4096)


QUANTIZERS: list[type[QuantizerConfig]] = [QuantizerConfig]
