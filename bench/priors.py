"""Bits per index of every prior on a folder of code maps, with seconds and bytes of tables.

The folder holds train/*.npy and kodak/*.npy, each int64 (S, H, W), and codebooks.npy (S, K, D):
priors are fitted on the first, and measured on the second. Microseconds are of processor time for
one index, on one thread.

    python bench/priors.py --codes DIR [--stages N] [--samples N] [--json FILE]
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from vqcodec.priors import MixingPrior, Prior, RawPrior, StaticPrior

CodeArray = NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--stages", type=int, default=None)
    parser.add_argument("--samples", type=int, default=1_500_000)
    parser.add_argument("--measure", default="kodak", help="the folder of maps to measure on")
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    vectors = np.load(arguments.codes / "codebooks.npy")[: arguments.stages]
    train = read_maps(arguments.codes / "train", arguments.stages)
    measured = read_maps(arguments.codes / arguments.measure, arguments.stages)
    rows = [zstd_row(measured)]
    for name, fit in fits(train, vectors, arguments.samples).items():
        start = time.process_time()
        prior = fit()
        rows.append(measure(name, prior, measured, time.process_time() - start))
        print(f"{name}: {rows[-1]['bits']:.3f} bits per index", flush=True)
    print_table(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def fits(
    train: Sequence[CodeArray], vectors: NDArray[np.floating], samples: int
) -> dict[str, Callable[[], Prior]]:
    stages, size = vectors.shape[:2]
    return {
        "raw": lambda: RawPrior.fit(train, codebook_size=size),
        "static": lambda: StaticPrior.fit(train, codebook_size=size),
        "mixing, from nothing": lambda: MixingPrior.untrained(size, stages),
        "mixing, no network": lambda: MixingPrior.fit(train, codebook_size=size),
        "mixing": lambda: MixingPrior.fit(
            train, codebook_size=size, vectors=vectors, samples=samples
        ),
    }


def read_maps(folder: Path, stages: int | None) -> list[CodeArray]:
    maps = [np.load(path, allow_pickle=False)[:stages] for path in sorted(folder.glob("*.npy"))]
    if not maps:
        raise SystemExit(f"no *.npy in {folder}")
    return maps


def measure(name: str, prior: Prior, maps: Sequence[CodeArray], fit: float) -> dict[str, Any]:
    encode, decode, total = [], [], 0
    for codes in maps:
        start = time.process_time()
        payload = prior.encode(codes)
        encode.append((time.process_time() - start) / codes.size)
        start = time.process_time()
        again = prior.decode(payload, codes.shape)
        decode.append((time.process_time() - start) / codes.size)
        if not np.array_equal(again, codes):
            raise SystemExit(f"{name}: decoding gave other codes")
        total += len(payload)
    stage_bits = np.sum([prior.stage_bits(codes) for codes in maps], axis=0)
    return {
        "prior": name,
        "bits": 8 * total / sum(codes.size for codes in maps),
        "stages": (stage_bits / sum(codes[0].size for codes in maps)).tolist(),
        "encode_us": 1e6 * float(np.median(encode)),
        "decode_us": 1e6 * float(np.median(decode)),
        "fit_s": fit,
        "table_bytes": sum(tensor.nbytes for tensor in prior.tensors().values()),
    }


def zstd_row(maps: Sequence[CodeArray]) -> dict[str, Any]:
    coder = zstandard.ZstdCompressor(level=19)
    kind = np.uint8 if max(int(codes.max()) for codes in maps) < 256 else np.uint16
    sizes = [[len(coder.compress(stage.astype(kind).tobytes())) for stage in c] for c in maps]
    bits = 8 * np.sum(sizes, axis=0) / sum(codes[0].size for codes in maps)
    return {"prior": "zstd -19", "bits": float(bits.mean()), "stages": bits.tolist()}


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    stages = len(rows[0]["stages"])
    print("| prior | all | " + " | ".join(str(s + 1) for s in range(stages)), end=" | ")
    print("encode us | decode us | fit s | table bytes |")
    print("|---" * (stages + 6) + "|")
    for row in rows:
        cells = [row["prior"], f"{row['bits']:.3f}", *(f"{bits:.2f}" for bits in row["stages"])]
        for key, form in (("encode_us", ".2f"), ("decode_us", ".2f"), ("fit_s", ".0f")):
            cells.append(format(row[key], form) if key in row else "-")
        print(f"| {' | '.join(cells)} | {row.get('table_bytes', '-')} |")


if __name__ == "__main__":
    main()
