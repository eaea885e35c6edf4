"""Values as whole numbers of steps from a prediction; the twin of csrc/predict/quantizer.hpp."""

from typing import NamedTuple

from vqcodec_kernels.errors import CorruptPayloadError

__all__ = ["Quantizer"]


class Quantizer(NamedTuple):
    """For values in [lowest, highest], of which a decoded one is up to half a step off."""

    lowest: int
    highest: int
    step: int

    def clamped(self, prediction: int) -> int:
        """Return the nearest prediction in the range of values."""
        return min(max(prediction, self.lowest), self.highest)

    def value(self, prediction: int, residual: int) -> int:
        """Return a decoded value. Raises CorruptPayloadError for one that no encoder comes to."""
        most, half = (self.highest - self.lowest) // self.step + 1, self.step >> 1
        value = prediction + residual * self.step
        if abs(residual) > most or not self.lowest - half <= value <= self.highest + half:
            raise CorruptPayloadError("a value outside its range")
        return value
