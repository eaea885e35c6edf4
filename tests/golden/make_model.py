"""Trained the tiny model of this folder, once; see README.md."""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

from vqcodec.config import ModelConfig, QuantizerConfig, TransformConfig
from vqcodec.training import train
from vqcodec.training.recipes import RECIPES, Recipe

HERE = Path(__file__).parent
SIDE = 160

# A codebook size that is no power of two leaves room for codes that do not exist.
TINY = Recipe(
    model=ModelConfig(
        transform=TransformConfig(
            latent_dim=12,
            analysis_width=8,
            synthesis_width=8,
            analysis_depth=1,
            synthesis_depth=1,
        ),
        quantizer=QuantizerConfig(stages=2, codebook_size=100),
    ),
    side=96,
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
        train(pieces, folder / "tiny.safetensors", steps=1500, device="cpu", recipe="tiny", seed=1)
        target.write_bytes((folder / "tiny.safetensors").read_bytes())


if __name__ == "__main__":
    main()
