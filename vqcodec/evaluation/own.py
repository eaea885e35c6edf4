"""The models of this project, as contestants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vqcodec import __version__
from vqcodec.media.workshop import Contestant

if TYPE_CHECKING:
    from vqcodec.codec import Codec

__all__ = ["codec_contestant", "is_own"]

QUALITIES = tuple(float(quality) for quality in range(0, 101, 10))


def codec_contestant(
    codec: Codec, *, settings: str, qualities: Sequence[float] = QUALITIES
) -> Contestant:
    """vqcodec itself with one model, named "vqcodec MODEL-GENERATION", over qualities."""
    import torch

    threads = torch.get_num_threads()
    many = f"{threads} thread{'s' if threads > 1 else ''}"
    return Contestant(
        name=f"vqcodec {codec.card.label}",
        version=f"vqcodec {__version__}",
        settings=settings,
        ladder=tuple(sorted(qualities)),
        encode=lambda signal, quality: codec.encode(signal, quality=quality),
        decode=lambda data: codec.decode_signal(data),
        runs_on=many if str(codec.device) == "cpu" else str(codec.device),
    )


def is_own(name: str) -> bool:
    """Whether a contestant of this name is a model of this project.

    >>> is_own("vqcodec photo-1"), is_own("jpeg")
    (True, False)
    """
    return name.split()[0] == "vqcodec"
