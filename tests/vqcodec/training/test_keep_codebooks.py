"""Fine-tuning with codebooks that stay: codes keep their meaning, networks learn around them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vqcodec.errors import BadModelError, InputError
from vqcodec.media.workshop import Recipe
from vqcodec.model.file import read_model
from vqcodec.model.network import VQVAE
from vqcodec.quantizers.codebook import Codebook
from vqcodec.training import state_path, train
from vqcodec.training.progress import Budget
from vqcodec.training.trainer import Trainer

NewTrainer = Callable[..., Trainer]
SaveDigits = Callable[[int], Path]


def run(trainer: Trainer, steps: int, path: Path) -> None:
    for _ in trainer.fit(Budget(steps=steps), path):
        pass


@pytest.fixture
def origin(new_trainer: NewTrainer, tmp_path: Path) -> VQVAE:
    trainer = new_trainer()
    run(trainer, 20, tmp_path / "origin")
    return trainer.model


def vectors(model: VQVAE) -> torch.Tensor:
    return torch.stack([book.vectors for book in model.quantizer.books()]).clone()


def test_codebooks_stay_and_networks_move(
    new_trainer: NewTrainer, origin: VQVAE, tmp_path: Path
) -> None:
    """Bit for bit, through restarts and settling; without the choice they move."""
    before = vectors(origin)
    for keep in (True, False):
        trainer = new_trainer()
        trainer.start_from(origin, keep_codebooks=keep)
        run(trainer, 30, tmp_path / f"state-{keep}")
        assert torch.equal(vectors(trainer.model), before) == keep
        old = dict(origin.named_parameters())
        moved = {n for n, p in trainer.model.named_parameters() if not torch.equal(p, old[n])}
        assert {name.split(".")[1] for name in moved} == {"analysis", "synthesis"}
        assert not torch.equal(trainer.model.quantizer.shares, origin.quantizer.shares)


@pytest.mark.parametrize("stop", [1, 12])
def test_a_resumed_run_keeps_them(
    new_trainer: NewTrainer,
    origin: VQVAE,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: int,
) -> None:
    """Without being told again, and as if it had not stopped."""
    whole, half, again = (new_trainer() for _ in range(3))
    for trainer in (whole, half):
        trainer.start_from(origin, keep_codebooks=True)
    torch.manual_seed(0)
    run(whole, 25, tmp_path / "whole")
    step = half._step

    def interrupted(share: float) -> object:
        if half.state.steps == stop:
            raise KeyboardInterrupt
        return step(share)

    monkeypatch.setattr(half, "_step", interrupted)
    torch.manual_seed(0)
    with pytest.raises(KeyboardInterrupt):
        run(half, 25, tmp_path / "half")
    again.resume(tmp_path / "half")
    run(again, 25, tmp_path / "half")
    assert torch.equal(vectors(again.model), vectors(origin))
    states = (whole.model.state_dict(), again.model.state_dict())
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def test_codebooks_of_another_size_cannot_be_kept(
    new_trainer: NewTrainer, recipe: Recipe, origin: VQVAE
) -> None:
    quantizer = dataclasses.replace(recipe.model.quantizer, codebook_size=24)
    model = dataclasses.replace(recipe.model, quantizer=quantizer)
    trainer = new_trainer(recipe=dataclasses.replace(recipe, model=model))
    with pytest.raises(BadModelError, match=r"codebook_size=32.*codebook_size=24"):
        trainer.start_from(origin, keep_codebooks=True)


def test_a_frozen_codebook_can_go_on_later() -> None:
    """Its averages stay those of its vectors: one more step moves it no further than it should."""
    book = Codebook(8, 3, decay=0.5)
    rows = torch.randn(200, 3)
    book.start(rows)
    before = book.vectors.clone()
    book.frozen = True
    for _ in range(5):
        codes = torch.randint(0, 8, (200,))
        book.update(rows, codes)
        book.restart(rows, codes, threshold=100.0)
    assert torch.equal(book.vectors, before)
    assert book.restarts == 0
    torch.testing.assert_close(book.sums, before * book.share[:, None])
    book.frozen = False
    counts = torch.bincount(codes, minlength=8) / 200
    sums = torch.zeros(8, 3).index_add(0, codes, rows) / 200
    wanted = (book.sums + sums) / (book.share + counts)[:, None]
    book.update(rows, codes)
    torch.testing.assert_close(book.vectors[1:], wanted[1:])


def test_the_file_has_the_codebooks_it_was_started_from(
    save_digits: SaveDigits, tmp_path: Path
) -> None:
    """In their order, too, which other runs make anew."""
    source = save_digits(200)

    def trained(name: str, **options: object) -> dict[str, np.ndarray]:
        path = tmp_path / f"{name}.safetensors"
        train(source, path, recipe="digits", device="cpu", **options)  # type: ignore[arg-type]
        return read_model(path)[1]

    with pytest.raises(InputError, match="no codebooks to keep"):
        trained("none", steps=1, keep_codebooks=True)
    first = trained("first", steps=40)
    start = tmp_path / "first.safetensors"
    kept = trained("kept", steps=20, start_from=start, keep_codebooks=True)
    resumed = trained("kept", steps=30, start_from=start, resume=True)
    moved = trained("moved", steps=20, start_from=start)
    assert np.array_equal(kept["codebooks"], first["codebooks"])
    assert np.array_equal(resumed["codebooks"], first["codebooks"])
    assert not np.array_equal(moved["codebooks"], first["codebooks"])
    assert any(not np.array_equal(kept[name], first[name]) for name in first if "synthesis" in name)
    assert state_path(tmp_path / "moved.safetensors").is_file()
    with pytest.raises(InputError, match="moved its codebooks already"):
        trained("moved", steps=30, start_from=start, keep_codebooks=True, resume=True)
