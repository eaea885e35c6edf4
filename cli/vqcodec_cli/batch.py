"""Doing the same to many files: one bad file does not keep the others from being done."""

import functools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from vqcodec.errors import LimitError
from vqcodec_cli.failure import (
    EXPECTED,
    OK,
    Terminated,
    complain,
    exit_code,
    reason,
    torch_memory_as_python,
)
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import say_json, say_lines

Record = Mapping[str, Any]


class Tell(Protocol):
    """Is told how many of how many parts of an item are done, and perhaps a word about it."""

    def __call__(self, done: int, parts: int, /, note: str = "") -> None:
        """Take them."""


class Item(Protocol):
    """What a batch is made of."""

    @property
    def name(self) -> str:
        """What the user calls the input."""


@dataclass(frozen=True)
class Outcome:
    """What came of an item: a record for machines, words for people, and its exit code.

    The words are the reason where it failed.
    """

    record: Record
    text: str
    code: int = OK


T = TypeVar("T", bound=Item)

Work = Callable[[T, Tell], tuple[Record, str]]

# Outcomes of numbered items, in any order.
Attempts = Generator[tuple[int, Outcome], None, None]


def run_batch(
    items: Sequence[T],
    work: Work[T],
    *,
    label: str,
    as_json: bool,
    quiet: bool = False,
    known: Mapping[int, Outcome] = MappingProxyType({}),
    spread: Callable[[Work[T], Sequence[tuple[int, T]]], Attempts] | None = None,
    keep: Callable[[int, Outcome], None] | None = None,
) -> int:
    """Do `work` on each item and print what it gives: its record as JSON, or its words for people.

    A failure is said on stderr, and the rest is done all the same. What is printed has the order of
    the items. `quiet` prints no records.

    Args:
        known: what is known of some items, by number; these are not worked on.
        spread: does the work elsewhere and gives outcomes as they come; None does it here.
        keep: is given each outcome as soon as it is there.

    Returns:
        The exit code: 0, or that of the first failure.
    """
    report = _Report(as_json=as_json, quiet=quiet)
    todo = [(number, item) for number, item in enumerate(items) if number not in known]
    with DelayedProgress(label, total=len(todo) if len(todo) > 1 else None) as bar:
        attempts = _here(work, todo, bar) if spread is None else _told(spread(work, todo), bar)
        try:
            with closing(attempts):
                for number, outcome in _all(known.items(), attempts):
                    if keep is not None:
                        keep(number, outcome)
                    report.add(number, outcome)
        except (KeyboardInterrupt, Terminated):
            report.interrupt(len(items))
            raise
    return report.end(len(items))


def attempt(work: Work[T], item: T, tell: Tell) -> Outcome:
    """Do the work on one item; what may be expected to fail gives an outcome, too."""
    try:
        with torch_memory_as_python():
            record, text = work(item, tell)
    except BrokenPipeError:
        raise
    except EXPECTED as error:
        why = reason(error, item.name)
        if isinstance(error, LimitError) and error.argument:
            why = f"{why} (--{error.argument.replace('_', '-')} allows more)"
        return failed(item, why, exit_code(error))
    return Outcome(record, text)


def failed(item: Item, why: str, code: int) -> Outcome:
    """The outcome of an item that could not be done."""
    return Outcome({"input": item.name, "error": why, "exit_code": code}, why, code)


def _here(work: Work[T], todo: Sequence[tuple[int, T]], bar: DelayedProgress) -> Attempts:
    """Work on one after another in this process, which shows how much of each is done."""

    def tell(before: int, name: str, done: int, parts: int, /, note: str = "") -> None:
        # An item of one part has nothing to tell before its end.
        if parts > 1:
            words = f"{name}, {note}" if note else name
            bar.update(before + done / parts, words, total=len(todo))

    for before, (number, item) in enumerate(todo):
        bar.update(before, item.name)
        yield number, attempt(work, item, functools.partial(tell, before, item.name))


def _told(attempts: Attempts, bar: DelayedProgress) -> Attempts:
    """Work that is done elsewhere, with a bar that shows how many items are done."""
    bar.update(0)
    with closing(attempts):
        for done, (number, outcome) in enumerate(attempts, 1):
            bar.update(done, str(outcome.record["input"]))
            yield number, outcome


def _all(known: Iterable[tuple[int, Outcome]], attempts: Attempts) -> Iterator[tuple[int, Outcome]]:
    yield from known
    yield from attempts


class _Report:
    """Prints outcomes in the order of their numbers, whichever comes first."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self._as_json, self._quiet = as_json, quiet
        self._waiting: dict[int, Outcome] = {}
        self._next = 0
        self._failures: list[int] = []
        self._done = 0

    def add(self, number: int, outcome: Outcome) -> None:
        """Take an outcome, and print all whose turn has come."""
        self._waiting[number] = outcome
        self._done += outcome.code == OK
        while self._next in self._waiting:
            self._print(self._waiting.pop(self._next))
            self._next += 1

    def interrupt(self, count: int) -> None:
        """Say how many of so many were done when a signal ended it all."""
        # A terminal that hangs up takes no more lines.
        with suppress(OSError):
            if count > 1:
                complain(None, f"interrupted: {self._done} of {count} files done")

    def end(self, count: int) -> int:
        """Say how many of so many failed; gives the exit code of the first failure."""
        if self._failures and count > 1:
            complain(None, f"{len(self._failures)} of {count} files failed")
        return self._failures[0] if self._failures else OK

    def _print(self, outcome: Outcome) -> None:
        if outcome.code != OK:
            self._failures.append(outcome.code)
            complain(str(outcome.record["input"]), outcome.text)
        if self._as_json and not self._quiet:
            say_json(outcome.record)
        elif outcome.code == OK and not self._quiet:
            say_lines(outcome.text)
