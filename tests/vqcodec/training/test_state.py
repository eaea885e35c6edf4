"""A run's state on disk: what comes back, and what is refused."""

import dataclasses
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from vqcodec.errors import BadModelError
from vqcodec.model.network import VQVAE
from vqcodec.training.optimizer import Optimizer
from vqcodec.training.progress import Budget
from vqcodec.training.state import TrainingState, _checksum, load_state, save_state
from vqcodec.training.trainer import Trainer


@pytest.fixture
def trainer(new_trainer: Callable[..., Trainer]) -> Trainer:
    return new_trainer()


@pytest.fixture
def saved(trainer: Trainer, tmp_path: Path) -> Path:
    path = tmp_path / "state"
    list(trainer.fit(Budget(steps=3), path))
    state = TrainingState(steps=3, seconds=0.5, rate_scale=0.25, keep_codebooks=True)
    save_state(path, trainer.model, trainer.optimizer, state)
    return path


def test_progress_comes_back(trainer: Trainer, saved: Path) -> None:
    found = load_state(saved, trainer.model, trainer.optimizer)
    assert found == TrainingState(steps=3, seconds=0.5, rate_scale=0.25, keep_codebooks=True)
    assert [path.name for path in saved.parent.iterdir()] == ["state"]


def test_damaged_files_are_refused(trainer: Trainer, saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    bads = [b"", data[:100], data[:-1], b"\x80\x04N." * 50]
    for place in (len(data) - 1, len(data) // 2):
        bads.append(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    for number, bad in enumerate(bads):
        path = tmp_path / f"bad{number}"
        path.write_bytes(bad)
        with pytest.raises(BadModelError, match=f"{path}: "):
            load_state(path, trainer.model, trainer.optimizer)


def test_every_single_changed_text_is_refused(trainer: Trainer, saved: Path) -> None:
    with safe_open(saved, framework="pt") as file:
        metadata = file.metadata()
    for key in metadata:
        other = {**metadata, key: metadata[key].replace("0", "1") + " "}
        save_file(load_file(saved), saved, metadata=other)
        with pytest.raises(BadModelError, match="checksum does not match"):
            load_state(saved, trainer.model, trainer.optimizer)


PROGRESS = {
    "no JSON": "{",
    "no object": "[1, 2, 3]",
    "nothing": "{}",
    "no truth": '{"steps": 1, "seconds": 1, "rate_scale": 1, "keep_codebooks": 1}',
    "a field more": '{"steps": 1, "seconds": 1, "rate_scale": 1, "x": 1}',
    "negative": '{"steps": -1, "seconds": 1, "rate_scale": 1}',
    "half a step": '{"steps": 1.5, "seconds": 1, "rate_scale": 1}',
    "a truth": '{"steps": true, "seconds": 1, "rate_scale": 1}',
    "a text": '{"steps": 1, "seconds": "1", "rate_scale": 1}',
    "not a number": '{"steps": 1, "seconds": NaN, "rate_scale": 1}',
    "infinite": '{"steps": 1, "seconds": 1, "rate_scale": Infinity}',
    "too large": '{"steps": 1, "seconds": 1%s, "rate_scale": 1}' % ("0" * 400),
}


@pytest.mark.parametrize("text", PROGRESS.values(), ids=PROGRESS)
def test_progress_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(
        BadModelError, match=r"its (progress|steps|seconds|rate_scale|keep_codebooks)"
    ):
        TrainingState.from_text(text)


Change = Callable[[dict[str, Tensor]], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "lost weight": (lambda t: t.pop("model.quantizer.shares"), "holds no model.quantizer.shares"),
    "lost moment": (lambda t: t.pop("optimizer.adam.3.exp_avg"), "no optimizer.adam.3.exp_avg"),
    "lost optimizer": (
        lambda t: [t.pop(name) for name in list(t) if name.startswith("optimizer.")],
        "holds no optimizer.adam.0.exp_avg",
    ),
    "lost generator": (lambda t: t.pop("random"), "holds no random"),
    "one too many": (lambda t: t.update(x=torch.zeros(1)), "holds 'x'"),
    "odd name": (lambda t: t.update({"optimizer.adam": torch.zeros(1)}), "'optimizer.adam'"),
    "misshapen": (
        lambda t: t.update({"model.quantizer.residual_energy": torch.zeros(2)}),
        r"residual_energy is torch.float32 \(2,\), must be torch.float32 \(5,\)",
    ),
    "misshapen moment": (
        lambda t: t.update({"optimizer.adam.0.step": torch.zeros(2)}),
        "adam.0.step is",
    ),
    "of another type": (
        lambda t: t.update({"model.quantizer.shares": t["model.quantizer.shares"].long()}),
        "torch.int64",
    ),
}


@pytest.mark.parametrize(("change", "why"), CHANGES.values(), ids=CHANGES)
def test_tensors_that_no_run_leaves_are_refused_and_nothing_is_loaded(
    trainer: Trainer,
    new_trainer: Callable[..., Trainer],
    tmp_path: Path,
    change: Change,
    why: str,
) -> None:
    """Even under a checksum that matches."""
    path = tmp_path / "state"
    list(trainer.fit(Budget(steps=2), path))
    tensors = load_file(path)
    change(tensors)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    texts = {key: metadata[key] for key in ("config", "analysis", "optimizer", "state")}
    save_file(tensors, path, metadata={**texts, "checksum": _checksum(texts, tensors)})
    other = new_trainer()
    before = {name: tensor.clone() for name, tensor in other.model.state_dict().items()}
    with pytest.raises(BadModelError, match=why):
        load_state(path, other.model, other.optimizer)
    assert all(torch.equal(t, before[n]) for n, t in other.model.state_dict().items())
    assert other.optimizer.tensors() == {}


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
