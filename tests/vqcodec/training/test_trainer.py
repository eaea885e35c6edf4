"""Training: it learns, stops and goes on, keeps its last good state, and writes what it learned."""

import dataclasses
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.codec import load
from vqcodec.errors import BackendError, BadModelError, InputError
from vqcodec.media.picture.perceptual import ssimulacra2_distance
from vqcodec.model.config import ModelConfig
from vqcodec.model.file import read_model
from vqcodec.model.network import VQVAE, Reconstruction
from vqcodec.quantizers.base import Quantized
from vqcodec.training import RECIPES, Recipe, find_recipe, state_path, train
from vqcodec.training import run as run_module
from vqcodec.training.export import sort_codebooks
from vqcodec.training.objective import Objective
from vqcodec.training.optimizer import Optimizer
from vqcodec.training.progress import Budget, Progress
from vqcodec.training.state import TrainingState, load_state, save_state
from vqcodec.training.trainer import Trainer

Pixels = NDArray[np.uint8]
CPU = torch.device("cpu")


class Crops:
    """Crops of a photograph; the n-th batch is the same in every run."""

    def __init__(self, photo: Pixels, *, side: int, first: int = 0) -> None:
        self.photo, self.side, self.drawn = photo, side, first

    def batch(self, size: int) -> Tensor:
        random = np.random.default_rng(self.drawn)
        self.drawn += 1
        crops = []
        for _ in range(size):
            top = random.integers(self.photo.shape[0] - self.side)
            left = random.integers(self.photo.shape[1] - self.side)
            crops.append(self.photo[top : top + self.side, left : left + self.side])
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)


@pytest.fixture
def recipe(tiny_config: ModelConfig) -> Recipe:
    return Recipe(
        model=tiny_config, side=48, batch=4, warmup=5, unquantized=0.1, restart_every=5, mu=0.5
    )


@pytest.fixture
def new_trainer(recipe: Recipe, photos: list[Pixels]) -> Callable[..., Trainer]:
    def make(*, first: int = 0) -> Trainer:
        torch.manual_seed(0)
        trainer = Trainer(recipe, Crops(photos[0], side=recipe.side, first=first), device=CPU)
        # Half precision would make equal runs differ in their last bits.
        trainer._bf16 = False
        return trainer

    return make


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
    trainer = new_trainer()
    reports = run(trainer, 120, tmp_path / "state")
    assert [report.steps for report in reports] == [20, 40, 60, 80, 100, 120]
    assert reports[-1].share == 1
    # All measured on the same crops.
    pixels = Crops(trainer.batches.photo, side=48, first=10**6).batch(16).float() / 255  # type: ignore[attr-defined]
    trained = trainer.model.eval()
    fresh = new_trainer()
    fresh.model.start(fresh._pixels(64))
    fresh.model.quantizer.start(fresh.model.analysis(fresh._pixels(64)).detach())
    with torch.no_grad():
        errors = [
            float((model(pixels).pixels - pixels).square().mean())
            for model in (fresh.model.eval(), trained)
        ]
    assert errors[1] < 0.9 * errors[0]


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
    new_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    origin = new_trainer()
    run(origin, 20, tmp_path / "origin")
    trainer = new_trainer()
    quantizer = dataclasses.replace(trainer.recipe.model.quantizer, codebook_size=24)
    recipe = dataclasses.replace(
        trainer.recipe, model=dataclasses.replace(trainer.recipe.model, quantizer=quantizer)
    )
    trainer = Trainer(recipe, trainer.batches, device=CPU)
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
    torch.nn.init.constant_(parameter(trainer, "synthesis.leave.bias"), 50.0)


def poison_latent(trainer: Trainer) -> None:
    torch.nn.init.constant_(parameter(trainer, "analysis.leave.bias"), torch.nan)


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
    weight = parameter(trainer, "analysis.enter.weight")
    weight.register_hook(lambda gradient: gradient * torch.inf)  # type: ignore[no-untyped-call]
    with pytest.raises(FloatingPointError, match="gradient"):
        run(trainer, 40, tmp_path / "state")
    for now, wanted in zip(trainer.model.parameters(), before, strict=True):
        assert torch.equal(now, wanted)


def test_a_second_fit_goes_on(new_trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    trainer = new_trainer()
    run(trainer, 4, tmp_path / "state")
    basis = dict(trainer.model.named_buffers())["analysis.basis"]
    wanted = basis.mul_(0.5).clone()
    run(trainer, 5, tmp_path / "state")
    assert torch.equal(basis, wanted), "the start is not done twice"


def test_states_that_are_refused(
    new_trainer: Callable[..., Trainer], recipe: Recipe, tiny_path: Path, tmp_path: Path
) -> None:
    trainer = new_trainer()
    save_state(tmp_path / "state", trainer.model, trainer.optimizer, TrainingState(steps=3))
    data = (tmp_path / "state").read_bytes()
    for number, bad in enumerate((b"", data[:100], data[:-1], b"\x80\x04N." * 50)):
        path = tmp_path / f"bad{number}"
        path.write_bytes(bad)
        with pytest.raises(BadModelError):
            load_state(path, trainer.model, trainer.optimizer)
    with pytest.raises(BadModelError, match="not the state"):
        load_state(tiny_path, trainer.model, trainer.optimizer)
    transform = dataclasses.replace(recipe.model.transform, synthesis_width=13)
    other = VQVAE(dataclasses.replace(recipe.model, transform=transform))
    with pytest.raises(BadModelError, match="another configuration"):
        load_state(tmp_path / "state", other, Optimizer(other, muon=False))
    with pytest.raises(BadModelError, match="another optimizer"):
        load_state(tmp_path / "state", trainer.model, Optimizer(trainer.model, muon=True))


@pytest.mark.parametrize("length", [{"minutes": 0}, {"minutes": -1}, {"steps": 0}, {"steps": -5}])
def test_budget_that_never_ends_or_never_begins(length: dict[str, int]) -> None:
    with pytest.raises(InputError, match="positive"):
        Budget(**length)


def test_budget_shares() -> None:
    assert Budget(steps=8).share(TrainingState(steps=2)) == 0.25
    assert Budget(minutes=2).share(TrainingState(seconds=30)) == 0.25
    assert Budget(steps=8).share(TrainingState(steps=9)) == 1


def test_objective_adds_its_parts() -> None:
    pixels = torch.full((1, 1, 4, 4), 0.5)
    latent = torch.full((1, 2, 2), 2.0)
    commitment = torch.tensor(3.0)
    output = Reconstruction(pixels + 0.1, latent, Quantized(latent, latent, commitment, commitment))
    loss, error = Objective(commitment=0.25)(pixels, output, 0.01)
    assert float(error) == pytest.approx(0.01)
    # MSE + 0.25 * unit * commitment + 0.05 * MSE * ln(mean square of the latent)^2
    assert float(loss) == pytest.approx(0.01 + 0.0075 + 0.05 * 0.01 * np.log(4.0) ** 2)


def test_every_measure_counts_as_much_as_it_is_told() -> None:
    from pytorch_msssim import ms_ssim

    pixels = torch.rand(1, 3, 176, 176)
    noisy = (pixels + 0.1 * torch.randn_like(pixels)).clamp(0, 1)
    latent, zero = torch.ones(1, 2, 2), torch.zeros(())
    output = Reconstruction(noisy, latent, Quantized(latent, latent, zero, zero))
    error = float((noisy - pixels).square().mean())
    structure = (1 - float(ms_ssim(noisy, pixels, data_range=1.0))) / 25
    looks = float(ssimulacra2_distance(noisy, pixels)) / 6000
    for first, second in [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (0.0, 1.0), (0.25, 0.6)]:
        objective = Objective(ms_ssim_weight=first, ssimulacra2_weight=second)
        expected = (1 - first - second) * error + first * structure + second * looks
        assert float(objective(pixels, output, 1.0)[0]) == pytest.approx(expected, rel=1e-4)


def test_sorting_codebooks_changes_no_reconstruction(tiny_path: Path, photo: Pixels) -> None:
    codec = load(tiny_path, device="cpu")
    model = codec._model
    generator = torch.Generator().manual_seed(1)
    for book in model.quantizer.books():
        shuffle = torch.cat(
            [torch.zeros(1, dtype=torch.int64), 1 + torch.randperm(31, generator=generator)]
        )
        for buffer in (book.vectors, book.share, book.sums):
            buffer.copy_(buffer[shuffle])
    pixels = torch.from_numpy(photo[:144, :200]).permute(2, 0, 1)[None].float() / 255
    shuffled = model(pixels)
    vectors = [book.vectors.clone() for book in model.quantizer.books()]
    sort_codebooks(model)
    ordered = model(pixels)
    assert not torch.equal(shuffled.quantized.codes, ordered.quantized.codes)
    assert torch.equal(shuffled.pixels, ordered.pixels)
    torch.testing.assert_close(shuffled.quantized.bits, ordered.quantized.bits)
    for book, before in zip(model.quantizer.books(), vectors, strict=True):
        assert not bool(book.vectors[0].any())
        assert sorted(map(tuple, book.vectors.tolist())) == sorted(map(tuple, before.tolist()))


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_are_possible(name: str) -> None:
    recipe = find_recipe(name)
    assert ModelConfig.from_json(recipe.model.to_json()) == recipe.model
    assert recipe.side % max(1, recipe.model.transform.stride) == 0
    # MS-SSIM looks at five scales with a window of 11.
    assert recipe.ms_ssim_weight == 0 or recipe.side > 160
    # What is left of 1 is the weight of the squared error.
    assert min(recipe.ms_ssim_weight, recipe.ssimulacra2_weight) >= 0
    assert recipe.ms_ssim_weight + recipe.ssimulacra2_weight <= 1


def test_unknown_recipe() -> None:
    with pytest.raises(InputError, match="no recipe"):
        find_recipe("cake")


@pytest.fixture(scope="module")
def digits() -> Pixels:
    """The digits of scikit-learn enlarged to 28 x 28, uint8 (1797, 28, 28)."""
    from sklearn.datasets import load_digits

    small = torch.from_numpy(load_digits().images.copy()).float()[:, None] / 16
    large = torch.nn.functional.interpolate(small, size=(28, 28), mode="bilinear")
    return (large[:, 0] * 255).round().to(torch.uint8).numpy()


def write_idx(path: Path, pictures: Pixels) -> Path:
    path.write_bytes(struct.pack(">IIII", 0x803, *pictures.shape) + pictures.tobytes())
    return path


def test_digits_in_one_call(digits: Pixels, tmp_path: Path) -> None:
    """784 inputs, 8 codes of 64: far better than what all digits have in common."""
    source = write_idx(tmp_path / "digits.idx", digits[:1500])
    seen: list[Progress] = []
    output = tmp_path / "zip.safetensors"
    finished: list[tuple[str, float]] = []
    card = train(
        source,
        output,
        steps=400,
        device="cpu",
        recipe="digits",
        report=seen.append,
        finishing=lambda what, share: finished.append((what, share)),
    )
    assert card is not None
    assert finished[-1] == ("fitting the entropy coder", 1.0)
    assert len({what for what, _ in finished if "analysing" in what}) == 1500
    assert card.name == "zip"
    assert card.metadata["steps"] == 400
    assert seen[-1].psnr > seen[0].psnr + 2
    assert read_model(output)[0] == card
    assert state_path(output).is_file()
    assert list((tmp_path / "zip.logs").iterdir()), "logs for TensorBoard"
    codec = load(output, device="cpu")
    held_out = digits[1500:]
    pixels = torch.from_numpy(held_out)[:, None].float() / 255
    (codes,) = codec.quantize(pixels)
    assert codes.shape == (297, 1, 8)
    assert len(torch.unique(codes)) > 16
    output_pixels = codec.reconstruct((codes,), height=28, width=28).clamp(0, 1)
    error = float((output_pixels - pixels).square().mean())
    common = np.square(held_out / 255 - digits[:1500].mean(0) / 255).mean()
    assert -10 * np.log10(common) < 13.5
    assert -10 * np.log10(error) > 16
    data = codec.encode(held_out[0], quality=100)
    assert len(data) < 60
    assert codec.decode(data).shape == (28, 28)
    with pytest.raises(InputError, match="positive"):
        train(source, output, steps=-1, recipe="digits")
    resumed = train(source, output, steps=405, resume=True, device="cpu", recipe="digits")
    assert resumed is not None
    assert resumed.metadata["steps"] == 405


def test_a_short_run_is_followed_by_a_short_fit(
    digits: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_idx(tmp_path / "digits.idx", digits[:300])
    asked: list[int] = []

    def export(*_: object, network_samples: int, **__: object) -> None:
        asked.append(network_samples)

    monkeypatch.setattr(run_module, "export_model", export)
    monkeypatch.setattr(run_module, "NETWORK_SAMPLES", 6000)
    for steps in (3, 9):
        output = tmp_path / f"{steps}.safetensors"
        train(source, output, steps=steps, device="cpu", recipe="digits")
    assert asked == [3000, 6000]


def test_an_error_in_the_report_leaves_the_state_and_no_weights(
    digits: Pixels, tmp_path: Path
) -> None:
    source = write_idx(tmp_path / "digits.idx", digits[:300])

    def fail(progress: Progress) -> None:
        raise Stop

    output = tmp_path / "stopped.safetensors"
    with pytest.raises(Stop):
        train(source, output, steps=100, device="cpu", recipe="digits", report=fail)
    assert state_path(output).is_file()
    assert not output.exists()


def test_training_that_cannot_begin(digits: Pixels, tmp_path: Path) -> None:
    source = write_idx(tmp_path / "digits.idx", digits[:10])
    output = tmp_path / "none.safetensors"
    with pytest.raises(InputError, match="not on a folder"):
        train(tmp_path, output, recipe="digits")
    with pytest.raises(InputError, match="no pictures found"):
        train(tmp_path / "nowhere", output)
    with pytest.raises(InputError, match="no state to resume"):
        train(source, output, recipe="digits", steps=1, resume=True)
    with pytest.raises(BackendError, match="tpu"):
        train(source, output, recipe="digits", steps=1, device="tpu")
    small = write_idx(tmp_path / "small.idx", digits[:3, :8, :8])
    for odd in (small, write_idx(tmp_path / "empty.idx", digits[:0])):
        with pytest.raises(InputError, match="28, 28"):
            train(odd, output, recipe="digits", steps=1)
    assert not output.exists()
