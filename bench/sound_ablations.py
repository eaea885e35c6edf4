"""Whether another loss makes `speech` easier to understand: models trained on alike, side by side.

    python -m bench.sound_ablations train SOUNDS WORK [--losses NAME ...] [--seconds 150]
    python -m bench.sound_ablations measure SOUNDS WORK [-o bench/results/sound/ablations.json]

Each goes on from the weights of `speech` for as many seconds of one core, with the same seed, so
on the same crops as far as each comes, eight to a step. Costs and a prior without a network are
fitted to some of the training sounds; measured is on those that training holds out, as long as they
last two seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vqcodec
from bench.sound_losses import Intelligible, Judged
from vqcodec.evaluation import circumstances
from vqcodec.files import write_whole
from vqcodec.media.crops import find_files, split_files
from vqcodec.media.registry import find_workshop, read_any_stream
from vqcodec.media.sound.distortion import SoundDistortion
from vqcodec.media.sound.medium import MEDIUM
from vqcodec.media.sound.other_rates import at_rate
from vqcodec.media.sound.signal import Sound
from vqcodec.media.workshop import Distortion
from vqcodec.model.catalog import locate_model
from vqcodec.model.file import read_model
from vqcodec.model.network import VQVAE
from vqcodec.model.tensors import network_from_tensors
from vqcodec.training.export import export_model
from vqcodec.training.objective import Objective
from vqcodec.training.progress import Budget
from vqcodec.training.state import TrainingState
from vqcodec.training.trainer import Trainer
from vqcodec.transforms.base import Transform

RESULTS = Path("bench/results/sound/ablations.json")
LOSSES = ("present", "mel-50", "mel-25", "estoi-25", "estoi-50", "judged-50")
QUALITIES = (40, 70)
# Without ViSQOL, which takes longer than the sounds last.
MEASURES = ("mel", "si-sdr", "log-spectral", "pesq", "estoi")
RATE, HELD_OUT, FITTED = 16000, 60, 60
SHORTEST, LONGEST = 2.0, 10.0


@dataclass(frozen=True)
class ProcessorBudget(Budget):
    """So many seconds of the processor."""

    seconds: float = 150.0
    began: float = field(default_factory=time.process_time)

    def share(self, state: TrainingState) -> float:
        return min(1.0, (time.process_time() - self.began) / self.seconds)


def files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Those that training learns from, and those that it holds out."""
    found = find_files(folder, MEDIUM.suffixes, of="sounds")
    return split_files(found, held_out=HELD_OUT)


def heard(paths: list[Path], rate: int | None = None) -> Iterator[tuple[str, Sound]]:
    """Up to ten seconds of each file that is long enough, by name; at one rate, or at its own."""
    workshop = find_workshop("sound")
    for path in paths:
        sound = workshop.read(path.read_bytes())
        if sound.extent[0] < SHORTEST * sound.rate:
            continue
        samples, own = sound.samples[: int(LONGEST * sound.rate)], sound.rate
        if rate is not None:
            samples = at_rate(samples, rate=own, wanted=rate, needed_by="this comparison")
        yield path.stem, Sound(samples.clip(-1, 1), rate or own)


def speech() -> VQVAE:
    """The networks of `speech` as they are published."""
    card, tensors = read_model(locate_model("speech"))
    return network_from_tensors(card.config, tensors, card.path)


def loss_named(name: str, transform: Transform) -> Distortion:
    """What a loss of that name minimises; the number is a share in per cent.

    The share of the ESTOI loss is taken from that of mel distance; "mel" gives it to the error.
    """
    workshop = find_workshop("sound")
    present = workshop.distortion(recipe := workshop.recipes["speech"])
    kind, _, number = name.partition("-")
    share = int(number or 0) / 100
    if kind == "mel":
        return SoundDistortion({"mel": share}, rate=RATE)
    if kind == "estoi":
        return Intelligible(mel=recipe.distortion["mel"] - share, estoi=share, rate=RATE)
    return Judged(present, transform, share=share) if kind == "judged" else present


def train(folder: Path, work: Path, loss: str, seconds: float) -> None:
    """Write WORK/LOSS.safetensors."""
    workshop = find_workshop("sound")
    recipe = replace(workshop.recipes["speech"], batch=8, warmup=20)
    torch.manual_seed(0)
    batches, _ = workshop.open_data(folder, recipe, 0)
    trainer = Trainer(recipe, batches, workshop.distortion(recipe), device=torch.device("cpu"))
    trainer.start_from(speech())
    chosen = loss_named(loss, trainer.model.transform)
    trainer.objective = Objective(chosen, commitment=recipe.commitment)
    budget = ProcessorBudget(seconds=seconds)
    for progress in trainer.fit(budget, work / f"{loss}.state.safetensors"):
        print(
            f"{loss} {progress.steps} {progress.share:.3f} loss {progress.loss:.5f} "
            f"{progress.decibels:.2f} dB",
            flush=True,
        )
    facts = {"steps": trainer.state.steps, "processor_seconds": seconds}
    export(trainer.model, work / f"{loss}.safetensors", folder, facts)


def export(model: VQVAE, path: Path, folder: Path, facts: dict[str, Any]) -> None:
    """Fit costs and a prior to some of the training sounds."""
    kept, _ = files(folder)
    _, chosen = split_files(kept, held_out=2 * FITTED)
    sounds = (sound.samples.T for _, sound in heard(chosen, RATE))
    signals = (torch.from_numpy(np.ascontiguousarray(samples)) for samples in sounds)
    export_model(
        model.cpu(),
        path,
        name=path.stem,
        signals=signals,
        mu=1.0,
        metadata=facts,
        network_samples=0,
    )


def measure(folder: Path, model: Path) -> list[dict[str, Any]]:
    """A row for every held-out file and quality."""
    codec = vqcodec.load(model, device="cpu")
    rows = []
    for name, sound in heard(files(folder)[1], RATE):
        for quality in QUALITIES:
            data = codec.encode(sound, quality=quality)
            decoded = codec.decode_signal(data)
            assert isinstance(decoded, Sound)
            size = sum(len(codes) for codes in read_any_stream(data)[1].codes)
            values = measured(decoded, sound)
            kbps = 8 * size * sound.rate / sound.extent[0] / 1000
            rows.append({"file": name, "quality": quality, "kbps": kbps, **values})
    return rows


def measured(decoded: Sound, sound: Sound) -> dict[str, float]:
    return {
        m.name: m.of(decoded, sound) for m in find_workshop("sound").measures if m.name in MEASURES
    }


def compared(rows: list[dict[str, Any]], control: list[dict[str, Any]]) -> dict[str, Any]:
    """`differences` at each quality."""
    return {
        str(quality): differences(
            *([row for row in part if row["quality"] == quality] for part in (rows, control))
        )
        for quality in QUALITIES
    }


def differences(rows: list[dict[str, Any]], control: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over files, and how far they are from the control's, with standard errors."""
    assert [row["file"] for row in rows] == [row["file"] for row in control]
    found = {}
    for key in ("kbps", *MEASURES):
        a, b = (np.array([row[key] for row in part]) for part in (rows, control))
        whole = np.isfinite(a) & np.isfinite(b)
        apart = (a - b)[whole]
        found[key] = {
            "mean": float(a[whole].mean()),
            "difference": float(apart.mean()),
            "standard_error": float(apart.std(ddof=1) / math.sqrt(len(apart))),
            "files": len(apart),
        }
    return found


def show(found: dict[str, Any]) -> None:
    for name, result in found.items():
        for quality in map(str, QUALITIES):
            for key, value in result[quality].items():
                apart = f"{value['difference']:+.4f} +- {value['standard_error']:.4f}"
                print(f"{name:10} {quality} {key:12} {value['mean']:.4f} {apart}")


def measure_all(folder: Path, work: Path, output: Path) -> None:
    """Every model in WORK beside `present.safetensors`, and write what was found."""
    paths = {loss: work / f"{loss}.safetensors" for loss in LOSSES}
    rows = {loss: measure(folder, path) for loss, path in paths.items() if path.exists()}
    found = {
        loss: {**read_model(paths[loss])[0].metadata, **compared(part, rows["present"])}
        for loss, part in rows.items()
    }
    show(found)
    result = {
        "circumstances": circumstances(("torch", "pesq", "pystoi")),
        "losses": found,
        "rows": rows,
    }
    write_whole(output, (json.dumps(result, indent=1) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("train", "measure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--losses", nargs="+", default=LOSSES)
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    if given.command == "measure":
        measure_all(given.folder, given.work, given.output)
        return
    for loss in given.losses:
        train(given.folder, given.work, loss, given.seconds)


if __name__ == "__main__":
    main()
