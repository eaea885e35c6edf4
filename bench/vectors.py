"""Vectors in a few bytes each: recall, error and seconds beside quantizers of faiss.

    python -m bench.vectors EMBEDDINGS.npy QUERIES.npy    everything, on one core; an hour or less
    python -m bench.vectors --report-only                 the tables from the JSON that is there

EMBEDDINGS: float32 (N, D), QUERIES: float32 (Q, D), held apart; bench/vector_embeddings.py makes
both. Two comparisons at equal real bytes: of codes alone, as when one codebook serves many files,
and of all bytes of one file of these N vectors, codebook and all. Everyone is asked for the ten
nearest by inner product, L2 and cosine, and the best recall counts. Needs
bench/requirements-vectors.txt. Writes bench/results/vectors.json and the tables in
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.vector_report import write_report
from vqcodec import vectors
from vqcodec.evaluation import circumstances
from vqcodec.media.vector.codebook import pack_codebook

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "bench" / "results" / "vectors.json"
SIZES = (16, 32)
METRICS = ("l2", "inner_product", "cosine")
K = 10
# Queries that are timed.
SEARCHED = 100

Rows = NDArray[np.float32]
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Data:
    """learned: how many rows, the first, codebooks are learned from. truth: of `truth_of`."""

    rows: Rows
    queries: Rows
    truth: NDArray[np.int64]
    learned: int


def truth_of(rows: Rows, queries: Rows) -> NDArray[np.int64]:
    """The ten nearest by exact inner products, (Q, 10)."""
    near = queries @ rows.T
    return np.argsort(-near, axis=1, kind="stable")[:, :K]


def recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """How many of the ten nearest are among ten that were found, in the mean."""
    return float(np.mean([len(set(a) & set(b)) / K for a, b in zip(found, truth, strict=True)]))


def timed(job: Callable[[], Any]) -> tuple[Any, float]:
    """What a job gives, and the processor's seconds of it, which other work disturbs less."""
    started = time.process_time()
    return job(), time.process_time() - started


def nearest(back: Rows, queries: Rows, metric: str) -> NDArray[np.int64]:
    """The ten nearest among decoded vectors, exactly: what a search by tables finds."""
    if metric == "cosine":
        back = back / np.maximum(np.linalg.norm(back, axis=1, keepdims=True), 1e-20)
    scores = queries @ back.T
    if metric == "l2":
        scores -= np.square(back).sum(axis=1) / 2
    return np.argpartition(-scores, K, axis=1)[:, :K]


def faiss_rows(
    name: str, setting: str, data: Data, beams: Sequence[int] = (0,), most: float = math.inf
) -> Iterator[Row]:
    """Train an index of faiss once, fill it with each number of beams, and search it.

    Recall is that of what its codes decode to. most: bytes, of which a larger one is left out.
    """
    import faiss

    faiss.omp_set_num_threads(1)
    rows, queries = data.rows, data.queries
    index: Any = faiss.index_factory(rows.shape[1], setting)
    _, training = timed(lambda: index.train(rows[: data.learned]))
    for wide in beams:
        if wide:
            index.rq.max_beam_size = wide
        index.reset()
        _, adding = timed(lambda: index.add(rows))
        size = len(faiss.serialize_index(index))
        if size > most:
            continue
        _, searching = timed(lambda: index.search(queries[:SEARCHED], K))
        back = index.reconstruct_n(0, len(rows))
        yield {
            "name": name,
            "setting": setting,
            "beams": wide,
            **{
                f"recall_{metric}": recall(nearest(back, queries, metric), data.truth)
                for metric in METRICS
            },
            "error": float(np.square(rows - back).sum(axis=1).mean()),
            "file_bytes": size,
            "code_bytes": index.sa_code_size() * len(rows),
            "training": training,
            "encoding": adding,
            "searching": searching,
        }


def own_row(size: float, data: Data, effort: int, shared: bool) -> Row:
    """Ours, with a codebook beside the file or inside."""
    row: Row = {"name": "vqcodec", "setting": f"--bytes-per-vector {size} --effort {effort}"}
    rows, book = data.rows, None
    row["training"] = 0.0
    if shared:
        book, row["training"] = timed(
            lambda: vectors.train_codebook(
                rows[: data.learned], bytes_per_vector=size, effort=effort, threads=1
            )
        )
    stream, row["encoding"] = timed(
        lambda: vectors.encode(rows, bytes_per_vector=size, codebook=book, effort=effort, threads=1)
    )
    found = vectors.open(stream, codebook=book)
    codes, row["opening"] = timed(found.codes)
    for metric in METRICS:
        near = found.search(data.queries, K, metric=metric)
        row[f"recall_{metric}"] = recall(near.rows, data.truth)
    _, row["searching"] = timed(lambda: found.search(data.queries[:SEARCHED], K))
    return row | {
        "error": float(np.square(rows - found.rebuild()).sum(axis=1).mean()),
        "file_bytes": len(stream) + len(book or b""),
        "code_bytes": len(stream) if shared else len(stream) - len(pack_codebook(found.codebook)),
        "shape": [*codes.shape[:1], *found.codebook.tables.shape[1:]],
    }


def of_codes(data: Data, effort: int) -> Iterator[Row]:
    """Codes of 16 and 32 bytes, whatever the codebook takes."""
    dim = data.rows.shape[1]
    for size in SIZES:
        yield {**own_row(size, data, effort, True), "size": size}
        for name, setting, beams in (
            ("SQ", f"PCA{2 * size},SQ4", (0,)),
            ("PQ", f"PQ{size}x8", (0,)),
            ("OPQ", f"OPQ{size}_{dim},PQ{size}x8", (0,)),
            ("RQ", f"RQ{size}x8", (5, 16)),
        ):
            for row in faiss_rows(name, setting, data, beams):
                yield {**row, "size": size}


def of_files(data: Data, effort: int) -> Iterator[Row]:
    """Whole files of 16 and 32 bytes a vector: of each method the settings that fit."""
    count, dim = data.rows.shape
    for size in SIZES:
        yield {**own_row(size, data, effort, False), "size": size}
        for name, setting, beams in _settings_within(size * count, count, dim):
            for row in faiss_rows(name, setting, data, beams, size * count):
                yield {**row, "size": size}


def _settings_within(
    budget: int, count: int, dim: int
) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Settings whose float32 tables and codes are about as large as that, and not larger."""
    for bits in (4, 6, 8):
        tables = 4 * dim * 2**bits
        for name, extra in (("PQ", 0), ("OPQ", 4 * dim * dim)):
            most = 8 * (budget - tables - extra - 2000) / count / bits
            parts = [m for m in range(1, dim + 1) if dim % m == 0 and m <= most]
            if parts:
                head = f"OPQ{parts[-1]}_{dim}," if extra else ""
                yield name, f"{head}PQ{parts[-1]}x{bits}", (0,)
        stages = int((budget - 2000) / (tables + count * bits / 8))
        if stages >= 1:
            yield "RQ", f"RQ{stages}x{bits}", (16,)
    for bits in (4, 8):
        kept = dim
        while kept and 4 * kept * dim + kept * count * bits / 8 + 12 * dim + 2000 > budget:
            kept -= 2
        if kept:
            yield "SQ", f"PCA{kept},SQ{bits}", (0,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("embeddings", type=Path, nargs="?")
    parser.add_argument("queries", type=Path, nargs="?")
    parser.add_argument("--report-only", action="store_true")
    parser.add_argument("--effort", type=int, default=5)
    parser.add_argument("--learned", type=int, help="learn from so many, the first (default: all)")
    args = parser.parse_args()
    if not args.report_only:
        if args.queries is None:
            parser.error("give EMBEDDINGS and QUERIES")
        import torch

        torch.set_num_threads(1)
        rows, queries = np.load(args.embeddings), np.load(args.queries)
        data = Data(rows, queries, truth_of(rows, queries), args.learned or len(rows))
        result: Row = {
            **circumstances(("faiss-cpu",)),
            "load_before": os.getloadavg()[0],
            "vectors": list(rows.shape),
            "learned": data.learned,
            "queries": len(queries),
            "searched": SEARCHED,
            "spread": float(np.square(rows - rows.mean(axis=0)).sum(axis=1).mean()),
            "rows": [],
        }
        for comparison, trials in (("codes", of_codes), ("files", of_files)):
            for row in trials(data, args.effort):
                print(json.dumps(row), flush=True)
                result["rows"].append({**row, "comparison": comparison})
                RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_report(RESULT, ROOT / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
