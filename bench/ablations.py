"""What each idea of the picture codec is worth: a ladder of small models, one idea more each.

Every model has the same number of training steps on the same crops, from the same seed, and is
measured on photographs that are held out from training, by the bytes of whole files. A rung is
compared with the one before it picture by picture at equal rate: curves of means over few pictures
move with which picture gets the bits.

    python -m bench.ablations FOLDER [--steps N] [--pictures N] [-o FILE.json]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vqcodec.codec import Codec
from vqcodec.evaluation import Point, circumstances, evaluate, find_measures, value_at
from vqcodec.media.crops import split_files
from vqcodec.media.picture.crops import PictureCrops, find_pictures, read_rgb
from vqcodec.media.registry import find_workshop
from vqcodec.media.workshop import Contestant, Recipe
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.model.file import ModelCard, read_model
from vqcodec.model.network import VQVAE
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.training.export import export_model
from vqcodec.training.progress import Budget
from vqcodec.training.trainer import Trainer
from vqcodec.transforms.config import ConvolutionalAnalysisConfig, ConvolutionalSynthesisConfig

RATES = (0.15, 0.25, 0.5)
PICTURES = find_workshop("picture")
MEASURES = find_measures(PICTURES, ("psnr", "ms-ssim"))
LADDER = (0.0, 10.0, 25.0, 40.0, 55.0, 75.0, 100.0)
PRIOR_PICTURES = 48


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One row of the table.

    mu, effort: of the search. prior: the entropy coder that the files are written with.
    linear_path: whether the networks stand beside a projection on principal components.
    """

    name: str
    recipe: Recipe
    mu: float = 0.0
    effort: int = 1
    prior: str = "static"
    linear_path: bool = True


def rungs() -> list[Rung]:
    """The ladder, from the textbook VQ-VAE up."""
    small = Recipe(model=_model(64, 2, 2), crop=(128, 128), mu=0.0, restart_until=0.9)
    one = dataclasses.replace(small, model=_model(64, 2, 2, stages=1, codebook_size=4096))
    large = dataclasses.replace(small, model=_model(96, 3, 4))
    rate = dataclasses.replace(large, mu=6.0, truncated=0.6)
    many = dataclasses.replace(rate, model=_model(96, 3, 4, codebook_size=1024))
    return [
        Rung(name="one codebook of 4096", recipe=one, linear_path=False),
        Rung(name="residual, 12 x 256", recipe=small, linear_path=False),
        Rung(name="+ principal components", recipe=small),
        Rung(name="+ capacity", recipe=large),
        Rung(name="+ beams", recipe=large, effort=4),
        Rung(name="+ lambda in the search", recipe=large, effort=4, mu=6.0),
        Rung(name="+ lambda in training", recipe=rate, effort=4, mu=6.0),
        Rung(name="+ costs of the picture", recipe=rate, effort=5, mu=6.0),
        Rung(name="+ adaptive prior", recipe=rate, effort=5, mu=6.0, prior="adaptive"),
        Rung(name="+ network in the prior", recipe=rate, effort=5, mu=6.0, prior="network"),
        Rung(name="+ 12 x 1,024", recipe=many, effort=5, mu=6.0, prior="network"),
        Rung(name="+ refined latent", recipe=many, effort=9, mu=6.0, prior="network"),
    ]


def _model(width: int, analysis: int, synthesis: int, **quantizer: int) -> ModelConfig:
    return ModelConfig(
        medium=MediumConfig(kind="picture", channels=3),
        analysis=ConvolutionalAnalysisConfig(width=width, depth=analysis),
        synthesis=ConvolutionalSynthesisConfig(
            stride=(8, 8), latent_dim=48, width=width, depth=synthesis
        ),
        quantizer=QuantizerConfig(**{"stages": 12, "codebook_size": 256, **quantizer}),
        region=(128, 128),
    )


class Foundry:
    """Trains and exports what the rungs ask for, each thing once."""

    def __init__(self, folder: Path, scratch: Path, *, steps: int) -> None:
        self.paths, self.held_out = split_files(find_pictures(folder), held_out=32)
        self.scratch, self.steps = scratch, steps
        self._states: dict[Any, dict[str, torch.Tensor]] = {}
        self._files: dict[Any, Path] = {}

    def codec(self, rung: Rung) -> Codec:
        """The codec of a rung, with only the prior that the rung has."""
        samples = 600_000 if rung.prior == "network" else 0
        key = (repr(rung.recipe), rung.linear_path, rung.mu, samples)
        if key not in self._files:
            self._files[key] = self.scratch / f"{len(self._files)}.safetensors"
            self._export(rung, self._files[key], samples)
        card, tensors = read_model(self._files[key])
        if rung.prior == "static":
            tensors = {n: t for n, t in tensors.items() if not n.startswith("prior.mixing.")}
        return Codec(card, tensors, device="cpu")

    def _export(self, rung: Rung, path: Path, samples: int) -> ModelCard:
        key = (repr(rung.recipe), rung.linear_path)
        if key not in self._states:
            self._states[key] = self._train(rung)
        model = VQVAE(rung.recipe.model)
        model.load_state_dict(self._states[key])
        chosen = np.linspace(0, len(self.paths) - 1, PRIOR_PICTURES).astype(int)
        pictures = (
            torch.from_numpy(read_rgb(self.paths[i])).permute(2, 0, 1).float() / 255 for i in chosen
        )
        return export_model(
            model,
            path,
            name=path.stem,
            signals=pictures,
            mu=rung.mu,
            metadata={},
            network_samples=samples,
        )

    def _train(self, rung: Rung) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        crops = PictureCrops(self.paths, side=rung.recipe.crop[0], seed=0)
        distortion = PICTURES.distortion(rung.recipe)
        trainer = Trainer(rung.recipe, crops, distortion, device=torch.device("cpu"))
        if not rung.linear_path:
            _drop_linear_path(trainer, crops)
        for progress in trainer.fit(Budget(steps=self.steps), self.scratch / "state"):
            if progress.steps % 500 == 0:
                print(f"  step {progress.steps}: {progress.decibels:.2f} dB", flush=True)
        return {name: t.clone() for name, t in trainer.model.state_dict().items()}


def _drop_linear_path(trainer: Trainer, crops: PictureCrops) -> None:
    """Leave the networks alone, started as networks that stand alone are."""
    transform = trainer.model.transform
    transform.start(crops.batch(64))
    trainer._transform_started = True
    for network in (transform.analysis, transform.synthesis):
        network.get_buffer("basis").zero_()
        for parameter in network.get_submodule("leave").parameters():
            # Undoes the small start of a correction.
            parameter.data.mul_(20)


def measure(codec: Codec, rung: Rung, pictures: Sequence[tuple[str, Any]]) -> list[Point]:
    """Rate and distortion of a rung over the ladder of qualities."""
    encode: Callable[[Any, float], bytes] = lambda picture, quality: codec.encode(  # noqa: E731
        picture, quality=quality, effort=rung.effort
    )
    contestant = Contestant(
        name=rung.name,
        version="",
        settings="",
        ladder=LADDER if rung.recipe.model.quantizer.stages > 1 else LADDER[-1:],
        encode=encode,
        decode=codec.decode_signal,
    )
    return evaluate(contestant, pictures, rate=PICTURES.rate, measures=MEASURES)


def as_table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table of what each rung gained over the one before it."""
    lines = ["| rung | " + " | ".join(f"{rate:g} bpp" for rate in RATES) + " | seconds to encode |"]
    lines.append("| --- " * (len(RATES) + 2) + "|")
    for before, row in zip([None, *rows], rows, strict=False):
        cells = ["-"] * len(RATES) if before is None else _cells(before, row)
        lines.append(f"| {row['rung']} | {' | '.join(cells)} | {row['seconds']:.2f} |")
    return "\n".join(lines) + "\n"


def _cells(before: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """Gains at the rates; over a rung of one rate for each picture, at that."""
    if all(len(curve) == 1 for curve in before["pictures"].values()):
        return [f"{_cell(before, row, None)}, at its rates", *["-"] * (len(RATES) - 1)]
    return [_cell(before, row, rate) for rate in RATES]


def _cell(before: dict[str, Any], row: dict[str, Any], rate: float | None) -> str:
    """Gains in PSNR and MS-SSIM with their standard errors, over the pictures that reach the rate.

    Without a rate the two are compared at the only one that the rung before has.
    """
    gains = []
    for name, curve in row["pictures"].items():
        other = before["pictures"][name]
        at = other[0]["bpp"] if rate is None else rate
        here, there = _values_at(at, curve), _values_at(at, other)
        if here and there:
            gains.append(np.subtract(here, there))
    if len(gains) < 2:
        return "-"
    means, errors = np.mean(gains, 0), np.std(gains, 0, ddof=1) / len(gains) ** 0.5
    texts = [f"{mean:+.2f} ± {error:.2f}" for mean, error in zip(means, errors, strict=True)]
    return f"{' / '.join(texts)} ({len(gains)})"


def _values_at(rate: float, curve: list[dict[str, float]]) -> list[float] | None:
    """PSNR and MS-SSIM at a rate, or None where the curve does not reach it."""
    if len(curve) == 1:
        return [curve[0][measure.name] for measure in MEASURES]
    rates = [point["bpp"] for point in curve]
    values = [value_at(rate, rates, [point[m.name] for point in curve]) for m in MEASURES]
    return [value for value in values if value is not None] or None


def main() -> None:
    """Climb the ladder and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photographs to train on, some held out")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--pictures", type=int, default=8, help="held-out photographs to measure")
    parser.add_argument("-o", "--output", type=Path, default=None)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        foundry = Foundry(arguments.folder, Path(name), steps=arguments.steps)
        spread = np.linspace(0, len(foundry.held_out) - 1, arguments.pictures).astype(int)
        paths = [foundry.held_out[i] for i in spread]
        pictures = [(path.name, PICTURES.read(path.read_bytes())) for path in paths]
        for rung in rungs():
            print(rung.name, flush=True)
            points = measure(foundry.codec(rung), rung, pictures)
            rows.append(_as_numbers(rung, points))
            print(as_table(rows).splitlines()[-1], flush=True)
            if arguments.output:
                whole = {"steps": arguments.steps, "rungs": rows, "where": circumstances()}
                arguments.output.write_text(json.dumps(whole, indent=1) + "\n")
    print(as_table(rows))


def _as_numbers(rung: Rung, points: Sequence[Point]) -> dict[str, Any]:
    """What the table needs of a rung: for every picture a curve of rate, PSNR and MS-SSIM in dB."""
    curves: dict[str, list[dict[str, float]]] = {}
    for row in (row for point in points for row in point.signals):
        values = {m.name: m.of_mean(row.values[m.name]) for m in MEASURES}
        curves.setdefault(row.signal, []).append({"bpp": row.rate, **values})
    seconds = float(np.median([point.encode_seconds for point in points]))
    return {"rung": rung.name, "seconds": seconds, "pictures": curves}


if __name__ == "__main__":
    main()
