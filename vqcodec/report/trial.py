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

    runner = _Runner(name, signal, rate=rate, measures=measures, report=report)
    curves = {contestant.name: runner.curve(contestant) for contestant in contestants}
    entries = [
        runner.entry(contestant, within, points=curves[contestant.name])
        for within in at
        for contestant in contestants
    ]
    return Trial(
        name=name,
        signal=signal,
        rate=rate,
        measures=measures,
        contestants=contestants,
        curves=curves,
        entries=[entry for entry in entries if entry is not None],
    )


class _Runner:
    """One signal, ready to be put through codecs."""

    def __init__(
        self,
        name: str,
        signal: Any,
        *,
        rate: Rate,
        measures: Sequence[Measure],
        report: Callable[[str], None] | None,
    ) -> None:
        self._name, self._signal, self._rate, self._measures = name, signal, rate, measures
        self._report = report

    def curve(self, contestant: Contestant) -> Sequence[Point]:
        """Measure a codec's whole ladder."""
        return evaluate(
            contestant,
            [(self._name, self._signal)],
            rate=self._rate,
            measures=self._measures,
            report=lambda: self._tell(contestant),
        )

    def entry(
        self, contestant: Contestant, within: float, *, points: Sequence[Point]
    ) -> Entry | None:
        """A codec's largest file within a rate; None if it has none so small."""
        setting = self._setting(contestant, within, points)
        entry = None if setting is None else self._measured(contestant, within, setting)
        self._tell(contestant)
        return entry

    def _setting(
        self, contestant: Contestant, within: float, points: Sequence[Point]
    ) -> float | None:
        """Bisect between two neighbours of the ladder, which goes from small to large files."""
        fitting = [number for number, point in enumerate(points) if point.rate <= within]
        if not fitting:
            return None
        number = max(fitting, key=lambda number: points[number].rate)
        best, reached = points[number].setting, points[number].rate
        above = points[min(number + 1, len(points) - 1)].setting
        for _ in range(_HALVINGS):
            if reached >= _NEAR * within or above == best:
                break
            middle = (best + above) / 2
            size = contestant.size(contestant.encode(self._signal, middle))
            if self._rate.of(size, self._signal) <= within:
                best, reached = middle, self._rate.of(size, self._signal)
            else:
                above = middle
        return best

    def _measured(self, contestant: Contestant, within: float, setting: float) -> Entry:
        kept: list[Any] = []

        def keep(thing: Any) -> Any:
            kept.append(thing)
            return thing

        keeping = replace(
            contestant,
            encode=lambda signal, setting: keep(contestant.encode(signal, setting)),
            decode=lambda data: keep(contestant.decode(data)),
        )
        row = measure(
            keeping,
            setting,
            name=self._name,
            signal=self._signal,
            rate=self._rate,
            measures=self._measures,
        )
        data, decoded = kept
        return Entry(
            codec=contestant.name,
            within=within,
            setting=setting,
            data=data,
            decoded=decoded,
            row=row,
        )

    def _tell(self, contestant: Contestant) -> None:
        if self._report is not None:
            self._report(contestant.name)
