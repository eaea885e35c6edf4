"""Trained the tiny model of this folder, once; see README.md."""

import sys
import tempfile
from pathlib import Path

import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from vqcodec import Codec
from vqcodec.media.picture.image import read_picture
from vqcodec.model.config import ModelConfig, QuantizerConfig, TransformConfig
from vqcodec.model.file import read_model, write_model
from vqcodec.model.tensors import prior_tensors
from vqcodec.priors import MixingPrior
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


def give_network(path: Path, pieces: list[Path]) -> None:
    """Fit the mixing prior anew, with its network, so that golden streams need all of it."""
    card, tensors = read_model(path)
    codec = Codec(card, tensors, device="cpu")
    maps = []
    for piece in pieces:
        pixels = torch.from_numpy(read_picture(piece).pixels).permute(2, 0, 1).float() / 255
        maps.append(codec.search(codec.analyse(pixels[None])[0]).at_quality(100.0).cpu().numpy())
    size = card.config.quantizer.codebook_size
    vectors = tensors["codebooks"].astype("float32")
    prior = MixingPrior.fit(maps, codebook_size=size, vectors=vectors, seed=1)
    tensors |= prior_tensors(prior)
    write_model(path, card.name, card.config, tensors, card.metadata)


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
        give_network(made, sorted(pieces.iterdir()))
        target.write_bytes(made.read_bytes())


if __name__ == "__main__":
    main()
