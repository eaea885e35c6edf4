"""The networks that bench/networks.py trains."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from vqcodec.media.picture.recipes import RECIPES
from vqcodec.model.config import ModelConfig
from vqcodec.quantizers.config import QuantizerConfig

# A quarter of the recipe's codes: the networks get the seconds, not the search.
PRESENT = dataclasses.replace(
    RECIPES["photo-psnr"].model, quantizer=QuantizerConfig(stages=12, codebook_size=256)
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A network, in words and in numbers.

    mean_of: the variant from whose run this one is, by the mean of its weights.
    """

    what: str
    model: ModelConfig
    mean_of: str | None = None


VARIANTS = {
    "present": Variant(what="as the recipe has it", model=PRESENT),
    "averaged": Variant(
        what="the same run, mean of the weights from 70 % on", model=PRESENT, mean_of="present"
    ),
}
