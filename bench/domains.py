"""Models trained on for pictures of one kind, beside the general ones: bits at equal quality.

    python -m bench.domains DATA WORK [--minutes 30] [--domains xray,microscopy,aerial]
        [--pictures N] [-o FILE]

DATA has a folder `domain-NAME` for each kind. A fifth of each is held out: every fifth file, and of
the aerial pictures, of which several show one place, the last ones of places of their own. The rest
trains `vqcodec train --start-from` the built-in `photo-psnr`. Then `vqcodec eval` measures on what
was held out, and bits at equal quality are compared picture by picture (Bjontegaard difference):
the median and how many pictures need fewer. WORK keeps models, runs and results, and is gone on
with: a domain whose model is there is not trained again. Of other domains FILE keeps what it has.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from vqcodec.evaluation import circumstances
from vqcodec.evaluation.curves import bd_rate
from vqcodec.model.catalog import locate_model
from vqcodec.model.file import read_card

RESULT = Path(__file__).resolve().parent / "results" / "domains.json"
GENERAL = ("photo-psnr", "photo")
PEERS = ("avif", "jxl")
MEASURES = ("psnr", "ssimulacra2")
# Of the aerial pictures the last seven show six places that no other file shows.
AERIAL_HELD_OUT = 7


def split(place: Path) -> tuple[list[Path], list[Path]]:
    """Files to train on, and those that are held out."""
    files = sorted(place.iterdir())
    if place.name == "domain-aerial":
        drone = [path for path in files if path.name.startswith("drone")]
        held = drone[-AERIAL_HELD_OUT:]
    else:
        held = files[4::5]
    return [path for path in files if path not in held], held


def spread(files: list[Path], count: int) -> list[Path]:
    """So many of the files, from the first on at even distances."""
    return [files[number * len(files) // count] for number in range(min(count, len(files)))]


def link(files: list[Path], place: Path) -> Path:
    """A folder that holds these files alone."""
    place.mkdir(parents=True, exist_ok=True)
    for path in files:
        target = place / path.name
        if not target.exists():
            target.symlink_to(path.resolve())
    return place


def command(*arguments: object) -> None:
    """Run the command as a user would, its progress to be seen."""
    print("vqcodec", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "vqcodec_cli", *map(str, arguments)], check=True)


def train(name: str, data: Path, model: Path, minutes: float) -> None:
    """Train the domain's model, unless it is there."""
    if model.exists():
        return
    start = locate_model("photo-psnr")
    options = ("--recipe", "photo-psnr", "--start-from", start, "--minutes", minutes, "--seed", 0)
    command("train", data, "-o", model, *options, *(["--resume"] if _has_state(model) else []))


def _has_state(model: Path) -> bool:
    return any(model.parent.glob(f"{model.stem}.state*"))


def measure(model: Path, held: Path, output: Path) -> None:
    """Curves of the domain's model, the general ones and the peers, by real files."""
    models = ",".join([str(model), *GENERAL])
    asked = ("-m", models, "--against", ",".join(PEERS), "--measures", ",".join(MEASURES))
    command("eval", held, *asked, "--qualities", "5,25,50,75,100", "-o", output, "-f")


def compare(table: Path, domain: str) -> dict[str, dict[str, Any]]:
    """Against each other codec, in each measure: the median over pictures and how many are won."""
    curves: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            curves[row["signal"]][row["codec"]].append(row)
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for codecs in curves.values():
        own = next(codec for codec in codecs if domain in codec)
        for codec in codecs.keys() - {own}:
            for name in MEASURES:
                difference = bd_rate(
                    *_line(codecs[own], name),
                    **dict(
                        zip(
                            ("reference_rates", "reference_values"),
                            _line(codecs[codec], name),
                            strict=True,
                        )
                    ),
                )
                if difference is not None:
                    found[codec][name].append(difference.percent)
    return {
        codec: {name: _summary(values, len(curves)) for name, values in measures.items()}
        for codec, measures in sorted(found.items())
    }


def _line(rows: list[dict[str, str]], name: str) -> tuple[list[float], list[float]]:
    return [float(row["bpp"]) for row in rows], [float(row[name]) for row in rows]


def _summary(values: list[float], pictures: int) -> dict[str, Any]:
    return {
        "median_percent": statistics.median(values),
        "lowest": min(values),
        "highest": max(values),
        "fewer": sum(value < 0 for value in values),
        "compared": len(values),
        "pictures": pictures,
    }


def table(domains: dict[str, Any]) -> str:
    """Bits of each domain's model over those of the others at equal quality, as Markdown."""
    lines = ["| pictures | beside | at equal PSNR | at equal SSIMULACRA2 |", "|---|---|---|---|"]
    for name, found in domains.items():
        for codec, measures in found["bits"].items():
            cells = [_cell(measures.get(measure)) for measure in MEASURES]
            lines.append(f"| {name} | {codec.removeprefix('vqcodec ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(summary: dict[str, Any] | None) -> str:
    if summary is None:
        return "-"
    median, low, high = (summary[key] for key in ("median_percent", "lowest", "highest"))
    won = f"{summary['fewer']} of {summary['compared']}"
    return f"{median:+.0f} % ({low:+.0f} to {high:+.0f}), fewer for {won}"


def main() -> None:
    """Split, train, measure, compare, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--domains", default="xray,microscopy,aerial")
    parser.add_argument("--pictures", type=int, help="measure on so many of those held out, evenly")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    given = parser.parse_args()
    packages = ("pillow", "pillow-jxl-plugin", "ssimulacra2")
    for name in given.domains.split(","):
        place = given.work / name
        training, held = split(given.data / f"domain-{name}")
        measured = spread(held, given.pictures or len(held))
        model = place / f"{name}.safetensors"
        train(name, link(training, place / "train"), model, given.minutes)
        measure(model, link(measured, place / f"held-out-{len(measured)}"), place / "eval")
        found = {
            "trained_on": len(training),
            "training": read_card(model).metadata,
            "held_out": len(held),
            "measured": [path.name for path in measured],
            "bits": compare(place / "eval" / "signals.csv", name),
            **circumstances(packages),
        }
        known = json.loads(given.output.read_text()) if given.output.exists() else {}
        known |= {name: found}
        given.output.write_text(json.dumps(known, indent=1) + "\n")
        print(table(known), flush=True)


if __name__ == "__main__":
    main()
