"""Fields, as training and evaluation see them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError
from vqcodec.grid import whole
from vqcodec.media.damage import Damage
from vqcodec.media.field.measures import MEASURES
from vqcodec.media.field.medium import MEDIUM
from vqcodec.media.field.peers import PEERS
from vqcodec.media.field.recipes import RECIPES
from vqcodec.media.field.signal import Field
from vqcodec.media.workshop import Batches, Distortion, Rate, Recipe, Skipped, Workshop

if TYPE_CHECKING:
    from numpy.random import Generator
    from torch import Tensor

    from vqcodec.media.workshop import Fitter
    from vqcodec.model.config import ModelConfig

__all__ = ["WORKSHOP", "FieldWorkshop"]


class FieldWorkshop:
    """The workshop of fields; see `Workshop`. Codecs are compared on float32, nothing missing."""

    recipes: Mapping[str, Recipe] = RECIPES
    measures = MEASURES
    default_measures: tuple[str, ...] = ("psnr",)
    peers = PEERS
    default_peers: tuple[str, ...] = ("jpeg2000",)
    rate = Rate(
        unit="bits a value",
        title="bits per value, whole file",
        of=lambda size, field: MEDIUM.rate(size, field)[1],
        table=(0.01, 0.03, 0.1),
        timed=0.03,
        ticks=(0.01, 0.03, 0.1, 0.3, 1.0),
    )
    packages: tuple[str, ...] = ("numpy", "pillow")
    damages: Mapping[str, Damage] = {}
    fitters: Mapping[str, Fitter] = {}

    def suited(self, recipe: Recipe, place: Path) -> Recipe:
        """For the channels of the arrays of a folder, and crops that most of them hold."""
        from vqcodec.media.field.data import suited

        return suited(recipe, place)

    def open_data(
        self, place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
    ) -> tuple[Batches, Iterator[Tensor]]:
        """Open a folder of arrays."""
        from vqcodec.media.field.data import open_data

        return open_data(place, recipe, seed, skipped=skipped)

    def labelled(
        self, place: Path, labels: Path | None, extent: tuple[int, ...] | None, model: ModelConfig
    ) -> tuple[Tensor, Tensor | None]:
        """Refuse: there is no such data of fields yet."""
        raise InputError(f"{place}: a prior is learned from pictures alone, not from fields")

    def nudged(self, samples: Tensor, random: Generator) -> Tensor:
        """As they are: no prior is learned of fields yet."""
        return samples

    def distortion(self, recipe: Recipe) -> Distortion:
        """The squared error, of values in spans of their channel."""
        return lambda decoded, original, error: error

    def preview(self, original: Tensor, decoded: Tensor) -> NDArray[np.uint8]:
        """Fields of a batch, each above what became of it."""
        from vqcodec.media.field.shown import preview

        return preview(original, decoded)

    def read(self, data: bytes) -> Field:
        """The field in a file, comparable."""
        return self.comparable(MEDIUM.read(data, Limits()))

    def comparable(self, signal: Field) -> Field:
        """The values as float32 (C, H, W), with the channel's mean where they are missing."""
        return Field(np.nan_to_num(signal.filled(whole(signal.extent))))

    def exhibit(self, signal: Field) -> str:
        """The first channel, as PNG within the page."""
        from vqcodec.media.field.shown import field_png

        data = base64.b64encode(field_png(signal)).decode()
        return f'<img alt="" style="max-width:100%" src="data:image/png;base64,{data}">'

    def sheet(self, signals: Sequence[Field]) -> Field:
        """Fields one below the other."""
        return Field(np.concatenate([signal.planes for signal in signals], axis=1))

    def draw(self, panels: Sequence[tuple[str, Field]]) -> bytes:
        """A strip of fields."""
        from vqcodec.media.field.shown import draw_fields

        return draw_fields(panels)


WORKSHOP: Workshop = FieldWorkshop()
