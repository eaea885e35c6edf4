"""Named sets of training choices for fields; `docs/arrays.md` says what they give."""

from __future__ import annotations

from vqcodec.media.workshop import Recipe
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.transforms.config import StandardizedAnalysisConfig, StandardizedSynthesisConfig

__all__ = ["RECIPES", "field_model"]

_SIDE = 16
_LATENT_OF_A_CHANNEL, _LARGEST_LATENT = 64, 192


def field_model(channels: int) -> ModelConfig:
    """The model of the recipe, for fields of so many channels."""
    latent_dim = min(channels * _LATENT_OF_A_CHANNEL, _LARGEST_LATENT)
    return ModelConfig(
        medium=MediumConfig(kind="field", channels=channels),
        analysis=StandardizedAnalysisConfig(width=64, depth=1),
        synthesis=StandardizedSynthesisConfig(
            stride=(_SIDE, _SIDE), latent_dim=latent_dim, width=64, depth=3
        ),
        quantizer=QuantizerConfig(stages=8, codebook_size=256),
        region=(128, 128),
    )


RECIPES = {
    "array": Recipe(
        model=field_model(1),
        crop=(192, 192),
        batch=8,
        learning_rate=1e-3,
        warmup=50,
        mu=6.0,
        truncated=0.6,
        beams=2,
        minutes=15.0,
    ),
}
