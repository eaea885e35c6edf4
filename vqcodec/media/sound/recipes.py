"""Named sets of training choices for sound; `docs/models.md` says what each of them gave."""

from __future__ import annotations

from vqcodec.media.workshop import Recipe
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.transforms.config import LappedAnalysisConfig, LappedSynthesisConfig

__all__ = ["RECIPES"]


def _model(*, rate: int, channels: int, width: int, stages: int) -> ModelConfig:
    """Fifty positions a second, and regions of five seconds."""
    size = rate // 50
    return ModelConfig(
        medium=MediumConfig(kind="sound", channels=channels, numbers={"rate": rate}),
        analysis=LappedAnalysisConfig(width=width, depth=3, ahead=2),
        synthesis=LappedSynthesisConfig(
            stride=(size,), overlap=size, power=85, latent_dim=160, width=width, depth=5, ahead=1
        ),
        quantizer=QuantizerConfig(stages=stages, codebook_size=256),
        region=(250,),
    )


_SOUND = _model(rate=24000, channels=2, width=200, stages=24)
_SPEECH = _model(rate=16000, channels=1, width=256, stages=23)

RECIPES = {
    "sound": Recipe(
        model=_SOUND,
        crop=(48000,),
        batch=8,
        distortion={"mel": 0.75},
        truncated=0.6,
        mu=1.0,
        masking=0.75,
        muon=True,
        beams=4,
    ),
    "speech": Recipe(
        model=_SPEECH,
        crop=(32000,),
        batch=16,
        distortion={"mel": 0.5},
        truncated=0.6,
        mu=1.0,
        masking=0.75,
        muon=True,
        beams=4,
    ),
}
