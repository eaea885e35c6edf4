"""How a model of a medium is built and trained: numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vqcodec.model.config import ModelConfig

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is built and trained.

    Attributes:
        model: the network and quantizer.
        crop: extent of a training crop; () where signals are used whole.
        batch: crops per step and process.
        learning_rate: peak of the optimizer's rate, after `warmup` steps; falls along a cosine to
            1 %.
        unquantized: share of the run in which the latent is not quantized yet.
        mu: weight of the rate in the search (see `ResidualQuantizer.lagrangian`), while training
            and in the finished model's encoder.
        masking: power of a position's energy by which a bit costs more in the finished model's
            encoder (see `price_weights`); with 0 all positions are alike.
        truncated: share of the batches that are coded with part of the stages, their number drawn
            anew, at `mu`; teaches codebooks and synthesis what low rates look like. Of the others,
            half are coded with all stages for distortion alone, half at a part of `mu`.
        muon: whether matrices are stepped by Muon instead of AdamW (see `Optimizer`).
        beams: candidates that the search keeps for each position; the encoder's keeps four.
        commitment: weight of the latent's distance to its values, in the distortion's unit.
        distortion: shares of the distortion by the medium's names for them; what is left to 1 is
            the squared error's.
        clip: largest norm of a gradient.
        restart_every, restart_until: dead codes are moved every so many steps, up to this share
            of the run; from there on the codebooks settle (see `ResidualQuantizer.settle`).
        minutes: length of the run if nothing else is asked for.
    """

    model: ModelConfig
    crop: tuple[int, ...] = ()
    batch: int = 4
    learning_rate: float = 6e-4
    warmup: int = 500
    unquantized: float = 0.005
    mu: float = 1.0
    masking: float = 0.0
    truncated: float = 0.0
    muon: bool = False
    beams: int = 1
    commitment: float = 0.25
    distortion: Mapping[str, float] = field(default_factory=dict)
    clip: float = 0.003
    restart_every: int = 25
    restart_until: float = 0.7
    minutes: float = 60.0
