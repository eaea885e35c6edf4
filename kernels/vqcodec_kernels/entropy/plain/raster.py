"""Values row by row; the twin of kernels/csrc/predict/{field,raster}.hpp."""

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.quantizer import Quantizer
from vqcodec_kernels.entropy.plain.range_decoder import RangeDecoder
from vqcodec_kernels.entropy.plain.residuals import ResidualModel
from vqcodec_kernels.entropy.plain.surroundings import Scale, Surroundings

__all__ = ["decode_raster"]

# Rows above a slice, and columns on each side, where a neighbour may lie.
_PAD = 2
# (rows down, columns right); of the slice, and of a slice before.
_NEAR = ((0, -2), (-1, 0), (-1, -1), (-1, 1), (-2, 0), (-1, -2), (-1, 2), (-2, -1), (-2, 1))
_BEFORE = ((0, 0), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))

IntArray = NDArray[np.int64]


def decode_raster(
    coder: RangeDecoder,
    shape: tuple[int, ...],
    quantizer: Quantizer,
    skipped: NDArray[np.bool_],
    coefficients: NDArray[np.int16] | None,
) -> IntArray:
    """Read a field of four axes. Raises CorruptPayloadError."""
    field = _Raster(shape, quantizer, coefficients)
    for place in np.ndindex(shape):
        field.decode(coder, bool(skipped[place]), *place)
    rows, columns = shape[2:]
    return field.values[:, :, _PAD : _PAD + rows, _PAD : _PAD + columns]


class _Raster:
    """Values and residuals, padded: values with what is near by, residuals with 0."""

    def __init__(
        self, shape: tuple[int, ...], quantizer: Quantizer, coefficients: NDArray[np.int16] | None
    ) -> None:
        padded = (*shape[:2], shape[2] + 2 * _PAD, shape[3] + 2 * _PAD)
        self.values = np.zeros(padded, np.int64)
        self._residuals = np.zeros(padded, np.int64)
        self._shape = shape
        self._quantizer = quantizer
        self._coefficients = coefficients
        self._scale = Scale(*quantizer)
        self._model = ResidualModel()

    def decode(self, coder: RangeDecoder, skip: bool, o: int, i: int, y: int, x: int) -> None:
        """Read one value; those before it have been read."""
        rows, columns = self._shape[2:]
        slice = self.values[o, i]
        row, column = y + _PAD, x + _PAD
        if x == 0:
            first = slice[row - 1, _PAD] if y else self._quantizer.clamped(0)
            slice[row, :_PAD] = first
        if y == 0:
            slice[:_PAD, column - 2 : column + 3] = slice[row, column - 1]
        prediction = self._predict(o, i, row, column)
        residual = 0
        if not skip:
            around = self._look(o, i, row, column, prediction)
            residual = self._model.decode(coder, self._scale.contexts(around))
        value = self._quantizer.value(prediction, residual)
        self._residuals[o, i, row, column] = residual
        slice[row, column] = value
        if x == columns - 1:
            slice[row, column + 1 :] = value
            if y == 0:
                slice[:_PAD] = slice[row]
            if y == rows - 1:
                slice[row + 1] = slice[row]

    def _predict(self, o: int, i: int, row: int, column: int) -> int:
        def at(o: int, i: int, offset: tuple[int, int]) -> int:
            return int(self.values[o, i, row + offset[0], column + offset[1]])

        w = at(o, i, (0, -1))
        if self._coefficients is None:
            prediction = _median(w, at(o, i, (-1, 0)), at(o, i, (-1, -1)))
        else:
            terms = self._coefficients[(i > 0) + 2 * (o > 0)].tolist()
            differences = [at(o, i, offset) - w for offset in _NEAR]
            for there, before in ((i > 0, (o, i - 1)), (o > 0, (o - 1, i))):
                if not there:
                    differences += [0] * 9
                    continue
                before_w = at(*before, (0, -1))
                differences += [before_w - w]
                differences += [at(*before, offset) - before_w for offset in _BEFORE]
            total = sum(c * d for c, d in zip(terms, differences, strict=True))
            prediction = w + ((total + (1 << 11)) >> 12)
        return self._quantizer.clamped(prediction)

    def _look(self, o: int, i: int, row: int, column: int, prediction: int) -> Surroundings:
        def of(array: IntArray) -> tuple[int, ...]:
            """W, N, NW, NE, WW, NN."""
            offsets = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0))
            return tuple(int(array[o, i, row + down, column + right]) for down, right in offsets)

        def there(array: IntArray, o: int, i: int, offset: tuple[int, int]) -> int:
            return int(array[o, i, row + offset[0], column + offset[1]]) if min(o, i) >= 0 else 0

        values = of(self.values)
        w, n, nw = values[:3]
        other = (3 * (w + n) - 2 * nw) >> 2 if self._coefficients is None else _median(w, n, nw)
        same, around = (0, 0), ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0))
        return Surroundings(
            near=of(self._residuals),
            before=tuple(there(self._residuals, o, i - 1, offset) for offset in around),
            outer=there(self._residuals, o - 1, i, same),
            values=tuple(value - prediction for value in values),
            value_b=there(self.values, o, i - 1, same) - prediction if i else 0,
            value_a=there(self.values, o - 1, i, same) - prediction if o else 0,
            other=other - prediction,
            level=prediction - self._quantizer.lowest,
            place=(i > 0) + 2 * (o > 0),
        )


def _median(w: int, n: int, nw: int) -> int:
    return min(max(w + n - nw, min(w, n)), max(w, n))
