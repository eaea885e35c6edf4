"""Trained the tiny model of this folder, once; see ../README.md."""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

from vqcodec.media.picture.recipes import RECIPES
from vqcodec.media.workshop import Recipe
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.training import train
from vqcodec.transforms.config import ConvolutionalAnalysisConfig, ConvolutionalSynthesisConfig

HERE = Path(__file__).parent
SIDE = 160

# A codebook size that is no power of two leaves room for codes that do not exist.
TINY = Recipe(
    model=ModelConfig(
        medium=MediumConfig(kind="picture", channels=3),
        analysis=ConvolutionalAnalysisConfig(width=8, depth=1),
        synthesis=ConvolutionalSynthesisConfig(stride=(8, 8), latent_dim=12, width=8, depth=1),
        quantizer=QuantizerConfig(stages=2, codebook_size=100),
        region=(128, 128),
    ),
    crop=(96, 96),
)


def main() -> None:
    """Cut two photographs into pieces and train on them for 1500 steps."""
    target = HERE / "tiny.safetensors"
    if target.exists():
        sys.exit("the golden model is there, and is never made again")
    RECIPES["tiny"] = TINY
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pieces = folder / "pieces"
        pieces.mkdir()
        for index, picture in enumerate(load_sample_images().images):
            for top in range(0, picture.shape[0] - SIDE + 1, SIDE // 2):
                for left in range(0, picture.shape[1] - SIDE + 1, SIDE // 2):
                    piece = picture[top : top + SIDE, left : left + SIDE]
                    Image.fromarray(piece).save(pieces / f"{index}-{top:03}-{left:03}.png")
        made = folder / "tiny.safetensors"
        train(pieces, made, steps=1500, device="cpu", recipe="tiny", seed=1)
        target.write_bytes(made.read_bytes())


if __name__ == "__main__":
    main()
