"""Sounds, as training and evaluation see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError
from vqcodec.media.damage import Damage
from vqcodec.media.sound.measures import MEASURES
from vqcodec.media.sound.medium import MEDIUM
from vqcodec.media.sound.peers import PEERS
from vqcodec.media.sound.program_codec import from_pcm, to_pcm
from vqcodec.media.sound.recipes import RECIPES
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.spectrogram import draw_spectrograms
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

    from vqcodec.media.workshop import Fitter
    from vqcodec.model.config import ModelConfig

__all__ = ["WORKSHOP", "SoundWorkshop"]

# At which a preview is drawn; of another rate it shows other frequencies, and as much.
_PREVIEW_RATE = 24000


class SoundWorkshop:
    """The workshop of sounds; see `Workshop`. Codecs are compared at each sound's own rate."""

    recipes: Mapping[str, Recipe] = RECIPES
    measures: tuple[Measure, ...] = MEASURES
    default_measures: tuple[str, ...] = ("mel", "si-sdr", "log-spectral")
    peers: Mapping[str, Callable[[], Contestant]] = PEERS
    default_peers: tuple[str, ...] = ("opus", "mp3", "aac")
    rate = Rate(
        unit="kbps",
        title="kbit/s (whole file, packets of other codecs)",
        of=lambda size, sound: 8 * size / sound.seconds / 1000,
        table=(1.5, 3.0, 6.0, 12.0),
        timed=6.0,
        ticks=(0.75, 1.5, 3.0, 6.0, 12.0, 24.0),
    )
    packages: tuple[str, ...] = ("pesq", "pystoi", "scipy", "soundfile", "visqol-python")
    damages: Mapping[str, Damage] = {}
    fitters: Mapping[str, Fitter] = {}

    def suited(self, recipe: Recipe, place: Path) -> Recipe:
        """As it is."""
        return recipe

    def open_data(
        self, place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
    ) -> tuple[Batches, Iterator[Tensor]]:
        """Open a folder of sounds."""
        from vqcodec.media.sound.data import open_data

        return open_data(place, recipe, seed, skipped=skipped)

    def labelled(
        self, place: Path, labels: Path | None, extent: tuple[int, ...] | None, model: ModelConfig
    ) -> tuple[Tensor, Tensor | None]:
        """Refuse: there is no such data of sounds yet."""
        raise InputError(f"{place}: a prior is learned from pictures alone, not from sounds")

    def nudged(self, samples: Tensor, random: Generator) -> Tensor:
        """As they are: no prior is learned of sounds yet."""
        return samples

    def distortion(self, recipe: Recipe) -> Distortion:
        """What the recipe mixes of the distances that training knows."""
        from vqcodec.media.sound.distortion import SoundDistortion

        return SoundDistortion(recipe.distortion, rate=recipe.model.medium.numbers["rate"])

    def preview(self, original: Tensor, decoded: Tensor) -> NDArray[np.uint8]:
        """Spectrograms of a batch, each above that of what became of it."""
        from vqcodec.media.sound.preview import preview

        return preview(original, decoded, rate=_PREVIEW_RATE)

    def read(self, data: bytes) -> Sound:
        """The sound in a file, comparable."""
        return self.comparable(MEDIUM.read(data, Limits()))

    def comparable(self, signal: Sound) -> Sound:
        """The samples of a sound, rounded to 16 bits as all codecs can carry; tags are left out."""
        samples = from_pcm(to_pcm(signal.samples), channels=signal.channels)
        return Sound(samples, signal.rate)

    def exhibit(self, signal: Sound) -> str:
        """A spectrogram and a player."""
        from vqcodec.media.sound.player import player

        return player(signal)

    def sheet(self, signals: Sequence[Sound]) -> Sound:
        """Sounds one after the other, half a second of silence between them."""
        first = signals[0]
        silence = np.zeros((first.rate // 2, first.channels), np.float32)
        parts = [part for sound in signals for part in (sound.samples, silence)]
        return Sound(np.concatenate(parts[:-1]), first.rate)

    def draw(self, panels: Sequence[tuple[str, Sound]]) -> bytes:
        """A strip of spectrograms."""
        return draw_spectrograms(panels)


WORKSHOP: Workshop = SoundWorkshop()
