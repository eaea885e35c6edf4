"""What `speech` gains where a bit costs more at loud positions than at soft ones.

    python -m bench.sound_masking SOUNDS [--masking 0 0.5 0.75 1]
        [-o bench/results/sound/masking.json]

The same model with other searches, see `price_weights`; measured on the sounds that training holds
out of a folder, as long as they last two seconds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from bench.sound_ablations import conclude, measure
from vqcodec.model.catalog import locate_model
from vqcodec.model.file import read_model, write_model

RESULTS = Path("bench/results/sound/masking.json")


def searched(masking: float, folder: Path) -> Path:
    """A copy of `speech` that is searched so."""
    card, tensors = read_model(locate_model("speech"))
    path = folder / f"masking-{masking:g}.safetensors"
    search = {"search.masking": np.array(masking, np.float32)}
    write_model(path, path.stem, card.config, {**tensors, **search}, card.metadata)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--masking", nargs="+", type=float, default=(0.0, 0.5, 0.75, 1.0))
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        rows = {
            f"{masking:g}": measure(given.folder, searched(masking, Path(work)))
            for masking in given.masking
        }
    conclude(rows, given.output)


if __name__ == "__main__":
    main()
