"""A model of videos, from a folder of videos and photographs: codebooks, then what coding knows."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vqcodec.device import find_device
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.video.colour import to_rgb
from vqcodec.media.video.files import open_video_file
from vqcodec.media.video.fitting import (
    Books,
    fit_books,
    ideal_corrections,
    learned_start,
    shares_of,
    true_corrections,
)
from vqcodec.media.video.group_encoder import Seen, see
from vqcodec.media.video.model import VideoModel
from vqcodec.media.video.moving import moving_clip
from vqcodec.media.video.pictures import Pictures
from vqcodec.media.video.suffixes import SUFFIXES
from vqcodec.model.catalog import locate_model
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.model.file import ModelCard, read_model, write_model
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.transforms.config import BorrowedAnalysisConfig, BorrowedSynthesisConfig
from vqcodec_kernels.entropy.changes import ChangeEncoder

__all__ = ["STAGES", "train_video"]

STAGES, CODES = 6, 256
# Groups of training: how many frames, and at most how large.
_LENGTH, _SIZE = 24, (128, 160)
_QUALITIES = (12.0, 30.0, 50.0, 70.0)
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")

Report = Callable[[str, float], object]
Group = tuple[list[Seen], tuple[int, int], float]


def train_video(
    folders: list[Path],
    output: Path,
    *,
    name: str = "video",
    pictures: str = "photo-psnr",
    minutes: float = 20.0,
    seed: int = 0,
    device: str = "auto",
    metadata: dict[str, Any] | None = None,
    report: Report = lambda what, share: None,
) -> ModelCard:
    """Fit codebooks of changes and the start of their coding; write the model file.

    Args:
        folders: of videos, and of photographs, over which cameras are moved.
        pictures: the model of pictures that key frames are coded with.
        minutes: about how long it may take.
        report: is told what is being done, and which share of it is.

    Raises:
        InputError: there is neither a video nor a photograph.
    """
    deadline = time.monotonic() + 60 * minutes
    card, tensors = read_model(locate_model(pictures))
    base = Pictures(card, tensors, find_device(device))
    sources = _Sources(folders, base, seed)
    books = _first_books(base, sources, deadline - 42 * minutes, report, seed)
    start = _empty_start()
    model = _model(card, base, books, start)
    rows = [
        true_corrections(model, *group)[0]
        for group in sources.groups(deadline - 22 * minutes, report, "coding")
    ]
    fitted = fit_books(torch.cat(rows), stages=STAGES, size=CODES, seed=seed, report=report)
    model = _model(card, base, Books(fitted.vectors, fitted.share), start)
    codes = [
        true_corrections(model, *group)[1]
        for group in sources.groups(deadline - 14 * minutes, report, "counting codes")
    ]
    books = Books(fitted.vectors, shares_of(torch.cat(codes), CODES))
    model = _model(card, base, books, start)
    start, _ = learned_start(model, sources.groups(deadline, report, "learning to code them"))
    facts = {"minutes": minutes, "seed": seed, "pictures": card.label, **(metadata or {})}
    return write_model(output, name, _config(card), _tensors(books, start), facts)


class _Sources:
    """Groups of frames, of videos and of moving photographs in turn, without end."""

    def __init__(self, folders: list[Path], pictures: Pictures, seed: int) -> None:
        files = sorted(path for folder in folders for path in folder.rglob("*"))
        self._videos = [path for path in files if path.suffix.lower() in SUFFIXES]
        self._photos = [path for path in files if path.suffix.lower() in _PICTURES]
        if not self._videos and not self._photos:
            raise InputError(f"no videos and no photographs in {', '.join(map(str, folders))}")
        self._pictures, self._rng = pictures, np.random.default_rng(seed)
        self._turn = 0

    def groups(self, until: float, report: Report, what: str) -> Iterator[Group]:
        """Groups until a time, three at least, each with a quality."""
        begin, done = time.monotonic(), 0
        while done < 3 or time.monotonic() < until:
            report(what, (time.monotonic() - begin) / max(until - begin, 1e-3))
            quality = float(self._rng.choice(_QUALITIES) + self._rng.uniform(-8, 8))
            frames = self._frames()
            if len(frames) > 1:
                seen = [see(self._pictures, frame, number) for number, frame in enumerate(frames)]
                yield seen, frames[0].shape[1:], quality
                done += 1

    def _frames(self) -> list[Any]:
        self._turn += 1
        if self._videos and (self._turn % 2 or not self._photos):
            return self._of_video(self._videos[int(self._rng.integers(len(self._videos)))])
        one, other = self._rng.integers(len(self._photos), size=2)
        with Image.open(self._photos[one]) as first, Image.open(self._photos[other]) as second:
            return moving_clip(first, second, size=_SIZE, frames=_LENGTH, rng=self._rng)

    def _window(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of a frame that are looked at."""
        starts = [
            8 * int(self._rng.integers(0, max(0, side - most) // 8 + 1))
            for side, most in zip((height, width), _SIZE, strict=True)
        ]
        return (
            slice(starts[0], min(height, starts[0] + _SIZE[0])),
            slice(starts[1], min(width, starts[1] + _SIZE[1])),
        )

    def _of_video(self, path: Path) -> list[Any]:
        """So many frames from somewhere in a video, or none where it ends before."""
        found: list[Any] = []
        skip = int(self._rng.integers(0, 3)) * _LENGTH
        try:
            video = open_video_file(str(path), keep_audio=False)
            window = self._window(video.height, video.width)
            for number, frame in enumerate(video):
                if number >= skip:
                    found.append(to_rgb(frame, video.facts)[:, *window])
                if len(found) == _LENGTH:
                    break
        except VqcodecError:
            self._videos.remove(path)
            if not self._videos and not self._photos:
                raise
        return found


def _first_books(
    base: Pictures, sources: _Sources, until: float, report: Report, seed: int
) -> Books:
    rows = [
        ideal_corrections(base, frames, size, quality)
        for frames, size, quality in sources.groups(until, report, "looking")
    ]
    return fit_books(torch.cat(rows), stages=STAGES, size=CODES, seed=seed, report=report)


def _model(card: ModelCard, base: Pictures, books: Books, start: dict[str, Any]) -> VideoModel:
    described = dataclasses.replace(card, name="video", config=_config(card))
    return VideoModel(described, _tensors(books, start), base)


def _tensors(books: Books, start: dict[str, Any]) -> dict[str, Any]:
    return {
        "codebooks": books.vectors.half().numpy(),
        "search.share": books.share.numpy(),
        **{f"prior.changes.{name}": table for name, table in start.items()},
    }


def _empty_start() -> dict[str, Any]:
    return dict(ChangeEncoder(1, 1, stages=STAGES, codebook_size=CODES).state())


def _config(card: ModelCard) -> ModelConfig:
    synthesis: Any = card.config.synthesis
    return ModelConfig(
        medium=MediumConfig(kind="video", channels=3),
        analysis=BorrowedAnalysisConfig(),
        synthesis=BorrowedSynthesisConfig(
            stride=synthesis.stride,
            latent_dim=synthesis.latent_dim,
            width=synthesis.width,
            depth=synthesis.depth,
            high=int(card.fingerprint[:8], 16),
            low=int(card.fingerprint[8:], 16),
        ),
        quantizer=QuantizerConfig(stages=STAGES, codebook_size=CODES),
        region=card.config.region,
    )
