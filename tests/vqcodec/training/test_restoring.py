"""An analysis that learns to see through a damage, for a model that stays as it is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import tiny_config, write_tiny
from torch import Tensor

from vqcodec.codec import load
from vqcodec.errors import BadModelError, InputError
from vqcodec.media.registry import find_workshop
from vqcodec.model.companion import read_companion
from vqcodec.model.file import Tensors, read_card, read_model
from vqcodec.model.restorer import RESTORER
from vqcodec.training import Progress, train_restorer
from vqcodec.training.restoring import Damaging

DAMAGES = find_workshop("picture").damages


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four smooth pictures, which noise is easily told from."""
    folder = tmp_path_factory.mktemp("pictures")
    rows, columns = np.mgrid[0:200, 0:216]
    for number in range(4):
        waves = [np.sin(rows / (9 + number + c) + c) + np.cos(columns / (7 + c)) for c in range(3)]
        pixels = np.clip(127 + 60 * np.stack(waves, axis=2), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def model(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = torch.stack([_read(path)[:, :200, :216] for path in sorted(pictures.iterdir())])
    path = tmp_path_factory.mktemp("weights") / "smooth.safetensors"
    return write_tiny(path, tiny_config(stages=3), samples, list(samples), name="smooth")


def _read_restorer(path: Path, model: Path) -> Tensors:
    return read_companion(path, RESTORER, read_card(model))[1]


def _read(path: Path) -> Tensor:
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1).float() / 255


def test_noise_is_undone(pictures: Path, model: Path, tmp_path: Path) -> None:
    output = tmp_path / "noise.safetensors"
    seen: list[Progress] = []
    options = {"degrade": "noise=60", "like": model, "device": "cpu"}
    card = train_restorer(pictures, output, steps=120, report=seen.append, **options)  # type: ignore[arg-type]
    assert (card.name, card.metadata["damage"], card.metadata["strengths"]) == (
        "noise",
        "noise",
        [60.0, 60.0],
    )
    assert card.metadata["steps"] == 120
    plain, restoring = load(model, device="cpu"), load(model, restore=output, device="cpu")
    clean = _read(pictures / "1.png")
    noisy = DAMAGES["noise"].of(clean, 60, np.random.default_rng(9))
    wanted = plain.analyse(clean[None])
    further = tmp_path / "further.safetensors"
    train_restorer(pictures, further, steps=1, start_from=output, **options)  # type: ignore[arg-type]
    gone_on = load(model, restore=further, device="cpu")
    errors = [
        float((codec.analyse(noisy[None]) - wanted).square().mean())
        for codec in (plain, restoring, gone_on)
    ]
    assert errors[1] < 0.93 * errors[0]
    # One step from where the other ended is not one from the model.
    assert errors[2] == pytest.approx(errors[1], rel=0.03)
    # All else of the model is as it was.
    _, before = read_model(model)
    assert set(_read_restorer(output, model)) == {n for n in before if n.startswith("analysis.")}
    more = train_restorer(pictures, output, steps=125, resume=True, **options)  # type: ignore[arg-type]
    assert more.metadata["steps"] == 125


def test_a_run_that_is_resumed_ends_as_one_that_was_not(
    pictures: Path, model: Path, tmp_path: Path
) -> None:
    options = {"degrade": "blur", "like": model, "device": "cpu"}
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    # A run of so many minutes would not be the same run twice: the rate falls along its length.
    stop = {"count": 0}

    def interrupt(progress: Progress) -> None:
        stop["count"] += 1
        raise KeyboardInterrupt

    train_restorer(pictures, whole, steps=40, **options)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        train_restorer(pictures, parts, steps=40, report=interrupt, **options)  # type: ignore[arg-type]
    train_restorer(pictures, parts, steps=40, resume=True, **options)  # type: ignore[arg-type]
    first, second = (_read_restorer(path, model) for path in (whole, parts))
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor, second[name])


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_is_of_its_strength(name: str) -> None:
    damaging = Damaging.parse(name, DAMAGES, seed=3)
    clean = torch.rand(3, 40, 56, generator=torch.Generator().manual_seed(0))
    clean = torch.nn.functional.avg_pool2d(clean[None], 5, stride=1, padding=2)[0]
    clean = (clean * 255).round() / 255
    low, high = damaging.low, damaging.high
    if low == high:
        low = 1
    errors = []
    for strength in (low, high):
        damaged = damaging.damage.of(clean, strength, np.random.default_rng(1))
        assert damaged.shape == clean.shape
        assert damaged.dtype == torch.float32
        assert 0 <= float(damaged.min()) <= float(damaged.max()) <= 1
        errors.append(float((damaged - clean).square().mean()))
    # JPEG alone is the worse the lower its number.
    worse = errors if name != "jpeg" else errors[::-1]
    assert worse[0] < worse[1]


def test_damages_depend_on_seed_and_step_alone() -> None:
    samples = torch.rand(2, 3, 24, 32)
    one, same = (Damaging.parse("noise=5-9", DAMAGES, seed=1) for _ in range(2))
    assert torch.equal(one.apply(samples, step=3), same.apply(samples, step=3))
    assert not torch.equal(one.apply(samples, step=3), one.apply(samples, step=4))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fog", "no damage 'fog'; there are noise, jpeg, blur, downscale"),
        ("noise=loud", "'noise=loud' is not noise=LOW-HIGH"),
        ("noise=9-5", "got '9-5'"),
        ("jpeg=0-50", "jpeg is of 1 to 95"),
    ],
)
def test_bad_damages(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Damaging.parse(text, DAMAGES, seed=0)


def test_bad_input(pictures: Path, model: Path, tmp_path: Path) -> None:
    output = tmp_path / "noise.safetensors"
    with pytest.raises(InputError, match="no damage 'fog'; there are none"):
        train_restorer(pictures, output, degrade="fog", like="sound")
    with pytest.raises(InputError, match="no state"):
        train_restorer(pictures, output, degrade="noise", like=model, resume=True)
    train_restorer(pictures, output, degrade="noise", like=model, steps=1, device="cpu")
    with pytest.raises(BadModelError, match="another configuration"):
        train_restorer(pictures, output, degrade="noise", resume=True, device="cpu")
