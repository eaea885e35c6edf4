"""vqcodec train: what reaches the trainer, and what a person sees of it."""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import vqcodec.training
from vqcodec.media.workshop import Skipped
from vqcodec.training import Progress, state_path
from vqcodec_cli.commands import train as command
from vqcodec_cli.commands.train import _state

RunCli = Callable[..., Any]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the trainer by one that notes what it was asked for and writes a file."""
    asked: dict[str, Any] = {}

    def train(data: str, output: str, **options: Any) -> SimpleNamespace:
        asked.update(data=data, output=output, **options)
        Path(output).write_bytes(b"w" * 1234)
        return SimpleNamespace(label="xray-3", fingerprint="ab" * 8)

    monkeypatch.setattr(vqcodec.training, "train", train)
    return asked


def test_defaults(run_cli: RunCli, trained: dict[str, Any]) -> None:
    outcome = run_cli("train", "pictures", "-o", "xray.safetensors")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"xray.safetensors: model xray-3 ({'ab' * 8}), 1,234 bytes\n"
    assert trained.pop("report") is not None
    assert trained.pop("finishing") is not None
    assert trained.pop("skipped") is not None
    assert trained == {
        "data": "pictures",
        "output": "xray.safetensors",
        "medium": "picture",
        "recipe": "photo",
        "minutes": None,
        "steps": None,
        "resume": False,
        "start_from": None,
        "keep_codebooks": False,
        "device": "auto",
        "seed": 0,
    }


def test_every_option_reaches_the_trainer(run_cli: RunCli, trained: dict[str, Any]) -> None:
    Path("x.safetensors").touch()
    options = ["--minutes", 2.5, "--resume", "--device", "cpu", "--recipe", "digits", "--seed", 7]
    start = ["--start-from", "w.safetensors", "--keep-codebooks"]
    run_cli("train", "pictures", "-o", "x.safetensors", *options, *start)
    wanted = {
        "minutes": 2.5,
        "resume": True,
        "device": "cpu",
        "recipe": "digits",
        "seed": 7,
        "start_from": "w.safetensors",
        "keep_codebooks": True,
    }
    assert trained | wanted == trained
    run_cli("train", "pictures", "-f", "-o", "x.safetensors", "--steps", 12, "--strict")
    assert (trained["steps"], trained["minutes"], trained["skipped"]) == (12, None, None)


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["missing", "-o", "x.safetensors"], 4, "missing: no such file or folder"),
        (["pictures", "-o", "no/x.safetensors"], 4, "no folder"),
        (["pictures", "-o", "a?b.safetensors"], 2, "'a?b' cannot be the name of a model"),
        (["pictures", "-o", ".safetensors"], 2, "'.safetensors' cannot be the name of a model"),
        (["pictures", "-o", "old.safetensors"], 4, "old.safetensors exists already"),
    ],
)
def test_refusals(
    run_cli: RunCli, trained: dict[str, Any], arguments: list[str], code: int, why: str
) -> None:
    Path("old.safetensors").write_bytes(b"old")
    outcome = run_cli("train", *arguments)
    assert (outcome.code, outcome.out, trained) == (code, "", {})
    assert why in outcome.err
    assert outcome.err.count("\n") == 1
    assert Path("old.safetensors").read_bytes() == b"old"


def test_folder_without_pictures_is_bad_data(run_cli: RunCli) -> None:
    outcome = run_cli("train", "pictures", "-o", "x.safetensors", "--steps", 1)
    assert outcome.code == 1
    assert outcome.err.startswith("vqcodec: ")
    assert outcome.err.count("\n") == 1
    assert not Path("x.safetensors").exists()


def test_files_that_were_skipped_are_named_and_counted(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(data: str, output: str, *, skipped: Skipped, **_: object) -> SimpleNamespace:
        skipped(Path(data, "a.png"), "is cut")
        skipped(Path(data, "b\n.png"), "is an animation")
        Path(output).touch()
        return SimpleNamespace(label="x-1", fingerprint="ab" * 8)

    monkeypatch.setattr(vqcodec.training, "train", train)
    outcome = run_cli("train", "pictures", "-o", "x.safetensors")
    assert outcome.code == 0
    assert outcome.err.splitlines() == [
        "vqcodec: pictures/a.png: skipped: is cut",
        r"vqcodec: pictures/b\n.png: skipped: is an animation",
        "vqcodec: pictures: 2 of its files could not be read and were skipped",
    ]


def test_unknown_recipe_names_the_known_ones(run_cli: RunCli, trained: dict[str, Any]) -> None:
    outcome = run_cli("train", "pictures", "-o", "x.safetensors", "--recipe", "secret")
    assert outcome.code == 2
    assert outcome.err.startswith(
        "vqcodec: no recipe 'secret'; there are photo, photo-psnr, digits"
    )
    assert trained == {}


def test_the_recipe_says_which_medium(
    run_cli: RunCli, trained: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipe of another medium is found without naming the medium."""
    media = {"picture": ["photo"], "sound": ["speech", "music"]}
    monkeypatch.setattr(command, "MEDIA", media)
    monkeypatch.setattr(
        command,
        "find_workshop",
        lambda name: SimpleNamespace(recipes=dict.fromkeys(media[name]), fitters={}),
    )
    run_cli("train", "pictures", "-o", "x.safetensors", "--recipe", "music")
    assert (trained["medium"], trained["recipe"]) == ("sound", "music")
    words = " ".join(run_cli("train", "--help").out.split())
    assert "for pictures photo; for sounds speech, music (default: photo)" in words


def test_divergence_is_one_line(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object, **__: object) -> None:
        raise FloatingPointError("the loss is not finite")

    monkeypatch.setattr(vqcodec.training, "train", train)
    outcome = run_cli("train", "pictures", "-o", "x.safetensors")
    assert (outcome.code, outcome.err) == (1, "vqcodec: the loss is not finite\n")


def test_interruption_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from vqcodec_cli.main import main

    def train(*_: object, **__: object) -> None:
        state_path(Path("x.safetensors")).touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(vqcodec.training, "train", train)
    with pytest.raises(KeyboardInterrupt):
        main(["train", "pictures", "-o", "x.safetensors"])
    assert "--resume" in capsys.readouterr().err


def test_state_of_a_run_in_words() -> None:
    progress = Progress(
        steps=1200,
        seconds=60.0,
        share=0.25,
        loss=0.001234,
        decibels=27.456,
        bits_per_sample=0.4567,
        restarts=3,
        usage=[(200, 150.0), (256, 250.0)],
    )
    share, words = _state(progress)
    assert share == 0.25
    assert words == (
        "step 1,200  loss 0.001234  27.46 dB  0.457 bits per sample  456 codes in use, "
        "perplexity 200"
    )


@pytest.mark.slow
def test_torchrun_trains_one_model_in_two_processes() -> None:
    """The command as docs/models.md gives it."""
    digits = np.random.default_rng(0).integers(0, 256, (300, 28, 28), dtype=np.uint8)
    Path("digits.idx").write_bytes(
        b"\0\0\x08\x03" + struct.pack(">3I", *digits.shape) + digits.tobytes()
    )
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    train = ["-m", "vqcodec_cli", "train", "digits.idx", "-o", "two.safetensors"]
    run = subprocess.run(
        [*torchrun, *train, "--recipe", "digits", "--steps", "3"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    written = run.stdout.splitlines()
    assert len(written) == 1, "the first process alone speaks"
    assert written[0].startswith("two.safetensors: model two-1 (")
    assert Path("two.safetensors").is_file()


def test_codebooks_that_are_kept_come_from_somewhere(
    run_cli: RunCli, trained: dict[str, Any]
) -> None:
    outcome = run_cli("train", "pictures", "-o", "x.safetensors", "--keep-codebooks")
    assert (outcome.code, trained) == (2, {})
    assert outcome.err == (
        "vqcodec: --keep-codebooks needs --start-from MODEL, whose codebooks are kept\n"
    )
