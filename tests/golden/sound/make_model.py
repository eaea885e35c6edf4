"""Made the tiny model of this folder, once; see ../README.md."""

import sys
from pathlib import Path

import torch
from tiny import tiny_config, write_tiny

HERE = Path(__file__).parent
RATE = 8000


def noise(seed: int, samples: int) -> torch.Tensor:
    """Two channels of noise that falls off with frequency and comes and goes."""
    white = torch.randn(2, samples + 7, generator=torch.Generator().manual_seed(seed))
    soft = torch.nn.functional.avg_pool1d(white, 8, 1)
    return 0.4 * soft * torch.linspace(0, 9, samples).sin() + 0.05 * white[:, 7:]


def main() -> None:
    """Make the model."""
    path = HERE / "tiny.safetensors"
    if path.exists():
        sys.exit("the model is there, and is never made again")
    config = tiny_config(
        medium="sound",
        channels=2,
        numbers={"rate": RATE},
        stride=(16,),
        latent_dim=8,
        width=8,
        stages=3,
        codebook_size=24,
        region=16,
    )
    sounds = [noise(seed, 6400) for seed in range(6)]
    write_tiny(path, config, torch.stack(sounds), sounds, name="tiny")


if __name__ == "__main__":
    main()
