"""What arrays that a model has learned need in bits, beside the best linear transform.

    python -m bench.array_learned DATA WORK [--sets xrays,turbulence,landsat] [--steps 3500]
        [--coders NAMES] [-o bench/results/array_learned.json]

At equal PSNR, from 0.01 to 0.1 bit per value, arrays of other scenes than the training ones,
against principal components of blocks, rounded one by one and written by context mixing
(bench/array_scalar.py). `recipe array` is the product, trained by `vqcodec.training.train` for so
many steps; beside it stand vectors on the same components with the product's search and prior.
Bits are those of payloads; of `bounded` and `jpeg 2000` whole files, of the first arrays alone.
WORK keeps models and curves, and is gone on with. Of other sets the result keeps what it has.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import imagecodecs
import numpy as np
import torch
from torch import Tensor

from bench.array_alike import SETS, Alike, Scale, Values
from bench.array_models import MU, Grey, Vectors, linear_model
from bench.array_scalar import Scalars
from bench.array_trial import psnr
from vqcodec import Codec, decode_array, encode_array, load
from vqcodec.evaluation import bd_rate, circumstances, value_at
from vqcodec.files import write_whole
from vqcodec.media.registry import read_any_stream
from vqcodec.model.catalog import locate_model
from vqcodec.model.network import VQVAE
from vqcodec.training import train
from vqcodec.training.export import export_model

Curve = list[tuple[float, float]]

Makers = dict[str, Callable[[], "Coder"]]

# Bits of a value, of the product's recipe, between which others are compared with it.
BANDS = {"0.01 to 0.1": (0.01, 0.1), "0.01 to 0.03": (0.01, 0.03), "0.03 to 0.1": (0.03, 0.1)}
RATES = (0.01, 0.02, 0.05, 0.1)
# Where the mean is above the first and every array above the largest of these, or it is far above.
ENOUGH, FAR = 0.11, 0.2
# Arrays that counters and costs are fitted to, positions that the network of a prior looks at, and
# arrays that the peers code.
FITTED, SAMPLES, FEW = 24, 150_000, 6
LEARNED = "recipe array"
PEERS = ("photo-psnr", "bounded", "jpeg 2000")
RESULT = Path(__file__).resolve().parent / "results" / "array_learned.json"


class Coder(Protocol):
    """One coder: settings from few bits to many, and what became of an array."""

    @property
    def settings(self) -> Iterable[Any]:
        """In the order of their bits."""

    @property
    def tables(self) -> int:
        """Bytes that are learned."""

    def code(self, values: Values, setting: Any, verify: bool) -> tuple[int, Values]:
        """Bytes, and what they decode to; their decoding is checked where that is asked."""


class Bounded:
    """The product's coder of arrays, which needs no model."""

    settings, tables = range(15, 60, 4), 0

    def code(self, values: Values, setting: Any, verify: bool) -> tuple[int, Values]:
        data = encode_array(values, psnr=setting, threads=1)
        return len(data), decode_array(data, threads=1)


class Learned:
    """The product's recipe of arrays: its files, its search for each quality."""

    settings = (0, 3, *range(6, 101, 8))

    def __init__(self, path: Path) -> None:
        self.codec: Codec = load(path, device="cpu")
        self.tables = path.stat().st_size

    def code(self, values: Values, setting: Any, verify: bool) -> tuple[int, Values]:
        data = self.codec.encode(values, quality=setting, threads=1)
        _, stream = read_any_stream(data)
        return sum(map(len, stream.codes)), self.codec.decode(data, threads=1)


def learned(arrays: list[Values], steps: int, work: Path) -> Learned:
    """A model of a folder of these arrays, trained if it is not there."""
    folder, path = work / "arrays", work / "learned.safetensors"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        for number, values in enumerate(arrays):
            np.save(folder / f"{number:03}.npy", values)
        train(folder, path, medium="field", recipe="array", steps=steps, device="cpu")
    return Learned(path)


class Jpeg2000:
    """OpenJPEG, plane by plane; floats in 16 bits of their range."""

    settings, tables = range(12, 60, 4), 0

    def code(self, values: Values, setting: Any, verify: bool) -> tuple[int, Values]:
        low, span, planes = 0.0, 1.0, values
        if values.dtype.kind == "f":
            low, span = float(values.min()), float(np.ptp(values)) / 65535
            planes = np.rint((values - low) / span).astype(np.uint16)
        coded = [imagecodecs.jpeg2k_encode(np.ascontiguousarray(p), level=setting) for p in planes]
        back = np.stack([imagecodecs.jpeg2k_decode(data) for data in coded])
        return sum(map(len, coded)), (back * span + low).astype(values.dtype)


def curves(coder: Coder, arrays: list[Values]) -> list[Curve]:
    """Of each array bits of a value and PSNR, from few bits to the most that count."""
    found: list[Curve] = [[] for _ in arrays]
    for setting in coder.settings:
        for number, (values, curve) in enumerate(zip(arrays, found, strict=True)):
            size, back = coder.code(values, setting, number == 0)
            decibels = psnr(values, back)
            assert decibels is not None
            curve.append((8 * size / values.size, decibels))
        rates = [curve[-1][0] for curve in found]
        print(f"  {setting:.4g}: {statistics.mean(rates):.4f} bits", flush=True)
        if statistics.mean(rates) > (ENOUGH if min(rates) > RATES[-1] else FAR):
            break
    return found


def exported(path: Path, make: Callable[[], VQVAE], few: list[Tensor]) -> Path:
    """The file of a model, made if it is not there; seconds are those of the processor."""
    if not path.exists():
        torch.manual_seed(0)
        began = time.process_time()
        model = make()
        facts = {"training_s": round(time.process_time() - began)}
        export_model(
            model, path, name=path.stem, signals=few, mu=MU, metadata=facts, network_samples=SAMPLES
        )
    return path


def makers(alike: Alike, work: Path, steps: int) -> Makers:
    """All that are compared, by name; what they need is made when they are."""
    scale = Scale(alike.train)
    signals = [scale.samples(values) for values in alike.train]
    few = signals[:: max(1, len(signals) // FITTED)][:FITTED]
    found: Makers = {}

    def linear(side: int) -> Path:
        return exported(
            work / f"linear-{side}.safetensors", partial(linear_model, signals, side), few
        )

    for side in alike.sides:
        found |= {
            f"scalar {side}": partial(lambda n: Scalars(linear(n), scale, few), side),
            f"vectors {side}": partial(lambda n: Vectors(linear(n), scale), side),
            f"vectors {side}, counters": partial(
                lambda n: Vectors(linear(n), scale).counting(few), side
            ),
        }
    found[LEARNED] = partial(learned, alike.train, steps, work)
    if len(signals[0]) == 1:
        found["photo-psnr"] = lambda: Vectors(locate_model("photo-psnr"), Grey(scale))
    return found | {"bounded": lambda: Bounded(), "jpeg 2000": lambda: Jpeg2000()}


def measured(name: str, make: Callable[[], Coder], arrays: list[Values], work: Path) -> Any:
    """Curves of a coder, and the bytes of its tables; those that WORK has are taken from there."""
    store = work / f"{name}.json"
    if not store.exists():
        print(name, flush=True)
        began, coder = time.process_time(), make()
        ready = time.process_time() - began
        found = curves(coder, arrays[:FEW] if name in PEERS else arrays)
        seconds = {"ready": ready, "coding": time.process_time() - began - ready}
        facts = {"tables": coder.tables, "seconds": seconds, "curves": found}
        write_whole(store, json.dumps(facts).encode())
    facts = json.loads(store.read_text())
    # A setting of no bytes at all has no place on a scale of ratios.
    facts["curves"] = [[p for p in curve if p[0] > 0] for curve in facts["curves"]]
    return facts


def compare(curve: Curve, reference: Curve, band: tuple[float, float]) -> float | None:
    """Per cent more bits at equal PSNR, over what the reference reaches at these bits."""
    rates, values = zip(*reference, strict=True)
    asked = [(rate, value_at(rate, rates, values)) for rate in np.geomspace(*band, 9)]
    within = [(rate, value) for rate, value in asked if value is not None]
    own_rates, own_values = zip(*curve, strict=True)
    found = bd_rate(
        own_rates,
        own_values,
        reference_rates=[rate for rate, _ in within],
        reference_values=[value for _, value in within],
    )
    return None if found is None else found.percent


def summary(found: dict[str, Any], reference: str) -> dict[str, Any]:
    """Of each coder PSNR at some rates, the mean of all arrays, and bits beside the reference's."""
    told = {}
    for name, of in found.items():
        pairs = list(zip(of["curves"], found[reference]["curves"], strict=False))
        bits = {}
        for label, band in BANDS.items():
            percents = [p for a, b in pairs if (p := compare(a, b, band)) is not None]
            bits[label] = percents and {
                "median": statistics.median(percents),
                "lowest": min(percents),
                "highest": max(percents),
                "compared": len(percents),
            }
        at = {rate: _mean_at(rate, of["curves"]) for rate in RATES}
        told[name] = {
            "percent": bits,
            "psnr": at,
            **{key: value for key, value in of.items() if key != "curves"},
        }
    return told


def _mean_at(rate: float, curves: list[Curve]) -> float | None:
    """The mean of all arrays; None where one of them does not reach the rate."""
    found = [value_at(rate, *zip(*curve, strict=True)) for curve in curves]
    reached = [value for value in found if value is not None]
    return statistics.mean(reached) if len(reached) == len(found) else None


def judge(name: str, data: Path, work: Path, steps: int, asked: str) -> dict[str, Any]:
    """All coders on one set, beside the product's recipe."""
    work.mkdir(parents=True, exist_ok=True)
    alike = SETS[name](data, work)
    found = {
        name: measured(name, make, alike.test, work)
        for name, make in makers(alike, work, steps).items()
        if not asked or name in asked or (work / f"{name}.json").exists()
    }
    return {
        "trained_on": len(alike.train),
        "tested_on": len(alike.test),
        "shape": alike.test[0].shape,
        "reference": LEARNED,
        "coders": summary(found, LEARNED),
        "circumstances": circumstances(("imagecodecs", "scipy")),
    }


def table(sets: dict[str, Any]) -> str:
    """Bits beside the reference's at equal PSNR, the median over arrays, as Markdown."""
    lines = [
        f"| set | coder | {' | '.join(BANDS)} | PSNR at {RATES} |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in sets.items():
        for coder, of in found["coders"].items():
            bits = [f"{b['median']:+.0f} %" if b else "-" for b in of["percent"].values()]
            decibels = [f"{v:.2f}" if v else "-" for v in of["psnr"].values()]
            lines.append(f"| {name} | {coder} | {' | '.join(bits)} | {', '.join(decibels)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--steps", type=int, default=3500)
    parser.add_argument("--coders", default="", help="these, and those that are measured already")
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.sets.split(","):
        found = judge(name, given.data, given.work / name, given.steps, given.coders)
        known = json.loads(given.output.read_text()) if given.output.exists() else {}
        known |= {name: found}
        write_whole(given.output, (json.dumps(known, indent=1) + "\n").encode())
        print(table(json.loads(given.output.read_text())), flush=True)


if __name__ == "__main__":
    main()
