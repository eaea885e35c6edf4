"""Signals of a medium to codes: a tokenizer that knows what its model is for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.grid import whole
from vqcodec.media.registry import find_medium, signal_of
from vqcodec.model.file import ModelCard, Tensors
from vqcodec.tokenizer import Tokenizer

__all__ = ["SignalTokenizer"]


class SignalTokenizer(Tokenizer):
    """A tokenizer whose `quantize` takes signals, too, and refuses samples out of their range.

    Attributes:
        medium: what the model is for; see `vqcodec.media.base.Medium`.
    """

    def __init__(
        self, card: ModelCard, tensors: Tensors, *, device: str | torch.device = "auto"
    ) -> None:
        # First: what a medium says of a model that is used in another way is of more help.
        medium = find_medium(card.config.medium.kind)
        medium.check_model(card.config)
        super().__init__(card, tensors, device=device)
        self.medium = medium
        self._span = self.medium.span

    def quantize(self, samples: Any) -> Tensor:
        """Turn signals into codes of all stages, by plain nearest-code search.

        Args:
            samples: a tensor, float (B, C, *extent), as `analyse` takes them: every tensor is one.
                Or a signal, as `encode` takes it: a file, an array, (samples, rate), a signal of
                the medium. It is brought to the channels and the rate of the model, so that its
                positions are those of its stream. Or a list of signals that are then of one extent.

        Returns:
            int64 (B, S, *positions), on the model's device; of one signal B is 1.

        Raises:
            InputError: as `Tokenizer.quantize`, and as `encode` for a signal; no signals, or of
                several extents.
            LimitError: a file holds a signal that is too large.

        >>> import numpy as np, vqcodec
        >>> codec = vqcodec.load("photo", device="cpu")
        >>> codec.quantize(np.zeros((48, 64, 3), np.uint8)).shape
        torch.Size([1, 12, 6, 8])
        """
        if not isinstance(samples, Tensor):
            signals = samples if isinstance(samples, list) else [samples]
            samples = torch.stack(self._samples_of(signals))
        return super().quantize(samples)

    def _samples_of(self, signals: list[Any]) -> list[Tensor]:
        """What the model takes of each signal, float32 (C, *extent), all of one extent."""
        config, found = self.card.config, list[Tensor]()
        if not signals:
            raise InputError("there are no signals to quantize: []")
        for thing in signals:
            signal = self.medium.prepare(signal_of(self.medium, thing), config)
            samples = self.medium.to_samples(signal, config.medium, whole(signal.extent))
            found.append(torch.from_numpy(samples))
            if samples.shape[1:] != found[0].shape[1:]:
                raise InputError(
                    f"signals of a batch are of one extent, got {tuple(found[0].shape[1:])} and "
                    f"{samples.shape[1:]}"
                )
        return found
