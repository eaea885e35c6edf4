"""From a quality between 0 and 100 to what the encoder searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vqcodec.choices import check_real

__all__ = ["SearchPlan", "plan_search"]

# The slope of the squared error over bits at high rate, per unit of what is left: see
# `ResidualQuantizer.lagrangian`.
_SLOPE = 2 * math.log(2)
# Up to this quality one stage is coded, at a price of up to so many slopes: very small files.
_ONE_STAGE_UP_TO = 5.0
_DEAREST = 40.0
# With all stages coded, the price falls to this many slopes; cheaper bits buy next to nothing.
_CHEAPEST = 0.3
# From this quality on the price falls to nothing at 100, where rate is no object.
_FREE_FROM = 90.0
_SMALLEST_ENERGY = 1e-9


@dataclass(frozen=True)
class SearchPlan:
    """What a quality means for a model.

    Attributes:
        stages: how many stages are coded.
        last_share: share of the positions at which the last stage says anything, (0, 1].
        price: squared latent distance that one bit is worth.
    """

    stages: int
    last_share: float
    price: float


def plan_search(quality: float, energies: Sequence[float], mu: float) -> SearchPlan:
    """Let the price of a bit fall evenly, in its logarithm, from quality 0 to 100.

    A stage is coded once the price has come down to `mu` times the slope of a quantizer that
    leaves what this stage leaves. Between two numbers of stages the last one is coded at part of
    the positions only, where it helps most, so that rate and distortion move without steps. A
    model with a large `mu` searches many stages at a high price, and most of them keep silent;
    with a small `mu` it searches few, and all of them speak.

    Args:
        energies: mean square that is left after each stage, none larger than the one before.
        mu: weight of the rate; with 0 bits are free and only the number of stages moves.

    Raises:
        InputError: quality is not a number from 0 to 100.
    """
    check_real("quality", quality, "0 to 100", low=0, high=100)
    logs = [math.log(max(float(energy), _SMALLEST_ENERGY)) for energy in energies]
    weight = math.log(mu) if mu else -math.inf
    rise = max(math.log(_DEAREST) - weight, 0.0) if mu else 0.0
    fall = logs[0] - logs[-1] + max(weight - math.log(_CHEAPEST), 0.0)
    way = (quality - _ONE_STAGE_UP_TO) / (100 - _ONE_STAGE_UP_TO)
    level = logs[0] - way * fall
    if quality < _ONE_STAGE_UP_TO:
        level = logs[0] + (1 - quality / _ONE_STAGE_UP_TO) * rise
    stages, share = _depth(level, logs)
    free = min(1.0, (100 - quality) / (100 - _FREE_FROM))
    return SearchPlan(stages, share, free * _SLOPE * math.exp(level + weight))


def _depth(level: float, logs: Sequence[float]) -> tuple[int, float]:
    """Find the stage whose energy, as a logarithm, has this level, and how far into it that is."""
    for stage in range(1, len(logs)):
        if level > logs[stage]:
            if level >= logs[stage - 1]:
                return stage, 1.0
            return stage + 1, (logs[stage - 1] - level) / (logs[stage - 1] - logs[stage])
    return len(logs), 1.0
