# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""Where most codes of a codebook are, and from where on one is far beyond them."""

import triton
import triton.language as tl

__all__ = ["STATS", "sample_kernel"]

# One row of `stats` per codebook: float32 bit patterns of numbers >= 0, so that an integer
# maximum is a maximum of the numbers. Slots: 0 largest |c| that is not far, 5 from which one is;
# then, of the scaled codes that the filter sees, 1 largest ||c||^2, 2 largest
# ||c - float16(c)||^2, 3 largest |q|, 4 largest -bias; of those that are far, 6 largest 1 / floor,
# 2^120 of a floor that is not above 2^-100.
STATS = tl.constexpr(8)

# Far is what exceeds the `_RANK`th of a sample's magnitudes four times: so an eighth of the codes
# may be far, and seven eighths of them dead, all at one place.
_SAMPLE = tl.constexpr(64)
_RANK = tl.constexpr(56)
_FAR = tl.constexpr(4.0)


@triton.jit
def _median(a, b, c):
    return tl.maximum(tl.minimum(a, b), tl.minimum(tl.maximum(a, b), c))


@triton.jit
def _median_code(book, third, K, D, columns, inside):
    """Median of three medians of three codes: the first guess, that no few codes can spoil."""
    codes = book + columns
    row = third * (K // 9).to(tl.int64) * D
    step = (K // 9).to(tl.int64) * D
    return _median(
        tl.load(codes + row, mask=inside, other=0.0).to(tl.float32),
        tl.load(codes + row + 3 * step, mask=inside, other=0.0).to(tl.float32),
        tl.load(codes + row + 6 * step, mask=inside, other=0.0).to(tl.float32),
    )


@triton.jit
def sample_kernel(vectors_ptr, prepared, K, D, BLOCK_D: tl.constexpr):
    """Take the mean of a sample of the codes less far ones, and from which magnitude one is far."""
    batch = tl.program_id(0).to(tl.int64)
    book = vectors_ptr + batch * K * D
    numbers = tl.arange(0, _SAMPLE)
    codes = book + numbers[:, None].to(tl.int64) * K // _SAMPLE * D
    largest = tl.zeros((_SAMPLE,), tl.float32)
    for start in range(0, D, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        inside = columns < D
        guess = _median(
            _median_code(book, 0, K, D, columns, inside),
            _median_code(book, 1, K, D, columns, inside),
            _median_code(book, 2, K, D, columns, inside),
        )
        tl.store(prepared.means + batch * D + columns, guess, mask=inside)
        picked = tl.load(codes + columns[None, :], mask=inside[None, :], other=0.0)
        largest = tl.maximum(
            largest, tl.max(tl.abs(picked.to(tl.float32) - guess[None, :]), axis=1)
        )
    below = largest[None, :] < largest[:, None]
    below = below | ((largest[None, :] == largest[:, None]) & (numbers[None, :] < numbers[:, None]))
    ranks = tl.sum(below.to(tl.int32), axis=1)
    high = tl.sum(tl.where(ranks == _RANK, largest, 0.0), axis=0)
    high = tl.where(high > 0.0, high, tl.max(largest, axis=0))
    far = _FAR * tl.minimum(high, 1e37)
    tl.store(prepared.stats + batch * STATS + 5, far.to(tl.int32, bitcast=True))
    near = largest <= far
    count = tl.maximum(tl.sum(near.to(tl.float32), axis=0), 1.0)
    # Other threads read what was stored; about the guess, so that of equal codes it is the mean.
    tl.debug_barrier()
    for start in range(0, D, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        inside = columns < D
        mask = near[:, None] & inside[None, :]
        means = prepared.means + batch * D + columns
        guess = tl.load(means, mask=inside, other=0.0)
        picked = tl.load(codes + columns[None, :], mask=mask, other=0.0).to(tl.float32)
        # Any finite mean will do, and codes may be so large that their sum is not.
        apart = tl.clamp(picked - guess[None, :], -1e37, 1e37) / count
        apart = tl.where(mask, apart, 0.0)
        tl.store(means, guess + tl.sum(apart, axis=0), mask=inside)
