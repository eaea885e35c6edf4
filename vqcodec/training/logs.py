"""What a run leaves for TensorBoard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.errors import MissingDependencyError
from vqcodec.training.progress import Progress

__all__ = ["LogWriter", "Preview"]

_PREVIEW_EVERY = 1000

Preview = Callable[[Tensor, Tensor], NDArray[np.uint8] | None]


class LogWriter:
    """Writes scalars of every report, and a preview now and then, into a folder for TensorBoard.

    Args:
        folder: made if it is not there.
        preview: see `Workshop.preview`.

    Raises:
        MissingDependencyError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path, preview: Preview) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                "training logs need TensorBoard: pip install 'vqcodec[train]'"
            ) from error
        self._writer = SummaryWriter(str(folder))
        self._preview = preview

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
            "decibels": progress.decibels,
            "bits_per_sample": progress.bits_per_sample,
            "restarts": progress.restarts,
        }
        for stage, (alive, perplexity) in enumerate(progress.usage):
            scalars[f"codes_alive/stage_{stage}"] = alive
            scalars[f"perplexity/stage_{stage}"] = perplexity
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, progress.steps)
        if progress.batch is not None and progress.steps % _PREVIEW_EVERY == 0:
            shown = self._preview(*progress.batch)
            if shown is not None:
                title = "original above reconstruction"
                self._writer.add_image(title, shown, progress.steps, dataformats="HWC")
