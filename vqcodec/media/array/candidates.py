"""Ways to code an array: what makes integers of its numbers, and how these are predicted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.array.description import Description
from vqcodec.media.array.fitting import fit_coefficients
from vqcodec.media.array.integers import Coding, targets_of
from vqcodec.media.array.statistics import Statistics

__all__ = ["candidates", "families", "plain", "refitted"]

# Fractions of a step that predictions are made in.
_FRACTIONS = 1024
# The largest number of steps in a range, see `vqcodec_kernels.entropy.fields`.
_MOST_STEPS = 2**26
# Boxes are worth a try where chunks are so deep, whatever a sample is.
_DEEP = 16
_NONE = np.zeros(0, np.int64)
# A table of ranks must have so many values for each of its own.
_VALUES_A_RANK = 16


def candidates(d: Description, found: Statistics) -> Iterator[Coding]:
    """Ways to make integers of the numbers that keep the bound; the exact one is always there."""
    span = found.highest - found.lowest
    bound = d.bound
    ranks = _ranks(d, found)
    if ranks is not None:
        yield ranks
    exact = replace(d, map="words", base=found.lowest % (1 << 64))
    if not d.is_float and d.mode in ("max_error", "psnr"):
        step = 2 * min(math.floor(bound), 1 << 38) + 1
        yield plain(_shifted(exact, span, step))
        return
    if d.mode == "max_relative_error":
        bits = {2: 10, 4: 23, 8: 52}[d.item] if d.is_float else 0
        step = 2 * math.floor(bound * 2**bits) + 1
        yield plain(_shifted(exact, span, step))
        return
    lattices = list(_lattices(d, found)) if d.mode in ("max_error", "psnr") else []
    yield from lattices
    if not lattices:
        yield plain(_shifted(exact, span, 1))


def plain(d: Description) -> Coding:
    """Without tables."""
    return Coding(d, _NONE, _NONE, None)


def families(sample: NDArray[Any], coding: Coding) -> Iterator[Coding]:
    """Ways to predict integers; coefficients are fitted to the sample."""
    d = coding.description
    t = _field_of(sample, coding)
    kinds = [("median", False), ("slices", False)]
    kinds += [("slices", True)] * (d.step > 1)
    if _depth(d) >= _DEEP:
        kinds += [("boxes", False)] + [("boxes", True)] * (d.step > 1)
    for family, tight in kinds:
        yield replace(coding, description=replace(d, family=family, tight=tight))
    if t.shape[3] > 2 and np.isfinite(sample).all():
        coefficients = fit_coefficients(t, d.step)
        yield replace(coding, description=replace(d, family="linear"), coefficients=coefficients)


def refitted(sample: NDArray[Any], coding: Coding) -> Coding:
    """With coefficients that are fitted to this sample, where it has no gaps."""
    if coding.coefficients is None or not np.isfinite(sample).all():
        return coding
    fitted = fit_coefficients(_field_of(sample, coding), coding.description.step)
    return replace(coding, coefficients=fitted)


def _shifted(d: Description, span: int, step: int) -> Description:
    """Words above the lowest, so many low bits apart that the others can be predicted.

    The low bits go to the file where the step is 1; otherwise the step is made smaller by them.
    """
    if span < 1 << 40 and span // step <= _MOST_STEPS:
        # No step need be longer than all values together.
        return replace(d, shift=0, step=min(step, 2 * span + 1, 1 << 40))
    shift = max(0, step.bit_length() - 5)
    kept = (step - (1 << shift)) >> shift
    if kept > 1 and span >> shift < 1 << 40 and (span >> shift) // kept <= _MOST_STEPS:
        return replace(d, shift=shift, step=kept)
    return replace(d, shift=max(0, span.bit_length() - 26), step=1)


def _lattices(d: Description, found: Statistics) -> Iterator[Coding]:
    """Lattices of a step and of fractions of one."""
    lowest = float(found.number(found.lowest))
    largest = max(abs(lowest), abs(float(found.number(found.highest))))
    bound = d.bound
    if d.item < 8 and math.isfinite(largest):
        # What rounding to the dtype may add.
        with np.errstate(over="ignore"):
            bound -= float(np.spacing(np.array(largest, f"f{d.item}"))) / 2
    if not (bound > 0 and math.isfinite(found.range) and found.range / bound < _MOST_STEPS):
        return
    for fractions in (_FRACTIONS, 1):
        unit = 2 * bound / (fractions + (fractions > 1)) * (1 - 1e-9)
        if unit > 0 and lowest + unit * 0.5 != lowest:
            yield plain(replace(d, map="lattice", offset=lowest, unit=unit, step=fractions))


def _ranks(d: Description, found: Statistics) -> Coding | None:
    """Ranks of distinct numbers, near ones of which are one where the bound allows it."""
    words = found.distinct
    if words is None or len(words) < 2:
        return None
    dense = found.highest - found.lowest + 1 <= 2 * len(words)
    if found.count < _VALUES_A_RANK * len(words) or (dense and not d.is_float):
        return None
    table, starts = words, words
    if d.mode in ("max_error", "psnr") and d.bound > 0:
        table, starts = _clusters(words, found, d.bound)
    if len(table) < 2:
        return None
    return Coding(replace(d, map="ranks", step=1), table, starts, None)


def _clusters(
    words: NDArray[np.int64], found: Statistics, bound: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fewest runs of numbers that one number each stands for, and where they begin."""
    numbers = np.array([float(found.number(word)) for word in words.tolist()])
    table, starts, first = [], [], 0
    while first < len(words):
        end = int(np.searchsorted(numbers, numbers[first] + 2 * bound, "right"))
        # The number nearest to the middle; it may be too far from an end.
        middle = (numbers[first] + numbers[end - 1]) / 2
        nearest = first + int(np.abs(numbers[first:end] - middle).argmin())
        end = max(nearest + 1, int(np.searchsorted(numbers, numbers[nearest] + bound, "right")))
        while numbers[nearest] - numbers[first] > bound:
            nearest -= 1
            end = int(np.searchsorted(numbers, numbers[nearest] + bound, "right"))
        table.append(int(words[nearest]))
        starts.append(int(words[first]))
        first = end
    return np.array(table, np.int64), np.array(starts, np.int64)


def _depth(d: Description) -> int:
    """The length of a chunk along the last axis but two, as axes are coded; 1 without one."""
    lengths = (2,) * d.is_complex + d.chunk
    ordered = [lengths[axis] for axis in d.order]
    return ordered[-3] if len(ordered) > 2 else 1


def _field_of(sample: NDArray[Any], coding: Coding) -> NDArray[np.int64]:
    """The integers of a sample, four axes."""
    t = targets_of(np.ascontiguousarray(sample.transpose(coding.description.order)), coding)
    return t.reshape((1,) * (4 - t.ndim) + t.shape if t.ndim <= 4 else (-1, *t.shape[-3:]))
