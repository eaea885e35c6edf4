"""The tables of bench/vectors.py, from its JSON, into the page of results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- vectors: begin -->", "<!-- vectors: end -->"

Row = dict[str, Any]


def best_recall(row: Row) -> float:
    return max(float(row[f"recall_{metric}"]) for metric in ("l2", "inner_product", "cosine"))


def cells_of(row: Row, data: Row) -> list[str]:
    count = data["vectors"][0]
    beams = f", {row['beams']} beams" if row.get("beams") else ""
    return [
        row["name"],
        f"`{row['setting']}`{beams}",
        f"{row['code_bytes'] / count:.2f}",
        f"{row['file_bytes'] / count:.2f}",
        f"{100 * best_recall(row):.1f} %",
        f"{row['error'] / data['spread']:.4f}",
        f"{row['training']:.0f}",
        f"{row['encoding']:.0f}",
        f"{1000 * row['searching'] / data['searched']:.2f}",
    ]


def table_of(data: Row, comparison: str, size: int) -> list[str]:
    rows = [r for r in data["rows"] if (r["comparison"], r["size"]) == (comparison, size)]
    titles = [
        *("", "setting", "codes, bytes a vector", "codes and codebook", "recall@10"),
        *("error of the spread", "training, s", "encoding, s", "search, ms a query"),
    ]
    lines = [titles, ["---"] * len(titles)]
    lines += [cells_of(row, data) for row in sorted(rows, key=best_recall, reverse=True)]
    return [f"| {' | '.join(line)} |" for line in lines]


def report(data: Row) -> list[str]:
    """All that stands between the markers."""
    machine, titles = data["machine"], {"codes": "Codes", "files": "Whole files"}
    versions = ", ".join(f"{name} {number}" for name, number in data["versions"].items() if number)
    count, dim = data["vectors"]
    lines = [
        f"{count:,} vectors of {dim} numbers, codebooks of codes learned from {data['learned']:,}; "
        f"{data['queries']:,} queries. {machine['processor']}, "
        f"one core; {versions}; commit {data['commit'] or 'unknown'}, {data['date']}; load before "
        f"the run {data['load_before']:.2f}.",
    ]
    for comparison, title in titles.items():
        for size in sorted({row["size"] for row in data["rows"]}):
            if any((r["comparison"], r["size"]) == (comparison, size) for r in data["rows"]):
                lines += ["", f"{title} of at most {size} bytes a vector:", ""]
                lines += table_of(data, comparison, size)
    return lines


def write_report(result: Path, page: Path) -> None:
    """Put the tables between the markers of a page. Raises: ValueError: it has none."""
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"{page} lacks {BEGIN} and {END}")
    tables = "\n".join(report(json.loads(result.read_text(encoding="utf-8"))))
    page.write_text(f"{head}{BEGIN}\n\n{tables}\n\n{END}{tail}", encoding="utf-8")
