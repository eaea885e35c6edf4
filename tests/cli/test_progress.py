"""The bar is seen only by a person who waits."""

import io
import sys
import time

import pytest

from vqcodec_cli import progress
from vqcodec_cli.progress import DelayedProgress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown_after(seconds: float, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "DELAY", 0.05)
    monkeypatch.setenv("TERM", "xterm")
    with DelayedProgress("working hard", total=4) as bar:
        time.sleep(seconds)
        bar.update(3, "on x.png")
    return stream.getvalue()


def test_slow_work_on_a_terminal_shows_label_and_share(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_after(1.0, Terminal(), monkeypatch)
    assert "working hard" in shown
    assert "75 %" in shown
    assert "on x.png" in shown


def test_quick_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_after(0.0, Terminal(), monkeypatch) == ""


def test_nothing_is_written_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_after(0.3, io.StringIO(), monkeypatch) == ""


def test_failing_work_takes_the_bar_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "DELAY", 0.0)

    def fail() -> None:
        with DelayedProgress("x", total=None):
            time.sleep(0.5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    written = len(stream.getvalue())
    time.sleep(0.3)
    assert len(stream.getvalue()) == written > 0
