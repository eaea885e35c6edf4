"""What can happen to a signal, and a restoring encoder learns to undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator
    from torch import Tensor

__all__ = ["Damage"]


@dataclass(frozen=True)
class Damage:
    """What can happen to a signal, and a restoring encoder learns to undo.

    Attributes:
        title: what its strength is, in words.
        default: from which to which strength it is learned if nothing is said.
        bounds: which strengths there are.
        of: samples (C, *extent), a strength and a source of chance -> the damaged samples.
    """

    title: str
    default: tuple[float, float]
    bounds: tuple[float, float]
    of: Callable[[Tensor, float, Generator], Tensor]
