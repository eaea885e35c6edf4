"""The codecs that a user would otherwise take, with settings that do them justice.

Every one runs on a single thread, so that seconds compare.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from PIL import Image, features

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.evaluation.contestants import Contestant, Pixels

__all__ = ["PEERS", "find_peer"]

PEERS = ("jpeg", "webp", "avif", "avif-psnr", "jp2", "jxl")


def find_peer(name: str, *, ladder: Sequence[float] | None = None) -> Contestant:
    """A codec by its name in `PEERS`.

    ladder: qualities to run instead of the default ones (for jp2: ratios, raw bytes to file).

    Raises:
        InputError: there is none of that name.
        MissingDependencyError: this installation of Pillow cannot write that format.
    """
    if name not in PEERS:
        raise InputError(f"no codec {name!r} to compare with; there are {', '.join(PEERS)}")
    peer = {
        "jpeg": _jpeg,
        "webp": _webp,
        "avif": _avif,
        "avif-psnr": _avif_psnr,
        "jp2": _jp2,
        "jxl": _jxl,
    }[name]()
    if ladder is None:
        return peer
    return Contestant(**{**vars(peer), "ladder": tuple(ladder)})


def _jpeg() -> Contestant:
    return _pillow(
        "jpeg",
        version=_library("libjpeg_turbo", "jpg"),
        settings="4:2:0, optimize, baseline",
        ladder=(2, 5, 8, 12, 17, 23, 30, 40, 52, 66, 80),
        options={"format": "JPEG", "optimize": True},
    )


def _webp() -> Contestant:
    return _pillow(
        "webp",
        version=_library("webp"),
        settings="method 6, 4:2:0",
        ladder=(0, 2, 5, 10, 18, 28, 40, 55, 70, 79, 88),
        options={"format": "WEBP", "method": 6},
    )


def _avif() -> Contestant:
    return _pillow(
        "avif",
        version=_library("avif"),
        settings="speed 6, 4:2:0, otherwise as Pillow writes it (libavif >= 1.4: tune=iq)",
        ladder=(2, 6, 10, 15, 20, 26, 33, 41, 50, 58, 68),
        options={"format": "AVIF", "speed": 6, "max_threads": 1},
    )


def _avif_psnr() -> Contestant:
    return _pillow(
        "avif-psnr",
        version=_library("avif"),
        settings="speed 4, 4:4:4, tune=psnr",
        ladder=(0, 2, 5, 9, 13, 18, 24, 31, 39, 48, 58),
        options={
            "format": "AVIF",
            "speed": 4,
            "subsampling": "4:4:4",
            "max_threads": 1,
            "advanced": {"tune": "psnr"},
        },
    )


def _jp2() -> Contestant:
    def encode(pixels: Pixels, ratio: float) -> bytes:
        return _save(
            pixels,
            format="JPEG2000",
            irreversible=True,
            quality_mode="rates",
            mct=1,
            quality_layers=[ratio],
        )

    return Contestant(
        name="jp2",
        version=_library("jpg_2000"),
        settings="9/7 irreversible, colour transform, one layer; the setting is the ratio",
        ladder=(480, 320, 240, 160, 110, 84, 64, 48, 34, 25, 16),
        encode=encode,
        decode=_load,
    )


def _jxl() -> Contestant:
    try:
        import pillow_jxl  # noqa: F401  (registers the format with Pillow)
    except ImportError as error:
        raise MissingDependencyError("JPEG XL needs the package pillow-jxl-plugin") from error
    return _pillow(
        "jxl",
        version=f"pillow-jxl-plugin {_package('pillow-jxl-plugin')}",
        settings="effort 7, VarDCT",
        ladder=(0, 4, 8, 12, 16, 22, 30, 45, 57, 68, 80),
        options={"format": "JXL", "effort": 7},
    )


def _pillow(
    name: str, *, version: str, settings: str, ladder: Sequence[float], options: dict[str, Any]
) -> Contestant:
    def encode(pixels: Pixels, quality: float) -> bytes:
        return _save(pixels, quality=round(quality), **options)

    return Contestant(
        name=name, version=version, settings=settings, ladder=ladder, encode=encode, decode=_load
    )


def _save(pixels: Pixels, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **options)
    return buffer.getvalue()


def _load(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def _library(*features_of_pillow: str) -> str:
    """The version of the library behind a format, and Pillow's own."""
    feature = next((f for f in features_of_pillow if features.check(f)), None)
    if feature is None:
        raise MissingDependencyError(f"this Pillow was built without {features_of_pillow[-1]}")
    number = features.version(feature) or "of unknown version"
    return f"{feature} {number}, Pillow {_package('pillow')}"


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"
