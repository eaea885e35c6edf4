"""A progress bar on a terminal, after two seconds; a line now and then where there is none."""

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vqcodec_cli.terminal import printable, say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DELAY = 2.0
# Seconds from line to line in a log.
EVERY = 60.0


class DelayedProgress:
    """A bar on stderr for `total` steps; with total None it only shows that work goes on.

    Use as a context manager. Nothing is drawn, and rich is not imported, before `DELAY` seconds
    have passed, nor ever when stderr is not a terminal: there an update writes a plain line once
    `EVERY` seconds have passed since the last.
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
        self._spoke = time.monotonic()

    def __enter__(self) -> Self:
        """Start the clock."""
        if sys.stderr is not None and sys.stderr.isatty():
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

    def update(self, done: float, note: str = "", *, label: str | None = None) -> None:
        """Say how many steps are done, a few words about the state, and a new label if any."""
        with self._lock:
            self._done, self._note = done, printable(note)
            self._label = label or self._label
            if self._progress is not None and self._task is not None:
                self._progress.update(
                    self._task, description=self._label, completed=done, note=self._note
                )
            elif self._timer is None and time.monotonic() - self._spoke >= EVERY:
                self._spoke = time.monotonic()
                self._write_line()

    def _write_line(self) -> None:
        if sys.stderr is not None:
            share = f" {100 * self._done / self._total:.0f} %" if self._total else ""
            say(f"{self._label}{share} {self._note}".rstrip(), to=sys.stderr)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._closed:
                return
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %" if self._total else ""),
                TextColumn("{task.fields[note]}", markup=False),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(
                self._label, total=self._total, completed=int(self._done), note=self._note
            )
