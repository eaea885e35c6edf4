"""The networks that bench/networks.py trains: the present one, and others of comparable cost."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from bench.network_transform import (
    BOTTLENECK,
    GATED,
    INVERTED,
    VariantAnalysisConfig,
    VariantSynthesisConfig,
)
from vqcodec.media.picture.recipes import RECIPES
from vqcodec.model.config import ModelConfig
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.transforms.config import ConvolutionalAnalysisConfig, ConvolutionalSynthesisConfig

__all__ = ["VARIANTS", "Variant", "other"]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A network, in words and in numbers.

    mean_of: the variant from whose run this one is, by the mean of its weights.
    """

    what: str
    model: ModelConfig
    mean_of: str | None = None


GRID: dict[str, Any] = {"stride": (8, 8), "latent_dim": 48}


def _present(*, width: int = 128, analysis: int = 4, synthesis: int = 9) -> ModelConfig:
    """The product's network, with a quarter of the recipe's codes: seconds are for networks."""
    return dataclasses.replace(
        RECIPES["photo-psnr"].model,
        analysis=ConvolutionalAnalysisConfig(width=width, depth=analysis),
        synthesis=ConvolutionalSynthesisConfig(**GRID, width=width, depth=synthesis),
        quantizer=QuantizerConfig(stages=12, codebook_size=256),
    )


def other(
    *, analysis: int = 4, synthesis: int = 9, windows: tuple[int, int] = (0, 0), **shape: Any
) -> ModelConfig:
    """A network of other blocks, of so many each way."""
    shape = {"width": 128, **shape}
    return dataclasses.replace(
        _present(),
        analysis=VariantAnalysisConfig(**shape, depth=analysis, windows=windows[0]),
        synthesis=VariantSynthesisConfig(**GRID, **shape, depth=synthesis, windows=windows[1]),
    )


VARIANTS = {
    "present": Variant(what="4 and 9 blocks of 128 channels", model=_present()),
    "averaged": Variant(
        what="the same run, mean of the weights from 70 % on", model=_present(), mean_of="present"
    ),
    "fine": Variant(what="2 blocks of 64 channels at stride 4 more, each way", model=other(fine=2)),
    "gated": Variant(what="gated units of 88 channels", model=other(block=GATED)),
    "inverted5": Variant(
        what="192 channels, depthwise 5 x 5, three times the channels between",
        model=other(block=INVERTED, width=192, side=5),
    ),
    "inverted7": Variant(
        what="the same, depthwise 7 x 7", model=other(block=INVERTED, width=192, side=7)
    ),
    "bottleneck": Variant(
        what="8 and 18 blocks of sides 1, 3, 1, 192 channels, half of them between",
        model=other(block=BOTTLENECK, width=192, analysis=8, synthesis=18),
    ),
    "wide": Variant(what="192 channels", model=_present(width=192)),
    "windows": Variant(
        what="1 and 2 blocks of attention in windows of 8 x 8 more", model=other(windows=(1, 2))
    ),
    "deep": Variant(what="8 blocks in the analysis", model=_present(analysis=8)),
}
