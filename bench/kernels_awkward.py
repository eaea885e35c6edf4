"""Time nearest-code search on the CPU with codebooks that training spoilt, beside a normal one.

    python -m bench.kernels_awkward                      a minute
    python -m bench.kernels_awkward --before _search.so  in turns with another build

Every search is verified before it is timed. Writes bench/results/kernels_awkward.json, and from it
the table in bench/README.md.
"""

import argparse
import importlib.util
import json
import statistics
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from bench.kernels_cpu import ROOT, machine
from vqcodec_kernels import _search
from vqcodec_kernels.search import reference
from vqcodec_kernels.search.testing import AWKWARD_CODEBOOKS, SearchCase, awkward_case, hard_case

RESULT = ROOT / "bench" / "results" / "kernels_awkward.json"
BEGIN, END = "<!-- kernels-awkward: begin -->", "<!-- kernels-awkward: end -->"
SHAPES = [(8192, 256, 8), (4096, 1024, 64), (2048, 1024, 256)]
ROUNDS = 15


def load_other(path: Path) -> ModuleType:
    """Another build of the extension, beside the one that is installed."""
    # A package's name before it, or Python would hand out the first build again.
    spec = importlib.util.spec_from_file_location("before._search", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def search(module: Any, case: SearchCase) -> torch.Tensor:
    """Nearest codes on one thread."""
    x, codebook, bias = case
    codes = torch.full((len(x),), -1)
    address = 0 if bias is None else bias.data_ptr()
    rows, books = (x.data_ptr(), 0, *x.shape), (codebook.data_ptr(), 0, len(codebook))
    module.search(*rows, *books, address, codes.data_ptr(), 0, 0, 0, 0, 1, "")
    return codes


def processor_ms(module: Any, case: SearchCase) -> float:
    """Milliseconds of processor time, which other work on the machine disturbs least."""
    start = time.process_time()
    search(module, case)
    return (time.process_time() - start) * 1e3


def measure(case: SearchCase, modules: dict[str, Any]) -> dict[str, Any]:
    """Least and median milliseconds of each build that finds the right codes, in turns."""
    expected = reference.nearest_code(*case)
    right = {
        name: module
        for name, module in modules.items()
        if torch.equal(search(module, case), expected)
    }
    times: dict[str, list[float]] = {name: [] for name in right}
    for _ in range(ROUNDS):
        for name, module in right.items():
            times[name].append(processor_ms(module, case))
    return {
        name: {"least_ms": min(spent), "median_ms": statistics.median(spent)}
        for name, spent in times.items()
    }


def measure_all(before: Path | None) -> list[dict[str, Any]]:
    """Every codebook at every shape."""
    modules: dict[str, Any] = {"now": _search}
    if before is not None:
        modules["before"] = load_other(before)
    rows = []
    for name in ("normal", *AWKWARD_CODEBOOKS):
        for shape in SHAPES:
            case = hard_case(name, *shape) if name == "normal" else awkward_case(name, *shape)
            rows.append({"codebook": name, "shape": shape, **measure(case, modules)})
            print(rows[-1], flush=True)
    return rows


def table(data: dict[str, Any]) -> list[str]:
    """Milliseconds of the build before and of this one, and times the normal codebook's."""
    rows, machine = data["rows"], data["machine"]
    shapes = list(dict.fromkeys(tuple(row["shape"]) for row in rows))
    normal = {tuple(row["shape"]): row["now"]["least_ms"] for row in rows[: len(shapes)]}
    lines = [
        f"{machine['processor']}, one thread of {machine['cores']} cores, commit "
        f"{machine['commit'][:12]}, {machine['date'][:10]}. Load before the run: "
        f"{machine['load_before']:.2f}.",
        "",
        f"Milliseconds of processor time, before and now in turns, least of {ROUNDS}; in brackets "
        "times the normal codebook now.",
        "",
        "| N, K, D | " + " | ".join(", ".join(map(str, shape)) for shape in shapes) + " |",
        "|---" * (1 + len(shapes)) + "|",
    ]
    for name in dict.fromkeys(row["codebook"] for row in rows):
        cells = [_cell(row, normal[tuple(row["shape"])]) for row in rows if row["codebook"] == name]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _cell(row: dict[str, Any], normal: float) -> str:
    now = row["now"]["least_ms"]
    before = f"{row['before']['least_ms']:.2f}, " if "before" in row else ""
    return f"{before}{now:.2f} [{now / normal:.2f}x]"


def main() -> None:
    """Measure, save, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="another build of the extension _search")
    given = parser.parse_args()
    data = {"machine": machine(), "rows": measure_all(given.before)}
    RESULT.write_text(json.dumps(data, indent=1) + "\n")
    readme = ROOT / "bench" / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    _, after = rest.split(END)
    readme.write_text(before + "\n".join([BEGIN, *table(data), END]) + after)


if __name__ == "__main__":
    main()
