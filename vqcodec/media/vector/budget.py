"""How many stages, codes and components a number of bytes is best spent on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.vector.codebook_head import MAX_COMPONENTS, most_stages

__all__ = ["Plan", "plan_for"]

# Header, description and what stands around chunks; of each code chunk its frame and last byte.
_FRAME_BYTES, _CHUNK_BYTES = 96, 9
# Bits of an entry of the basis, and bytes of a frequency, as they are packed: measured.
_BASIS_BITS, _FREQUENCY_BYTES = 5.6, 1.4
# Bits that an entry of the tables may take.
_TABLE_BITS = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """stages: S. size: K. components: d. table_bytes: what tables may take, None for no bound."""

    stages: int
    size: int
    components: int
    table_bytes: int | None


def plan_for(
    spectrum: NDArray[np.float64],
    *,
    count: int,
    budget: float,
    blocks: int,
    inside: bool,
    largest: int,
) -> Plan:
    """The plan of the smallest error that is to be expected.

    spectrum: variances of the principal components, falling. count: vectors. budget: bytes of the
    file. blocks: code chunks. inside: whether the codebook counts. largest: K at most.

    The error is that of Gaussian components whose bits are shared as reverse water-filling has it
    (Cover and Thomas, 10.3.3), of which a codebook of K random codes makes good
    E[max of K normals]^2 / (2 ln K), plus that of entries rounded to few bits.

    Raises:
        InputError: not even the smallest codebook fits.
    """
    left = budget - _FRAME_BYTES - _CHUNK_BYTES * blocks
    best, smallest = None, math.inf
    for plan in _plans(spectrum, count, left, inside, largest):
        error = _expected(spectrum, plan)
        if error < smallest:
            best, smallest = plan, error
    if best is None:
        hint = "more bytes, more vectors, or the codebook of another file" if inside else "more"
        raise InputError(
            f"{budget:.0f} bytes for {count} vectors of {len(spectrum)} numbers are too few for "
            f"any codes: it takes {hint}"
        )
    return best


def _plans(
    spectrum: NDArray[np.float64], count: int, left: float, inside: bool, largest: int
) -> Iterator[Plan]:
    dim = len(spectrum)
    most = min(dim, MAX_COMPONENTS)
    if not inside:
        for stages in range(1, most_stages(dim) + 1):
            size = _size(8 * left / count / stages, largest)
            if size:
                yield Plan(stages=stages, size=size, components=most, table_bytes=None)
        return
    for components in sorted({max(1, round(most * part / 16)) for part in range(1, 17)}):
        fixed = components * dim * _BASIS_BITS / 8 + 4 * dim + 64
        for bits in _TABLE_BITS:
            for stages in range(1, most_stages(dim) + 1):
                # A code costs its bits in each vector, and its entries once.
                code = stages * (components * bits / 8 + _FREQUENCY_BYTES)
                size = largest
                for _ in range(8):
                    size = _size(8 * (left - fixed - code * size) / count / stages, size)
                if size:
                    table_bytes = int(stages * size * components * bits / 8) + 64
                    yield Plan(
                        stages=stages, size=size, components=components, table_bytes=table_bytes
                    )


def _size(bits: float, largest: int) -> int:
    """Codes that so many bits tell apart; none below one bit."""
    return min(largest, int(2.0 ** min(bits, 30))) if bits >= 1 else 0


def _expected(spectrum: NDArray[np.float64], plan: Plan) -> float:
    """The mean squared error of a plan."""
    maximum = NormalDist().inv_cdf((plan.size - 0.375) / (plan.size + 0.25))
    natural = plan.stages * maximum**2 / 2
    kept, total = spectrum[: plan.components], float(spectrum.sum())
    low, high = 0.0, float(kept[0]) + 1e-300
    for _ in range(40):
        level = (low + high) / 2
        spent = 0.5 * np.log(np.maximum(kept / level, 1)).sum()
        low, high = (low, level) if spent < natural else (level, high)
    error = float(np.minimum(kept, high).sum()) + total - float(kept.sum())
    if plan.table_bytes is None:
        return error
    entries = plan.stages * plan.size * plan.components
    # An entry's step for which rounded Gaussian entries take so many bits.
    share = max(total - error, 0.0) / entries * plan.size
    step = math.sqrt(2 * math.pi * math.e * share) / 2 ** (8 * plan.table_bytes / entries)
    return error + plan.stages * plan.components * step**2 / 12
