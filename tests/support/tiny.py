"""The small model of the tests: a transform codec with a few channels, fitted in a second."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.model.network import VQVAE
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.training.export import export_model
from vqcodec.transforms.config import (
    ConvolutionalAnalysisConfig,
    ConvolutionalSynthesisConfig,
    StandardizedAnalysisConfig,
    StandardizedSynthesisConfig,
)

__all__ = ["start_model", "tiny_config", "write_tiny"]


def tiny_config(
    *,
    medium: str = "picture",
    standardized: bool = False,
    channels: int = 3,
    numbers: Mapping[str, int] | None = None,
    stride: tuple[int, ...] = (8, 8),
    latent_dim: int = 16,
    width: int = 12,
    depth: int = 1,
    stages: int = 5,
    codebook_size: int = 32,
    region: int = 128,
) -> ModelConfig:
    """A configuration small enough to be built and fitted in a second."""
    analysis, synthesis = (
        (StandardizedAnalysisConfig, StandardizedSynthesisConfig)
        if standardized
        else (ConvolutionalAnalysisConfig, ConvolutionalSynthesisConfig)
    )
    return ModelConfig(
        medium=MediumConfig(kind=medium, channels=channels, numbers=numbers or {}),
        analysis=analysis(width=width, depth=depth),
        synthesis=synthesis(stride=stride, latent_dim=latent_dim, width=width, depth=depth),
        quantizer=QuantizerConfig(stages=stages, codebook_size=codebook_size),
        region=(region,) * len(stride),
    )


def start_model(config: ModelConfig, samples: Tensor) -> VQVAE:
    """A model with its linear path and codebooks, and networks that have not learned yet.

    samples: float (B, C, *extent) in [0, 1], a whole number of strides.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = VQVAE(config)
        model.start(samples)
        with torch.no_grad():
            model.quantizer.start(model.transform.analyse(samples))
    return model.eval()


def write_tiny(
    path: Path,
    config: ModelConfig,
    samples: Tensor,
    signals: Sequence[Tensor],
    *,
    name: str,
    generation: int = 1,
) -> Path:
    """Write such a model with costs and priors fitted to signals, each float (C, *extent)."""
    model = start_model(config, samples)
    facts = {"note": "made by a test", "generation": generation}
    export_model(model, path, name=name, signals=signals, mu=1.0, metadata=facts)
    return path
