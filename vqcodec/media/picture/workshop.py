"""Pictures, as training and evaluation see them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.measures import MEASURES
from vqcodec.media.picture.medium import MEDIUM
from vqcodec.media.picture.peers import PEERS
from vqcodec.media.picture.pillow_codec import save
from vqcodec.media.picture.reader import read_picture
from vqcodec.media.picture.recipes import RECIPES
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.strip import draw_strip, lay_out
from vqcodec.media.workshop import (
    Batches,
    Distortion,
    Rate,
    Recipe,
    Skipped,
    Workshop,
)

if TYPE_CHECKING:
    from numpy.random import Generator
    from torch import Tensor

    from vqcodec.media.workshop import Fitter
    from vqcodec.model.config import ModelConfig

from vqcodec.media.damage import Damage

__all__ = ["WORKSHOP", "PictureWorkshop"]


class PictureWorkshop:
    """The workshop of pictures; see `Workshop`. Codecs are compared on RGB without facts."""

    recipes: Mapping[str, Recipe] = RECIPES
    measures = MEASURES
    default_measures: tuple[str, ...] = ("psnr", "ms-ssim")
    peers = PEERS
    default_peers: tuple[str, ...] = ("jpeg", "webp", "avif")
    rate = Rate(
        unit="bpp",
        title="bits per pixel, whole file",
        of=lambda size, picture: MEDIUM.rate(size, picture)[1],
        table=(0.1, 0.15, 0.25, 0.5, 0.75),
        timed=0.25,
        ticks=(0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
    )
    packages: tuple[str, ...] = ("pillow", "ssimulacra2")
    fitters: Mapping[str, Fitter] = {}

    @property
    def damages(self) -> Mapping[str, Damage]:
        """Noise, blur, JPEG, missing parts and too few pixels."""
        from vqcodec.media.picture.damage import DAMAGES

        return DAMAGES

    def suited(self, recipe: Recipe, place: Path) -> Recipe:
        """As it is."""
        return recipe

    def open_data(
        self, place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
    ) -> tuple[Batches, Iterator[Tensor]]:
        """Open a folder of pictures, or a file of small ones."""
        from vqcodec.media.picture.data import open_data

        return open_data(place, recipe, seed, skipped=skipped)

    def labelled(
        self, place: Path, labels: Path | None, extent: tuple[int, ...] | None, model: ModelConfig
    ) -> tuple[Tensor, Tensor | None]:
        """Pictures of an IDX file, or parts of those of a folder."""
        from vqcodec.media.picture.labelled import read_labelled

        return read_labelled(place, labels, extent, model)

    def nudged(self, samples: Tensor, random: Generator) -> Tensor:
        """Pictures turned, scaled and shifted a little."""
        from vqcodec.media.picture.nudge import nudge

        return nudge(samples, random)

    def distortion(self, recipe: Recipe) -> Distortion:
        """Squared error, MS-SSIM and SSIMULACRA2, as the recipe mixes them."""
        from vqcodec.media.picture.distortion import PictureDistortion

        return PictureDistortion(recipe.distortion)

    def preview(self, original: Tensor, decoded: Tensor) -> NDArray[np.uint8]:
        """Pictures of a batch, each above what became of it."""
        from vqcodec.media.picture.preview import preview

        return preview(original, decoded)

    def read(self, data: bytes) -> Picture:
        """The picture in a file, comparable."""
        return self.comparable(read_picture(data))

    def comparable(self, signal: Picture) -> Picture:
        """The colours of a picture, in eight bits: grey is repeated, alpha and facts left out."""
        return Picture(to_channels(signal.in_eight_bits().pixels, 3))

    def exhibit(self, signal: Picture) -> str:
        """The picture, as PNG within the page."""
        data = base64.b64encode(save(signal, format="PNG")).decode()
        return f'<img alt="" style="max-width:100%" src="data:image/png;base64,{data}">'

    def sheet(self, signals: Sequence[Picture]) -> Picture:
        """Pictures in rows, in a sheet that is nearly square."""
        return lay_out(signals)

    def draw(self, panels: Sequence[tuple[str, Picture]]) -> bytes:
        """A strip of pictures."""
        return draw_strip(panels)


WORKSHOP: Workshop = PictureWorkshop()
