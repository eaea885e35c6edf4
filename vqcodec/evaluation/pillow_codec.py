"""A format that Pillow writes, as a contestant."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, features

from vqcodec.errors import MissingDependencyError
from vqcodec.evaluation.contestants import Contestant, Pixels

__all__ = ["load", "package", "pillow_contestant", "pillow_library", "save", "setting"]


def pillow_contestant(
    name: str,
    *,
    version: str,
    settings: str,
    ladder: Sequence[float],
    options: dict[str, Any],
    around_decode: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Contestant:
    """A contestant whose open setting is Pillow's `quality`.

    options: everything else that `Image.save` takes. around_decode: what holds while decoding.
    """

    def encode(pixels: Pixels, quality: float) -> bytes:
        return save(pixels, quality=round(quality), **options)

    def decode(data: bytes) -> Pixels:
        with around_decode():
            return load(data)

    return Contestant(
        name=name, version=version, settings=settings, ladder=ladder, encode=encode, decode=decode
    )


def save(pixels: Pixels, **options: Any) -> bytes:
    """The bytes of a file, by `Image.save`."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **options)
    return buffer.getvalue()


def load(data: bytes) -> Pixels:
    """The colours of a file: uint8 (H, W, 3)."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


@contextmanager
def setting(module: ModuleType, name: str, value: int) -> Iterator[None]:
    """Give what Pillow's readers keep in a variable of their module another value for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def pillow_library(*features_of_pillow: str) -> str:
    """The version of the library behind a format, and Pillow's own.

    Raises:
        MissingDependencyError: Pillow was built without it.
    """
    feature = next((f for f in features_of_pillow if features.check(f)), None)
    if feature is None:
        raise MissingDependencyError(f"this Pillow was built without {features_of_pillow[-1]}")
    number = features.version(feature) or "of unknown version"
    return f"{feature} {number}, Pillow {package('pillow')}"


def package(name: str) -> str:
    """The version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"
