"""One call of `train`: what it writes, what it notes about the model, and what stops it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec.codec import load
from vqcodec.errors import BackendError, BadModelError, InputError, UnknownModelError
from vqcodec.media.registry import MEDIA, WITHOUT_MODEL, find_workshop
from vqcodec.model.catalog import add_model
from vqcodec.model.file import read_model
from vqcodec.training import Progress, state_path, train
from vqcodec.training import run as run_module

Pixels = NDArray[np.uint8]
SaveDigits = Callable[[int], Path]


class Stop(Exception):
    """What a test throws into a run."""


def test_recipes_have_names_of_their_own_over_all_media() -> None:
    """The command finds the medium by the recipe's name."""
    trained = [medium for medium in MEDIA if medium not in WITHOUT_MODEL]
    names = [name for medium in trained for name in find_workshop(medium).recipes]
    assert len(set(names)) == len(names)
    for medium in trained:
        for name, recipe in find_workshop(medium).recipes.items():
            assert recipe.model.medium.kind == medium, name


def test_generation(
    save_digits: SaveDigits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts on from what is installed or was started from, of one name."""
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    source = save_digits(40)

    def trained(folder: str, name: str, start_from: Path | str | None = None) -> tuple[Path, str]:
        path = tmp_path / folder / f"{name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        card = train(source, path, steps=1, recipe="digits", device="cpu", start_from=start_from)
        assert card is not None
        return path, card.label

    first, label = trained("a", "zip")
    assert label == "zip-1"
    second, label = trained("b", "zip", first)
    assert label == "zip-2"
    assert trained("c", "zip") == (tmp_path / "c" / "zip.safetensors", "zip-1")
    assert trained("d", "zap", second)[1] == "zap-1"
    add_model(second)
    assert trained("e", "zip", first)[1] == "zip-3"
    # By its name, too: the second of its name is the one that is installed.
    assert trained("f", "zap", "zip")[1] == "zap-1"
    with pytest.raises(UnknownModelError, match="no model 'zop'"):
        trained("g", "zap", "zop")


def test_digits_in_one_call(digits: Pixels, save_digits: SaveDigits, tmp_path: Path) -> None:
    """784 inputs, 8 codes of 64: far better than what all digits have in common."""
    source = save_digits(1500)
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
    assert seen[-1].decibels > seen[0].decibels + 2
    assert read_model(output)[0] == card
    assert state_path(output).is_file()
    assert list((tmp_path / "zip.logs").iterdir()), "logs for TensorBoard"
    codec = load(output, device="cpu")
    held_out = digits[1500:]
    samples = torch.from_numpy(held_out)[:, None].float() / 255
    codes = codec.quantize(samples)
    assert codes.shape == (297, 1, 8)
    assert len(torch.unique(codes)) > 16
    decoded = codec.reconstruct(codes, extent=(28, 28)).clamp(0, 1)
    error = float((decoded - samples).square().mean())
    common = np.square(held_out / 255 - digits[:1500].mean(0) / 255).mean()
    assert -10 * np.log10(common) < 13.5
    assert -10 * np.log10(error) > 16
    data = codec.encode(held_out[0], quality=100)
    assert len(data) < 60
    assert codec.decode(data).shape == (28, 28)
    with pytest.raises(InputError, match="positive"):
        train(source, output, steps=-1, recipe="digits")
    with pytest.raises(InputError, match="400 steps are taken already, more than 399"):
        train(source, output, steps=399, resume=True, device="cpu", recipe="digits")
    resumed = train(source, output, steps=405, resume=True, device="cpu", recipe="digits")
    assert resumed is not None
    assert resumed.metadata["steps"] == 405


def test_a_short_run_is_followed_by_a_short_fit(
    save_digits: SaveDigits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = save_digits(300)
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
    save_digits: SaveDigits, tmp_path: Path
) -> None:
    source = save_digits(300)

    def fail(progress: Progress) -> None:
        raise Stop

    output = tmp_path / "stopped.safetensors"
    with pytest.raises(Stop):
        train(source, output, steps=100, device="cpu", recipe="digits", report=fail)
    assert state_path(output).is_file()
    assert not output.exists()


def test_training_that_cannot_begin(save_digits: SaveDigits, tmp_path: Path) -> None:
    source = save_digits(10)
    output = tmp_path / "none.safetensors"
    with pytest.raises(InputError, match="no pictures found"):
        train(tmp_path / "nowhere", output)
    with pytest.raises(InputError, match="'Röntgen' cannot be the name of a model"):
        train(source, tmp_path / "Röntgen.safetensors", recipe="digits")
    with pytest.raises(InputError, match="no recipe 'cake'; there are photo, "):
        train(source, output, recipe="cake")
    with pytest.raises(BadModelError, match="no medium 'smell'"):
        train(source, output, medium="smell")
    with pytest.raises(InputError, match="no state to resume"):
        train(source, output, recipe="digits", steps=1, resume=True)
    with pytest.raises(BackendError, match="tpu"):
        train(source, output, recipe="digits", steps=1, device="tpu")
    assert not output.exists()
