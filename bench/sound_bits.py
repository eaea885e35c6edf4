"""What entropy coding saves of the codes of sounds, stage by stage, beside raw and static codes.

    python -m bench.sound_bits CLIPS [--models sound speech] [--qualities 50 90]
        [-o bench/results/sound/bits.json]

Files as the encoder writes them; every payload is decoded again and compared. `raw` is eight bits
of a code of 256, `static` the model's table of each stage, `mixing` what files have.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vqcodec
from vqcodec.evaluation import circumstances
from vqcodec.files import write_whole
from vqcodec.media.registry import read_any_stream
from vqcodec.model.catalog import locate_model
from vqcodec.model.file import read_model
from vqcodec.model.tensors import priors_from_tensors


def measure(model: str, paths: list[Path], quality: float) -> dict[str, Any]:
    """Bits over all clips of each stage: raw, and under each prior of a model."""
    codec = vqcodec.load(model, device="cpu")
    card, tensors = read_model(locate_model(model))
    priors = priors_from_tensors(card.config, tensors, card.path).values()
    quantizer = card.config.quantizer
    count = np.zeros(quantizer.stages)
    of = {prior.name: np.zeros(quantizer.stages) for prior in priors}
    for path in paths:
        _, stream = read_any_stream(codec.encode(path, quality=quality))
        codes = codec.decode_codes(stream)
        for region in card.config.regions(stream.header.extent):
            part = np.ascontiguousarray(codes[:, *region])
            count[: len(part)] += part[0].size
            for prior in priors:
                assert np.array_equal(prior.decode(prior.encode(part), part.shape), part)
                of[prior.name][: len(part)] += prior.stage_bits(part)
    raw = count * math.log2(quantizer.codebook_size)
    return {
        "model": card.label,
        "quality": quality,
        "clips": len(paths),
        "codes": count.tolist(),
        "bits": {"raw": raw.tolist(), **{name: bits.tolist() for name, bits in of.items()}},
        "saved": {name: 1 - bits.sum() / raw.sum() for name, bits in of.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=["sound", "speech"])
    parser.add_argument("--qualities", type=float, nargs="+", default=[25, 50, 90])
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/sound/bits.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for model in given.models:
        paths = sorted(given.folder.glob("speech-*" if model == "speech" else "*.flac"))
        for quality in given.qualities:
            rows.append(row := measure(model, paths, quality))
            bits = np.array(row["bits"]["mixing"]) / np.maximum(row["codes"], 1)
            print(row["model"], quality, row["saved"], "bits a code", bits.round(2), flush=True)
    result = {"circumstances": circumstances(("torch",)), "rows": rows}
    write_whole(given.output, (json.dumps(result, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
