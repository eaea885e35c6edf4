"""Training: it learns, stops and goes on, and keeps its last good state."""

import dataclasses
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vqcodec.media.workshop import Recipe
from vqcodec.training.interruption import signals_wait
from vqcodec.training.progress import Budget, Progress
from vqcodec.training.trainer import Trainer


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


def test_training_improves_the_model(new_trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    """Better than principal components and k-means alone, on crops that neither was made of."""
    trainer = new_trainer()
    reports = run(trainer, 120, tmp_path / "state")
    assert [report.steps for report in reports] == [20, 40, 60, 80, 100, 120]
    assert reports[-1].share == 1
    samples = new_trainer(first=10**6).batches.batch(16)
    fresh = new_trainer()
    fresh.model.start(fresh._samples(64))
    fresh.model.quantizer.start(fresh.model.transform.analyse(fresh._samples(64)).detach())
    with torch.no_grad():
        before, after = (
            float((model(samples).samples - samples).square().mean())
            for model in (fresh.model.eval(), trainer.model.eval())
        )
    assert after < 0.9 * before


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


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Whoever runs the tests may have them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("stop", [1, 4, 12, 22])
def test_resumed_run_goes_on_exactly_as_if_it_had_not_stopped(
    new_trainer: Callable[..., Trainer],
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: int,
) -> None:
    """Before the codebooks begin, as they begin, while codes are restarted, and once they settle.

    The signal arrives in the middle of a step, which is taken whole.
    """
    # So many codes that some of them die.
    quantizer = dataclasses.replace(recipe.model.quantizer, codebook_size=300)
    model = dataclasses.replace(recipe.model, quantizer=quantizer)
    recipe = dataclasses.replace(recipe, model=model)
    whole = new_trainer(recipe=recipe)
    run(whole, 30, tmp_path / "whole")
    assert sum(book.restarts for book in whole.model.quantizer.books()) > 0
    half = new_trainer(recipe=recipe)
    objective = half.objective

    def interrupted(*arguments: Any) -> Any:
        if half.state.steps == stop - 1:
            signal.raise_signal(signal.SIGINT)
        return objective(*arguments)

    monkeypatch.setattr(half, "objective", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(half, 30, tmp_path / "half")
    assert half.state.steps == stop
    again = new_trainer(recipe=recipe)
    torch.manual_seed(99)
    again.resume(tmp_path / "half")
    run(again, 30, tmp_path / "half")
    assert_equal_states(everything(whole), everything(again))


@pytest.mark.usefixtures("ctrl_c")
def test_second_signal_does_not_wait() -> None:
    done = []

    def impatient() -> None:
        with signals_wait():
            signal.raise_signal(signal.SIGINT)
            done.append("first")
            signal.raise_signal(signal.SIGINT)
            done.append("second")

    with pytest.raises(KeyboardInterrupt):
        impatient()
    assert done == ["first"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("steps", [1, 2])
def test_run_that_is_too_short_for_codebooks_has_them_all_the_same(
    new_trainer: Callable[..., Trainer], tmp_path: Path, steps: int
) -> None:
    trainer = new_trainer(recipe=dataclasses.replace(new_trainer().recipe, unquantized=0.9))
    run(trainer, steps, tmp_path / "state")
    for book in trainer.model.quantizer.books():
        assert len({tuple(vector) for vector in book.vectors.tolist()}) == book.size
    assert bool((trainer.model.quantizer.residual_energy > 0).all())
    again = new_trainer()
    again.resume(tmp_path / "state")
    assert_equal_states(everything(trainer), everything(again))


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
