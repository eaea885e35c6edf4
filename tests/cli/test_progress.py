"""The bar is seen only by a person who waits."""

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqcodec_cli import progress
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.targets import tell_of_tries


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def waits_for(stream: io.StringIO, text: str) -> bool:
    """Whether the text appears; generous, because the machine may be busy with other tests."""
    deadline = time.monotonic() + 30
    while text not in stream.getvalue():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "DELAY", 0.05)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_slow_work_on_a_terminal_shows_label_and_share(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with DelayedProgress("working hard", total=4) as bar:
        bar.update(3, "on x.png")
        assert waits_for(stream, "working hard")
        assert waits_for(stream, "75 %")
        assert waits_for(stream, "on x.png")


def test_what_goes_on_may_change(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with DelayedProgress("working hard", total=4) as bar:
        bar.update(4)
        assert waits_for(stream, "working hard")
        bar.update(1, label="tidying up")
        assert waits_for(stream, "tidying up")
        assert waits_for(stream, "25 %")


def test_quick_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "DELAY", 30.0)
    with DelayedProgress("working hard", total=4) as bar:
        bar.update(3)
    assert stream.getvalue() == ""


def test_nothing_is_written_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with DelayedProgress("working hard", total=4) as bar:
        bar.update(3)
        time.sleep(0.3)
    assert stream.getvalue() == ""


def test_failing_work_takes_the_bar_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)

    def fail() -> None:
        with DelayedProgress("doomed", total=None):
            assert waits_for(stream, "doomed")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    written = len(stream.getvalue())
    time.sleep(0.3)
    assert len(stream.getvalue()) == written


class Log:
    """A stderr that is no terminal, and a clock that tests set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stream, self.now = io.StringIO(), 100.0
        monkeypatch.setattr(sys, "stderr", self.stream)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(monkeypatch)
    with DelayedProgress("working hard", total=8) as bar:
        for done, seconds in ((0, 100), (1, 159), (2, 160), (3, 219.9), (4, 221)):
            log.now = seconds
            bar.update(done, f"picture {done}")
    assert log.stream.getvalue().splitlines() == [
        "working hard 25 % picture 2 3 min left",
        "working hard 50 % picture 4 2 min left",
    ]


def test_what_is_left_is_told_by_the_pace_since_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(monkeypatch)
    with DelayedProgress("encoding", total=None) as bar:
        bar.update(0.5)
        for done, seconds in ((0, 1000), (0.25, 1100), (0.5, 8200)):
            log.now = seconds
            bar.update(done, total=1.0)
    assert log.stream.getvalue().splitlines() == [
        "encoding 0 %",
        "encoding 25 % 5 min left",
        "encoding 50 % 2 h 0 min left",
    ]


def test_another_label_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(monkeypatch)
    with DelayedProgress("training", total=1.0) as bar:
        for done, label, seconds in ((0.5, None, 200), (0.6, "costs", 300), (0.8, "costs", 380)):
            log.now = seconds
            bar.update(done, label=label)
    assert log.stream.getvalue().splitlines() == [
        "training 50 %",
        "costs 60 %",
        "costs 80 % 80 s left",
    ]


def test_a_terminal_is_told_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with DelayedProgress("working hard", total=4) as bar:
        bar.update(0)
        assert waits_for(stream, "0 %")
        time.sleep(0.01)
        bar.update(4)
        assert waits_for(stream, "0 s left")


def test_a_target_says_which_quality_it_tries() -> None:
    """As far as is usual, and never all of it: one more may follow."""
    said: list[tuple[int, int, str]] = []
    told = tell_of_tries(lambda done, parts, note="": said.append((done, parts, note)))
    for _ in range(9):
        for done in (1, 2, 3):
            told(done, 3)
    assert said[0] == (1, 18, "quality 1 of about 6 that are tried")
    assert said[4] == (5, 18, "quality 2 of about 6 that are tried")
    assert said[-1] == (27, 30, "quality 9 of about 10 that are tried")
    assert all(done < parts for done, parts, _ in said)


@pytest.mark.parametrize("target", ["--bpp", "--size", "--psnr"])
def test_a_search_for_a_quality_is_no_silence(
    target: str,
    run_cli: Callable[..., Any],
    photo: Path,
    tiny_model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    value = {"--bpp": 2, "--size": 500, "--psnr": 10}[target]
    found = run_cli("encode", photo, "-m", tiny_model, target, value)
    assert found.code == 0
    first = found.err.splitlines()[1]
    said = f"encoding 17 % {photo}, quality 1 of about 6 that are tried "
    assert first.startswith(said)
    assert first.endswith(" s left")
