"""Made the tiny model of this folder, once; see ../README.md."""

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tiny import tiny_config, write_tiny

HERE = Path(__file__).parent


def weather(seed: int, rows: int, columns: int) -> NDArray[np.float32]:
    """Two channels, kelvin and metres a second, of smooth noise."""
    white = torch.randn(2, rows + 6, columns + 6, generator=torch.Generator().manual_seed(seed))
    soft = torch.nn.functional.avg_pool2d(white, 7, 1) * 7
    units = torch.tensor([[285.0, 6.0], [-2.0, 3.5]])
    made = soft * units[:, 1, None, None] + units[:, 0, None, None]
    found: NDArray[np.float32] = made.numpy()
    return found


def main() -> None:
    """Make the model."""
    path = HERE / "tiny.safetensors"
    if path.exists():
        sys.exit("the model is there, and is never made again")
    config = tiny_config(
        medium="field",
        standardized=True,
        channels=2,
        latent_dim=8,
        width=8,
        stages=2,
        codebook_size=24,
        region=4,
    )
    fields = [torch.from_numpy(weather(seed, 96, 96)) for seed in range(6)]
    write_tiny(path, config, torch.stack(fields), fields, name="tiny")


if __name__ == "__main__":
    main()
