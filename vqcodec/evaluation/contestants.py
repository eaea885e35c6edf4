"""Anything that turns a picture into bytes and back at a chosen quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vqcodec.codec import Codec

__all__ = ["Contestant", "Pixels", "codec_contestant", "is_own"]

Pixels = NDArray[np.uint8]

QUALITIES = tuple(float(quality) for quality in range(0, 101, 10))


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A codec with all its settings but one.

    name: short, in file names and legends. version: of the libraries that do the work. settings:
    every choice that changes the bytes. ladder: values of the open setting, from small to large
    files. encode: uint8 (H, W, 3) and a value of the ladder -> the bytes of a whole file. decode:
    such bytes -> uint8 (H, W, 3). runs_on: threads or device, which seconds depend on. measured:
    where and when, if that was in an earlier run.
    """

    name: str
    version: str
    settings: str
    ladder: Sequence[float]
    encode: Callable[[Pixels, float], bytes]
    decode: Callable[[bytes], Pixels]
    runs_on: str = "1 thread"
    measured: Mapping[str, Any] | None = None


def codec_contestant(
    codec: Codec, *, settings: str, qualities: Sequence[float] = QUALITIES
) -> Contestant:
    """vqcodec itself with one model, named "vqcodec MODEL-GENERATION", over qualities."""
    import torch

    threads = torch.get_num_threads()
    many = f"{threads} thread{'s' if threads > 1 else ''}"
    return Contestant(
        name=f"vqcodec {codec.card.label}",
        version=f"vqcodec {version('vqcodec')}",
        settings=settings,
        ladder=tuple(sorted(qualities)),
        encode=lambda pixels, quality: codec.encode(pixels, quality=quality),
        decode=lambda data: codec.decode(data),
        runs_on=many if str(codec.device) == "cpu" else str(codec.device),
    )


def is_own(name: str) -> bool:
    """Whether a contestant of this name is a model of this project."""
    return name.split()[0] == "vqcodec"
