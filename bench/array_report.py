"""The tables of bench/arrays.py, from its JSON, into the page of results."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- arrays: begin -->", "<!-- arrays: end -->"
OWN = "vqcodec"

Row = dict[str, Any]


def best(row: Row) -> Row | None:
    """Of a coder's settings the smallest that keeps the bound."""
    kept = [found for found in row.get("rows", ()) if found.get("kept")]
    return min(kept, key=lambda found: int(found["bytes"]), default=None)


def default(row: Row) -> Row | None:
    """What a user gets who sets the bound alone, whether it holds or not."""
    return next((found for found in row.get("rows", ()) if found.get("default")), None)


def values_of(data: Row, array: str) -> int:
    """How many values an array has, missing ones as well."""
    return math.prod(data["arrays"][array]["shape"])


def shown(number: float) -> str:
    """Three digits."""
    return f"{number:.3g}" if number < 100 else f"{number:.0f}"


def lines_of(data: Row) -> Iterator[tuple[str, str, dict[str, Row]]]:
    """Array, bound, and what each coder did there."""
    lines: dict[tuple[str, str], dict[str, Row]] = {}
    for row in data["rows"]:
        lines.setdefault((row["array"], row["bound"]), {})[row["coder"]] = row
    for (array, bound), coders in lines.items():
        yield array, bound, coders


def size_cell(row: Row | None, values: int) -> str:
    """Bits a value of the best setting, of the default in brackets, and ! where that broke."""
    if row is None or "missing" in row:
        return "failed" if row else "-"
    smallest, usual = best(row), default(row)
    cell = "-" if smallest is None else shown(8 * smallest["bytes"] / values)
    if row["coder"] != OWN and usual is not None:
        cell += f" ({shown(8 * usual['bytes'] / values)}{'' if usual['kept'] else ' !'})"
    return cell


def against(coders: dict[str, Row]) -> str:
    """How many more or fewer bits we need than the best of the others."""
    own = best(coders[OWN]) if OWN in coders else None
    others = [
        found["bytes"] for name, row in coders.items() if name != OWN and (found := best(row))
    ]
    if own is None or not others:
        return "-"
    return f"{100 * (own['bytes'] / min(others) - 1):+.0f} %"


def psnr_cell(row: Row | None) -> str:
    found = best(row) if row else None
    return f"{found['psnr']:.1f}" if found and found["psnr"] is not None else "-"


def table(titles: list[str], lines: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (titles, ["---"] * len(titles), *lines)]


def sizes(data: Row, names: list[str]) -> list[str]:
    """Bits a value."""
    lines = []
    for array, bound, coders in lines_of(data):
        cells = [size_cell(coders.get(name), values_of(data, array)) for name in names]
        lines.append([f"{array}, {bound}", *cells, against(coders)])
    return table(["bits a value", *names, "against the best other"], lines)


def qualities(data: Row, names: list[str]) -> list[str]:
    """PSNR of the smallest files within the same bound."""
    lines = []
    for array, bound, coders in lines_of(data):
        cells = [psnr_cell(coders.get(name)) for name in names]
        if bound != "lossless":
            lines.append([f"{array}, {bound}", *cells])
    return table(["PSNR, dB", *names], lines)


def speeds(data: Row, names: list[str]) -> list[str]:
    """Medians over arrays and bounds, of the smallest files that keep the bound and of defaults."""
    lines = []
    for name in names:
        cells = [name]
        for choose in (best, default):
            rows = [
                (data["arrays"][row["array"]]["bytes"] / 1e6, found)
                for row in data["rows"]
                if row["coder"] == name and (found := choose(row))
            ]
            for key in ("encode_s", "decode_s"):
                rates = [size / max(found[key], 1e-6) for size, found in rows]
                cells.append(shown(statistics.median(rates)) if rates else "-")
        lines.append(cells)
    titles = ["MB/s of one core", "encode", "decode", "default, encode", "default, decode"]
    return table(titles, lines)


def broken(data: Row) -> list[str]:
    """Who broke a bound, and where and by how much at worst."""
    lines = []
    for name in dict.fromkeys(row["coder"] for row in data["rows"]):
        tried = [
            (row, f) for row in data["rows"] if row["coder"] == name for f in row.get("rows", ())
        ]
        # Looser tolerances than the bound may break it: they are tried to see which do not.
        tried = [(row, f) for row, f in tried if f.get("default") and "kept" in f]
        over = [(row, f) for row, f in tried if not f["kept"]]
        if over:
            row, f = max(over, key=lambda pair: pair[1]["error"] - pair[0]["max_error"])
            worst = f"{f['error']:.9g} of {row['max_error']:.9g} ({row['array']}, {row['bound']})"
            lines.append(f"- {name}: by default {len(over)} of {len(tried)}; at worst {worst}")
        elif tried:
            lines.append(f"- {name}: 0 of {len(tried)}")
    return lines


def report(data: Row) -> list[str]:
    """All that stands between the markers."""
    names = list(dict.fromkeys(row["coder"] for row in data["rows"]))
    versions = ", ".join(
        f"{name} {version}" for name, version in data["versions"].items() if version
    )
    machine = data["machine"]
    return [
        f"{machine['processor']}, {machine['cores']} cores, {data['jobs']} at a time; "
        f"{versions}; commit {(data['commit'] or 'unknown')[:12]}, {data['date']}. "
        f"Load before the run: {data['load_before']:.2f}."
        + (f" {data['note']}" if "note" in data else ""),
        "",
        *sizes(data, names),
        "",
        *qualities(data, names),
        "",
        *speeds(data, names),
        "",
        "Bounds broken:",
        "",
        *broken(data),
    ]


def write_report(result: Path, page: Path) -> None:
    """Put the tables between their markers."""
    data = json.loads(result.read_text(encoding="utf-8"))
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    text = "\n".join([BEGIN, *report(data), END])
    page.write_text(before + text + after, encoding="utf-8")
