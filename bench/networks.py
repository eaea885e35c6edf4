"""Which network is the better one by equal processor seconds of training.

    python -m bench.networks FOLDER WORK [--variants present,gated] [--minutes 20] [--seed 0]
        [-o bench/results/networks.json]

Every variant is trained from nothing for as many steps as fit into so many minutes of one core,
all timed in turn on this machine, by the recipe of `photo-psnr` with codebooks of 256, on the same
crops in the same order. It is measured on the photographs that recipe holds out: whole files, whose
prior has no network, by the search of the product. Variants are compared with the present network
picture by picture at equal rate. WORK keeps the training states, the models and what was measured,
and is gone on with; variants that are not named keep what the result has of them. Another seed
takes another WORK and another result.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench.network_runs import Runs
from bench.network_variants import VARIANTS, Variant
from vqcodec.codec import Codec
from vqcodec.evaluation import circumstances, find_measures, value_at
from vqcodec.files import write_whole
from vqcodec.media.registry import find_workshop
from vqcodec.model.file import read_model
from vqcodec.model.network import VQVAE
from vqcodec.training.allocator import keep_freed_memory

PICTURES = find_workshop("picture")
MEASURES = find_measures(PICTURES, ("psnr", "ms-ssim"))
QUALITIES = (0.0, 15.0, 30.0, 45.0, 60.0, 80.0)
RATES = (0.15, 0.25, 0.5)
# At which decoding is timed: near a quarter of a bit for each pixel.
TIMED = 45.0

Curves = dict[str, list[dict[str, float]]]


def costs(variant: Variant) -> dict[str, float]:
    """Multiply-adds of a pixel each way, in thousands, and weights, in millions."""
    model = VQVAE(variant.model).eval()
    side = 128
    samples, latent = torch.zeros(1, 3, side, side), torch.zeros(1, 48, side // 8, side // 8)
    found = {}
    for name, network, x in (
        ("analysis", model.transform.analyse, samples),
        ("synthesis", model.transform.synthesise, latent),
    ):
        # Attention is counted as the products that it is made of.
        with (
            FlopCounterMode(display=False) as counter,
            sdpa_kernel(SDPBackend.MATH),
            torch.no_grad(),
        ):
            network(x)
        # The counter has two operations for each multiply-add.
        found[f"{name}_kmac"] = counter.get_total_flops() / 2 / side**2 / 1000
        part = getattr(model.transform, name)
        found[f"{name}_weights"] = sum(p.numel() for p in part.parameters()) / 1e6
    return found


def measure(codec: Codec, paths: Iterable[Path], kept: Path) -> Curves:
    """A curve for each photograph; `kept` is a file of those that are there already."""
    curves: Curves = json.loads(kept.read_text()) if kept.is_file() else {}
    for path in paths:
        if path.name not in curves:
            picture = PICTURES.read(path.read_bytes())
            curves[path.name] = [_point(codec, picture, quality) for quality in QUALITIES]
            write_whole(kept, json.dumps(curves).encode())
    return curves


def _point(codec: Codec, picture: Any, quality: float) -> dict[str, float]:
    began = time.process_time()
    data = codec.encode(picture, quality=quality, threads=1)
    encoded = time.process_time()
    decoded = codec.decode_signal(data, threads=1)
    done = time.process_time()
    values = {m.name: m.of_mean(m.of(decoded, picture)) for m in MEASURES}
    seconds = {"encode_seconds": encoded - began, "decode_seconds": done - encoded}
    pixels = float(np.prod(picture.extent))
    rate = PICTURES.rate.of(len(data), picture)
    return {"quality": quality, "bpp": rate, "pixels": pixels, **values, **seconds}


def seconds_a_megapixel(curves: Curves, way: str) -> float:
    """Processor seconds of one way at the quality that is timed, over all photographs."""
    points = [p for curve in curves.values() for p in curve if p["quality"] == TIMED]
    return 1e6 * sum(p[f"{way}_seconds"] for p in points) / sum(p["pixels"] for p in points)


def gains(curves: Curves, present: Curves, rate: float) -> dict[str, Any]:
    """Mean differences at a rate and their standard errors, over the pictures that reach it."""
    found = []
    for name in curves.keys() & present.keys():
        here, there = _values_at(rate, curves[name]), _values_at(rate, present[name])
        if here and there:
            found.append(np.subtract(here, there))
    if len(found) < 2:
        return {"pictures": len(found)}
    means, errors = np.mean(found, 0), np.std(found, 0, ddof=1) / len(found) ** 0.5
    pairs = zip(MEASURES, means, errors, strict=True)
    return {"pictures": len(found)} | {m.name: [float(a), float(b)] for m, a, b in pairs}


def _values_at(rate: float, curve: list[dict[str, float]]) -> list[float]:
    """What the measures say of a picture at a rate; nothing where its curve does not reach it."""
    rates = [point["bpp"] for point in curve]
    values = [value_at(rate, rates, [point[m.name] for point in curve]) for m in MEASURES]
    return [value for value in values if value is not None]


def finish(runs: Runs, name: str, *, minutes: float) -> dict[str, Any]:
    """What is known of a variant once it is trained and measured, from where it was left."""
    kept = runs.work / f"{name}.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    variant = VARIANTS[name]
    run = variant.mean_of or name
    models = {other: v.model for other, v in VARIANTS.items() if v.mean_of is None}
    step = runs.step_seconds(models)[run]
    state = runs.train(run, variant.model, steps=round(60 * minutes / step))
    path = runs.export(run, variant.model, averaged=variant.mean_of is not None)
    codec = Codec(*read_model(path), device="cpu")
    curves = measure(codec, runs.held_out, runs.work / f"{name}.curves.json")
    row = {
        "what": variant.what,
        "minutes": minutes,
        "seed": runs.seed,
        "steps": state.steps,
        "ms_a_step": 1000 * step,
        "processor_seconds": state.seconds,
        **costs(variant),
        "encode_seconds_a_megapixel": seconds_a_megapixel(curves, "encode"),
        "decode_seconds_a_megapixel": seconds_a_megapixel(curves, "decode"),
        "where": circumstances(),
        "pictures": curves,
    }
    write_whole(kept, json.dumps(row, indent=1).encode())
    return row


def as_table(rows: dict[str, dict[str, Any]]) -> str:
    """A Markdown table of the variants beside the present network."""
    heads = ["network", "ms a step", "steps", "kMAC a pixel", "million weights", "s/MP decode"]
    heads += [f"{rate:g} bpp" for rate in RATES]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for name in (name for name in VARIANTS if name in rows):
        row = rows[name]
        cells = [
            f"{name}: {row['what']}",
            f"{row['ms_a_step']:.0f}",
            f"{row['steps']:,}",
            f"{row['analysis_kmac']:.0f} + {row['synthesis_kmac']:.0f}",
            f"{row['analysis_weights']:.2f} + {row['synthesis_weights']:.2f}",
            f"{row['decode_seconds_a_megapixel']:.2f}",
        ]
        if "present" in rows:
            cells += [_gain(row, rows["present"], rate) for rate in RATES]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _gain(row: dict[str, Any], present: dict[str, Any], rate: float) -> str:
    if row is present:
        return "-"
    found = gains(row["pictures"], present["pictures"], rate)
    pairs = (found[m.name] for m in MEASURES if m.name in found)
    return f"{' / '.join(f'{a:+.2f} ± {b:.2f}' for a, b in pairs)} ({found['pictures']})"


def main() -> None:
    """Train and measure the variants, and print the table after each of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photographs to train on, some held out")
    parser.add_argument("work", type=Path, help="what is kept between runs")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="with commas, in order")
    parser.add_argument("--minutes", type=float, default=20.0, help="of one core, for each")
    parser.add_argument("--seed", type=int, default=0, help="of weights and crops")
    parser.add_argument("-o", "--output", type=Path, default=None)
    arguments = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    runs = Runs(arguments.folder, arguments.work, seed=arguments.seed)
    rows: dict[str, dict[str, Any]] = {}
    if arguments.output and arguments.output.is_file():
        rows = json.loads(arguments.output.read_text())
    for name in arguments.variants.split(","):
        rows[name] = finish(runs, name, minutes=arguments.minutes)
        print(as_table(rows), flush=True)
        if arguments.output:
            write_whole(arguments.output, (json.dumps(rows, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
