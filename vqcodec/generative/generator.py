"""A learned prior with its file: draws the codes of signals of a model, of a class if asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.errors import BadModelError, InputError
from vqcodec.generative.config import (
    GeneratorConfig,
    RecurrentConfig,
    TransformerConfig,
    read_generator_config,
)
from vqcodec.generative.network import CodeNetwork
from vqcodec.generative.recurrent import CodeRecurrence
from vqcodec.generative.transformer import CodeTransformer
from vqcodec.model.companion import (
    CompanionCard,
    locate_companion,
    read_companion,
    write_companion,
)
from vqcodec.model.file import ModelCard
from vqcodec.parts import as_text

__all__ = ["GENERATOR", "Generator", "from_row", "new_network", "to_row", "write_generator"]

GENERATOR = "generator"
_BATCH = 64


def to_row(codes: Tensor) -> Tensor:
    """Codes (B, S, *positions) in a row (B, T): position by position, at each stage by stage."""
    return codes.flatten(2).transpose(1, 2).flatten(1)


def from_row(row: Tensor, config: GeneratorConfig) -> Tensor:
    """Codes (B, S, *positions) of rows (B, T)."""
    codes = row.reshape(len(row), -1, config.stages).transpose(1, 2)
    return codes.reshape(len(row), config.stages, *config.positions)


def new_network(config: GeneratorConfig, *, dropout: float = 0.0) -> CodeNetwork:
    """An untrained network of a configuration."""
    numbers: dict[str, Any] = {
        "stages": config.stages,
        "codebook_size": config.codebook_size,
        "length": config.length,
        "classes": config.classes,
        "channels": config.channels,
        "depth": config.depth,
        "dropout": dropout,
    }
    if isinstance(config, TransformerConfig):
        return CodeTransformer(**numbers, heads=config.heads)
    assert isinstance(config, RecurrentConfig), config
    return CodeRecurrence(**numbers)


def write_generator(
    path: Path,
    card: ModelCard,
    config: GeneratorConfig,
    network: CodeNetwork,
    metadata: Mapping[str, Any],
) -> CompanionCard:
    """Write a trained network in half precision. Raises InputError for a bad name."""
    state = network.state_dict()
    return write_companion(
        path,
        GENERATOR,
        model=card.fingerprint,
        config=as_text(config.as_dict()),
        tensors={name: np.asarray(tensor.half().cpu()) for name, tensor in state.items()},
        metadata=metadata,
    )


class Generator:
    """A learned prior of a model, ready to draw.

    Unlike the priors that code files it computes in floats: a seed gives the same codes on one
    machine, and nearly always on another.

    name_or_path: of its file. card: of the model.

    Raises:
        UnknownModelError, BadModelError: no such file; damaged, or of another model.
    """

    def __init__(self, name_or_path: str | Path, card: ModelCard) -> None:
        path = locate_companion(name_or_path, GENERATOR, card)
        self.card, tensors = read_companion(path, GENERATOR, card)
        try:
            self.config = read_generator_config(self.card.config)
            self._network = _network_of(self.config, tensors)
            quantizer = card.config.quantizer
            wanted = (quantizer.codebook_size, card.config.positions(self.config.extent))
            found = (self.config.codebook_size, self.config.positions)
            if wanted != found or self.config.stages > quantizer.stages:
                raise BadModelError(f"is for codes and positions {found}, the model has {wanted}")
        except (BadModelError, InputError) as error:
            raise BadModelError(f"{path}: {error}") from error

    def draw(
        self,
        count: int,
        *,
        seeds: Iterator[int],
        label: int | None = None,
        temperature: float = 1.0,
        top_p: float = 1.0,
    ) -> Iterator[NDArray[np.int64]]:
        """Draw codes, int64 (S, *positions), of so many signals.

        Args:
            seeds: one for each.
            label: the class that all are to be of; None for any.
            temperature: above 0; below 1 likely codes become more so.
            top_p: draw of the likeliest codes that have this share together, in (0, 1].

        Raises:
            InputError: no such class, or a number out of range.
        """
        start = self._start(label)
        if not (0 < temperature < math.inf and 0 < top_p <= 1):
            raise InputError(
                f"temperature must be above 0 and top_p in (0, 1], got {temperature}, {top_p}"
            )
        return self._drawn(count, seeds, start, temperature, top_p)

    def bits(self, codes: NDArray[np.int64], label: int | None = None) -> NDArray[np.float32]:
        """The information in each code of signals, in bits: what it would take to tell it.

        Args:
            codes: int64 (N, S, *positions), of the stages that it draws.
            label: the class that all are of; None for any.

        Returns:
            float32 (N, S, *positions).

        Raises:
            InputError: no such class, codes of another shape, or such as the model has not.
        """
        start, shape = self._start(label), (self.config.stages, *self.config.positions)
        if codes.dtype != np.int64 or codes.shape[1:] != shape:
            raise InputError(f"codes must be int64 (N, *{shape}), got {codes.dtype} {codes.shape}")
        if codes.size and not 0 <= codes.min() <= codes.max() < self.config.codebook_size:
            raise InputError(
                f"codes must be 0 to {self.config.codebook_size - 1}, got {codes.min()} to "
                f"{codes.max()}"
            )
        row = to_row(torch.from_numpy(codes))
        with torch.no_grad():
            bits = self._network.bits(row, torch.full((len(row),), start))
        return from_row(bits, self.config).numpy()

    def _start(self, label: int | None) -> int:
        if label is not None and not 0 <= label < self.config.classes:
            raise InputError(f"there are {self.config.classes} classes, from 0, got {label}")
        return 0 if label is None else 1 + label

    def _drawn(
        self, count: int, seeds: Iterator[int], start: int, temperature: float, top_p: float
    ) -> Iterator[NDArray[np.int64]]:
        for first in range(0, count, _BATCH):
            size = min(_BATCH, count - first)
            randoms = [np.random.default_rng(next(seeds)) for _ in range(size)]
            chance = np.stack([random.random(self.config.length) for random in randoms])
            row = self._network.draw(
                torch.from_numpy(chance).float(),
                torch.full((size,), start),
                temperature=temperature,
                top_p=top_p,
            )
            yield from from_row(row, self.config).numpy()


def _network_of(config: GeneratorConfig, tensors: Mapping[str, NDArray[Any]]) -> CodeNetwork:
    with torch.device("meta"):
        network = new_network(config)
    state = network.state_dict()
    for name in sorted(state.keys() | tensors.keys()):
        if name not in tensors or name not in state:
            raise BadModelError(f"{'lacks' if name not in tensors else 'has a strange'} {name}")
        if tensors[name].shape != tuple(state[name].shape):
            raise BadModelError(
                f"{name} is {tensors[name].shape}, must be {tuple(state[name].shape)}"
            )
    found = {name: torch.from_numpy(t.astype(np.float32)) for name, t in tensors.items()}
    network.load_state_dict(found, assign=True)
    network.requires_grad_(False)
    return network.eval()
