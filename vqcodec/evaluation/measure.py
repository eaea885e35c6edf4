"""Running a codec over signals: bytes of real files, distortion and time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vqcodec.errors import InputError
from vqcodec.media.workshop import Contestant, Measure, Rate

__all__ = ["Measurement", "Point", "evaluate", "measure"]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One signal through one codec at one setting.

    Attributes:
        signal: its name.
        size: bytes that count, see `Contestant`.
        rate: that size, in the unit of the medium's rate.
        values: by name of the measure, as it gives them; NaN where the signal is too small for it.
        encode_seconds, decode_seconds: from signal to bytes and back.
    """

    signal: str
    size: int
    rate: float
    values: Mapping[str, float]
    encode_seconds: float
    decode_seconds: float

    def shown(self, measure: Measure) -> float:
        """A value in the unit of its measure, as the point of this signal alone has it."""
        return measure.of_mean(self.values[measure.name])


@dataclass(frozen=True, kw_only=True)
class Point:
    """One codec at one setting over all signals: means of what each of them gave.

    values: by name of the measure, as curves show them: `Measure.of_mean` of the mean, which for
    decibels is not the mean of decibels.
    """

    codec: str
    setting: float
    rate: float
    values: Mapping[str, float]
    encode_seconds: float
    decode_seconds: float
    signals: tuple[Measurement, ...]


def evaluate(
    contestant: Contestant,
    signals: Sequence[tuple[str, Any]],
    *,
    rate: Rate,
    measures: Sequence[Measure],
    report: Callable[[], None] | None = None,
) -> list[Point]:
    """Measure every setting of a codec's ladder on every signal.

    Args:
        signals: names, and signals as `Workshop.comparable` gives them.
        rate, measures: of the workshop; see `find_measures`.
        report: called after each measurement.

    Raises:
        InputError: there are no signals.
    """
    if not signals:
        raise InputError("no signals to measure on")
    points = []
    for setting in contestant.ladder:
        rows = []
        for name, signal in signals:
            row = measure(
                contestant, setting, name=name, signal=signal, rate=rate, measures=measures
            )
            rows.append(row)
            if report is not None:
                report()
        points.append(_mean(contestant.name, setting, rows, measures))
    return points


def measure(
    contestant: Contestant,
    setting: float,
    *,
    name: str,
    signal: Any,
    rate: Rate,
    measures: Sequence[Measure],
) -> Measurement:
    """Encode and decode one signal and compare."""
    started = time.perf_counter()
    data = contestant.encode(signal, setting)
    encoded = time.perf_counter()
    decoded = contestant.decode(data)
    done = time.perf_counter()
    size = contestant.size(data)
    return Measurement(
        signal=name,
        size=size,
        rate=rate.of(size, signal),
        values={
            measure.name: measure.of(decoded, signal) if measure.fits(signal.extent) else math.nan
            for measure in measures
        },
        encode_seconds=encoded - started,
        decode_seconds=done - encoded,
    )


def _mean(
    codec: str, setting: float, rows: Sequence[Measurement], measures: Sequence[Measure]
) -> Point:
    return Point(
        codec=codec,
        setting=setting,
        rate=float(np.mean([row.rate for row in rows])),
        values={
            measure.name: measure.of_mean(
                float(np.mean([row.values[measure.name] for row in rows]))
            )
            for measure in measures
        },
        encode_seconds=float(np.mean([row.encode_seconds for row in rows])),
        decode_seconds=float(np.mean([row.decode_seconds for row in rows])),
        signals=tuple(rows),
    )
