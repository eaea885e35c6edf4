"""Measurements of an earlier run, taken over instead of being made again."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vqcodec.errors import InputError
from vqcodec.evaluation.contestants import Contestant, is_own
from vqcodec.evaluation.measure import Measurement, Point

__all__ = ["read_earlier"]

LARGEST_FILE = 2**26
# What says where and when a run took place.
_CIRCUMSTANCES = ("machine", "versions", "commit", "date")
# A measure that a point lacks is null in the file, and so is one that is not finite.
_OPTIONAL = {"psnr", "ms_ssim", "ms_ssim_db", "ssimulacra2"}
# Fields that are no numbers.
_OTHERS: dict[str, tuple[type, ...]] = {"codec": (str,), "image": (str,), "images": (tuple,)}


def read_earlier(
    path: str | Path,
    contestants: Sequence[Contestant],
    *,
    pictures: Mapping[str, int],
    fields: Sequence[str],
) -> dict[str, tuple[Contestant, list[Point]]]:
    """Find those contestants in a results.json of `as_json`, by name.

    One is taken over if it was run with the same settings over the same ladder, on the same
    pictures; others are left to be measured. So are the models of this project: their encoder
    changes while their names stay.

    Args:
        pictures: name and number of pixels of each picture.
        fields: the measures that are wanted, as `Point` names them.

    Raises:
        InputError: not such a file.
        OSError: it cannot be read.
    """
    content = _read(path)
    try:
        codecs = {codec["name"]: codec for codec in content["codecs"]}
        circumstances = {name: content[name] for name in _CIRCUMSTANCES}
        found = {}
        for contestant in contestants:
            codec = codecs.get(contestant.name)
            if is_own(contestant.name) or codec is None:
                continue
            if codec["settings"] != contestant.settings:
                continue
            points = [_point(p) for p in content["points"] if p["codec"] == contestant.name]
            if _serves(points, contestant, pictures, fields):
                then = dataclasses.replace(
                    contestant,
                    version=str(codec["version"]),
                    runs_on=str(codec["runs_on"]),
                    measured=codec.get("measured", circumstances),
                )
                found[contestant.name] = (then, points)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"{path}: not the results of vqcodec eval: {error!r}") from error
    return found


def _read(path: str | Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise InputError(f"{path}: more than {LARGEST_FILE} bytes of results")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: not the results of vqcodec eval")
    return content


def _point(entry: dict[str, Any]) -> Point:
    images = tuple(_fill(Measurement, image) for image in entry["images"])
    point: Point = _fill(Point, entry | {"images": images})
    return point


def _fill(kind: type[Any], entry: dict[str, Any]) -> Any:
    """A dataclass from its fields; anything else in the entry, or a gap in it, is an error."""
    made = kind(**entry)
    for field in dataclasses.fields(kind):
        value = getattr(made, field.name)
        wanted: tuple[type, ...] = _OTHERS.get(field.name, (int, float))
        if value is None and field.name in _OPTIONAL:
            continue
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise ValueError(f"{field.name} is {value!r:.60}")
    return made


def _serves(
    points: Sequence[Point],
    contestant: Contestant,
    pictures: Mapping[str, int],
    fields: Sequence[str],
) -> bool:
    if [point.setting for point in points] != list(contestant.ladder):
        return False
    for point in points:
        pixels = {row.image: 8 * row.size / row.bpp for row in point.images}
        if pixels.keys() != pictures.keys():
            return False
        if any(not math.isclose(pixels[name], pictures[name]) for name in pictures):
            return False
        if any(getattr(point, field) is None for field in fields):
            return False
    return True
