"""Packages that only evaluation needs, of the extra vqcodec[sound-eval]."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from vqcodec.errors import MissingDependencyError

__all__ = ["EXTRA", "extra_package"]

EXTRA = "sound-eval"


def extra_package(name: str, *, needed_by: str) -> Any:
    """A module of an optional package.

    Raises:
        MissingDependencyError: it is not installed; says who needs it and what to install.

    >>> extra_package("ears", needed_by="it")
    Traceback (most recent call last):
    vqcodec.errors.MissingDependencyError: it needs ears: pip install 'vqcodec[sound-eval]'
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        missing = f"{needed_by} needs {package}: pip install 'vqcodec[{EXTRA}]'"
        raise MissingDependencyError(missing) from error
