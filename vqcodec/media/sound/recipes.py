"""STUB: no recipes."""

from __future__ import annotations

from collections.abc import Mapping

from vqcodec.media.workshop import Recipe

__all__ = ["RECIPES"]

RECIPES: Mapping[str, Recipe] = {}
