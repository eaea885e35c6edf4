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
from vqcodec.media.picture.signal import Picture
from vqcodec.media.workshop import Contestant

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

    def encode(picture: Picture, quality: float) -> bytes:
        return save(picture, quality=round(quality), **options)

    def decode(data: bytes) -> Picture:
        with around_decode():
            return load(data)

    return Contestant(
        name=name, version=version, settings=settings, ladder=ladder, encode=encode, decode=decode
    )


def save(picture: Picture, **options: Any) -> bytes:
    """The bytes of a file, by `Image.save`."""
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, **options)
    return buffer.getvalue()


def load(data: bytes) -> Picture:
    """The colours of a file, as RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return Picture(np.asarray(image.convert("RGB")))


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
