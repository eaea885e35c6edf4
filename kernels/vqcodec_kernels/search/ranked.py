"""The k nearest codes of every row in plain torch, exactly, in little more than one product.

A product in float64 ranks all codes with an error that has a bound. The first k, and a few more,
are measured as `reference` measures them, unless a code that was not ranked among these might
still be one of the k: such rows are left to `reference`.
"""

import torch
from torch import Tensor

from vqcodec_kernels.search import reference

__all__ = ["nearest_codes"]

# Numbers of float64 held at once, 8 MiB: bounds the memory whatever N is.
_BLOCK = 1 << 20

# Codes that are measured beyond the k asked for: that many may be equal to the last of these.
_SPARE = 8

# Half the distance between 1 and the next float64.
_ROUNDING = 2.0**-53


def nearest_codes(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, k: int
) -> tuple[Tensor, Tensor]:
    """Codes (..., N, k) and float32 distances, the nearest first; see `ops.nearest_code`."""
    found = [_rank_group(*group, k) for group in reference.groups_of(x, codebook, bias)]
    codes, distances = (
        torch.stack(parts).reshape(*x.shape[:-1], k) for parts in zip(*found, strict=True)
    )
    return codes, distances.float()


def _rank_group(x: Tensor, codebook: Tensor, bias: Tensor, k: int) -> tuple[Tensor, Tensor]:
    ranked = k + _SPARE
    if len(codebook) <= ranked:
        return reference.rank_group(x, codebook, bias, k)
    block = max(1, _BLOCK // max(len(codebook), ranked * x.shape[1]))
    parts = [_rank_rows(rows, codebook, bias, k, ranked) for rows in torch.split(x, block)]
    codes, distances = zip(*parts, strict=True)
    return torch.cat(codes), torch.cat(distances)


def _rank_rows(
    x: Tensor, codebook: Tensor, bias: Tensor, k: int, ranked: int
) -> tuple[Tensor, Tensor]:
    rows, vectors, offsets = x.double(), codebook.double(), bias.double()
    norms = vectors.square().sum(1)
    with torch.autocast(x.device.type, enabled=False):
        scores = torch.addmm(norms + offsets, rows, vectors.T, alpha=-2)
    scores, codes = scores.topk(ranked, dim=1, largest=False)
    codes = codes.sort(1).values
    distances = _measure(rows, vectors[codes], offsets[codes])
    # Codes stand in order, so a stable sort leaves the lower one first at ties.
    distances, order = distances.sort(dim=1, stable=True)
    codes, distances = codes.gather(1, order)[:, :k], distances[:, :k]
    largest = (rows.square().sum(1).sqrt() + norms.max().sqrt()).square() + _largest_finite(offsets)
    # Scores and distances are sums of at most D + 4 numbers, off by that many roundings of the
    # largest, in whatever order they are added up. A factor of two is spare.
    error = 4 * (x.shape[1] + 4) * _ROUNDING * largest
    doubtful = ~(scores[:, -1] - scores[:, k - 1] > 2 * error)
    if doubtful.any():
        exact = reference.rank_group(x[doubtful], codebook, bias, k)
        codes[doubtful], distances[doubtful] = exact
    return codes, distances


def _largest_finite(offsets: Tensor) -> Tensor:
    # One of infinity is added without an error.
    return offsets.abs().nan_to_num(posinf=0.0).max()


def _measure(rows: Tensor, vectors: Tensor, offsets: Tensor) -> Tensor:
    """Distances (n, m) of rows (n, D) and their vectors (n, m, D), as the definition rounds."""
    total = torch.zeros_like(offsets)
    for d in range(rows.shape[1]):
        difference = rows[:, d, None] - vectors[..., d]
        total += difference * difference
    return total + offsets
