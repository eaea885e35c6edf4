"""STUB: no training data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vqcodec.media.workshop import Batches

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["open_data"]


def open_data(*_: Any, **__: Any) -> tuple[Batches, Iterator[Tensor]]:
    """STUB."""
    raise NotImplementedError
