"""Saw-teeth, as training and evaluation see them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tiny import tiny_config

from sawtooth.medium import MEDIUM, SawTooth
from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.damage import Damage
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

__all__ = ["WORKSHOP"]

RECIPE = Recipe(
    model=tiny_config(
        medium="sawtooth",
        channels=1,
        stride=(4,),
        latent_dim=3,
        stages=2,
        codebook_size=16,
        region=16,
    ),
    crop=(64,),
    batch=8,
    warmup=5,
    unquantized=0.1,
)


def _samples(tooth: SawTooth) -> NDArray[np.float32]:
    whole = (slice(0, len(tooth.values)),)
    return MEDIUM.to_samples(tooth, RECIPE.model.medium, whole)


def _read(path: Path) -> NDArray[np.float32]:
    """A file as samples (T, 1)."""
    try:
        return _samples(MEDIUM.read(path.read_bytes(), Limits())).T
    except VqcodecError as error:
        raise InputError(f"{path}: {error}") from error


def _deflated(level: float, tooth: SawTooth) -> bytes:
    step = 2 ** (8 - int(level))
    above = (tooth.values - tooth.offset) // step * step
    offset = tooth.offset.to_bytes(8, "little", signed=True)
    return offset + zlib.compress(above.astype(np.uint8).tobytes(), 9)


def _inflated(data: bytes) -> SawTooth:
    offset = int.from_bytes(data[:8], "little", signed=True)
    above = np.frombuffer(zlib.decompress(data[8:]), np.uint8)
    return SawTooth(above.astype(np.int64) + offset, offset)


class SawToothWorkshop:
    recipes: Mapping[str, Recipe] = {"sawtooth": RECIPE}
    measures: tuple[Measure, ...] = (
        Measure(name="psnr", of=MEDIUM.decibels, title="PSNR", unit="dB", low=0, high=100),
    )
    default_measures: tuple[str, ...] = ("psnr",)
    default_peers: tuple[str, ...] = ("deflate",)
    packages: tuple[str, ...] = ()
    damages: Mapping[str, Damage] = {}
    fitters: Mapping[str, Fitter] = {}
    rate = Rate(
        unit="bits a step",
        title="bits per step, whole file",
        of=lambda size, tooth: MEDIUM.rate(size, tooth)[1],
        table=(1.0, 2.0),
        timed=1.0,
        ticks=(1.0, 2.0, 4.0),
    )
    peers: Mapping[str, Callable[[], Contestant]] = {
        "deflate": lambda: Contestant(
            name="deflate",
            version="zlib",
            settings="high bits, level 9",
            ladder=(1, 3, 5),
            encode=lambda tooth, bits: _deflated(bits, tooth),
            decode=_inflated,
        )
    }

    def suited(self, recipe: Recipe, place: Path) -> Recipe:
        """As it is."""
        return recipe

    def open_data(
        self, place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
    ) -> tuple[Batches, Iterator[Tensor]]:
        import torch

        from vqcodec.media.crops import Crops, SignalReader, find_files, split_files

        class SawToothCrops(Crops):
            def turn(self, crop: Any, random: Any) -> Any:
                return crop

            def to_batch(self, crops: list[Any]) -> Tensor:
                return torch.from_numpy(np.stack(crops)).movedim(-1, 1).contiguous()

        reader = SignalReader(_read, skipped)
        paths, _ = split_files(find_files(place, MEDIUM.suffixes, of="saw-teeth"), held_out=8)
        crops = SawToothCrops(paths, crop=recipe.crop, seed=seed, reader=reader)
        read = (reader.read(path) for path in paths)
        return crops, (
            torch.from_numpy(samples.T.copy()) for samples in read if samples is not None
        )

    def labelled(
        self, place: Path, labels: Path | None, extent: tuple[int, ...] | None, model: ModelConfig
    ) -> tuple[Tensor, Tensor | None]:
        """Refuse: there is no such data of saw-teeth yet."""
        raise InputError(f"{place}: a prior is learned from pictures alone, not from saw-teeth")

    def nudged(self, samples: Tensor, random: Generator) -> Tensor:
        """As they are: no prior is learned of saw-teeth yet."""
        return samples

    def distortion(self, recipe: Recipe) -> Distortion:
        return lambda decoded, original, error: error

    def preview(self, original: Tensor, decoded: Tensor) -> None:
        return None

    def read(self, data: bytes) -> SawTooth:
        return self.comparable(MEDIUM.read(data, Limits()))

    def comparable(self, signal: SawTooth) -> SawTooth:
        return SawTooth(signal.values, signal.offset)

    def exhibit(self, signal: SawTooth) -> str:
        return f"<samp>{' '.join(map(str, signal.values))}</samp>"

    def sheet(self, signals: Sequence[SawTooth]) -> SawTooth:
        return SawTooth(np.concatenate([signal.values for signal in signals]))

    def draw(self, panels: Sequence[tuple[str, SawTooth]]) -> bytes:
        from io import BytesIO

        from PIL import Image

        if len({len(tooth.values) for _, tooth in panels}) != 1:
            raise InputError("saw-teeth of different lengths, or none, cannot be drawn")
        rows = np.stack([(tooth.values - tooth.offset).astype(np.uint8) for _, tooth in panels])
        file = BytesIO()
        Image.fromarray(rows).save(file, "png")
        return file.getvalue()


WORKSHOP: Workshop = SawToothWorkshop()
