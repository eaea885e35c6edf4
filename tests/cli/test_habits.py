"""What people expect of any command: quiet, verbose, a dry run, variables, no colours in pipes."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqcodec_cli.environment import ENVIRONMENT
from vqcodec_cli.main import COMMANDS

RunCli = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_quiet_and_verbose(run_cli: RunCli, command: str) -> None:
    said = run_cli(command, "--help").out
    assert "--quiet" in said
    assert "-v, --verbose" in said


@pytest.mark.usefixtures("photo")
def test_quiet_says_nothing_but_what_fails(run_cli: RunCli, tiny_model: str) -> None:
    quiet = run_cli("encode", "photo.png", "-m", tiny_model, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert Path("photo.vqc").exists()
    for command in ("decode", "info", "verify"):
        quiet = run_cli(command, "photo.vqc", "--quiet", *(["-f"] if command == "decode" else []))
        assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert run_cli("models", "--quiet", "list").out == ""
    assert run_cli("models", "list", "--quiet").out == ""
    Path("photo.vqc").write_bytes(Path("photo.vqc").read_bytes()[:-1])
    quiet = run_cli("verify", "photo.vqc", "--quiet")
    assert (quiet.code, quiet.out, quiet.err.count("\n")) == (1, "", 1)


@pytest.mark.usefixtures("photo")
def test_quiet_is_for_one_command_line(run_cli: RunCli, tiny_model: str) -> None:
    run_cli("encode", "photo.png", "-m", tiny_model, "--quiet")
    assert run_cli("info", "photo.vqc").out


@pytest.mark.usefixtures("photo")
def test_verbose_says_which_model_and_where(run_cli: RunCli, tiny_model: str) -> None:
    outcome = run_cli("encode", "photo.png", "-m", tiny_model, "-v")
    assert outcome.code == 0
    assert re.search(r"vqcodec: model tiny-1 \([0-9a-f]{16}\) of .*, on cpu, loaded", outcome.err)
    plain = run_cli("encode", "photo.png", "-m", tiny_model, "-f")
    assert (plain.err, plain.out.partition(",")[0]) == ("", outcome.out.partition(",")[0])


def test_verbose_says_what_an_error_came_of(run_cli: RunCli, tiny_model: str) -> None:
    Path("x.png").write_bytes(b"\x89PNG\r\n\x1a\nand so on")
    plain = run_cli("encode", "x.png", "-m", tiny_model)
    verbose = run_cli("encode", "x.png", "-m", tiny_model, "--verbose")
    assert (plain.code, verbose.code) == (1, 1)
    assert verbose.err.startswith(plain.err.rstrip("\n") + " [InputError <- ")
    assert verbose.err.count("\n") == 1


@pytest.mark.parametrize(
    "options", [["--quiet", "--verbose"], ["--quiet", "--json"], ["-v", "--quiet"]]
)
def test_options_that_contradict_each_other(run_cli: RunCli, options: list[str]) -> None:
    outcome = run_cli("verify", "x.vqc", *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


@pytest.mark.usefixtures("photo")
def test_a_dry_run_of_encoding_writes_nothing(run_cli: RunCli, tiny_model: str) -> None:
    Path("there").mkdir()
    Path("there/photo.vqc").touch()
    before = sorted(Path().rglob("*"))
    model = ("-m", tiny_model, "--dry-run")
    outcome = run_cli("encode", "photo.png", *model)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "photo.vqc: would be written: picture photo.png, with tiny-1\n"
    assert run_cli("encode", "photo.png", "-o", "there", *model).code == 4
    outcome = run_cli("encode", "photo.png", "-o", "there", "-f", "--json", *model)
    assert json.loads(outcome.out) == {
        "input": "photo.png",
        "output": "there/photo.vqc",
        "medium": "picture",
        "model": "tiny-1",
        "replaces": True,
        "dry_run": True,
    }
    done = run_cli("encode", "photo.png", "-o", "there", "--skip-existing", *model)
    assert (done.code, "skipped" in done.out) == (0, True)
    assert run_cli("encode", "photo.png", "-m", "nowhere", "--dry-run").code == 3
    assert run_cli("encode", "photo.png", "--lossless", "--dry-run").code == 2
    assert run_cli("encode", "missing.png", "photo.png", "-o", "new/", *model).code == 4
    assert run_cli("encode", "photo.png", *model, "--manifest", "m.jsonl").code == 0
    assert sorted(Path().rglob("*")) == before


@pytest.mark.usefixtures("good")
def test_a_dry_run_of_decoding_writes_nothing(run_cli: RunCli) -> None:
    before = sorted(Path().rglob("*"))
    outcome = run_cli("decode", "good.vqc", "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "good.png: would be written: picture good.vqc, with tiny-1\n"
    assert run_cli("decode", "good.vqc", "-o", "x.wav", "--dry-run").code == 2
    Path("good.vqc").write_bytes(b"no stream")
    assert run_cli("decode", "good.vqc", "--dry-run").code == 1
    assert sorted(Path().rglob("*")) == before


def test_a_dry_run_loads_no_torch(photo: Path, tiny_model: str) -> None:
    code = (
        "import sys; from vqcodec_cli.main import main; "
        f"code = main(['encode', 'photo.png', '-m', '{tiny_model}', '--dry-run']); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    assert photo.exists()
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("photo")
def test_defaults_come_from_the_environment(
    run_cli: RunCli, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value, says in (
        ("VQCODEC_DEVICE", "tpu", "'tpu' is none of auto, cpu, cuda"),
        ("VQCODEC_JOBS", "many", "many is not a whole number"),
        ("VQCODEC_THREADS", "0", "0 is not 1 or more"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            outcome = run_cli("encode", "photo.png", "-m", tiny_model)
            assert (outcome.code, outcome.err) == (2, f"vqcodec: ${name}: {says}\n")
    monkeypatch.setenv("VQCODEC_DEVICE", "cuda")
    monkeypatch.setenv("VQCODEC_THREADS", "1")
    # Options win.
    assert run_cli("encode", "photo.png", "-m", tiny_model, "--device", "cpu").code == 0


def test_every_variable_is_documented(run_cli: RunCli) -> None:
    read = {
        name
        for folder in ("vqcodec", "kernels", "cli")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".hpp")
        for name in re.findall(r'"(VQCODEC_[A-Z_]+)"', path.read_text("utf-8"))
    }
    assert read
    assert read <= set(ENVIRONMENT)
    page, said = (ROOT / "docs/using.md").read_text("utf-8"), run_cli("--help").out
    for name in ENVIRONMENT:
        assert f"`{name}`" in page
        assert name in said


BAR = """
import sys, time
from vqcodec_cli import progress
progress.DELAY = 0.05
with progress.DelayedProgress("working", total=4) as bar:
    for step in range(5):
        bar.update(step, "x.png")
        time.sleep(0.2)
"""


def on_a_terminal(surroundings: dict[str, str]) -> bytes:
    """What such a bar writes to a terminal."""
    main, other = pty.openpty()
    ours = {name: value for name, value in os.environ.items() if not name.endswith("_COLOR")}
    env = {**ours, "TERM": "xterm-256color", **surroundings}
    child = subprocess.Popen([sys.executable, "-c", BAR], stderr=other, env=env)
    os.close(other)
    seen, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([main], [], [], 1.0)[0]:
            continue
        try:
            data = os.read(main, 4096)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        seen += data
    os.close(main)
    assert child.wait(timeout=60) == 0
    return seen


# An escape sequence that sets a colour.
COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7])\b[0-9;]*m")


def test_colours_are_for_terminals_and_can_be_turned_off() -> None:
    coloured = on_a_terminal({})
    assert COLOUR.search(coloured)
    assert b"left" in coloured
    without = on_a_terminal({"NO_COLOR": "1"})
    assert b"working" in without
    assert not COLOUR.search(without)
    piped = subprocess.run(
        [sys.executable, "-c", BAR], stderr=subprocess.PIPE, check=True, env=os.environ
    )
    assert piped.stderr == b""


def test_one_of_several_inputs_that_holds_nothing_does_not_stop_the_others(
    run_cli: RunCli, photo: Path, tiny_model: str
) -> None:
    Path("empty").mkdir()
    outcome = run_cli("encode", "empty", "*.nothing", photo, "-m", tiny_model, "-o", "out/")
    assert outcome.code == 4
    lines = outcome.err.splitlines()
    assert re.fullmatch("vqcodec: empty: is a folder without .* files", lines[0])
    assert lines[1:] == [
        "vqcodec: *.nothing: no file matches",
        "vqcodec: 2 of 3 files failed",
    ]
    assert [path.name for path in Path("out").iterdir()] == ["photo.vqc"]
    alone = run_cli("encode", "empty", "-m", tiny_model)
    assert (alone.code, alone.out, alone.err.count("\n")) == (4, "", 1)


def test_unknown_files_are_none_of_anything(run_cli: RunCli) -> None:
    Path("x.bin").write_bytes(b"hello, world")
    outcome = run_cli("encode", "x.bin")
    assert outcome.code == 1
    assert outcome.err.startswith("vqcodec: x.bin: not a picture that is known, nor a file of ")
    assert "sounds" in outcome.err


@pytest.mark.usefixtures("good", "photo")
def test_options_that_no_such_file_has_are_of_the_command_line(run_cli: RunCli) -> None:
    for line in (
        ["decode", "good.vqc", "-o", "x.png", "--rate", "8000"],
        ["decode", "good.vqc", "-o", "x.wav", "--raw", "s16"],
        ["decode", "good.vqc", "-o", "x.raw", "--raw", "s16"],
        ["encode", "photo.png", "-m", "tiny", "-o", "x.vqc", "--kbps", "8"],
        ["encode", "photo.png", "-m", "tiny", "-o", "x.vqc", "--lossless"],
        ["encode", "photo.png", "-o", "x.vqc", "--raw", "16000,1"],
        ["encode", "photo.png", "-o", "x.vqc", "--raw", "16000,1,s8"],
        ["encode", "photo.png", "-o", "x.vqc", "--raw", "1,1,s16"],
        ["verify", "-", "--against", "-"],
    ):
        outcome = run_cli(*line)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
    assert not list(Path().glob("x.*"))


def test_a_thumbnail_goes_to_stdout_alone(good: bytes) -> None:
    assert good
    command = [sys.executable, "-m", "vqcodec_cli", "info", "-", "--thumbnail", "-"]
    with open("good.vqc", "rb") as stream:
        done = subprocess.run(command, stdin=stream, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"\x89PNG")
    assert done.stdout.endswith(b"IEND\xaeB`\x82")


def test_training_says_which_recipe_is_for_what(run_cli: RunCli) -> None:
    said = " ".join(run_cli("train", "--help").out.split())
    assert "for pictures photo, photo-psnr, digits; for sounds sound, speech" in said
