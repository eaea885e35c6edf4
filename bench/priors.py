"""The prior contest: bytes of the codes of a model under every prior, with seconds and table sizes.

Priors are fitted on codes of photographs at all rates and measured on the codes of others at a few
qualities. Every payload is decoded again and compared.

    python bench/priors.py MODEL TRAIN MEASURE [--qualities 20,50,100] [--pictures N] [-o FILE]

MODEL: a name or a file of weights; TRAIN and MEASURE: folders of pictures.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zstandard
from numpy.typing import NDArray

from vqcodec.codec import Codec, load
from vqcodec.evaluation import circumstances
from vqcodec.media.crops import split_files
from vqcodec.media.picture.crops import find_pictures, read_rgb
from vqcodec.model.file import read_model
from vqcodec.priors import MixingPrior, Prior, StaticPrior
from vqcodec_kernels.entropy.start import MAX_ACTIVATION

CodeArray = NDArray[np.int64]


@dataclass
class Row:
    """One prior: bits per index of every stage at every quality; times and sizes where it has them.

    decode_ms: median over the pictures of processor time, at the highest quality.
    """

    prior: str
    stages: list[list[float]] = field(default_factory=list)
    decode_ms: float | None = None
    table_bytes: int | None = None


def codes_of(codec: Codec, paths: Sequence[Path], qualities: Sequence[float]) -> list[CodeArray]:
    """The codes that the encoder writes for a picture, one quality for each."""
    found = []
    for path, quality in zip(paths, qualities, strict=True):
        pixels = torch.from_numpy(read_rgb(path)).permute(2, 0, 1).float() / 255
        search = codec.search(codec.analyse(pixels[None])[0])
        found.append(search.at_quality(quality).numpy().astype(np.int64))
    return found


def by_payload(name: str, grids: Sequence[CodeArray], prior: Prior) -> tuple[list[float], float]:
    """Bits per index of every stage, and the median milliseconds to decode a grid."""
    seconds = []
    for codes in grids:
        payload = prior.encode(codes)
        start = time.process_time()
        again = prior.decode(payload, codes.shape)
        seconds.append(time.process_time() - start)
        if not np.array_equal(again, codes):
            raise SystemExit(f"{name}: decoding gave other codes")
    bits = np.sum([prior.stage_bits(codes) for codes in grids], axis=0)
    return _per_index(bits, grids), 1000 * float(np.median(seconds))


def by_network(grids: Sequence[CodeArray], prior: MixingPrior) -> list[float]:
    """Bits per index of every stage if the integer network alone said the probabilities."""
    tables = {name: tensor.astype(np.float64) for name, tensor in prior.tensors().items()}
    total = np.zeros(len(grids[0]))
    for codes in grids:
        height, width = codes.shape[1:]
        places = np.zeros((height + 2, width + 2, tables["embeddings"].shape[2]))
        for stage, chosen in enumerate(codes):
            after = places.copy()
            after[1:-1, 1:-1] += tables["embeddings"][stage][chosen]
            x = _around(places, after, chosen.shape)
            logs = _logs(tables, x, stage, len(codes))
            total[stage] -= np.take_along_axis(logs, chosen[..., None], -1).sum() / np.log(2)
            places = after
    return _per_index(total, grids)


FloatArray = NDArray[np.float64]


def _around(before: FloatArray, after: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """What a network sees of each position (H, W), given the places before and after a stage."""
    height, width = shape
    inputs = [
        (after if number < 4 else before)[dy : dy + height, dx : dx + width]
        for number, (dy, dx) in enumerate((dy, dx) for dy in range(3) for dx in range(3))
    ]
    return np.clip(np.concatenate(inputs, -1), -MAX_ACTIVATION, MAX_ACTIVATION)


def _layer(
    tables: dict[str, FloatArray], name: str, x: FloatArray, stage: int, biases: FloatArray
) -> FloatArray:
    sums: FloatArray = x @ tables[f"{name}_weights"][stage].T + biases
    return sums


def _activate(sums: FloatArray, shift: float) -> FloatArray:
    units: FloatArray = np.clip(np.floor(sums / 2.0**shift), 0, MAX_ACTIVATION)
    return units


def _log_softmax(logits: FloatArray) -> FloatArray:
    logits = logits - logits.max(-1, keepdims=True)
    whole: FloatArray = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return whole


def _logs(tables: dict[str, FloatArray], x: FloatArray, stage: int, stages: int) -> FloatArray:
    """Logarithms of the probabilities of all codes, (H, W, K). A logit of 2^8 is one nat."""
    one, two, three = tables["shifts"][stage]
    sums = _layer(tables, "first", x, stage, tables["first_biases"][stage, stages - 1])
    sums = _layer(tables, "second", _activate(sums, one), stage, tables["second_biases"][stage])
    outputs = _layer(tables, "output", _activate(sums, two), stage, tables["output_biases"][stage])
    logits = outputs / 2.0**three / 256
    other = -np.logaddexp(0, -logits[..., :1])
    zero = -np.logaddexp(0, logits[..., :1])
    return np.concatenate([zero, other + _log_softmax(logits[..., 1:])], axis=-1)


def by_zstd(grids: Sequence[CodeArray]) -> list[float]:
    """Bits per index of every stage, each compressed by itself as bytes."""
    coder = zstandard.ZstdCompressor(level=19)
    kind = np.uint8 if max(int(codes.max()) for codes in grids) < 256 else np.uint16
    sizes = [[len(coder.compress(stage.astype(kind).tobytes())) for stage in c] for c in grids]
    return _per_index(8.0 * np.sum(sizes, axis=0), grids)


def _per_index(bits: NDArray[np.float64], grids: Sequence[CodeArray]) -> list[float]:
    positions = sum(codes[0].size for codes in grids)
    return [float(stage) / positions for stage in bits]


def contest(
    codec: Codec,
    vectors: NDArray[np.floating],
    train: Callable[[Sequence[float]], list[CodeArray]],
    measured: Sequence[Sequence[CodeArray]],
    *,
    count: int,
    qualities: Sequence[float],
    samples: int,
) -> list[Row]:
    """Fit and measure every prior. train: codes of training pictures at so many qualities."""
    quantizer = codec.card.config.quantizer
    size, stages = quantizer.codebook_size, quantizer.stages
    spread = np.linspace(0, 100, count)[::-1]
    every = train([float(q) for q in np.random.default_rng(0).permutation(spread)])
    trained = MixingPrior.fit(every, codebook_size=size, vectors=vectors, samples=samples)
    priors: dict[str, Prior] = {
        "static tables": StaticPrior.fit(every, codebook_size=size),
        "mixing, from nothing": MixingPrior.untrained(size, stages),
        "mixing, no network": MixingPrior.fit(every, codebook_size=size),
        "mixing": trained,
    }
    own = Row("static tables of the quality")
    for quality, grids in zip(qualities, measured, strict=True):
        alone = StaticPrior.fit(train([quality] * count), codebook_size=size)
        own.stages.append(by_payload(own.prior, grids, alone)[0])
    rows = [
        Row("zstd -19", [by_zstd(grids) for grids in measured]),
        own,
        Row("network alone (computed)", [by_network(grids, trained) for grids in measured]),
    ]
    for name, prior in priors.items():
        found = [by_payload(name, grids, prior) for grids in measured]
        nbytes = sum(tensor.nbytes for tensor in prior.tensors().values())
        rows.append(Row(name, [stages for stages, _ in found], found[-1][1], nbytes))
    return rows


def as_tables(rows: Sequence[Row], qualities: Sequence[float]) -> str:
    """Markdown: bits per position at each quality, and per index of each stage at the last."""
    base = next(row for row in rows if row.prior == "static tables of the quality")
    whole = [sum(stages) for stages in base.stages]
    lines = ["| prior | " + " | ".join(f"quality {q:g}" for q in qualities)]
    lines[0] += " | decode ms | bytes of tables |"
    lines.append("|---" * (len(qualities) + 3) + "|")
    for row in rows:
        sums = [sum(stages) for stages in row.stages]
        cells = [f"{s:.2f} ({100 * (s / w - 1):+.1f} %)" for s, w in zip(sums, whole, strict=True)]
        cells.append("-" if row.decode_ms is None else f"{row.decode_ms:.0f}")
        cells.append("-" if row.table_bytes is None else f"{row.table_bytes}")
        lines.append(f"| {row.prior} | {' | '.join(cells)} |")
    stages = range(1, 1 + len(base.stages[-1]))
    lines += ["", f"| prior, quality {qualities[-1]:g} | " + " | ".join(map(str, stages)) + " |"]
    lines.append("|---" * (len(stages) + 1) + "|")
    for row in rows:
        lines.append(f"| {row.prior} | " + " | ".join(f"{b:.2f}" for b in row.stages[-1]) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the contest and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("train", type=Path)
    parser.add_argument("measure", type=Path)
    parser.add_argument("--qualities", default="20,50,100")
    parser.add_argument("--pictures", type=int, default=96, help="how many to fit on")
    parser.add_argument("--samples", type=int, default=1_500_000, help="for the network")
    parser.add_argument("-o", "--output", type=Path, default=None)
    arguments = parser.parse_args()
    qualities = [float(quality) for quality in arguments.qualities.split(",")]
    codec = load(arguments.model, device="cpu")
    _, tensors = read_model(codec.card.path)
    paths, _ = split_files(find_pictures(arguments.train), held_out=32)
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, arguments.pictures).astype(int)]
    measured = find_pictures(arguments.measure)
    rows = contest(
        codec,
        tensors["codebooks"].astype(np.float32),
        lambda wanted: codes_of(codec, chosen, wanted),
        [codes_of(codec, measured, [quality] * len(measured)) for quality in qualities],
        count=len(chosen),
        qualities=qualities,
        samples=arguments.samples,
    )
    print(as_tables(rows, qualities))
    if arguments.output:
        facts: dict[str, Any] = {"where": circumstances(), "model": codec.card.label}
        facts |= {"qualities": qualities, "rows": [vars(row) for row in rows]}
        arguments.output.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
