"""STUB: no distortion."""

from __future__ import annotations

from typing import Any

__all__ = ["SoundDistortion"]


class SoundDistortion:
    """STUB."""

    def __init__(self, shares: Any) -> None:
        raise NotImplementedError

    def __call__(self, decoded: Any, original: Any, error: Any) -> Any:
        """STUB."""
