"""Models of the product on arrays, for bench/array_learned.py: trained, written, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.array_alike import Scale, Values
from vqcodec.media.workshop import Recipe
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.model.file import read_model
from vqcodec.model.network import VQVAE
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.priors import MixingPrior
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.tokenizer import Tokenizer
from vqcodec.training.schedule import draw_rate
from vqcodec.transforms.config import ConvolutionalAnalysisConfig, ConvolutionalSynthesisConfig

COMPONENTS, STAGES, SIZE, MU = 64, 6, 256, 6.0
# Steps in which codebooks on components that stay learn, from so many positions each.
CODEBOOK_STEPS, ROWS = 300, 2048


def recipe(channels: int, side: int, width: int, depths: tuple[int, int], crop: int) -> Recipe:
    model = ModelConfig(
        medium=MediumConfig(kind="array", channels=channels),
        analysis=ConvolutionalAnalysisConfig(width=width, depth=depths[0]),
        synthesis=ConvolutionalSynthesisConfig(
            stride=(side, side), latent_dim=COMPONENTS, width=width, depth=depths[1]
        ),
        quantizer=QuantizerConfig(stages=STAGES, codebook_size=SIZE),
        region=(128, 128),
    )
    return Recipe(
        model=model, crop=(crop, crop), learning_rate=1e-3, warmup=50, mu=MU, truncated=0.6, beams=2
    )


def linear_model(signals: list[Tensor], side: int) -> VQVAE:
    """Principal components of blocks, with no network beside them, and codebooks that learned."""
    made = recipe(len(signals[0]), side, 1, (0, 0), side)
    model = VQVAE(made.model).requires_grad_(False)
    model.start(torch.stack(signals))
    for name, parameter in model.transform.named_parameters():
        if ".leave." in name:
            parameter.zero_()
    latents = [model.transform.analyse(signal[None])[0].flatten(1) for signal in signals]
    learn_codebooks(model, torch.cat(latents, 1), made)
    return model.eval()


def learn_codebooks(model: VQVAE, columns: Tensor, made: Recipe) -> None:
    """What training does to them, on latents (D, n) that do not move."""
    quantizer, random = model.quantizer.train(), torch.Generator().manual_seed(0)
    quantizer.start(columns[None, :, torch.randperm(columns.shape[1], generator=random)[:32768]])
    for step in range(CODEBOOK_STEPS):
        picks = torch.randint(columns.shape[1], (ROWS,), generator=random)
        late = step >= made.restart_until * CODEBOOK_STEPS
        if late:
            quantizer.settle()
        mu, stages = draw_rate(made, step)
        restart = not late and step % made.restart_every == 0
        quantizer(columns[None, :, picks], mu=mu, stages=stages, restart=restart, beams=made.beams)


class Vectors:
    """A model of the product: its search, and the shorter of what its priors write."""

    settings = (0, 3, *range(6, 101, 8))

    def __init__(self, path: Path, scale: Scale) -> None:
        card, tensors = read_model(path)
        self.tokenizer, self.scale = Tokenizer(card, tensors, device="cpu"), scale
        self.priors = priors_from_tensors(card.config, tensors, path)
        self.tables = path.stat().st_size

    def codes(self, samples: Tensor, quality: float) -> Values:
        latent = self.tokenizer.analyse(samples[None])[0]
        found: Values = self.tokenizer.search(latent).at_quality(quality).numpy()
        return found

    def code(self, values: Values, setting: Any, verify: bool) -> tuple[int, Values]:
        codes = self.codes(self.scale.samples(values), setting)
        payloads = {mode: prior.encode(codes) for mode, prior in self.priors.items()}
        if verify:
            for mode, data in payloads.items():
                assert np.array_equal(self.priors[mode].decode(data, codes.shape), codes)
        samples = self.tokenizer.reconstruct(torch.from_numpy(codes)[None], extent=values.shape[1:])
        return min(map(len, payloads.values())), self.scale.values(samples[0], values.dtype)

    def counting(self, signals: list[Tensor]) -> Vectors:
        """The same with a prior of counters alone, as numbers rounded one by one have it."""
        qualities = [100, *np.linspace(0, 85, len(signals) - 1)]
        grids = [self.codes(s, quality) for s, quality in zip(signals, qualities, strict=True)]
        self.priors = {2: MixingPrior.fit(grids, codebook_size=SIZE)}
        return self


class Grey(Scale):
    """One channel for models of three."""

    def __init__(self, scale: Scale) -> None:
        self.mean, self.span = scale.mean, scale.span

    def samples(self, values: Values) -> Tensor:
        return super().samples(values).repeat(3, 1, 1)

    def values(self, samples: Tensor, dtype: np.dtype[Any]) -> Values:
        return super().values(samples.mean(0, keepdim=True), dtype)
