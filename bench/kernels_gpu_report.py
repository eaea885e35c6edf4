"""From the results of `bench.kernels_gpu` to JSON and the table in bench/README.md."""

import json
from pathlib import Path
from typing import Any

__all__ = ["save", "table"]


def table(results: list[dict[str, Any]]) -> str:
    """One line for each shape and method."""
    lines = [
        "| N, K, D | method | ms (p20, p80) | rows that differ | MB beyond inputs |",
        "|---|---|---|---|---|",
    ]
    for row in results:
        shape = ", ".join(str(size) for size in row["shape"])
        if "error" in row:
            lines.append(f"| {shape} | {row['method']} | {row['error']} | | |")
            continue
        low, middle, high = (1e3 * row[key] for key in ("p20_s", "median_s", "p80_s"))
        extra = f"{row['extra_bytes'] / 2**20:.0f}" if "extra_bytes" in row else ""
        differ = f"{row['differ']} of {row['checked']}"
        times = f"{middle:.3f} ({low:.3f}, {high:.3f})"
        lines.append(f"| {shape} | {row['method']} | {times} | {differ} | {extra} |")
    return "\n".join(lines)


def save(path: Path, found: dict[str, Any], results: list[dict[str, Any]]) -> None:
    """Write machine and results, and the table into the README between its two marks."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": found, "results": results}, indent=1))
    readme = Path(__file__).parent / "README.md"
    before, mark, rest = readme.read_text().partition("<!-- kernels-gpu: begin -->\n")
    end = "<!-- kernels-gpu: end -->"
    _, found_end, after = rest.partition(end)
    if not mark or not found_end:
        raise SystemExit(f"{readme}: the marks of the GPU table are missing")
    source = f"{found['device']}, {found['versions']}, commit {found['commit']}"
    readme.write_text(f"{before}{mark}{table(results)}\n\n{source}\n{end}{after}")
