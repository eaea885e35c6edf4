"""The operators in plain torch: what each of them means, on any device.

The nearest code is the argmin over k of

    ((x_0 - c_k0)^2 + (x_1 - c_k1)^2 + ...) + bias_k

with every operation rounded in float64, terms added in the order of d from 0.0, no fused
multiply-add, the bias added last, and the lowest index at ties. A code whose bias is infinite is
left out of the search. Every backend returns these integers. Inputs are float32, float16 or
bfloat16, all of which float64 holds exactly.
"""

from typing import Literal, NamedTuple, overload

import torch
from torch import Tensor

__all__ = [
    "QuantizedVectors",
    "beam_codes",
    "code_statistics",
    "nearest_code",
    "nearest_code_fast",
    "nearest_codes",
    "quantize_vectors",
    "residual_codes",
]

# Distances held at once, 8 bytes each: bounds the memory whatever N is.
BLOCK_DISTANCES = 1 << 18

# Rows that a beam search takes at once: the scores of a block stay in the cache of a core.
_BEAM_ROWS = 2048


class QuantizedVectors(NamedTuple):
    """What `quantize_vectors` returns: codes, values, squared_error and counts.

    >>> codebook = torch.tensor([[0.0], [4.0]])
    >>> codes, values, squared_error, counts = quantize_vectors(torch.tensor([[3.0]]), codebook)
    >>> codes, values
    (tensor([1]), tensor([[4.]]))
    """

    codes: Tensor
    values: Tensor
    squared_error: Tensor
    counts: Tensor


@overload
def nearest_code(
    x: Tensor, codebook: Tensor, bias: Tensor | None = ..., *, return_distance: Literal[False] = ...
) -> Tensor: ...


@overload
def nearest_code(
    x: Tensor, codebook: Tensor, bias: Tensor | None = ..., *, return_distance: Literal[True]
) -> tuple[Tensor, Tensor]: ...


def nearest_code(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, return_distance: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Find the nearest code of every row, by the definition; see `ops.nearest_code`."""
    codes, distance = _search(x, codebook, bias)
    return (codes, distance.float()) if return_distance else codes


def nearest_codes(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, k: int
) -> tuple[Tensor, Tensor]:
    """Codes (..., N, k) and float32 distances, the nearest first; see `ops.nearest_code`."""
    found = [rank_group(*group, k) for group in groups_of(x, codebook, bias)]
    codes, distances = (
        torch.stack(parts).reshape(*x.shape[:-1], k) for parts in zip(*found, strict=True)
    )
    return codes, distances.float()


def nearest_code_fast(x: Tensor, codebook: Tensor, bias: Tensor | None = None) -> Tensor:
    """Find a code about as near as the nearest, by float32 products; see the operator in `ops`."""
    codebook = codebook.float()
    norms = codebook.square().sum(-1)  # (..., K)
    norms = norms if bias is None else norms + bias.float()
    books = codebook.reshape(-1, *codebook.shape[-2:])
    rows = x.float().reshape(len(books), _rows_per_book(x, books), x.shape[-1])
    offsets = norms.reshape(len(books), 1, -1)
    block = max(1, BLOCK_DISTANCES // norms.numel())
    forbidden = None if bias is None else bias.isinf().expand(norms.shape).reshape(offsets.shape)
    with torch.autocast(x.device.type, enabled=False):
        parts = [
            _allowed_argmin(torch.baddbmm(offsets, part, books.mT, alpha=-2), forbidden)
            for part in torch.split(rows, block, dim=1)
        ]
    return torch.cat(parts, dim=1).reshape(x.shape[:-1])


def _allowed_argmin(scores: Tensor, forbidden: Tensor | None) -> Tensor:
    """Argmin over the last axis of codes that are not forbidden, even where scores overflowed."""
    if forbidden is None or not forbidden.any():
        return scores.argmin(-1)
    most = torch.finfo(scores.dtype).max
    scores = scores.nan_to_num(nan=most, posinf=most, neginf=-most)
    return scores.masked_fill(forbidden, torch.inf).argmin(-1)


def residual_codes(
    x: Tensor, codebooks: Tensor, biases: Tensor | None = None, stages: int | None = None
) -> Tensor:
    """Quantize stage by stage what the last stage left over; see `ops.residual_codes`."""
    stages = codebooks.shape[-3] if stages is None else stages
    residual = x.float()
    codes = []
    for stage in range(stages):
        codebook = codebooks[..., stage, :, :]
        bias = None if biases is None else biases[..., stage, :]
        codes.append(_search(residual, codebook, bias)[0])
        residual = residual - _gather(codebook, codes[-1]).float()
    return (
        torch.stack(codes, dim=-1) if codes else x.new_empty((*x.shape[:-1], 0), dtype=torch.int64)
    )


def quantize_vectors(x: Tensor, codebook: Tensor, bias: Tensor | None = None) -> QuantizedVectors:
    """Find, gather, measure and count in one call; see `ops.quantize_vectors`."""
    codes, _ = _search(x, codebook, bias)
    values = _gather(codebook, codes)
    squared_error = torch.zeros(codes.shape, dtype=torch.float64, device=x.device)
    for d in range(x.shape[-1]):
        difference = x[..., d].double() - values[..., d].double()
        squared_error += difference * difference
    books = codebook.shape[:-2].numel()
    flat = codes.reshape(*codebook.shape[:-2], codes.numel() // books)
    counts = torch.zeros(codebook.shape[:-1], dtype=torch.int64, device=x.device)
    counts.scatter_add_(-1, flat, torch.ones_like(flat))
    return QuantizedVectors(codes, values, squared_error.float(), counts)


def code_statistics(x: Tensor, codes: Tensor, codebook_size: int) -> tuple[Tensor, Tensor]:
    """Count and add up the vectors of every code; see `ops.code_statistics`."""
    batch, dim = codes.shape[:-1], x.shape[-1]
    counts, sums = [], []
    for rows, group in zip(
        x.reshape(-1, *x.shape[-2:]), codes.reshape(-1, codes.shape[-1]), strict=True
    ):
        order = group.argsort(stable=True)
        counts.append(torch.bincount(group, minlength=codebook_size))
        sums.append(
            torch.segment_reduce(
                rows[order].double(), "sum", lengths=counts[-1], axis=0, initial=0.0
            )
        )
    return (
        torch.stack(counts).reshape(*batch, codebook_size),
        torch.stack(sums).float().reshape(*batch, codebook_size, dim),
    )


def beam_codes(
    x: Tensor, codebooks: Tensor, biases: Tensor | None = None, *, beams: int
) -> tuple[Tensor, Tensor]:
    """Search all stages with float32 scores, keeping a few beginnings; see `ops.beam_codes`."""
    biases = codebooks.new_zeros(()) if biases is None else biases.float()
    biases = biases.expand(codebooks.shape[:2])
    with torch.autocast(x.device.type, enabled=False):
        parts = [
            _search_beams(rows, codebooks, biases, beams) for rows in torch.split(x, _BEAM_ROWS)
        ]
    codes, errors = zip(*parts, strict=True)
    return torch.cat(codes), torch.cat(errors)


def _search_beams(
    rows: Tensor, codebooks: Tensor, biases: Tensor, beams: int
) -> tuple[Tensor, Tensor]:
    count = len(rows)
    residual = rows[:, None]  # (N, M, D)
    paid = rows.new_zeros(count, 1)
    codes = torch.zeros(count, 1, 0, dtype=torch.int64, device=rows.device)
    errors = rows.new_zeros(count, 1, 0)
    for vectors, bias in zip(codebooks, biases, strict=True):
        width = residual.shape[1]
        allowed = _allowed_codes(bias)
        vectors, bias, size = vectors[allowed], bias[allowed], len(allowed)
        offsets = vectors.square().sum(1) + bias
        scores = torch.addmm(offsets, residual.flatten(0, 1), vectors.T, alpha=-2)
        scores = scores.view(count, width, size)
        scores += (residual.square().sum(2) + paid)[:, :, None]
        picks = scores.flatten(1).topk(min(beams, width * size), largest=False).indices
        parents, chosen = picks // size, picks % size
        residual = _take_beams(residual, parents) - vectors[chosen]
        paid = paid.gather(1, parents) + bias[chosen]
        codes = torch.cat([_take_beams(codes, parents), allowed[chosen][:, :, None]], 2)
        left = residual.square().sum(2)
        errors = torch.cat([_take_beams(errors, parents), left[:, :, None]], 2)
    best = (left + paid).argmin(1)[:, None]
    return _take_beams(codes, best)[:, 0], _take_beams(errors, best)[:, 0]


def _take_beams(values: Tensor, picks: Tensor) -> Tensor:
    """Select (N, M', X) beams of (N, M, X) by (N, M') indices."""
    return values.gather(1, picks[:, :, None].expand(-1, -1, values.shape[2]))


def _search(x: Tensor, codebook: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Codes (..., N) and their float64 distances, one group of a batch of codebooks at a time."""
    found = [_search_group(*group) for group in groups_of(x, codebook, bias)]
    codes = torch.stack([codes for codes, _ in found]).reshape(x.shape[:-1])
    return codes, torch.stack([distance for _, distance in found]).reshape(x.shape[:-1])


def groups_of(
    x: Tensor, codebook: Tensor, bias: Tensor | None
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Rows (N', D), codes (K, D) and bias (K,) of every codebook."""
    dim, size = codebook.shape[-1], codebook.shape[-2]
    books = codebook.reshape(-1, size, dim)
    rows = x.reshape(len(books), _rows_per_book(x, books), dim)
    biases = codebook.new_zeros(1) if bias is None else bias
    biases = biases.expand(codebook.shape[:-1]).reshape(-1, size)
    return list(zip(rows, books, biases, strict=True))


def _search_group(x: Tensor, codebook: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    allowed = _allowed_codes(bias)
    columns = codebook[allowed].double().T.contiguous()  # (D, K)
    codes, distances = [], []
    for rows in torch.split(x, max(1, BLOCK_DISTANCES // len(allowed))):
        distance = _distances(rows.double(), columns, bias[allowed])
        found = distance.argmin(1)
        codes.append(allowed[found])
        distances.append(distance.gather(1, found.unsqueeze(1)).squeeze(1))
    return torch.cat(codes), torch.cat(distances)


def rank_group(x: Tensor, codebook: Tensor, bias: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest codes of rows (N, D), and their float64 distances, lowest index at ties."""
    columns = codebook.double().T.contiguous()
    found = [
        _distances(rows.double(), columns, bias).sort(dim=1, stable=True)
        for rows in torch.split(x, max(1, BLOCK_DISTANCES // len(codebook)))
    ]
    codes = torch.cat([order[:, :k] for _, order in found])
    return codes, torch.cat([distances[:, :k] for distances, _ in found])


def _allowed_codes(bias: Tensor) -> Tensor:
    """The codes (A,) of a codebook that its bias (K,) does not forbid, in their order."""
    return (~bias.isinf()).nonzero().squeeze(1)


def _distances(rows: Tensor, columns: Tensor, bias: Tensor) -> Tensor:
    """Squared distances (n, K) in the canonical order of operations."""
    total = rows.new_zeros((len(rows), columns.shape[1]))
    difference = torch.empty_like(total)
    for d in range(len(columns)):
        torch.sub(rows[:, d, None], columns[d], out=difference)
        # Not addcmul: a fused multiply-add would round once where the definition rounds twice.
        total.add_(difference.mul_(difference))
    return total.add_(bias.double())


def _rows_per_book(x: Tensor, books: Tensor) -> int:
    """Rows of x that each codebook searches; not left to reshape(-1), which N = 0 defeats."""
    return x.numel() // (x.shape[-1] * len(books))


def _gather(codebook: Tensor, codes: Tensor) -> Tensor:
    """The codebook's rows at `codes`: (..., N, D) in the codebook's dtype."""
    books = codebook.reshape(-1, *codebook.shape[-2:])
    flat = codes.reshape(len(books), codes.numel() // len(books), 1)
    flat = flat.expand(-1, -1, codebook.shape[-1])
    return books.gather(1, flat).reshape(*codes.shape, codebook.shape[-1])
