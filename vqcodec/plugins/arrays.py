"""What the plug-ins for hosts of arrays share: the options of `encode_array` as JSON has them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from vqcodec.choices import check_real, check_whole
from vqcodec.errors import InputError
from vqcodec.media.array.bound import bound_of
from vqcodec.media.array.coder import encode_array

__all__ = ["ArrayOptions"]

_LARGEST = sys.float_info.max


@dataclass(frozen=True, kw_only=True)
class ArrayOptions:
    """Those options of `encode_array` that say what is written, under the same names.

    One of max_error, max_relative_error, lossless and psnr must be given. Percentages and decibels
    are of the range of each chunk that a host encodes, with its padding.

    Raises:
        InputError: no bound, or a number that makes no sense.

    >>> ArrayOptions(max_error=np.float64(0.01), chunk=[64, 64]).to_json()
    {'max_error': 0.01, 'chunk': [64, 64]}
    """

    max_error: float | str | None = None
    max_relative_error: float | None = None
    lossless: bool = False
    psnr: float | None = None
    missing: float | None = None
    chunk: Sequence[int] | None = None

    def __post_init__(self) -> None:
        for field in fields(ArrayOptions):
            value = getattr(self, field.name)
            # Fields of a frozen class are settled this way; NumPy's numbers are not JSON.
            object.__setattr__(
                self, field.name, value.item() if isinstance(value, np.generic) else value
            )
        bound_of(
            max_error=self.max_error,
            max_relative_error=self.max_relative_error,
            lossless=self.lossless,
            psnr=self.psnr,
        )
        if self.missing is not None:
            wanted = "a finite number (NaN and infinities come back exactly without it)"
            check_real("missing", self.missing, wanted, low=-_LARGEST, high=_LARGEST)
        if self.chunk is not None:
            for length in self.chunk:
                check_whole("chunk", length, 1)
            object.__setattr__(self, "chunk", tuple(int(length) for length in self.chunk))

    @classmethod
    def from_json(cls, options: Mapping[str, Any]) -> Self:
        """From what `to_json` gave. Raises: InputError: an option that there is not, too."""
        known = [field.name for field in fields(ArrayOptions)]
        unknown = [name for name in options if name not in known]
        if unknown:
            raise InputError(f"no option {unknown[0]!r:.40}; there are {', '.join(known)}")
        return cls(**options)

    def to_json(self) -> dict[str, Any]:
        """The options that were given."""
        given = {field.name: getattr(self, field.name) for field in fields(ArrayOptions)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value is not None and value is not False
        }

    def check_array(self, dtype: np.dtype[Any], axes: int) -> None:
        """Refuse an array of this dtype and number of axes before anything is written of it.

        Raises:
            InputError: as `encode_array`, which a single value is given to.
        """
        encode_array(np.zeros((1,) * axes, dtype), threads=1, **self.to_json())
