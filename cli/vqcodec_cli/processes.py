"""Work on many files in several processes, started anew, each of which loads what it needs once.

A pool of the standard library gives up everything that is under way when one of its processes dies.
Here each process has a pipe of its own, so that it is known which file it died of, and the others
go on.
"""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Generic

from vqcodec_cli.batch import Attempts, Outcome, T, Work, attempt, failed
from vqcodec_cli.endings import unwind_on_endings
from vqcodec_cli.failure import IO, Terminated
from vqcodec_cli.terminal import Loudness, how_loud, loudness

# Seconds for a process to remove its temporary files before it is killed.
_PATIENCE = 20.0


def in_processes(work: Work[T], tasks: Sequence[tuple[int, T]], *, count: int) -> Attempts:
    """Do work on numbered items in at most so many processes; gives outcomes as they come.

    A process that dies is a failure of the item that it had, and another takes its place. Whatever
    ends this early ends all processes, which remove their temporary files first.

    Args:
        work: goes to each process once, by pickle; what it loads there stays there.
    """
    waiting = iter(tasks)
    workers: list[_Worker[T]] = []
    try:
        for task in (next(waiting, None) for _ in range(min(count, len(tasks)))):
            workers.append(_Worker(work))
            workers[-1].give(task)
        while busy := [worker for worker in workers if worker.task is not None]:
            ready = wait([worker.pipe for worker in busy])
            for worker in (worker for worker in busy if worker.pipe in ready):
                number, outcome = worker.take()
                task = next(waiting, None)
                if task is not None and not worker.is_alive:
                    workers.append(worker := _Worker(work))
                worker.give(task)
                yield number, outcome
    finally:
        _end(workers)


class _Worker(Generic[T]):
    """A process with a pipe to it, and the task that it has."""

    def __init__(self, work: Work[T]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.task: tuple[int, T] | None = None
        self.is_alive = True
        self.process = context.Process(target=_serve, args=(theirs, work, how_loud()), daemon=True)
        with theirs, _interrupts_held():
            self.process.start()

    def give(self, task: tuple[int, T] | None) -> None:
        """Let the process begin a task; None leaves it idle."""
        self.task = task
        if task is not None:
            # One that died idle is noticed when its outcome is asked for.
            with suppress(BrokenPipeError):
                self.pipe.send(task[1])

    def take(self) -> tuple[int, Outcome]:
        """The outcome of its task, which is ready or never will be."""
        assert self.task is not None
        (number, item), self.task = self.task, None
        try:
            outcome: Outcome = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.is_alive = False
            return number, failed(item, self._last_words(), IO)
        return number, outcome

    def _last_words(self) -> str:
        self.pipe.close()
        self.process.join(_PATIENCE)
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"the process that worked on it ended with exit code {code}"
        return f"the process that worked on it was ended by {signal.Signals(-code).name}"


def _serve(pipe: Connection, work: Work[Any], level: Loudness) -> None:
    """What a process does: work on what comes through the pipe, until that or a signal ends it."""
    unwind_on_endings()
    # The pipe breaks when the process at its other end is killed.
    with suppress(EOFError, ConnectionError, Terminated), loudness(level):
        while True:
            pipe.send(attempt(work, pipe.recv(), _tell_nobody))


def _tell_nobody(done: int, parts: int, /, note: str = "") -> None:
    pass


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes that no Ctrl-C reaches: they end when the one that started them says so."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # It holds back and lets through signals of its own, so it has to be there before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(workers: Sequence[_Worker[Any]]) -> None:
    """End all processes: the idle ones as their pipe closes, the others by a signal."""
    for worker in workers:
        if worker.task is not None:
            worker.process.terminate()
        worker.pipe.close()
    for worker in workers:
        worker.process.join(_PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.process.close()
