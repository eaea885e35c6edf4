"""STUB until the workshop of sounds is there: see the commit that brought it."""

from __future__ import annotations

from typing import Any

__all__ = ["WORKSHOP"]


class SoundWorkshop:
    """Nothing yet."""

    recipes: Any = ()
    measures: Any = ()
    default_measures: Any = ()
    peers: Any = ()
    default_peers: Any = ()
    packages: Any = ()


WORKSHOP = SoundWorkshop()
