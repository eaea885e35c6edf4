"""Videos, as evaluation sees them; training of change books is a command of its own."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.video.files import read_video
from vqcodec.media.video.measures import MEASURES
from vqcodec.media.video.peers import PEERS
from vqcodec.media.video.shown import draw_frames, held, player
from vqcodec.media.video.signal import Video
from vqcodec.media.workshop import (
    Batches,
    Contestant,
    Distortion,
    Measure,
    Rate,
    Recipe,
    Skipped,
    Workshop,
)

if TYPE_CHECKING:
    from numpy.random import Generator
    from torch import Tensor

    from vqcodec.media.damage import Damage
    from vqcodec.media.workshop import Fitter
    from vqcodec.model.config import ModelConfig
    from vqcodec.model.file import ModelCard

__all__ = ["WORKSHOP", "VideoWorkshop"]


_NO_NETWORK = "no network is trained on videos: their frames are coded as pictures are"


def _fit(folders: list[Path], output: Path, *, minutes: float | None, **options: Any) -> ModelCard:
    """Fit a model, in twenty minutes if nothing else is asked for."""
    from vqcodec.media.video.training import train_video  # loads torch

    return train_video(folders, output, minutes=20.0 if minutes is None else minutes, **options)


class VideoWorkshop:
    """The workshop of videos; see `Workshop`. Codecs are compared on 4:2:0 of eight bits."""

    recipes: Mapping[str, Recipe] = {}
    fitters: Mapping[str, Fitter] = {"video": _fit}
    measures: tuple[Measure, ...] = MEASURES
    default_measures: tuple[str, ...] = ("psnr", "ms-ssim")
    peers: Mapping[str, Callable[[], Contestant]] = PEERS
    default_peers: tuple[str, ...] = ("x264", "x265", "svt-av1")
    rate = Rate(
        unit="bpp",
        title="bits per pixel of luma (whole file, packets of other codecs)",
        of=lambda size, video: 8 * size / float(np.prod(video.extent)),
        table=(0.0075, 0.015, 0.03, 0.06, 0.12),
        timed=0.03,
        ticks=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
    )
    packages: tuple[str, ...] = ("av",)
    damages: Mapping[str, Damage] = {}

    def suited(self, recipe: Recipe, place: Path) -> Recipe:
        """As it is."""
        return recipe

    def open_data(
        self, place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
    ) -> tuple[Batches, Iterator[Tensor]]:
        """Refuse: no network is trained on videos."""
        raise InputError(_NO_NETWORK)

    def labelled(
        self, place: Path, labels: Path | None, extent: tuple[int, ...] | None, model: ModelConfig
    ) -> tuple[Tensor, Tensor | None]:
        """Refuse: see `open_data`."""
        raise InputError(_NO_NETWORK)

    def nudged(self, samples: Tensor, random: Generator) -> Tensor:
        """As they are: no prior is learned of videos yet."""
        return samples

    def distortion(self, recipe: Recipe) -> Distortion:
        """Refuse: see `open_data`."""
        raise InputError(_NO_NETWORK)

    def preview(self, original: Tensor, decoded: Tensor) -> NDArray[np.uint8] | None:
        """Nothing."""
        return None

    def read(self, data: bytes) -> Video:
        """The video in a file, comparable."""
        return self.comparable(read_video(io.BytesIO(data), keep_audio=False))

    def comparable(self, signal: Video) -> Video:
        """The frames of a video, all in memory; audio is left out."""
        return held(signal)

    def exhibit(self, signal: Video) -> str:
        """A player."""
        return player(signal)

    def sheet(self, signals: Sequence[Video]) -> Video:
        """Refuse: no videos are drawn from a prior."""
        raise InputError("no videos are drawn from a prior")

    def draw(self, panels: Sequence[tuple[str, Video]]) -> bytes:
        """Two frames of each."""
        return draw_frames(panels)


WORKSHOP: Workshop = VideoWorkshop()
