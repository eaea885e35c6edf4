"""From the JSON of `bench.kernels_cpu` to the table in bench/README.md and the roofline plot."""

import json
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- kernels-cpu: begin -->", "<!-- kernels-cpu: end -->"
# What our own search is to be faster than, and how many times.
TARGETS = {"faiss-cpu": 2.0, "torch, blocked": 2.5, "torch.cdist": 5.0, "scikit-learn": 4.0}

Row = dict[str, Any]


def write_report(result: Path, readme: Path) -> None:
    """Replace what stands between the markers; draw the plot beside the JSON."""
    data = json.loads(result.read_text())
    plot = result.with_name("kernels_cpu_roofline.png")
    draw_roofline(data, plot)
    lines = [*describe(data), "", *table(data["rows"]), "", *verdicts(data["rows"]), ""]
    lines.append(f"![Roofline of one core]({plot.relative_to(readme.parent).as_posix()})")
    text = readme.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    readme.write_text(before + "\n".join([BEGIN, *lines, END]) + after)


def describe(data: dict[str, Any]) -> list[str]:
    """Where and when."""
    machine, ceilings = data["machine"], data["ceilings"]
    fma = ceilings["fma_gflops"]
    ceiling = "unmeasured" if fma is None else f"{fma:.0f} GFLOP/s"
    return [
        f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}, commit "
        f"{machine['commit'][:12]}, {machine['date'][:10]}. Load before the run: "
        f"{machine['load_before']:.2f}. Ceiling of one core, measured: {ceiling}, copy "
        f"{ceilings['copy_gb_per_s']:.1f} GB/s.",
        "",
        "Milliseconds, median (20th to 80th percentile); in brackets times our own single thread. "
        "`wrong` counts rows that differ from the float64 result, over all shapes.",
    ]


def table(rows: list[Row]) -> list[str]:
    """One line for each method and thread count, one column for each shape."""
    shapes = _unique(tuple(row["shape"]) for row in rows)
    heads = [f"{n}, {k}, {d}" for n, k, d in shapes]
    lines = [
        "| N, K, D | version | wrong | " + " | ".join(heads) + " |",
        "|---" * (3 + len(shapes)) + "|",
    ]
    for method, threads in _unique((row["method"], row["threads"]) for row in rows):
        found = [_find(rows, method, threads, shape) for shape in shapes]
        cells = [
            _cell(row, _find(rows, "vqcodec", 1, shape))
            for row, shape in zip(found, shapes, strict=True)
        ]
        name = f"{method}, {threads} threads" if threads > 1 else method
        version = next((row["version"] for row in found if "version" in row), "missing")
        wrong = sum(row.get("wrong_rows", 0) for row in found)
        lines.append(f"| {name} | {version} | {wrong} | " + " | ".join(cells) + " |")
    return [*lines, *_own_lines(rows, shapes)]


def _own_lines(rows: list[Row], shapes: list[Any]) -> list[str]:
    """What our own search makes of a core, and of several beside what these can do at best."""
    threads = max(row["threads"] for row in rows)
    levels, rates, gains, cores = [], [], [], []
    for shape in shapes:
        alone, together = (_find(rows, "vqcodec", count, shape) for count in (1, threads))
        levels.append(alone.get("level", "not noted"))
        rates.append(f"{_gflops(alone):.0f}" if "median_ms" in alone else "missing")
        gain = together["alone_ms"] / together["median_ms"] if "alone_ms" in together else None
        gains.append("unmeasured" if gain is None else f"{gain:.2f}x")
        best = together.get("cores_before_after", [])
        cores.append(" to ".join(f"{x:.2f}x" for x in sorted(best)) or "unmeasured")
    return [
        "| vqcodec, level that it chose | | | " + " | ".join(levels) + " |",
        "| vqcodec, GFLOP/s of one thread | | | " + " | ".join(rates) + " |",
        f"| speed-up on {threads} threads, in turn with one | | | " + " | ".join(gains) + " |",
        f"| the same of bare multiply-adds, before and after | | | {' | '.join(cores)} |",
    ]


def verdicts(rows: list[Row]) -> list[str]:
    """Each target, and the worst shape against it."""
    lines = ["| target | least ratio | met |", "|---|---|---|"]
    for method, target in TARGETS.items():
        ratios = []
        for row in rows:
            own = _find(rows, "vqcodec", 1, row["shape"])
            if row["method"] == method and "median_ms" in row and "median_ms" in own:
                ratios.append(row["median_ms"] / own["median_ms"])
        least = f"{min(ratios):.2f}x" if ratios else "unmeasured"
        met = "unmeasured" if not ratios else "yes" if min(ratios) >= target else "no"
        lines.append(f"| {target:g}x {method} at every shape | {least} | {met} |")
    return lines


def draw_roofline(data: dict[str, Any], path: Path) -> None:
    """Rate against operations for each byte of rows, codebook and codes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fma, copy = data["ceilings"]["fma_gflops"], data["ceilings"]["copy_gb_per_s"]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    intensities = [2.0**i for i in range(1, 13)]
    if fma is not None:
        roof = [min(fma, copy * intensity) for intensity in intensities]
        axes.plot(intensities, roof, color="black", label="measured ceilings")
    for method in _unique(row["method"] for row in data["rows"]):
        points = [
            (_intensity(row["shape"]), _gflops(row))
            for row in data["rows"]
            if row["method"] == method and row["threads"] == 1 and "median_ms" in row
        ]
        if points:
            axes.plot(*zip(*sorted(points), strict=True), marker="o", linestyle=":", label=method)
    axes.set(xscale="log", yscale="log", xlabel="operations per byte", ylabel="GFLOP/s, one thread")
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _gflops(row: Row) -> float:
    n, k, d = row["shape"]
    return float(2 * n * k * d / row["median_ms"] / 1e6)


def _intensity(shape: list[int]) -> float:
    n, k, d = shape
    return 2 * n * k * d / (4 * n * d + 4 * k * d + 8 * n)


def _cell(row: Row, own: Row) -> str:
    if "missing" in row:
        return "missing"
    if "median_ms" not in row:
        return "not timed: wrong"
    times = f"{row['median_ms']:.2f} ({row['p20_ms']:.2f} to {row['p80_ms']:.2f})"
    return (
        times
        if "median_ms" not in own
        else (f"{times} [{row['median_ms'] / own['median_ms']:.2f}x]")
    )


def _find(rows: list[Row], method: str, threads: int, shape: Any) -> Row:
    for row in rows:
        if (row["method"], row["threads"], tuple(row["shape"])) == (method, threads, tuple(shape)):
            return row
    return {"missing": "not run"}


def _unique(values: Any) -> list[Any]:
    return list(dict.fromkeys(values))
