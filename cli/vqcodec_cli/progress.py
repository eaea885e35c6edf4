"""A progress bar on a terminal, after two seconds; a line now and then where there is none.

How long the rest takes is said by the mean of what was done so far.
"""

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from vqcodec_cli.terminal import Loudness, how_loud, printable, say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DELAY = 2.0
# Seconds from line to line in a log.
EVERY = 60.0


class DelayedProgress:
    """A bar on stderr for `total` steps; without a total it only shows that work goes on.

    Use as a context manager. Nothing is drawn, and rich is not imported, before `DELAY` seconds
    have passed, nor ever when stderr is not a terminal: there an update writes a plain line once
    `EVERY` seconds have passed since the last. With `--quiet` neither is shown.
    """

    def __init__(self, label: str, *, total: float | None) -> None:
        self._label = label
        self._total = total
        self._done = 0.0
        self._note = ""
        self._lock = threading.Lock()
        self._closed = False
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._timer: threading.Timer | None = None
        self._is_quiet = how_loud() is Loudness.QUIET
        self._spoke = time.monotonic()
        # When, and with how much done, the work began whose pace is measured.
        self._began: tuple[float, float] | None = None

    def __enter__(self) -> Self:
        """Start the clock."""
        if sys.stderr is not None and sys.stderr.isatty() and not self._is_quiet:
            self._timer = threading.Timer(DELAY, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away, whatever happened."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._progress is not None:
                self._progress.stop()

    def update(
        self, done: float, note: str = "", *, label: str | None = None, total: float | None = None
    ) -> None:
        """Say how many steps are done, a few words about the state, and a new label or total."""
        with self._lock:
            if self._began is None or done < self._done or label not in (None, self._label):
                self._began = (time.monotonic(), done)
            self._done, self._note = done, printable(note)
            self._label, self._total = label or self._label, total or self._total
            if self._progress is not None and self._task is not None:
                self._progress.update(self._task, **self._state())
            elif self._timer is None and time.monotonic() - self._spoke >= EVERY:
                self._spoke = time.monotonic()
                self._write_line()

    def _state(self) -> dict[str, Any]:
        """What rich shows of the task."""
        return {
            "description": self._label,
            "total": self._total,
            "completed": self._done,
            "share": self._share(),
            "note": self._note,
            "left": self._left(),
        }

    def _share(self) -> str:
        return f"{100 * self._done / self._total:.0f} %" if self._total else ""

    def _left(self) -> str:
        """How long the rest takes at the pace so far, as far as there is one."""
        if not self._total or self._began is None:
            return ""
        started, before = self._began
        seconds, steps = time.monotonic() - started, self._done - before
        if steps <= 0 or seconds <= 0:
            return ""
        return f"{_duration(seconds / steps * (self._total - self._done))} left"

    def _write_line(self) -> None:
        if sys.stderr is not None and not self._is_quiet:
            words = (self._label, self._share(), self._note, self._left())
            say(" ".join(word for word in words if word), to=sys.stderr)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._closed:
                return
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[share]}"),
                TextColumn("{task.fields[note]}", markup=False),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(**self._state())


def _duration(seconds: float) -> str:
    """A time as people say it: "40 s", "12 min", "3 h 5 min".

    >>> _duration(40.2), _duration(725), _duration(11_100)
    ('40 s', '12 min', '3 h 5 min')
    """
    minutes = round(seconds / 60)
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
