"""The command on arrays that a model has learned: from a folder of them to files and back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqcodec_cli.main import main


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path / "models"))


def scene(seed: int, rows: int = 50, columns: int = 70) -> Any:
    """Two bands of one pattern, in units of their own, float32 (2, rows, columns)."""
    random = np.random.default_rng(seed)
    row, column = np.mgrid[0:rows, 0:columns]
    wave = np.sin(row / random.uniform(4, 9) + column / random.uniform(4, 9) + random.uniform(0, 6))
    return np.stack([290 + 8 * wave, 2e-3 * wave**2]).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that the command has trained for three steps."""
    folder = tmp_path_factory.mktemp("scenes")
    for number in range(4):
        np.save(folder / f"{number}.npy", scene(number))
    path = folder / "scene.safetensors"
    options = ("-o", str(path), "--recipe", "array", "--steps", "3")
    assert main(["train", str(folder), *options]) == 0
    return path


def test_from_a_folder_to_files_and_back(run_cli: Any, model: Path) -> None:
    original = scene(9, 61, 47)
    original[:, 5:20, 30:] = np.nan
    np.save("new.npy", original)
    encoded = run_cli("encode", "new.npy", "-m", model)
    assert (encoded.code, encoded.err) == (0, "")
    assert encoded.out.startswith("new.vqc: 61 x 47, ")
    assert " bits a value, quality 50, " in encoded.out
    record = json.loads(run_cli("info", "--json", "new.vqc").out)
    missing = int(np.isnan(original).sum())
    assert (record["medium"], record["dtype"], record["missing"]) == ("field", "float32", missing)
    assert record["shape"] == [2, 61, 47]
    assert run_cli("verify", "new.vqc").code == 0
    lost = run_cli("decode", "new.vqc", "-o", "back.npy")
    assert (lost.code, "no model" in lost.err) == (3, True), lost.err
    assert run_cli("models", "add", model).code == 0
    decoded = run_cli("decode", "new.vqc", "-o", "back.npy")
    assert (decoded.code, decoded.out.split(",")[0]) == (0, "back.npy: 61 x 47")
    back = np.load("back.npy")
    assert (back.dtype, back.shape) == (np.float32, original.shape)
    assert np.array_equal(np.isnan(back), np.isnan(original))
    for band, wanted in zip(back, original, strict=True):
        assert np.nanmax(abs(band - wanted)) < 0.7 * np.nanmax(wanted) - 0.7 * np.nanmin(wanted)
    assert run_cli("decode", "new.vqc", "--region", "7,3,30,20", "-o", "part.npy").code == 0
    np.testing.assert_allclose(np.load("part.npy"), back[:, 3:23, 7:37], rtol=1e-5, atol=1e-5)


def test_targets(run_cli: Any, model: Path) -> None:
    original = scene(8)
    np.save("new.npy", original)
    qualities = {}
    for name, options in {"size": ("--size", "300"), "psnr": ("--psnr", "12")}.items():
        said = run_cli("encode", "new.npy", "-m", model, *options, "-o", f"{name}.vqc", "--json")
        assert said.code == 0, said.err
        qualities[name] = json.loads(said.out)["quality"]
    assert Path("size.vqc").stat().st_size <= 300
    run_cli("decode", "psnr.vqc", "-m", model, "-o", "back.npy")
    errors = [
        np.mean((ours - band) ** 2) / np.ptp(band) ** 2
        for ours, band in zip(np.load("back.npy"), original, strict=True)
    ]
    assert -10 * np.log10(np.mean(errors)) >= 12


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["grey.npy"], 1, "of 2 channels, which come first, got 1"),
        (["wave.npy"], 1, "a field is (H, W)"),
        (["words.npy"], 1, "not a whole .npy file"),
        (["two.npy", "--max-error", "1"], 2, "has no --max-error"),
        (["two.npy", "--lossless"], 2, "leave out -m"),
        (["two.npy", "--kbps", "3"], 2, "got --kbps"),
        (["two.npy", "--alpha-quality", "3"], 2, "no alpha_quality"),
    ],
)
def test_what_the_command_refuses(
    run_cli: Any, model: Path, arguments: list[str], code: int, says: str
) -> None:
    np.save("two.npy", scene(1))
    np.save("grey.npy", scene(1)[0])
    np.save("wave.npy", scene(1)[0, 0])
    Path("words.npy").write_bytes(b"words")
    outcome = run_cli("encode", "-m", model, *arguments)
    assert (outcome.code, says in outcome.err) == (code, True), outcome.err
    assert not Path("two.vqc").exists()


def test_what_training_refuses(run_cli: Any) -> None:
    Path("empty").mkdir()
    for place, says in (("empty", "no arrays found"), ("here.npy", "a folder of .npy files")):
        np.save("here.npy", scene(1))
        said = run_cli("train", place, "-o", "x.safetensors", "--recipe", "array")
        assert (said.code, says in said.err) == (1, True), said.err
