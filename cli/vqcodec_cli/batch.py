"""Doing the same to many files: one bad file does not keep the others from being done."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from vqcodec_cli.failure import (
    EXPECTED,
    OK,
    complain,
    exit_code,
    reason,
    torch_memory_as_python,
)
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import say_json, say_lines

Record = Mapping[str, Any]


class Item(Protocol):
    """What a batch is made of."""

    @property
    def name(self) -> str:
        """What the user calls the input."""


T = TypeVar("T", bound=Item)


def run_batch(
    items: Sequence[T],
    work: Callable[[T], tuple[Record, str]],
    *,
    label: str,
    as_json: bool,
    quiet: bool = False,
) -> int:
    """Do `work` on each item and print what it gives: its record as JSON, or its words for people.

    A failure is said on stderr, and the rest is done all the same. `quiet` prints no records.

    Returns:
        The exit code: 0, or that of the first failure.
    """
    codes: list[int] = []
    with DelayedProgress(label, total=len(items) if len(items) > 1 else None) as progress:
        for number, item in enumerate(items):
            progress.update(number, item.name)
            try:
                with torch_memory_as_python():
                    record, text = work(item)
            except BrokenPipeError:
                raise
            except EXPECTED as error:
                codes.append(exit_code(error))
                why = reason(error, item.name)
                complain(item.name, why)
                record = {"input": item.name, "error": why, "exit_code": codes[-1]}
                if as_json and not quiet:
                    say_json(record)
                continue
            if not quiet:
                say_json(record) if as_json else say_lines(text)
    if codes and len(items) > 1:
        complain(None, f"{len(codes)} of {len(items)} files failed")
    return codes[0] if codes else OK
