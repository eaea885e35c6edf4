"""What changes from step to step of a run: the learning rate, and the rate that is coded at."""

from __future__ import annotations

import math

import torch

from vqcodec.media.workshop import Recipe
from vqcodec.training.state import TrainingState

__all__ = ["draw_rate", "learning_rate"]


def learning_rate(recipe: Recipe, state: TrainingState, share: float) -> float:
    """The optimizer's rate after this share of the run: a short rise, then a cosine to 1 %."""
    warmup = min(1.0, (state.steps + 1) / recipe.warmup)
    cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2
    return recipe.learning_rate * state.rate_scale * warmup * cosine


def draw_rate(recipe: Recipe, step: int) -> tuple[float, int]:
    """How a step's batch is coded: weight of the rate, and number of stages.

    Drawn from the number of the step alone: all processes must agree on what they average.
    """
    seeded = torch.Generator().manual_seed(step)
    kind, level = torch.rand(2, generator=seeded).tolist()
    every = recipe.model.quantizer.stages
    if kind < recipe.truncated and every > 1:
        # Uneven: a low rate needs a synthesis of its own more than a high one does.
        return recipe.mu, 1 + int(level**1.5 * (every - 1))
    return recipe.mu * max(0.0, 2 * level - 1), every
