"""Named sets of training choices for pictures; `docs/models.md` says what each of them gave."""

from __future__ import annotations

from vqcodec.media.workshop import Recipe
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.transforms.config import (
    ConvolutionalAnalysisConfig,
    ConvolutionalSynthesisConfig,
    DenseAnalysisConfig,
    DenseSynthesisConfig,
)

__all__ = ["RECIPES"]

_PHOTO = ModelConfig(
    medium=MediumConfig(kind="picture", channels=3),
    analysis=ConvolutionalAnalysisConfig(width=128, depth=4),
    synthesis=ConvolutionalSynthesisConfig(stride=(8, 8), latent_dim=48, width=128, depth=9),
    quantizer=QuantizerConfig(stages=12, codebook_size=1024),
    region=(128, 128),
)
_DIGITS = ModelConfig(
    medium=MediumConfig(kind="picture", channels=1),
    analysis=DenseAnalysisConfig(hidden=256),
    synthesis=DenseSynthesisConfig(extent=(28, 28), count=8, latent_dim=16, hidden=256),
    quantizer=QuantizerConfig(stages=1, codebook_size=64),
    region=(8,),
)

RECIPES = {
    "photo": Recipe(
        model=_PHOTO,
        crop=(192, 192),
        distortion={"ms-ssim": 0.45, "ssimulacra2": 0.45},
        truncated=0.6,
        mu=1.0,
        muon=True,
        beams=4,
    ),
    "photo-psnr": Recipe(model=_PHOTO, crop=(192, 192), truncated=0.6, mu=6.0),
    "digits": Recipe(
        model=_DIGITS,
        batch=256,
        learning_rate=2e-3,
        warmup=50,
        clip=0.1,
        mu=0.0,
        unquantized=0.1,
        minutes=1.0,
    ),
}
