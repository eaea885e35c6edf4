"""One line for every failure, with the right exit code."""

import errno
import io
import json
import os

import pytest

from vqcodec import errors
from vqcodec_cli.failure import UsageError, complain, exit_code, reason
from vqcodec_cli.terminal import printable, say, say_json

CODES = {
    errors.FormatError: 1,
    errors.BadMagicError: 1,
    errors.UnsupportedVersionError: 1,
    errors.TruncatedError: 1,
    errors.ChecksumError: 1,
    errors.LimitError: 1,
    errors.CorruptError: 1,
    errors.InputError: 1,
    UsageError: 2,
    errors.ModelError: 3,
    errors.UnknownModelError: 3,
    errors.BadModelError: 3,
    errors.BackendError: 4,
    errors.MissingDependencyError: 4,
    OSError: 4,
    MemoryError: 4,
}


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=lambda value: str(value))
def test_exit_code_of_each_kind(kind: type[Exception], code: int) -> None:
    assert exit_code(kind("x")) == code


def test_every_error_of_the_library_has_a_code_here() -> None:
    offered = [getattr(errors, name) for name in errors.__all__]
    kinds = {kind for kind in offered if isinstance(kind, type)} - {errors.VqcodecError}
    assert kinds <= set(CODES)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain.png", "plain.png"),
        ("früh \u65e5\u672c.png", "früh \u65e5\u672c.png"),
        ("two\nlines\t.png", r"two\nlines\t.png"),
        ("\x1b[31mred", r"\x1b[31mred"),
        (os.fsdecode(b"bad\xff.png"), r"bad\udcff.png"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
    ],
)
def test_names_are_shown_on_one_line_without_control_characters(name: str, shown: str) -> None:
    assert printable(name) == shown


def test_reason_is_one_line() -> None:
    assert reason(errors.FormatError("one\ntwo")) == r"one\ntwo"
    assert reason(MemoryError()) == "out of memory"
    assert reason(errors.FormatError()) == "FormatError"


def test_reason_names_another_file_but_not_the_subject() -> None:
    missing = FileNotFoundError(errno.ENOENT, "No such file or directory", "x.png")
    assert reason(missing, "x.png") == "no such file or directory"
    assert reason(missing, "y.png") == "x.png: no such file or directory"


def test_line_has_the_form_that_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    complain("a\nb.png", "is damaged")
    complain(None, "no command given")
    said = capsys.readouterr()
    assert said.err == "vqcodec: a\\nb.png: is damaged\nvqcodec: no command given\n"
    assert said.out == ""


def test_closed_stderr_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    complain("x", "y")


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", r"é 日 \udcff\x1b[2J"), ("latin-1", r"é \u65e5 \udcff\x1b[2J")],
)
def test_a_stream_shows_what_it_can(encoding: str, shown: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    say("é 日 \udcff\x1b[2J", to=stream)
    stream.flush()
    assert stream.buffer.getvalue().decode(encoding) == shown + "\n"


def test_a_record_is_plain_ascii_that_gives_the_name_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = {"input": "é\x7f\x1b\n\udcff\\x7f"}
    say_json(record)
    said = capsys.readouterr().out
    assert said.removesuffix("\n").isprintable()
    assert said.isascii()
    assert json.loads(said) == record


def test_closed_stdout_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    say("x")
