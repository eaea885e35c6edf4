"""Training: it learns, stops and goes on, and keeps its last good state."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import tiny_config
from torch import Tensor

from vqcodec.media.workshop import Recipe
from vqcodec.training.progress import Budget, Progress
from vqcodec.training.trainer import Trainer

CPU = torch.device("cpu")


def run(trainer: Trainer, steps: int, path: Path) -> list[Progress]:
    return list(trainer.fit(Budget(steps=steps), path))


def everything(trainer: Trainer) -> dict[str, Tensor]:
    """Copies of all weights, codebooks and moments."""
    found = {f"model.{n}": t.clone() for n, t in trainer.model.state_dict().items()}
    return found | {f"optimizer.{n}": t.clone() for n, t in trainer.optimizer.tensors().items()}


def assert_equal_states(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def assert_better_than_its_start(trainer: Trainer, fresh: Trainer, samples: Tensor) -> None:
    """Better than principal components and k-means alone, on the same samples."""
    fresh.model.start(fresh._samples(64))
    fresh.model.quantizer.start(fresh.model.transform.analyse(fresh._samples(64)).detach())
    with torch.no_grad():
        before, after = (
            float((model(samples).samples - samples).square().mean())
            for model in (fresh.model.eval(), trainer.model.eval())
        )
    assert after < 0.9 * before


def test_training_improves_the_model(new_trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    trainer = new_trainer()
    reports = run(trainer, 120, tmp_path / "state")
    assert [report.steps for report in reports] == [20, 40, 60, 80, 100, 120]
    assert reports[-1].share == 1
    samples = new_trainer(first=10**6).batches.batch(16)
    assert_better_than_its_start(trainer, new_trainer(), samples)


def test_codebooks_settle_once_restarts_end(
    new_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    trainer = new_trainer()
    seen = []
    for progress in trainer.fit(Budget(steps=120), tmp_path / "state"):
        seen.append((progress.share, trainer.model.quantizer.books()[0].decay))
    until = trainer.recipe.restart_until
    assert {decay for share, decay in seen if share < until} == {0.98}
    assert {decay for share, decay in seen if share > until + 0.1} == {0.995}


def test_codebooks_of_another_size_are_learned_anew(
    new_trainer: Callable[..., Trainer], recipe: Recipe, tmp_path: Path
) -> None:
    origin = new_trainer()
    run(origin, 20, tmp_path / "origin")
    quantizer = dataclasses.replace(recipe.model.quantizer, codebook_size=24)
    model = dataclasses.replace(recipe.model, quantizer=quantizer)
    trainer = new_trainer(recipe=dataclasses.replace(recipe, model=model))
    trainer.start_from(origin.model)
    run(trainer, 20, tmp_path / "state")
    for book in trainer.model.quantizer.books():
        assert len({tuple(vector) for vector in book.vectors.tolist()}) == 24


def test_resumed_run_has_the_state_that_was_saved(
    new_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    first = new_trainer()
    run(first, 30, tmp_path / "state")
    second = new_trainer()
    second.resume(tmp_path / "state")
    assert second.state == first.state
    assert second.state.steps == 30
    assert_equal_states(everything(first), everything(second))


def test_resumed_run_goes_on_exactly_as_if_it_had_not_stopped(
    new_trainer: Callable[..., Trainer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same batches, same weights; only the learning rate's end is told to both in advance."""
    monkeypatch.setattr(
        Budget, "share", lambda self, state: float(state.steps >= self.steps) or 0.8
    )
    whole = new_trainer()
    run(whole, 24, tmp_path / "whole")
    half = new_trainer()
    run(half, 12, tmp_path / "half")
    again = new_trainer(first=half.batches.drawn)  # type: ignore[attr-defined]
    again.resume(tmp_path / "half")
    run(again, 24, tmp_path / "half")
    assert_equal_states(everything(whole), everything(again))


class Stop(Exception):
    """What a test throws into a run."""


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt])
def test_interrupted_run_leaves_its_state(
    new_trainer: Callable[..., Trainer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    trainer = new_trainer()
    step = trainer._step

    def interrupted(share: float) -> object:
        if trainer.state.steps == 7:
            raise error
        return step(share)

    monkeypatch.setattr(trainer, "_step", interrupted)
    with pytest.raises(error):
        run(trainer, 100, tmp_path / "state")
    again = new_trainer()
    again.resume(tmp_path / "state")
    assert again.state.steps == 7
    assert_equal_states(everything(trainer), everything(again))


def test_run_that_nobody_listens_to_leaves_its_state(
    new_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    reports = new_trainer().fit(Budget(steps=100), tmp_path / "state")
    assert next(reports).steps == 20
    reports.close()  # type: ignore[attr-defined]
    again = new_trainer()
    again.resume(tmp_path / "state")
    assert again.state.steps == 20


def parameter(trainer: Trainer, name: str) -> torch.nn.Parameter:
    return dict(trainer.model.named_parameters())[name]


def poison_output(trainer: Trainer) -> None:
    torch.nn.init.constant_(parameter(trainer, "transform.synthesis.leave.bias"), 50.0)


def poison_latent(trainer: Trainer) -> None:
    torch.nn.init.constant_(parameter(trainer, "transform.analysis.leave.bias"), torch.nan)


@pytest.mark.parametrize("poison", [poison_output, poison_latent])
def test_divergence_keeps_the_last_good_state(
    new_trainer: Callable[..., Trainer], tmp_path: Path, poison: Callable[[Trainer], None]
) -> None:
    trainer = new_trainer()
    run(trainer, 20, tmp_path / "state")
    good = (tmp_path / "state").read_bytes()
    poison(trainer)
    with pytest.raises(FloatingPointError, match="diverged at step 20"):
        run(trainer, 40, tmp_path / "state")
    assert (tmp_path / "state").read_bytes() == good


def test_gradient_that_is_not_finite_does_not_reach_the_weights(
    new_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    trainer = new_trainer()
    run(trainer, 20, tmp_path / "state")
    before = [parameter.clone() for parameter in trainer.model.parameters()]
    weight = parameter(trainer, "transform.analysis.enter.weight")
    weight.register_hook(lambda gradient: gradient * torch.inf)  # type: ignore[no-untyped-call]
    with pytest.raises(FloatingPointError, match="gradient"):
        run(trainer, 40, tmp_path / "state")
    for now, wanted in zip(trainer.model.parameters(), before, strict=True):
        assert torch.equal(now, wanted)


def test_a_second_fit_goes_on(new_trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    trainer = new_trainer()
    run(trainer, 4, tmp_path / "state")
    basis = dict(trainer.model.named_buffers())["transform.analysis.basis"]
    wanted = basis.mul_(0.5).clone()
    run(trainer, 5, tmp_path / "state")
    assert torch.equal(basis, wanted), "the start is not done twice"


class Waves:
    """Sums of two sines, float32 (size, 2, 96): signals of one axis."""

    def __init__(self, seed: int = 0) -> None:
        self.random = torch.Generator().manual_seed(seed)

    def batch(self, size: int) -> Tensor:
        pitch, phase = (torch.rand(2, size, 2, 1, generator=self.random) for _ in range(2))
        angle = torch.arange(96) * (0.05 + 0.2 * pitch) + 2 * math.pi * phase
        return 0.5 + 0.2 * angle.sin().sum(0)

    def go_on(self, steps: int) -> None:
        self.random.manual_seed(steps)


@pytest.mark.parametrize("muon", [False, True])
def test_signals_of_one_axis(tmp_path: Path, muon: bool) -> None:
    """The same loop; what is told per sample counts the samples of an axis."""
    model = tiny_config(
        medium="sound", channels=2, stride=(8,), latent_dim=6, stages=3, codebook_size=16
    )
    recipe = Recipe(model=model, crop=(96,), batch=8, warmup=5, unquantized=0.05, muon=muon)

    def new() -> Trainer:
        torch.manual_seed(0)
        return Trainer(recipe, Waves(), lambda _, __, error: error, device=CPU)

    trainer = new()
    reports = run(trainer, 160, tmp_path / "state")
    assert_better_than_its_start(trainer, new(), Waves(seed=1).batch(64))
    # Three stages of at most four bits for every eight samples.
    assert 0.5 < reports[-1].bits_per_sample < 3 * 4 / 8
