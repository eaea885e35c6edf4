"""Measurements of an earlier run, taken over instead of being made again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vqcodec.errors import InputError
from vqcodec.evaluation.json_file import read_json, read_number, read_text
from vqcodec.evaluation.measure import Measurement, Point
from vqcodec.evaluation.own import is_own
from vqcodec.media.workshop import Contestant, Measure, Rate

__all__ = ["read_earlier"]

LARGEST_FILE = 2**26
# What says where and when a run took place.
_CIRCUMSTANCES = ("machine", "versions", "commit", "date")
_SMALLEST = 1e-12


def read_earlier(
    path: str | Path,
    contestants: Sequence[Contestant],
    *,
    signals: Sequence[tuple[str, Any]],
    rate: Rate,
    measures: Sequence[Measure],
) -> dict[str, tuple[Contestant, list[Point]]]:
    """Find those contestants in a results.json of `as_json`, by name.

    One is taken over if it was run with the same settings over the same ladder, on signals of the
    same names and lengths, and has the measures; others are left to be measured. So are the models
    of this project: their encoder changes while their names stay.

    Raises:
        InputError: not such a file.
        OSError: it cannot be read.
    """
    content = read_json(path, limit=LARGEST_FILE, what="results")
    try:
        if content["rate"]["unit"] != rate.unit:
            return {}
        codecs = {codec["name"]: codec for codec in content["codecs"]}
        found = {}
        for contestant in contestants:
            codec = codecs.get(contestant.name)
            if is_own(contestant.name) or codec is None:
                continue
            points = [_point(p) for p in content["points"] if p["codec"] == contestant.name]
            if codec["settings"] == contestant.settings and (
                [point.setting for point in points] == list(contestant.ladder)
                and all(_serves(point, signals, rate, measures) for point in points)
            ):
                found[contestant.name] = (_as_it_was(contestant, codec, content), points)
    except (AttributeError, KeyError, TypeError, InputError) as error:
        raise InputError(f"{path}: not the results of vqcodec eval: {error}") from error
    return found


def _as_it_was(
    contestant: Contestant, codec: Mapping[str, Any], content: Mapping[str, Any]
) -> Contestant:
    """The contestant with what it was measured with, which may be older than the file."""
    measured = codec.get("measured", {name: content[name] for name in _CIRCUMSTANCES})
    read_text(measured["machine"], "processor")
    return dataclasses.replace(
        contestant,
        version=read_text(codec, "version"),
        runs_on=read_text(codec, "runs_on"),
        measured=measured,
    )


def _point(entry: dict[str, Any]) -> Point:
    return Point(
        codec=read_text(entry, "codec"),
        setting=read_number(entry, "setting"),
        rate=read_number(entry, "rate", low=_SMALLEST),
        values=_values(entry["values"]),
        encode_seconds=read_number(entry, "encode_seconds", low=0),
        decode_seconds=read_number(entry, "decode_seconds", low=0),
        signals=tuple(_measurement(row) for row in entry["signals"]),
    )


def _measurement(entry: dict[str, Any]) -> Measurement:
    return Measurement(
        signal=str(entry["signal"]),
        size=int(read_number(entry, "size", low=0)),
        rate=read_number(entry, "rate", low=_SMALLEST),
        values=_values(entry["values"]),
        encode_seconds=read_number(entry, "encode_seconds", low=0),
        decode_seconds=read_number(entry, "decode_seconds", low=0),
    )


def _values(entry: dict[str, Any]) -> dict[str, float]:
    """Values by measure; one that was not finite is null in the file."""
    return {
        name: math.nan if value is None else read_number(entry, name)
        for name, value in entry.items()
    }


def _serves(
    point: Point, signals: Sequence[tuple[str, Any]], rate: Rate, measures: Sequence[Measure]
) -> bool:
    """Whether a point was measured on these signals, as far as names and lengths tell."""
    rows = {row.signal: row for row in point.signals}
    if rows.keys() != {name for name, _ in signals}:
        return False
    if any(not math.isclose(rate.of(rows[n].size, s), rows[n].rate) for n, s in signals):
        return False
    return all(measure.name in point.values for measure in measures)
