"""The command line as a whole: usage, help, how fast a refusal is, signals, odd surroundings."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from vqcodec_cli.main import COMMANDS

RunCli = Callable[..., Any]


def run_process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(
        [sys.executable, "-m", "vqcodec_cli", *arguments], timeout=60, check=False, **streams
    )


USAGE_ERRORS = {
    "nothing": [],
    "unknown command": ["compress"],
    "unknown option": ["encode", "x.png", "--fast"],
    "abbreviated option": ["encode", "x.png", "--qual", "3"],
    "no input": ["encode"],
    "quality is no number": ["encode", "x.png", "-q", "good"],
    "quality too high": ["encode", "x.png", "-q", "100.5"],
    "quality below zero": ["encode", "x.png", "-q", "-1"],
    "quality is nan": ["encode", "x.png", "-q", "nan"],
    "two rates": ["encode", "x.png", "-q", "30", "--bpp", "0.2"],
    "rate and size": ["encode", "x.png", "--bpp", "0.2", "--size", "500"],
    "rate of zero": ["encode", "x.png", "--bpp", "0"],
    "infinite rate": ["encode", "x.png", "--bpp", "inf"],
    "size of zero": ["encode", "x.png", "--size", "0"],
    "size is no number": ["encode", "x.png", "--size", "1k"],
    "no samples": ["decode", "x.vqc", "--max-samples", "0"],
    "an older name": ["decode", "x.vqc", "--max-pixels", "5"],
    "unknown device": ["decode", "x.vqc", "--device", "tpu"],
    "unknown format": ["decode", "-", "-o", "x.bmp2"],
    "no format": ["decode", "-", "-o", "x"],
    "stdin among others": ["info", "-", "x.vqc"],
    "several to stdout": ["encode", "x.png", "y.png", "-o", "-"],
    "json and data on stdout": ["encode", "x.png", "-o", "-", "--json"],
    "json and picture on stdout": ["decode", "x.vqc", "-o", "-", "--json"],
    "train without output": ["train", "."],
    "weights of another kind": ["train", ".", "-o", "x.pt"],
    "minutes and steps": ["train", ".", "-o", "x.safetensors", "--minutes", "1", "--steps", "1"],
    "no minutes": ["train", ".", "-o", "x.safetensors", "--minutes", "0"],
    "eval without output": ["eval", "."],
    "quality list": ["eval", ".", "-o", "x", "--qualities", "1,two"],
    "unknown action": ["models", "forget"],
    "no model to remove": ["models", "remove"],
    "a stream called a picture": ["encode", "x.png", "-o", "x.jpg"],
    "a file for several": ["encode", "x.png", "y.png", "-o", "both.vqc"],
    "seed beyond all": ["train", ".", "-o", "x.safetensors", "--seed", "9" * 20],
    "model without a name": ["models", "show"],
}


@pytest.mark.parametrize("arguments", USAGE_ERRORS.values(), ids=USAGE_ERRORS)
def test_usage_error_is_one_line_and_exit_code_2(
    run_cli: RunCli, arguments: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run_cli(*arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("vqcodec: ")
    assert outcome.err.count("\n") == 1
    assert outcome.out == "" or not arguments
    assert list(tmp_path.iterdir()) == []


NO_NUMBERS = [
    ("--size", "9" * 5000, "99999999999999999999... (5,000 characters) is not a whole number"),
    ("--size", "9" * 400, "99999999999999999999... (400 characters) is more than 2^63 - 1"),
    ("--size", str(2**63), "9223372036854775808 is more than 2^63 - 1"),
    ("--size", "1k", "1k is not a whole number"),
    ("--size", "0", "0 is not 1 or more"),
    ("--bpp", "9" * 5000, "99999999999999999999... (5,000 characters) is not a number above 0"),
    ("--bpp", "much", "much is not a number"),
    ("-q", "good", "good is not a number"),
    ("-q", "1" * 400, "11111111111111111111... (400 characters) is not from 0 to 100"),
]


@pytest.mark.parametrize(("option", "value", "says"), NO_NUMBERS)
def test_what_is_no_number_is_shown_and_cut(
    run_cli: RunCli, option: str, value: str, says: str
) -> None:
    outcome = run_cli("encode", "x.png", option, value)
    assert outcome.code == 2
    assert outcome.err.endswith(f": {says}\n")
    assert len(outcome.err) < 150


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(run_cli: RunCli, command: str) -> None:
    outcome = run_cli(command, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"usage: vqcodec {command} ")
    assert outcome.err == ""


def test_version_is_that_of_the_package(run_cli: RunCli) -> None:
    from importlib.metadata import version

    assert run_cli("--version").out == f"vqcodec {version('vqcodec')}\n"


LAZY = {
    "help": (["--help"], 0),
    "help of a command": (["encode", "--help"], 0),
    "usage": (["encode"], 2),
    "info": (["info", "photo.vqc"], 0),
    "verify": (["verify", "photo.vqc"], 0),
    "damaged": (["verify", "damaged.vqc"], 1),
    "decode damaged": (["decode", "damaged.vqc", "-o", "x.png"], 1),
    "decode no stream": (["decode", "photo.png", "-o", "x.png"], 1),
    "decode without its model": (["decode", "photo.vqc", "-o", "x.png"], 3),
    "encode no picture": (["encode", "photo.vqc", "-f", "-o", "x.vqc", "-m", "tiny"], 1),
    "encode missing": (["encode", "missing.png", "-m", "tiny"], 4),
    "encode over a file": (["encode", "photo.png", "-m", "tiny"], 4),
    "unknown model": (["encode", "photo.png", "-m", "nowhere", "-f"], 3),
    "models": (["models"], 0),
    "train on nothing": (["train", "missing", "-o", "x.safetensors"], 4),
    "eval of nothing": (["eval", "missing", "-o", "x"], 4),
}

# Runs the command, then says which of the slow packages came along.
WATCH = """
import sys
from vqcodec_cli.main import main
code = main(sys.argv[1:])
print([name for name in ("torch", "rich", "matplotlib", "sklearn") if name in sys.modules])
sys.exit(code)
"""


@pytest.mark.parametrize(("arguments", "code"), LAZY.values(), ids=LAZY)
@pytest.mark.usefixtures("photo", "stream", "tiny_model")
def test_answers_that_need_no_network_do_not_import_torch(
    arguments: Sequence[str], code: int, tmp_path: Path, stream_bytes: bytes
) -> None:
    (tmp_path / "damaged.vqc").write_bytes(stream_bytes[:-1])
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *arguments], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert done.stdout.splitlines()[-1] == b"[]"
    assert b"Traceback" not in done.stderr


@pytest.mark.usefixtures("stream")
def test_closed_pipe_ends_the_process_quietly_by_its_signal(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = run_process("info", "photo.vqc", stdout=write, cwd=tmp_path)
    finally:
        os.close(write)
    assert done.returncode == -signal.SIGPIPE
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.usefixtures("stream")
def test_full_standard_output_is_one_line_and_exit_code_4(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = run_process("info", "photo.vqc", stdout=full, cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr == b"vqcodec: no space left on device\n"


@pytest.mark.parametrize(("number", "closed"), [(0, "<&-"), (0, ">&-"), (1, "2>&-")])
def test_closed_standard_streams(tmp_path: Path, stream: Path, number: int, closed: str) -> None:
    name = "missing.vqc" if closed == "2>&-" else stream.name
    command = f'exec "{sys.executable}" -m vqcodec_cli verify {name} {closed}'
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == (4 if number else 0)
    assert b"Traceback" not in done.stderr


def test_facts_that_nobody_can_read_are_refused(tmp_path: Path, stream: Path) -> None:
    for command in (f"info {stream.name}", "models"):
        line = f'exec "{sys.executable}" -m vqcodec_cli {command} >&-'
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (4, b"vqcodec: standard output is closed\n")


@pytest.mark.parametrize(
    "surroundings",
    [
        {"LC_ALL": "C", "LANG": "C"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONOPTIMIZE": "1"},
        {"HOME": "/nonexistent", "XDG_DATA_HOME": ""},
        {"TMPDIR": "/nonexistent"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_odd_surroundings(tmp_path: Path, stream: Path, surroundings: dict[str, str]) -> None:
    done = run_process("info", stream.name, cwd=tmp_path, env={**os.environ, **surroundings})
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert b"53 x 37" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    ["encode a", "encode {photo} -f -o {photo}.vqc", "train . -o x.safetensors", "models"],
)
def test_folder_that_is_gone(tmp_path: Path, photo: Path, arguments: str) -> None:
    command = arguments.format(photo=photo)
    command = (
        f'mkdir gone; cd gone; rmdir ../gone; exec "{sys.executable}" -m vqcodec_cli {command}'
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=env, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (4, b"")
    assert done.stderr == b"vqcodec: the working folder is not there any more\n"


def test_name_that_starts_with_a_dash(run_cli: RunCli, stream: Path, tmp_path: Path) -> None:
    name = tmp_path / "-q.vqc"
    stream.rename(name)
    outcome = run_cli("verify", "--", name)
    assert (outcome.code, outcome.out) == (0, f"{name}: ok\n")


def test_name_of_undecodable_bytes_is_escaped(tmp_path: Path, stream_bytes: bytes) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"\xff\n.vqc")
    with open(name, "wb") as file:
        file.write(stream_bytes)
    done = run_process("verify", os.fsdecode(name), "missing\n.vqc", cwd=tmp_path)
    assert done.returncode == 4
    assert rb"\udcff\n.vqc: ok" in done.stdout
    assert rb"vqcodec: missing\n.vqc: no such file" in done.stderr


@pytest.mark.usefixtures("tiny_model")
def test_name_of_undecodable_bytes_is_escaped_where_it_is_an_output(
    tmp_path: Path, photo: Path
) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"\xff\n.png")
    os.rename(photo, name)
    strict = {"cwd": tmp_path, "env": {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}}
    encoded = run_process("encode", os.fsdecode(name), "-m", "tiny", **strict)
    assert (encoded.returncode, encoded.stderr, encoded.stdout.count(b"\n")) == (0, b"", 1)
    assert rb"\udcff\n.vqc: 53 x 37, " in encoded.stdout
    stream = os.fsdecode(name.replace(b"png", b"vqc"))
    decoded = run_process("decode", stream, "-f", **strict)
    assert (decoded.returncode, decoded.stderr, decoded.stdout.count(b"\n")) == (0, b"", 1)
    assert rb"\udcff\n.png: 53 x 37, " in decoded.stdout


@pytest.mark.parametrize("command", ["encode", "decode", "verify", "info"])
def test_name_that_the_terminal_cannot_show_does_not_undo_the_work(
    run_cli: RunCli, tmp_path: Path, photo: Path, good: bytes, command: str
) -> None:
    """An escape sequence, a character that latin-1 has not, and a byte that UTF-8 has not."""
    name = os.fsencode(tmp_path) + "/\x1b[31m日".encode() + b"\xff."
    content, suffix = (photo.read_bytes(), b"png") if command == "encode" else (good, b"vqc")
    with open(name + suffix, "wb") as file:
        file.write(content)
    model = ["-m", "tiny"] if command == "encode" else []
    surroundings = {**os.environ, "PYTHONIOENCODING": "latin-1:strict"}
    done = run_process(command, os.fsdecode(name + suffix), *model, env=surroundings)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"/\x1b[31m\u65e5\udcff." in done.stdout
    assert done.stdout.decode("latin-1").replace("\n", "").isprintable()
