"""The codecs that a user would otherwise take, with settings that do them justice.

Every one encodes and decodes on a single thread, so that seconds compare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PIL import AvifImagePlugin

from vqcodec.errors import MissingDependencyError
from vqcodec.media.picture.pillow_codec import (
    load,
    package,
    pillow_contestant,
    pillow_library,
    save,
    setting,
)
from vqcodec.media.picture.signal import Picture
from vqcodec.media.workshop import Contestant

__all__ = ["PEERS"]


def _jpeg() -> Contestant:
    return pillow_contestant(
        "jpeg",
        version=pillow_library("libjpeg_turbo", "jpg"),
        settings="4:2:0, optimize, baseline",
        ladder=(2, 5, 8, 12, 17, 23, 30, 40, 52, 66, 80),
        options={"format": "JPEG", "optimize": True},
    )


def _mozjpeg() -> Contestant:
    try:
        import pyvips
    except ImportError as error:
        missing = "mozjpeg needs libvips: pip install 'pyvips[binary]'"
        raise MissingDependencyError(missing) from error

    def encode(picture: Picture, quality: float) -> bytes:
        return bytes(
            pyvips.Image.new_from_array(picture.pixels, interpretation="srgb").jpegsave_buffer(
                Q=round(quality),
                interlace=True,
                optimize_coding=True,
                trellis_quant=True,
                overshoot_deringing=True,
                optimize_scans=True,
                quant_table=3,
                subsample_mode="on",
                keep="none",
            )
        )

    return Contestant(
        name="mozjpeg",
        version=f"libvips {pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}",
        settings="4:2:0, progressive, trellis, overshoot deringing, optimised scans, table 3",
        ladder=(3, 6, 10, 15, 20, 27, 35, 45, 57, 70, 82),
        encode=encode,
        decode=load,
    )


def _webp() -> Contestant:
    return pillow_contestant(
        "webp",
        version=pillow_library("webp"),
        settings="method 6, 4:2:0",
        ladder=(0, 2, 5, 10, 18, 28, 40, 55, 70, 79, 88),
        options={"format": "WEBP", "method": 6},
    )


def _avif() -> Contestant:
    return pillow_contestant(
        "avif",
        version=pillow_library("avif"),
        settings="speed 6, 4:2:0, otherwise as Pillow writes it (libavif >= 1.4: tune=iq)",
        ladder=(2, 6, 10, 15, 20, 26, 33, 41, 50, 58, 68),
        options={"format": "AVIF", "speed": 6, "max_threads": 1},
        around_decode=partial(setting, AvifImagePlugin, "DEFAULT_MAX_THREADS", 1),
    )


def _avif_psnr() -> Contestant:
    return pillow_contestant(
        "avif-psnr",
        version=pillow_library("avif"),
        settings="speed 4, 4:4:4, tune=psnr",
        ladder=(0, 2, 5, 9, 13, 18, 24, 31, 39, 48, 58),
        options={
            "format": "AVIF",
            "speed": 4,
            "subsampling": "4:4:4",
            "max_threads": 1,
            "advanced": {"tune": "psnr"},
        },
        around_decode=partial(setting, AvifImagePlugin, "DEFAULT_MAX_THREADS", 1),
    )


def _jp2() -> Contestant:
    def encode(picture: Picture, ratio: float) -> bytes:
        return save(
            picture,
            format="JPEG2000",
            irreversible=True,
            quality_mode="rates",
            mct=1,
            quality_layers=[ratio],
        )

    return Contestant(
        name="jp2",
        version=pillow_library("jpg_2000"),
        settings="9/7 irreversible, colour transform, one layer; the setting is the ratio",
        ladder=(480, 320, 240, 160, 110, 84, 64, 48, 34, 25, 16),
        encode=encode,
        decode=load,
    )


def _jxl() -> Contestant:
    try:
        # The import registers the format with Pillow.
        from pillow_jxl import JpegXLImagePlugin
    except ImportError as error:
        missing = "JPEG XL needs pillow-jxl-plugin: pip install 'vqcodec[eval]'"
        raise MissingDependencyError(missing) from error
    return pillow_contestant(
        "jxl",
        version=f"pillow-jxl-plugin {package('pillow-jxl-plugin')}",
        settings="effort 7, VarDCT; at low qualities libjxl halves the resolution by itself",
        ladder=(0, 4, 8, 12, 16, 22, 30, 45, 57, 68, 80),
        options={"format": "JXL", "effort": 7, "num_threads": 0},
        around_decode=partial(setting, JpegXLImagePlugin, "DECODE_THREADS", 0),
    )


PEERS: Mapping[str, Callable[[], Contestant]] = {
    "jpeg": _jpeg,
    "mozjpeg": _mozjpeg,
    "webp": _webp,
    "avif": _avif,
    "avif-psnr": _avif_psnr,
    "jp2": _jp2,
    "jxl": _jxl,
}
