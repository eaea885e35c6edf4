"""What a model is made of, as plain frozen data that fits into a weights file.

Only the model, the checkpoint and the codec read these; every part below them takes plain numbers.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, TypeVar

from vqcodec.errors import BadModelError

__all__ = ["ModelConfig", "QuantizerConfig", "TransformConfig"]

_Part = TypeVar("_Part", "TransformConfig", "QuantizerConfig")

# A file of weights is read before it is trusted, so every number in it has a ceiling, and what a
# model cannot be built without is at least 1.
_CEILINGS = {
    "channels": 4,
    "stride": 64,
    "latent_dim": 1024,
    "analysis_width": 4096,
    "synthesis_width": 4096,
    "analysis_depth": 256,
    "synthesis_depth": 256,
    "positions": 65536,
    "height": 65536,
    "width": 65536,
    "stages": 64,
    "codebook_size": 4096,
}
_AT_LEAST_ONE = {
    "channels",
    "stride",
    "latent_dim",
    "analysis_width",
    "synthesis_width",
    "stages",
    "codebook_size",
}

# Fields that were added when models had been published already. With its default value such a
# field is left out of the JSON, so that the fingerprints of those models stay what they are.
_LATER: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TransformConfig:
    """The analysis and synthesis networks.

    `kind` is "convolutional" (pictures of any size, one latent vector per `stride` x `stride`
    pixels) or "dense" (pictures of exactly `height` x `width`, `positions` latent vectors each).
    """

    kind: str = "convolutional"
    channels: int = 3
    latent_dim: int = 48
    analysis_width: int = 128
    synthesis_width: int = 128
    analysis_depth: int = 3
    synthesis_depth: int = 4
    stride: int = 8
    height: int = 0
    width: int = 0
    positions: int = 0


@dataclass(frozen=True, kw_only=True)
class QuantizerConfig:
    """A residual vector quantizer: `stages` codebooks of `codebook_size` vectors each."""

    stages: int = 10
    codebook_size: int = 256


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Everything needed to build a model of a given kind with untrained weights."""

    transform: TransformConfig = TransformConfig()
    quantizer: QuantizerConfig = QuantizerConfig()

    def to_json(self) -> str:
        """Write as JSON with sorted keys: equal configs give equal bytes."""
        parts = {"transform": _fields(self.transform), "quantizer": _fields(self.quantizer)}
        return json.dumps(parts, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ModelConfig:
        """Read what `to_json` wrote, trusting nothing; a missing field has its default value.

        Raises:
            BadModelError: not JSON, an unknown field, a wrong type, or an absurd number.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            # A ValueError that is no JSONDecodeError: a number of thousands of digits.
            raise BadModelError(f"the model's configuration is not JSON: {error}") from error
        if not isinstance(data, dict) or set(data) != {"transform", "quantizer"}:
            raise BadModelError("the model's configuration must hold transform and quantizer")
        transform = _part(TransformConfig, data["transform"])
        _check_size(transform)
        return cls(transform=transform, quantizer=_part(QuantizerConfig, data["quantizer"]))


def _fields(part: TransformConfig | QuantizerConfig) -> dict[str, Any]:
    return {
        field.name: value
        for field in dataclasses.fields(part)
        if (value := getattr(part, field.name)) != field.default or field.name not in _LATER
    }


def _part(kind: type[_Part], data: Any) -> _Part:
    names = {field.name for field in dataclasses.fields(kind)}
    if not isinstance(data, dict):
        raise BadModelError(f"a part of the model's configuration is {_shown(data)}")
    if unknown := sorted(set(data) - names):
        raise BadModelError(f"the model's configuration has unknown fields: {_shown(unknown)}")
    for name, value in data.items():
        least = 1 if name in _AT_LEAST_ONE else 0
        if name == "kind":
            if value not in ("convolutional", "dense"):
                raise BadModelError(f"unknown kind of transform: {_shown(value)}")
        elif type(value) is not int or not least <= value <= _CEILINGS[name]:
            raise BadModelError(
                f"{name} must be an integer from {least} to {_CEILINGS[name]}, is {_shown(value)}"
            )
    return kind(**data)


def _check_size(transform: TransformConfig) -> None:
    if transform.kind == "dense":
        for name in ("height", "width", "positions"):
            if getattr(transform, name) < 1:
                raise BadModelError(f"a dense model needs a {name} of at least 1")
        return
    samples = transform.channels * transform.stride**2
    if transform.latent_dim > samples:
        raise BadModelError(
            f"latent_dim {transform.latent_dim} is more than the {samples} samples of a patch"
        )


def _shown(value: Any) -> str:
    return repr(value)[:80]
