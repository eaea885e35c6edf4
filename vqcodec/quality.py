"""From a quality between 0 and 100 to what the encoder searches."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vqcodec.errors import InputError

__all__ = ["SearchPlan", "plan_search"]


@dataclass(frozen=True)
class SearchPlan:
    """What a quality means for a model.

    Attributes:
        stages: how many stages are coded.
        last_share: share of the positions at which the last stage says anything, (0, 1].
    """

    stages: int
    last_share: float


def plan_search(quality: float, stages: int) -> SearchPlan:
    """Spread the stages of a model evenly over the qualities 0 (one stage) to 100 (all of them).

    Between two whole numbers of stages the last one is coded at part of the positions only, where
    it helps most, so that rate and distortion move without steps.

    Raises:
        InputError: quality is not a number from 0 to 100.
    """
    if not (math.isfinite(quality) and 0 <= quality <= 100):
        raise InputError(f"quality must be 0 to 100, got {quality}")
    depth = 1 + (stages - 1) * quality / 100
    count = max(1, math.ceil(depth - 1e-9))
    return SearchPlan(count, min(1.0, depth - (count - 1)))
