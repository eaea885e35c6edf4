"""Vectors in a few bytes each: recall, error and seconds beside quantizers of faiss.

    python -m bench.vectors EMBEDDINGS.npy QUERIES.npy    everything, on one core; an hour or less
    python -m bench.vectors --report-only                 the tables from the JSON that is there

EMBEDDINGS: float32 (N, D), QUERIES: float32 (Q, D), held apart; bench/vector_embeddings.py makes
both. Two comparisons at equal real bytes: of codes alone, as when one codebook serves many files,
and of all bytes of one file of these N vectors, codebook and all. Everyone is asked for the ten
nearest by inner product and by L2, and the better recall counts. Needs
bench/requirements-vectors.txt. Writes bench/results/vectors.json and the tables in
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.vector_report import write_report
from vqcodec import vectors
from vqcodec.evaluation import circumstances

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "bench" / "results" / "vectors.json"
SIZES = (16, 32)
K = 10

Rows = NDArray[np.float32]
Row = dict[str, Any]


def truth_of(rows: Rows, queries: Rows) -> NDArray[np.int64]:
    """The ten nearest by exact inner products, (Q, 10)."""
    near = queries @ rows.T
    return np.argsort(-near, axis=1, kind="stable")[:, :K]


def recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """How many of the ten nearest are among ten that were found, in the mean."""
    return float(np.mean([len(set(a) & set(b)) / K for a, b in zip(found, truth, strict=True)]))


def timed(job: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return job(), time.perf_counter() - started


def nearest(back: Rows, queries: Rows, metric: str) -> NDArray[np.int64]:
    """The ten nearest among decoded vectors, exactly: what a search by tables finds."""
    scores = queries @ back.T
    if metric == "l2":
        scores -= np.square(back).sum(axis=1) / 2
    return np.argpartition(-scores, K, axis=1)[:, :K]


def faiss_row(
    name: str, setting: str, rows: Rows, queries: Rows, truth: NDArray[np.int64], beams: int = 0
) -> Row:
    """Train, fill and search an index of faiss; recall is that of what its codes decode to."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.index_factory(rows.shape[1], setting)
    if beams:
        index.rq.max_beam_size = beams
    _, training = timed(lambda: index.train(rows))
    _, adding = timed(lambda: index.add(rows))
    _, searching = timed(lambda: index.search(queries, K))
    back = index.reconstruct_n(0, len(rows))
    return {
        "name": name,
        "setting": setting,
        **{
            f"recall_{metric}": recall(nearest(back, queries, metric), truth)
            for metric in ("l2", "inner_product")
        },
        "error": float(np.square(rows - back).sum(axis=1).mean()),
        "file_bytes": len(faiss.serialize_index(index)),
        "code_bytes": index.sa_code_size() * len(rows),
        "training": training,
        "encoding": adding,
        "searching": searching,
    }


def own_row(
    size: float, rows: Rows, queries: Rows, truth: NDArray[np.int64], effort: int, shared: bool
) -> Row:
    """Ours, with a codebook beside the file or inside."""
    row: Row = {"name": "vqcodec", "setting": f"--bytes-per-vector {size} --effort {effort}"}
    book = None
    row["training"] = 0.0
    if shared:
        book, row["training"] = timed(
            lambda: vectors.train_codebook(rows, bytes_per_vector=size, effort=effort, threads=1)
        )
    data, row["encoding"] = timed(
        lambda: vectors.encode(rows, bytes_per_vector=size, codebook=book, effort=effort, threads=1)
    )
    found = vectors.open(data, codebook=book)
    codes, opening = timed(found.codes)
    for metric in ("l2", "inner_product"):
        near, row["searching"] = timed(
            lambda metric=metric: found.search(queries, K, metric=metric)
        )
        row[f"recall_{metric}"] = recall(near.rows, truth)
    row |= {
        "error": float(np.square(rows - found.rebuild()).sum(axis=1).mean()),
        "file_bytes": len(data) + len(book or b""),
        "code_bytes": len(data),
        "opening": opening,
        "shape": [*codes.shape[:1], *found.codebook.tables.shape[1:]],
    }
    return row


def of_codes(rows: Rows, queries: Rows, truth: NDArray[np.int64], effort: int) -> Iterator[Row]:
    """Codes of 16 and 32 bytes, whatever the codebook takes."""
    dim = rows.shape[1]
    for size in SIZES:
        for name, setting, beams in (
            ("SQ", f"PCA{2 * size},SQ4", 0),
            ("PQ", f"PQ{size}x8", 0),
            ("OPQ", f"OPQ{size}_{dim},PQ{size}x8", 0),
            ("RQ", f"RQ{size}x8", 5),
            ("RQ", f"RQ{size}x8", 32),
        ):
            row = faiss_row(name, setting, rows, queries, truth, beams)
            yield {**row, "comparison": "codes", "size": size, "beams": beams}
        own = own_row(size, rows, queries, truth, effort, True)
        yield {**own, "comparison": "codes", "size": size}


def of_files(rows: Rows, queries: Rows, truth: NDArray[np.int64], effort: int) -> Iterator[Row]:
    """Whole files of 16 and 32 bytes a vector: of each method the settings that fit."""
    count, dim = rows.shape
    for size in SIZES:
        for name, setting, beams in _settings_within(size * count, count, dim):
            row = faiss_row(name, setting, rows, queries, truth, beams)
            if row["file_bytes"] <= size * count:
                yield {**row, "comparison": "files", "size": size, "beams": beams}
        own = own_row(size, rows, queries, truth, effort, False)
        yield {**own, "comparison": "files", "size": size}


def _settings_within(budget: int, count: int, dim: int) -> Iterator[tuple[str, str, int]]:
    """Settings whose float32 tables and codes are about as large as that, and not larger."""
    for bits in (4, 6, 8):
        tables = 4 * dim * 2**bits
        for name, extra in (("PQ", 0), ("OPQ", 4 * dim * dim)):
            most = 8 * (budget - tables - extra - 2000) / count / bits
            parts = [m for m in range(1, dim + 1) if dim % m == 0 and m <= most]
            if parts:
                head = f"OPQ{parts[-1]}_{dim}," if extra else ""
                yield name, f"{head}PQ{parts[-1]}x{bits}", 0
        stages = int((budget - 2000) / (tables + count * bits / 8))
        if stages >= 1:
            yield "RQ", f"RQ{stages}x{bits}", 16
    for bits in (4, 8):
        kept = dim
        while kept and 4 * kept * dim + kept * count * bits / 8 + 12 * dim + 2000 > budget:
            kept -= 2
        if kept:
            yield "SQ", f"PCA{kept},SQ{bits}", 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("embeddings", type=Path, nargs="?")
    parser.add_argument("queries", type=Path, nargs="?")
    parser.add_argument("--report-only", action="store_true")
    parser.add_argument("--effort", type=int, default=5)
    args = parser.parse_args()
    if not args.report_only:
        if args.queries is None:
            parser.error("give EMBEDDINGS and QUERIES")
        import torch

        torch.set_num_threads(1)
        rows, queries = np.load(args.embeddings), np.load(args.queries)
        truth = truth_of(rows, queries)
        result: Row = {
            **circumstances(("faiss-cpu",)),
            "vectors": list(rows.shape),
            "queries": len(queries),
            "load_before": os.getloadavg()[0],
            "spread": float(np.square(rows - rows.mean(axis=0)).sum(axis=1).mean()),
            "rows": [],
        }
        for trials in (of_codes, of_files):
            for row in trials(rows, queries, truth, args.effort):
                print(json.dumps(row), flush=True)
                result["rows"].append(row)
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_report(RESULT, ROOT / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
