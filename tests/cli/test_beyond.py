"""vqcodec sample, train-prior, encode --restore: files, and what is wrong in a line."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vqcodec.model.file import read_model
from vqcodec.model.restorer import write_restorer

RunCli = Callable[..., Any]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def restorer(tiny_weights: Path, tiny_model: str) -> Path:
    card, tensors = read_model(tiny_weights)
    tensors["analysis.leave.bias"] = tensors["analysis.leave.bias"] + np.float16(0.5)
    path = Path("mask.safetensors")
    write_restorer(path, card, tensors, {})
    return path


def size_of(name: str) -> tuple[int, int]:
    with Image.open(name) as image:
        return image.size


def test_a_sheet_of_samples(run_cli: RunCli, tiny_model: str) -> None:
    options = ["-m", tiny_model, "--seed", 3, "--count", 5, "--extent", "24,16", "--stages", 2]
    outcome = run_cli("sample", *options, "-o", "sheet.png")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "sheet.png: 5 samples of tiny-1, seed 3\n"
    # Two rows of three, two pixels between them.
    assert size_of("sheet.png") == (3 * 18 - 2, 2 * 26 - 2)
    run_cli("sample", *options, "-o", "again.png")
    assert Path("again.png").read_bytes() == Path("sheet.png").read_bytes()
    assert run_cli("sample", *options, "-o", "sheet.png").code == 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--extent", "16385,16384"], "268,451,840 samples, more than 268,435,456"),
        (["--extent", "64,64", "--count", 65537], "268,439,552 samples"),
        (["--count", 10**12], "more than 268,435,456"),
        (["--count", 10**12, "--generator", "none"], "more than 268,435,456"),
        (["--stages", 99], "this model, got 99"),
    ],
)
def test_more_samples_than_there_may_be(
    run_cli: RunCli, tiny_model: str, options: list[Any], says: str
) -> None:
    outcome = run_cli("sample", "-m", tiny_model, *options, "-o", "many/")
    assert (outcome.code, says in outcome.err) == (2, True), outcome.err
    assert not Path("many").exists()


def test_files_of_samples(run_cli: RunCli, tiny_model: str) -> None:
    options = ["-m", tiny_model, "--seed", 3, "--extent", "24,16"]
    assert run_cli("sample", *options, "--count", 3, "-o", "drawn/").code == 0
    names = ["sample-3-0001.vqc", "sample-3-0002.vqc", "sample-3-0003.vqc"]
    assert sorted(path.name for path in Path("drawn").iterdir()) == names
    assert run_cli("verify", "drawn").code == 0
    assert run_cli("sample", *options, "-o", "one.vqc").code == 0
    assert Path("one.vqc").read_bytes() == Path("drawn", names[0]).read_bytes()
    assert run_cli("decode", "one.vqc").code == 0
    assert size_of("one.png") == (16, 24)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["-m", "nobody", "-o", "x.png"], 3, "no model 'nobody'"),
        ([], 2, "say where to put the samples"),
        (["--count", 2, "-o", "x.vqc"], 2, "x.vqc holds one sample, not 2: name a folder"),
        (["-o", "x.wav"], 2, ".wav"),
        (["-o", "x.png", "--class", 3], 2, "are for --generator"),
        (["-o", "x.png", "--generator", "g", "--stages", 1], 2, "stages of its own"),
        (["-o", "x.png", "--generator", "g"], 3, "no generator 'g' for photo-1; there are: none"),
        (["-o", "x.png", "--stages", 99], 2, "is 1 to 12 with this model, got 99"),
        (["-o", "x.png", "--extent", 5], 2, "for signals of 2 axes"),
    ],
)
def test_sampling_refused(run_cli: RunCli, options: list[Any], code: int, says: str) -> None:
    outcome = run_cli("sample", *options)
    assert outcome.code == code
    assert says in outcome.err
    assert outcome.err.count("\n") == 1
    assert not list(Path().iterdir())


def test_a_prior_of_digits(run_cli: RunCli) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(256, size=(60, 28, 28), dtype=np.uint8)
    Path("d.idx").write_bytes(struct.pack(">IIII", 0x803, 60, 28, 28) + pixels.tobytes())
    Path("c.idx").write_bytes(struct.pack(">II", 0x801, 60) + bytes(n % 3 for n in range(60)))
    trained = ["-o", "d.safetensors", "--recipe", "digits", "--steps", 2, "--device", "cpu"]
    assert run_cli("train", "d.idx", *trained).code == 0
    options = ["--labels", "c.idx", "-m", "d.safetensors", "--steps", 2, "--device", "cpu"]
    options += ["--network", "recurrent"]
    outcome = run_cli("train-prior", "d.idx", *options, "-o", "drawn.safetensors")
    assert (outcome.code, outcome.err) == (0, "")
    assert "generator drawn for " in outcome.out
    assert "bits a code" in outcome.out
    asked = ["-m", "d.safetensors", "--generator", "drawn.safetensors", "--class", 2]
    asked += ["--temperature", 0.7, "--top-p", 0.9]
    assert run_cli("sample", *asked, "--count", 4, "-o", "s.png").code == 0
    assert size_of("s.png") == (58, 58)
    outcome = run_cli("sample", *asked[:-4], "--class", 3, "-o", "t.png")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "there are 3 classes, from 0, got 3" in outcome.err
    outcome = run_cli("sample", *asked[:4], "--top-p", 0, "-o", "t.png")
    assert (outcome.code, "0 is not a number above 0" in outcome.err) == (2, True), outcome.err
    assert "-m MODEL -o FILE" in run_cli("train-prior", "d.idx").err
    assert run_cli("train-prior", "no.idx", "-m", "d.safetensors", "-o", "x.safetensors").code == 4


def test_a_restored_file_is_an_ordinary_one(
    run_cli: RunCli, photo: Path, tiny_model: str, restorer: Path
) -> None:
    options = [photo, "-m", tiny_model]
    assert run_cli("encode", *options, "-o", "plain.vqc").code == 0
    assert run_cli("encode", *options, "--restore", restorer, "-o", "restored.vqc").code == 0
    assert Path("plain.vqc").read_bytes() != Path("restored.vqc").read_bytes()
    assert run_cli("decode", "restored.vqc").code == 0
    outcome = run_cli("encode", photo, "--restore", restorer, "-o", "x.vqc")
    assert outcome.code == 3
    assert "mask.safetensors: is for the model" in outcome.err
    outcome = run_cli("encode", *options, "--restore", "fog", "-o", "x.vqc")
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)
    assert "no restorer 'fog' for tiny-1; there are: none" in outcome.err
    outcome = run_cli("encode", *options, "--restore", restorer, "--psnr", 30, "-o", "x.vqc")
    assert (outcome.code, "--restore has no --psnr" in outcome.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ([], 2, "needs --degrade"),
        (["--degrade", "fog"], 1, "no damage 'fog'; there are noise, jpeg"),
        (["--degrade", "noise=1-999"], 1, "noise is of 0 to 255"),
        (["--degrade", "noise", "--like", "nobody"], 3, "no model 'nobody'"),
        (["--degrade", "noise", "--start-from", "x"], 3, "no restorer 'x' for photo"),
        (["--degrade", "noise", "--start-from", "x", "--keep-codebooks"], 2, "leaves all codes"),
    ],
)
def test_training_of_a_restorer_refused(
    run_cli: RunCli, options: list[str], code: int, says: str
) -> None:
    Path("photos").mkdir()
    outcome = run_cli("train", "photos", "--recipe", "restore", "-o", "r.safetensors", *options)
    assert (outcome.code, outcome.err.count("\n")) == (code, 1)
    assert says in outcome.err


def test_damages_are_for_restorers(run_cli: RunCli) -> None:
    Path("photos").mkdir()
    outcome = run_cli("train", "photos", "--degrade", "noise", "-o", "r.safetensors")
    assert outcome.code == 2
    assert "are for --recipe restore" in outcome.err


def test_a_restorer_is_added_and_listed(
    run_cli: RunCli, tiny_model: str, restorer: Path, photo: Path, tmp_path: Path
) -> None:
    assert run_cli("encode", photo, "-o", "a.vqc", "-m", tiny_model, "--restore", "mask").code == 3
    added = run_cli("models", "add", restorer)
    assert (added.code, added.out[:23]) == (0, "added restorer mask of "), added.err
    made = run_cli("encode", photo, "-o", "a.vqc", "-m", tiny_model, "--restore", "mask")
    assert made.code == 0, made.err
    assert "restorer mask of " in run_cli("models").out
    records = [json.loads(line) for line in run_cli("models", "--json").out.splitlines()]
    found = [record for record in records if record.get("kind") == "restorer"]
    assert "mask" in [record["name"] for record in found]
    whole = restorer.read_bytes()
    restorer.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert run_cli("models", "add", restorer).code == 3


def test_a_restorer_is_shown_and_removed(
    run_cli: RunCli, tiny_model: str, restorer: Path, tmp_path: Path
) -> None:
    """By its name, or that of its file where several have the name."""
    assert run_cli("models", "show", "mask").code == 3
    url = restorer.resolve().as_uri()
    added = run_cli("models", "add", url)
    assert (added.code, added.out[:23]) == (0, "added restorer mask of "), added.err
    path = Path(added.out.split()[-1])
    assert run_cli("models", "show", "mask").out.startswith("restorer mask\n  path ")
    shown = json.loads(run_cli("models", "show", path.stem, "--json").out)
    assert (shown["name"], shown["path"]) == ("mask", str(path))
    refused = run_cli("models", "add", restorer, "--fingerprint", "0" * 16)
    assert (refused.code, "no fingerprint of its own" in refused.err) == (2, True)
    twin = path.with_name("twin.safetensors")
    twin.write_bytes(path.read_bytes())
    several = run_cli("models", "remove", "mask")
    assert (several.code, several.out) == (3, "")
    assert several.err == f"vqcodec: several are called 'mask': say which of {path.stem}, twin\n"
    assert run_cli("models", "remove", "twin").out.startswith("removed restorer mask of ")
    assert run_cli("models", "remove", "mask").code == 0
    assert not path.exists()
    assert restorer.exists()
    built_in = run_cli("models", "remove", "noise")
    assert built_in.err == "vqcodec: restorer noise is built in and cannot be removed\n"
