"""How long a run is, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.training.state import TrainingState

__all__ = ["Budget", "Progress"]


@dataclass(frozen=True)
class Budget:
    """When a run ends: after so many minutes of training, or so many steps.

    >>> Budget(steps=8).share(TrainingState(steps=2))
    0.25

    Raises:
        InputError: a length that is not positive.
    """

    minutes: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        for name, length in vars(self).items():
            if length is not None and not length > 0:
                raise InputError(f"{name} must be positive, got {length}")

    def share(self, state: TrainingState) -> float:
        """How much of the run is done, 0 to 1."""
        if self.steps is not None:
            return min(1.0, state.steps / max(1, self.steps))
        return min(1.0, state.seconds / (60 * (self.minutes or 1e-9)))


@dataclass(frozen=True)
class Progress:
    """What a run says about itself from time to time.

    Attributes:
        share: how much of the run is done, 0 to 1.
        loss: what was minimised, of the last batch.
        decibels: of that batch's mean squared error; samples are in [0, 1].
        bits_per_sample: of that batch's codes under the running frequencies, not of a file.
        restarts: dead codes moved so far.
        usage: per stage, codes alive and perplexity.
        batch: that batch and what was decoded of it, float (B, C, *extent).
    """

    steps: int
    seconds: float
    share: float
    loss: float
    decibels: float
    bits_per_sample: float
    restarts: int
    usage: list[tuple[int, float]]
    batch: tuple[Tensor, Tensor] | None = None
