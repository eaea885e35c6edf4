"""STUB: no training data."""

from __future__ import annotations

from typing import Any

__all__ = ["open_data"]


def open_data(*_: Any, **__: Any) -> Any:
    """STUB."""
    raise NotImplementedError
