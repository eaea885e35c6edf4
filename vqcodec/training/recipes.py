"""Named sets of training choices; `docs/models.md` says what each of them gave."""

from __future__ import annotations

from dataclasses import dataclass

from vqcodec.errors import InputError
from vqcodec.model.config import ModelConfig, QuantizerConfig, TransformConfig

__all__ = ["RECIPES", "Recipe", "find_recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is built and trained.

    Attributes:
        model: the network and quantizer.
        side: side of a training crop in pixels (0: pictures are used whole).
        batch: crops per step and process.
        learning_rate: peak of AdamW's rate, after `warmup` steps; falls along a cosine to 1 %.
        unquantized: share of the run in which the latent is not quantized yet.
        mu: weight of the rate in the search (see `ResidualQuantizer.lagrangian`), while training
            and in the finished model's encoder.
        truncated: share of the batches that are coded with part of the stages, their number drawn
            anew, at `mu`; teaches codebooks and synthesis what low rates look like. Of the others,
            half are coded with all stages for distortion alone, half at a part of `mu`.
        muon: whether matrices are stepped by Muon instead of AdamW (see `Optimizer`).
        beams: candidates that the search keeps for each position; the encoder's keeps four.
        ms_ssim_weight, ssimulacra2_weight: their shares in the distortion (see `Objective`).
        restart_every, restart_until: dead codes are moved every so many steps, up to this share
            of the run; from there on the codebooks settle (see `ResidualQuantizer.settle`).
    """

    model: ModelConfig
    side: int = 192
    batch: int = 4
    learning_rate: float = 6e-4
    warmup: int = 500
    unquantized: float = 0.005
    mu: float = 1.0
    truncated: float = 0.0
    muon: bool = False
    beams: int = 1
    commitment: float = 0.25
    ms_ssim_weight: float = 0.0
    ssimulacra2_weight: float = 0.0
    clip: float = 0.003
    restart_every: int = 25
    restart_until: float = 0.7
    minutes: float = 60.0


_PHOTO = ModelConfig(
    transform=TransformConfig(
        analysis_width=128, synthesis_width=128, analysis_depth=4, synthesis_depth=9
    ),
    quantizer=QuantizerConfig(stages=12, codebook_size=1024),
)
_DIGITS = ModelConfig(
    transform=TransformConfig(
        kind="dense",
        channels=1,
        stride=1,
        height=28,
        width=28,
        positions=8,
        latent_dim=16,
        analysis_width=256,
        synthesis_width=256,
        analysis_depth=0,
        synthesis_depth=0,
    ),
    quantizer=QuantizerConfig(stages=1, codebook_size=64),
)

RECIPES = {
    "photo-psnr": Recipe(model=_PHOTO, truncated=0.6, mu=6.0),
    "photo": Recipe(
        model=_PHOTO,
        ms_ssim_weight=0.45,
        ssimulacra2_weight=0.45,
        truncated=0.6,
        mu=1.0,
        muon=True,
        beams=4,
    ),
    "digits": Recipe(
        model=_DIGITS,
        side=0,
        batch=256,
        learning_rate=2e-3,
        warmup=50,
        clip=0.1,
        mu=0.0,
        unquantized=0.1,
        minutes=1.0,
    ),
}


def find_recipe(name: str) -> Recipe:
    """Look a recipe up by name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in RECIPES:
        raise InputError(f"no recipe {name!r}; there are {', '.join(sorted(RECIPES))}")
    return RECIPES[name]
