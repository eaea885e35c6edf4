"""What the model of a residual looks at; the twin of kernels/csrc/predict/surroundings.hpp."""

from typing import NamedTuple

__all__ = ["ERROR_CLASSES", "SIZES", "TEXTURE_CLASSES", "Contexts", "Scale", "Surroundings"]

ERROR_CLASSES = 24
TEXTURE_CLASSES = 16
_PLACE_KINDS = 16
_LEVELS = 1024
# How many values each context has.
SIZES = (
    ERROR_CLASSES * _PLACE_KINDS,
    ERROR_CLASSES * TEXTURE_CLASSES,
    ERROR_CLASSES * ERROR_CLASSES,
    *(16 * 16, 27 * 12, 41 * 13, 41 * 13, _LEVELS, 17 * 17, 17 * 17),
    *(1024, 1024, 1024, 1024, 1024),
)


class Surroundings(NamedTuple):
    """What stands around a value; 0 for what is not there.

    near: residuals W, N, NW, NE, WW, NN. before: residuals of the slice before along the inner
    axis, at the same place, W, E, N, S. outer: the residual at the same place of the slice before
    along the outer axis. values: of the places of near, above the prediction; value_b, value_a:
    of the slices before. level: the prediction above the lowest value.
    """

    near: tuple[int, ...]
    before: tuple[int, ...]
    outer: int
    values: tuple[int, ...]
    value_b: int
    value_a: int
    other: int
    level: int
    place: int


class Contexts(NamedTuple):
    """values: of each context; error, texture: classes that choose weights."""

    values: tuple[int, ...]
    error: int
    texture: int


class Scale:
    """Turns differences of values into contexts."""

    def __init__(self, lowest: int, highest: int, step: int) -> None:
        self._step = step
        self._inverse = (1 << 40) // step
        self._level_shift = max((highest - lowest).bit_length() - 10, 0)

    def contexts(self, s: Surroundings) -> Contexts:
        """Return the contexts of a value."""
        w, n, nw, ne, ww, nn = (abs(residual) for residual in s.near)
        sizes = [abs(residual) for residual in s.before]
        value_w, value_n, value_nw, value_ne = s.values[:4]
        slopes = abs(value_w - value_nw) + abs(value_n - value_nw) + abs(value_n - value_ne)
        error = _class(2 * (w + n) + nw + ne + ww + nn, ERROR_CLASSES)
        texture = _class(self._steps(slopes, 4096), TEXTURE_CLASSES)
        past = _class(2 * (sizes[0] + abs(s.outer)) + sum(sizes[1:]), ERROR_CLASSES)
        other = _signed(self._steps(s.other, 4096), 13)
        level = s.level >> self._level_shift
        steps = [self._steps(value, 20) for value in s.values]
        b, a = self._steps(s.value_b, 20), self._steps(s.value_a, 6)
        values = (
            error * _PLACE_KINDS + s.place,
            error * TEXTURE_CLASSES + texture,
            error * ERROR_CLASSES + past,
            _class(w, 16) * 16 + _class(n, 16),
            other * 12 + error // 2,
            (steps[0] + 20) * 13 + max(-6, min(steps[1], 6)) + 6,
            (b + 20) * 13 + a + 6,
            level,
            _signed(s.near[0], 8) * 17 + _signed(s.near[1], 8),
            _signed(s.before[0], 8) * 17 + _signed(s.outer, 8),
            _hash(_key(*steps[:4]), 0),
            _hash(_key(*steps), 1),
            _hash((level << 12) + _key(*steps[:2]), 2),
            _hash(_key(b, a, other), 3),
            _hash(_key(error, past, texture, other), 4),
        )
        return Contexts(values, error, texture)

    def _steps(self, difference: int, limit: int) -> int:
        most = limit * self._step
        return (max(-most, min(difference, most)) * self._inverse) >> 40


def _class(magnitude: int, classes: int) -> int:
    """0, 1, 2, 3, 4 to 5, 6 to 7, 8 to 11, 12 to 15: two an octave."""
    top = max(magnitude.bit_length() - 2, 0)
    return min(2 * top + (magnitude >> top), classes - 1)


def _signed(number: int, half: int) -> int:
    of = _class(abs(number), half + 1)
    return half - of if number < 0 else half + of


def _key(*numbers: int) -> int:
    key = 0
    for number in numbers:
        key = key * 64 + number + 32
    return key


def _hash(key: int, salt: int) -> int:
    return ((key + salt) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 54
