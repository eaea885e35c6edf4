"""Values from coarse to fine; the twin of kernels/csrc/predict/interpolation.hpp."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.quantizer import Quantizer
from vqcodec_kernels.entropy.plain.range_decoder import RangeDecoder
from vqcodec_kernels.entropy.plain.residuals import ResidualModel
from vqcodec_kernels.entropy.plain.surroundings import Scale, Surroundings

__all__ = ["decode_interpolated"]

IntArray = NDArray[np.int64]
Place = tuple[int, ...]


def decode_interpolated(
    coder: RangeDecoder,
    shape: tuple[int, ...],
    quantizer: Quantizer,
    skipped: NDArray[np.bool_],
    *,
    whole: bool,
    tight: bool,
) -> IntArray:
    """Read a field of four axes: boxes of the last three, or slices. Raises CorruptPayloadError."""
    outer, inner, rows, columns = shape
    boxes = (outer, 1, inner, rows, columns) if whole else (outer, inner, 1, rows, columns)
    top = (max(boxes[2:]) - 1).bit_length()
    field = _Boxes(
        boxes,
        [quantizer._replace(step=_step(quantizer, tight, n)) for n in range(top + 1)],
        skipped,
    )
    for box in np.ndindex(boxes[:2]):
        field.decode_first(coder, box, top)
        for level in range(top - 1, -1, -1):
            for axis in range(3):
                for place in _places(boxes[2:], level, axis):
                    field.decode(coder, box, place, level, axis)
    return field.values.reshape(shape)


def _step(quantizer: Quantizer, tight: bool, level: int) -> int:
    """Of a level, counted from the finest: step / min(1.5^level, 4)."""
    if not tight:
        return quantizer.step
    above, below = ((1, 1), (2, 3), (4, 9), (8, 27), (1, 4))[min(level, 4)]
    return max(quantizer.step * above // below, 1)


def _places(lengths: Place, level: int, axis: int) -> Iterator[Place]:
    """Halfway between known values along the axis."""
    half = 1 << level
    ranges = [
        range(half if k == axis else 0, lengths[k], half if k < axis else 2 * half)
        for k in range(3)
    ]
    return ((z, y, x) for z in ranges[0] for y in ranges[1] for x in ranges[2])


class _Boxes:
    """values, residuals: (outer, inner, *axes of a box)."""

    def __init__(
        self, shape: tuple[int, ...], quantizers: list[Quantizer], skipped: NDArray[np.bool_]
    ) -> None:
        self.values = np.zeros(shape, np.int64)
        self._residuals = np.zeros(shape, np.int64)
        self._skipped = skipped.reshape(shape)
        self._lengths = shape[2:]
        self._quantizers = quantizers
        self._scales = [Scale(*quantizer) for quantizer in quantizers]
        self._model = ResidualModel()

    def decode_first(self, coder: RangeDecoder, box: Place, top: int) -> None:
        before = _box_before(box)
        start = int(self.values[before][0, 0, 0]) if before is not None else 0
        prediction = self._quantizers[top].clamped(start)
        around = Surroundings(
            near=(0,) * 6,
            before=(0,) * 5,
            outer=0,
            values=(0,) * 6,
            value_b=0,
            value_a=0,
            other=0,
            level=prediction - self._quantizers[top].lowest,
            place=15,
        )
        self._decode_value(coder, box, (0, 0, 0), top, prediction, around)

    def decode(self, coder: RangeDecoder, box: Place, place: Place, level: int, axis: int) -> None:
        quantizer = self._quantizers[level]
        cubic, linear = self._interpolate(box, place, level, axis)
        prediction = quantizer.clamped(cubic)
        around = self._look(box, place, level, axis, prediction)._replace(
            other=linear - prediction,
            level=prediction - quantizer.lowest,
            place=min(level, 4) * 3 + axis,
        )
        self._decode_value(coder, box, place, level, prediction, around)

    def _decode_value(
        self,
        coder: RangeDecoder,
        box: Place,
        place: Place,
        level: int,
        prediction: int,
        around: Surroundings,
    ) -> None:
        if self._skipped[box][place]:
            self.values[box][place] = prediction
            return
        residual = self._model.decode(coder, self._scales[level].contexts(around))
        self._residuals[box][place] = residual
        self.values[box][place] = self._quantizers[level].value(prediction, residual)

    def _interpolate(self, box: Place, place: Place, level: int, axis: int) -> tuple[int, int]:
        """Cubic and linear guess at a place from values of this box or of one before."""
        half, length, here = 1 << level, self._lengths[axis], place[axis]

        def at(halves: int) -> int:
            return int(self.values[box][_moved(place, axis, halves * half)])

        left = at(-1)
        if here + half >= length:
            return ((3 * left - at(-3)) >> 1 if here >= 3 * half else left), left
        right = at(1)
        linear = (left + right + 1) >> 1
        if here < 3 * half or here + 3 * half >= length:
            return linear, linear
        return (9 * (left + right) - at(-3) - at(3) + 8) >> 4, linear

    def _look(
        self, box: Place, place: Place, level: int, axis: int, prediction: int
    ) -> Surroundings:
        half = 1 << level
        deep, down, right = (half if k < axis else 2 * half for k in range(3))
        values, residuals = self.values[box], self._residuals[box]

        def inside(at: Place) -> bool:
            return all(0 <= a < n for a, n in zip(at, self._lengths, strict=True))

        def residual(box: Place, z: int, y: int, x: int) -> int:
            at = (place[0] + z, place[1] + y, place[2] + x)
            return int(self._residuals[box][at]) if inside(at) else 0

        def above(at: Place) -> int:
            return int(values[at]) - prediction if inside(at) else 0

        sides = _moved(place, axis, -half), _moved(place, axis, half)
        near = [residual(box, 0, y, x) for y, x in ((0, -right), (-down, 0), (-down, -right))]
        near += [residual(box, 0, -down, right)]
        near += [int(residuals[side]) if inside(side) else 0 for side in sides]
        north, west = _moved(place, 1, -down), _moved(place, 2, -right)
        before, behind = _box_before(box), _moved(place, 0, -deep)
        around = ((0, 0), (0, -right), (0, right), (-down, 0), (down, 0))
        past: tuple[int, ...] = (0,) * 5
        value_b = outer = value_a = 0
        if before is not None:
            past = tuple(residual(before, 0, y, x) for y, x in around)
            guess = self._interpolate(before, place, level, axis)[0]
            value_b = int(self.values[before][place]) - guess
            if min(box) > 0:
                other = (box[0] - 1, box[1])
                outer = residual(other, 0, 0, 0)
                guess = self._interpolate(other, place, level, axis)[0]
                value_a = int(self.values[other][place]) - guess
            else:
                outer = residual(box, -deep, 0, 0)
        elif inside(behind):
            past = tuple(residual(box, -deep, y, x) for y, x in around)
            value_b = above(behind)
        return Surroundings(
            near=tuple(near),
            before=past,
            outer=outer,
            values=(above(sides[0]), above(sides[1]), above(north), above(west), 0, 0),
            value_b=value_b,
            value_a=value_a,
            other=0,
            level=0,
            place=0,
        )


def _box_before(box: Place) -> Place | None:
    """The box before along the inner axis, or else along the outer one."""
    outer, inner = box
    return (outer, inner - 1) if inner else (outer - 1, inner) if outer else None


def _moved(place: Place, axis: int, distance: int) -> Place:
    return tuple(at + distance * (k == axis) for k, at in enumerate(place))
