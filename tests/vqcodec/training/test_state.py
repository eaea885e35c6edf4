"""A run's state on disk: what comes back, and what is refused."""

import dataclasses
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from vqcodec.errors import BadModelError
from vqcodec.model.network import VQVAE
from vqcodec.training.optimizer import Optimizer
from vqcodec.training.state import TrainingState, load_state, save_state
from vqcodec.training.trainer import Trainer


@pytest.fixture
def trainer(new_trainer: Callable[..., Trainer]) -> Trainer:
    return new_trainer()


@pytest.fixture
def saved(trainer: Trainer, tmp_path: Path) -> Path:
    path = tmp_path / "state"
    state = TrainingState(steps=3, seconds=0.5, rate_scale=0.25)
    save_state(path, trainer.model, trainer.optimizer, state)
    return path


def test_progress_comes_back(trainer: Trainer, saved: Path) -> None:
    found = load_state(saved, trainer.model, trainer.optimizer)
    assert found == TrainingState(steps=3, seconds=0.5, rate_scale=0.25)
    assert [path.name for path in saved.parent.iterdir()] == ["state"]


def test_damaged_files_are_refused(trainer: Trainer, saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    for number, bad in enumerate((b"", data[:100], data[:-1], b"\x80\x04N." * 50)):
        path = tmp_path / f"bad{number}"
        path.write_bytes(bad)
        with pytest.raises(BadModelError):
            load_state(path, trainer.model, trainer.optimizer)


def test_a_model_is_no_state(trainer: Trainer, tiny_path: Path) -> None:
    with pytest.raises(BadModelError, match="not the state"):
        load_state(tiny_path, trainer.model, trainer.optimizer)


@pytest.mark.parametrize("part", ["analysis", "synthesis"])
def test_another_configuration_is_refused(trainer: Trainer, saved: Path, part: str) -> None:
    config = trainer.model.config
    other = dataclasses.replace(getattr(config, part), width=13)
    model = VQVAE(dataclasses.replace(config, **{part: other}))
    with pytest.raises(BadModelError, match="another configuration"):
        load_state(saved, model, Optimizer(model, muon=False))


def test_another_optimizer_is_refused(trainer: Trainer, saved: Path) -> None:
    with pytest.raises(BadModelError, match="another optimizer"):
        load_state(saved, trainer.model, Optimizer(trainer.model, muon=True))


def test_full_disk_is_the_systems_error_and_leaves_the_older_state(
    trainer: Trainer, saved: Path
) -> None:
    """No file may grow beyond a limit: the system refuses that as it refuses a full disk."""
    before = saved.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            save_state(saved, trainer.model, trainer.optimizer, TrainingState())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["state"]
