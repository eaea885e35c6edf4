"""Whether another loss or a wider latent makes `speech` better: models trained alike, side by side.

    python -m bench.sound_ablations train SOUNDS WORK [--runs LOSS@SHAPE ...] [--seconds 180]
        [--start-from MODEL]
    python -m bench.sound_ablations measure SOUNDS WORK [-o bench/results/sound/ablations.json]

Each begins at nothing, or at a model, and has as many seconds of one core, with the same seed, so
the same crops as far as each comes, eight to a step. Costs and a prior without a network are fitted
to some of the training sounds; measured is on those that training holds out, as long as they last
two seconds.
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
from bench.sound_losses import Judged, Mixed
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
from vqcodec.model.config import ModelConfig
from vqcodec.model.file import read_model
from vqcodec.model.network import VQVAE
from vqcodec.model.tensors import network_from_tensors
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.training.export import export_model
from vqcodec.training.objective import Objective
from vqcodec.training.progress import Budget
from vqcodec.training.state import TrainingState
from vqcodec.training.trainer import Trainer
from vqcodec.transforms.base import Transform
from vqcodec.transforms.config import LappedSynthesisConfig

RESULTS = Path("bench/results/sound/ablations.json")
# A loss, and how many numbers a position of the latent has, stages there are and codes a stage has;
# all are compared with the first there is.
RUNS = (
    "mel-75@96x20x512",
    "mel-75@160x20x512",
    "mel-50@160x20x512",
    "mel-25@160x20x512",
    "masked-25@160x20x512",
    "masked-50@160x20x512",
    "mel-50@160x24x256",
    "mel-50@160x23x256",
    "judged-50@160x23x256",
)
QUALITIES = (20, 50, 80, 100)
# Without ViSQOL, which takes longer than the sounds last.
MEASURES = ("mel", "si-sdr", "log-spectral", "pesq", "estoi")
RATE, HELD_OUT, FITTED = 16000, 60, 60
SHORTEST, LONGEST = 2.0, 10.0


@dataclass(frozen=True, kw_only=True)
class ProcessorBudget(Budget):
    """So many seconds of the processor."""

    seconds: float
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


def published(model: str) -> VQVAE:
    """The networks of a model, by name or file."""
    card, tensors = read_model(locate_model(model))
    return network_from_tensors(card.config, tensors, card.path)


def loss_named(name: str, transform: Transform) -> Distortion:
    """What a loss of that name minimises; the number is a share in per cent.

    That of the ESTOI loss and of masked noise is taken from three quarters of mel distance; a
    discriminator judges beside half of mel distance and half of the error.
    """
    kind, _, number = name.partition("-")
    share = int(number) / 100
    if kind in {"estoi", "masked"}:
        return Mixed({"mel": 0.75 - share, kind: share}, rate=RATE)
    if kind == "judged":
        return Judged(SoundDistortion({"mel": 0.5}, rate=RATE), transform, share=share)
    return SoundDistortion({kind: share}, rate=RATE)


def shaped(latent_dim: int, stages: int, codebook_size: int) -> ModelConfig:
    """The model of `speech`, but for these numbers."""
    model = find_workshop("sound").recipes["speech"].model
    assert isinstance(model.synthesis, LappedSynthesisConfig)
    return replace(
        model,
        synthesis=replace(model.synthesis, latent_dim=latent_dim),
        quantizer=QuantizerConfig(stages=stages, codebook_size=codebook_size),
    )


def train(folder: Path, work: Path, run: str, seconds: float, start: str | None) -> None:
    """Write WORK/RUN.safetensors."""
    loss, _, shape = run.partition("@")
    workshop = find_workshop("sound")
    model = shaped(*map(int, shape.split("x")))
    recipe = replace(workshop.recipes["speech"], model=model, batch=8, warmup=100)
    torch.manual_seed(0)
    batches, _ = workshop.open_data(folder, recipe, 0)
    trainer = Trainer(recipe, batches, workshop.distortion(recipe), device=torch.device("cpu"))
    if start is not None:
        trainer.start_from(published(start))
    chosen = loss_named(loss, trainer.model.transform)
    trainer.objective = Objective(chosen, commitment=recipe.commitment)
    budget = ProcessorBudget(seconds=seconds)
    for progress in trainer.fit(budget, work / f"{run}.state.safetensors"):
        print(
            f"{run} {progress.steps} {progress.share:.3f} loss {progress.loss:.5f} "
            f"{progress.decibels:.2f} dB",
            flush=True,
        )
    facts = {"steps": trainer.state.steps, "processor_seconds": seconds}
    export(trainer.model, work / f"{run}.safetensors", folder, facts)


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
        for quality in sorted({row["quality"] for row in rows})
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
        for quality, values in result.items():
            for key, value in values.items():
                apart = f"{value['difference']:+.4f} +- {value['standard_error']:.4f}"
                print(f"{name:10} {quality} {key:12} {value['mean']:.4f} {apart}")


def conclude(rows: dict[str, list[dict[str, Any]]], output: Path, **more: Any) -> None:
    """Compare all runs with the first, show it, and write it with what else is known."""
    found = {run: compared(part, next(iter(rows.values()))) for run, part in rows.items()}
    show(found)
    facts = circumstances(("torch", "pesq", "pystoi"))
    result = {"circumstances": facts, **more, "runs": found, "rows": rows}
    write_whole(output, (json.dumps(result, indent=1) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("train", "measure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--runs", nargs="+", default=RUNS)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--start-from", metavar="MODEL")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    if given.command == "measure":
        paths = {run: given.work / f"{run}.safetensors" for run in RUNS}
        paths = {run: path for run, path in paths.items() if path.exists()}
        rows = {run: measure(given.folder, path) for run, path in paths.items()}
        training = {run: read_model(path)[0].metadata for run, path in paths.items()}
        conclude(rows, given.output, training=training)
        return
    for run in given.runs:
        train(given.folder, given.work, run, given.seconds, given.start_from)


if __name__ == "__main__":
    main()
