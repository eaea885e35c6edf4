"""What a run leaves for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import torch

from vqcodec.errors import MissingDependencyError
from vqcodec.training.progress import Progress

__all__ = ["LogWriter"]

_PICTURES_EVERY = 1000


class LogWriter:
    """Writes scalars of every report, and pictures now and then, into a folder for TensorBoard.

    Raises:
        MissingDependencyError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                "training logs need TensorBoard: pip install 'vqcodec[train]'"
            ) from error
        self._writer = SummaryWriter(str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def write(self, progress: Progress) -> None:
        """Log one report."""
        scalars = {
            "loss": progress.loss,
            "psnr_db": progress.psnr,
            "bits_per_pixel": progress.bits_per_pixel,
            "restarts": progress.restarts,
        }
        for stage, (alive, perplexity) in enumerate(progress.usage):
            scalars[f"codes_alive/stage_{stage}"] = alive
            scalars[f"perplexity/stage_{stage}"] = perplexity
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, progress.steps)
        if progress.pictures is not None and progress.steps % _PICTURES_EVERY == 0:
            pixels, reconstruction = (pictures[:4].float() for pictures in progress.pictures)
            rows = torch.cat([pixels, reconstruction.clamp(0, 1)], 2)
            self._writer.add_images("original above reconstruction", rows, progress.steps)
