"""One signal through several codecs: their curves, and what each makes of it at given rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vqcodec.evaluation import Measurement, Point, evaluate, measure
from vqcodec.media.workshop import Contestant, Measure, Rate

__all__ = ["Entry", "Trial", "run_trial", "trial_steps"]

# Halvings of the way between two settings, and how near to a rate is near enough.
_HALVINGS = 5
_NEAR = 0.99


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The largest file that a codec makes of a signal within a rate.

    Attributes:
        within: the rate that was asked for.
        data: the bytes of the file.
        decoded: the signal in it.
        row: what was measured.
    """

    codec: str
    within: float
    setting: float
    data: bytes
    decoded: Any
    row: Measurement


@dataclass(frozen=True, kw_only=True)
class Trial:
    """All that a page of one signal shows.

    Attributes:
        curves: of each codec over its ladder, by name.
        entries: at each rate, in the order of rates and codecs; a codec that has no file so small
            has none there.
    """

    name: str
    signal: Any
    rate: Rate
    measures: Sequence[Measure]
    contestants: Sequence[Contestant]
    curves: Mapping[str, Sequence[Point]]
    entries: Sequence[Entry]


def trial_steps(contestants: Sequence[Contestant], at: Sequence[float]) -> int:
    """How many times `run_trial` reports."""
    return sum(len(contestant.ladder) + len(at) for contestant in contestants)


def run_trial(
    name: str,
    signal: Any,
    contestants: Sequence[Contestant],
    *,
    at: Sequence[float],
    rate: Rate,
    measures: Sequence[Measure],
    report: Callable[[str], None] | None = None,
) -> Trial:
    """Put a signal through all codecs.

    Args:
        signal: a comparable one.
        at: rates at which files are kept, in the unit of `rate`.
        report: is told after each step whose it was; see `trial_steps`.
    """

    def tell(codec: str) -> None:
        if report is not None:
            report(codec)

    curves: dict[str, Sequence[Point]] = {}
    found: dict[tuple[float, str], Entry] = {}
    for contestant in contestants:
        points = evaluate(
            contestant,
            [(name, signal)],
            rate=rate,
            measures=measures,
            report=lambda codec=contestant.name: tell(codec),  # type: ignore[misc]
        )
        curves[contestant.name] = points
        for within in at:
            setting = _setting_within(contestant, signal, within, points=points, rate=rate)
            if setting is not None:
                found[within, contestant.name] = _entry(
                    contestant, setting, name, signal, within=within, rate=rate, measures=measures
                )
            tell(contestant.name)
    entries = [
        found[within, contestant.name]
        for within in at
        for contestant in contestants
        if (within, contestant.name) in found
    ]
    return Trial(
        name=name,
        signal=signal,
        rate=rate,
        measures=measures,
        contestants=contestants,
        curves=curves,
        entries=entries,
    )


def _setting_within(
    contestant: Contestant, signal: Any, within: float, *, points: Sequence[Point], rate: Rate
) -> float | None:
    """The setting whose file is the largest within a rate; None if there is none so small."""
    fitting = [number for number, point in enumerate(points) if point.rate <= within]
    if not fitting:
        return None
    number = max(fitting, key=lambda number: points[number].rate)
    best, reached = points[number].setting, points[number].rate
    if number + 1 == len(points):
        return best
    above = points[number + 1].setting
    for _ in range(_HALVINGS):
        if reached >= _NEAR * within:
            break
        middle = (best + above) / 2
        size = contestant.size(contestant.encode(signal, middle))
        if rate.of(size, signal) <= within:
            best, reached = middle, rate.of(size, signal)
        else:
            above = middle
    return best


def _entry(
    contestant: Contestant,
    setting: float,
    name: str,
    signal: Any,
    *,
    within: float,
    rate: Rate,
    measures: Sequence[Measure],
) -> Entry:
    kept: list[Any] = []

    def keep(thing: Any) -> Any:
        kept.append(thing)
        return thing

    keeping = replace(
        contestant,
        encode=lambda signal, setting: keep(contestant.encode(signal, setting)),
        decode=lambda data: keep(contestant.decode(data)),
    )
    row = measure(keeping, setting, name=name, signal=signal, rate=rate, measures=measures)
    data, decoded = kept
    return Entry(
        codec=contestant.name,
        within=within,
        setting=setting,
        data=data,
        decoded=decoded,
        row=row,
    )
