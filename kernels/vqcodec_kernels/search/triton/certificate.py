# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""How far a score of the filter can be from the truth.

The filter scores code k of a row as s_k = q_k - 2 x.c_k (q_k = ||c_k||^2 + bias_k), with x and
-2 c rounded to float16, float32 accumulation that starts at q_k, everything scaled by a power of
two. With dx, dc what the rounding lost (both measured), X, C the largest norms, Q the largest
|q|, and u = 2^-23 (tensor cores may truncate where 2^-24 would be rounding to nearest):

    |s^_k - s_k| <= 2 |dx.c_k|  +  2 X |dc|  +  (D + 4) u (2 X C + Q)

Three refinements, each valid for the code that the filter found and for any that beats it:
dx is common to both, so it enters as 2 |dx.(c_i - c_j)| and both codes lie within R of x, where
R^2 is the best distance; a code with |q| far above the best score cannot win, so Q is bounded by
that score; the float64 definition's own rounding is below 2^-40 (X + C)^2.

C and Q are those of the codes that the filter sees. One that is far beyond them has a floor
F_k = C_k^2 / 2 + bias_k instead. As (C_k - X)^2 >= C_k^2 / 2 - X^2, it is not the nearest of a row
unless F_k <= X^2 + R^2: only rows that are far out themselves have to look at it.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

__all__ = [
    "Doubtful",
    "conclude",
    "far_limits",
    "may_be_far",
    "no_doubts",
    "pick_doubtful",
    "tolerances",
]


class Doubtful(NamedTuple):
    """What the filter leaves behind: all its codes, and a list of the rows it could not settle.

    codes: int64 (B, N). rows: int32 (B, count), limits: float32 (B, count), a row that is listed
    and the highest score of a code that may be its nearest. counters: int32 (B,), rows listed.
    """

    codes: Tensor
    rows: Tensor
    limits: Tensor
    counters: Tensor


def no_doubts(codes: Tensor, count: int) -> Doubtful:
    """An empty list of `count` rows a batch at most, for codes (B, N)."""
    batches, device = len(codes), codes.device
    return Doubtful(
        codes,
        torch.empty((batches, count), dtype=torch.int32, device=device),
        torch.empty((batches, count), dtype=torch.float32, device=device),
        torch.zeros((batches,), dtype=torch.int32, device=device),
    )


@triton.jit
def pick_doubtful(doubtful, batch, N, count):
    """Those of one batch."""
    return Doubtful(
        doubtful.codes + batch * N,
        doubtful.rows + batch * count,
        doubtful.limits + batch * count,
        doubtful.counters + batch,
    )


@triton.jit
def _root(stats_ptr, slot: tl.constexpr):
    # 1.001 stands above the rounding of float32 sums of up to 1024 squares.
    return tl.sqrt(tl.load(stats_ptr + slot).to(tl.float32, bitcast=True)) * 1.001


@triton.jit
def tolerances(best, x_squared, lost_squared, stats_ptr, D: tl.constexpr):
    """Return the margins that rule out another code: by everything, and by accumulation alone.

    best: lowest score of each row; x_squared, lost_squared: ||x||^2 and ||dx||^2 of the scaled
    row. A row whose runner-up is above best + the first margin has its nearest code. Scores that
    are computed again from the same rounded operands stay within the second.
    """
    unit: tl.constexpr = 2.0**-23
    gamma: tl.constexpr = (D + 4) * unit
    code = _root(stats_ptr, 1)
    code_lost = _root(stats_ptr, 2)
    offset = tl.load(stats_ptr + 3).to(tl.float32, bitcast=True) * 1.001
    gift = tl.load(stats_ptr + 4).to(tl.float32, bitcast=True) * 1.001
    norm = tl.sqrt(x_squared) * 1.001
    # Taking the mean off rounded x once, in float32.
    lost = tl.sqrt(lost_squared) * 1.001 + unit * norm
    row = norm + lost
    reach = code + code_lost
    noise = 2.0 * gamma * row * reach
    fixed = 2.0 * row * code_lost + 2.0**-40 * (row + code) * (row + code)
    highest = 1.01 * (tl.abs(best) + 2.0 * row * reach + fixed + noise + gift)
    noise += gamma * tl.minimum(offset, highest)
    single = fixed + noise
    nearest = x_squared * (1.0 + 2.0 * gamma) + best + single + 2.0 * lost * code
    radius = tl.sqrt(tl.maximum(nearest, 0.0) + gift) * 1.001
    common = 4.0 * lost * tl.minimum(reach, radius)
    return 1.01 * (common + 2.0 * single), 1.01 * 2.0 * noise


@triton.jit
def far_limits(limits, x_squared, lost_squared, stats_ptr):
    """Highest floor of a far code that may be the nearest of each row, by the row's limit.

    A limit stands above the best score and the errors of accumulation in it; what the rounding of
    the row lost is added here.
    """
    lost = tl.sqrt(lost_squared) * 1.001 + 2.0**-23 * tl.sqrt(x_squared)
    limits += 2.0**-9 * tl.abs(limits)
    return limits + 2.03 * x_squared + 2.02 * lost * _root(stats_ptr, 1)


@triton.jit
def may_be_far(limits, x_squared, lost_squared, stats_ptr):
    """Whether a far code may be the nearest of each row that has a bound."""
    inverse = tl.load(stats_ptr + 6).to(tl.float32, bitcast=True)
    limit = far_limits(limits, x_squared, lost_squared, stats_ptr)
    # Rows without a bound are never certain, so the clamp is only there for numbers to stay finite.
    limit = tl.minimum(tl.maximum(limit, 2.0**-100), 3e38)
    return limit * inverse >= 1.0


@triton.jit
def conclude(
    found,
    x_squared,
    lost_squared,
    stats_ptr,
    doubtful,
    rows,
    live,
    D: tl.constexpr,
    EXACT: tl.constexpr,
):
    """Store the codes found, and append to the list each row that another code might still win."""
    full, noise = tolerances(found.best, x_squared, lost_squared, stats_ptr, D)
    # Written so that NaN and infinity are doubtful. At an exact tie column and tile may belong
    # to different codes, so the fast mode settles those as well.
    if EXACT:
        certain = found.second - found.best > full
        limit = found.best + full
    else:
        certain = found.second > found.best
        limit = found.best + noise
    certain = certain & (may_be_far(limit, x_squared, lost_squared, stats_ptr) == 0)
    unsettled = live & (certain == 0)
    tl.store(doubtful.codes + rows, found.code.to(tl.int64), mask=live)
    listed = unsettled.to(tl.int32)
    start = tl.atomic_add(doubtful.counters, tl.sum(listed, axis=0))
    slots = start + tl.cumsum(listed, axis=0) - 1
    tl.store(doubtful.rows + slots, rows.to(tl.int32), mask=unsettled)
    tl.store(doubtful.limits + slots, limit, mask=unsettled)
