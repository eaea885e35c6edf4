"""STUB until the workshop of sounds is there: see the commit that brought it."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["WORKSHOP", "SoundWorkshop"]


class SoundWorkshop:
    """Nothing yet."""

    recipes: ClassVar[Any] = {}
    measures: ClassVar[Any] = ()
    default_measures: ClassVar[Any] = ()
    peers: ClassVar[Any] = {}
    default_peers: ClassVar[Any] = ()
    packages: ClassVar[Any] = ()


WORKSHOP = SoundWorkshop()
