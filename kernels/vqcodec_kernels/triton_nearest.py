# mypy: disable-error-code="import-untyped"
"""nearest_code and nearest_code_fast on CUDA: the filter, then the float64 settlement.

Memory beside inputs and outputs: the rounded codebook, and 8 bytes for each of at most 2^22 rows
at a time.
"""

import torch
import triton
from torch import Tensor

from vqcodec_kernels.triton_codebook import STATS, PreparedCodebook, prepare_codebook
from vqcodec_kernels.triton_filter import filter_kernel, merge_kernel
from vqcodec_kernels.triton_launch import as_books, find_device, require_device
from vqcodec_kernels.triton_settle import CANDIDATES, distance_kernel, settle_kernel
from vqcodec_kernels.triton_tiles import Tile, choose_tile, padded_widths, split_tiles

__all__ = ["nearest_code", "nearest_code_fast"]

_ROWS_AT_ONCE = 1 << 22
_SETTLE_ROWS = 32
_SETTLE_WARPS = 4


def nearest_code(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, return_distance: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Find the nearest code of every row, exactly; see `ops.nearest_code`."""
    codes = _search(x, codebook, bias, exact=True)
    return (codes, _distances(x, codebook, bias, codes)) if return_distance else codes


def nearest_code_fast(x: Tensor, codebook: Tensor, bias: Tensor | None = None) -> Tensor:
    """Find a code about as near as the nearest, by one half-precision pass.

    x and codes are rounded to float16 around the codes' mean: the squared distance of the
    returned code exceeds the lowest by at most 2^-9 (||x|| + C) C + (D + 4) 2^-21 (||x|| + C)^2
    with norms taken around that mean and C the largest code. Rows whose two best scores are equal
    bit for bit are settled exactly.
    """
    return _search(x, codebook, bias, exact=False)


def _search(x: Tensor, codebook: Tensor, bias: Tensor | None, *, exact: bool) -> Tensor:
    require_device(x)
    rows, books, biases = as_books(x, codebook, bias)
    codes = torch.zeros(rows.shape[:2], dtype=torch.int64, device=x.device)
    if rows.numel() and books.shape[1] > 1:
        device = find_device(x.device)
        tile = choose_tile(books.shape[2], books.shape[1], device.shared_bytes)
        width = sum(padded_widths(books.shape[2]))
        prepared = prepare_codebook(books, biases, width=width, multiple=tile.codes)
        at_once = max(1, _ROWS_AT_ONCE // len(books))
        for start in range(0, rows.shape[1], at_once):
            part = slice(start, min(start + at_once, rows.shape[1]))
            _search_rows(rows, part, books, biases, prepared, codes, tile, device.processors, exact)
    return codes.reshape(x.shape[:-1])


def _search_rows(
    x: Tensor,
    part: slice,
    books: Tensor,
    biases: Tensor | None,
    prepared: PreparedCodebook,
    codes: Tensor,
    tile: Tile,
    processors: int,
    exact: bool,
) -> None:
    """Filter and settle the rows `part` of every batch of x (B, N, D) into codes (B, N)."""
    batches, total, dim = x.shape
    count = part.stop - part.start
    first, second = padded_widths(dim)
    tiles = prepared.offsets.shape[1] // tile.codes
    blocks = triton.cdiv(count, tile.rows)
    splits, each = split_tiles(blocks * batches, tiles, processors)
    listed = torch.empty((batches, count), dtype=torch.int32, device=x.device)
    limits = torch.empty((batches, count), dtype=torch.float32, device=x.device)
    counters = torch.zeros((batches,), dtype=torch.int32, device=x.device)
    shape = (5, splits, batches, count) if splits > 1 else (1,)
    partial = torch.empty(shape, dtype=torch.float32, device=x.device)
    rows, found = x[:, part.start :], codes[:, part.start :]
    filter_kernel[(blocks, batches, splits)](
        rows,
        prepared.halves,
        prepared.offsets,
        prepared.means,
        prepared.stats,
        found,
        listed,
        limits,
        counters,
        partial,
        total,
        count,
        tiles,
        each,
        D=dim,
        D1=first,
        D2=second,
        BLOCK_M=tile.rows,
        BLOCK_N=tile.codes,
        STAGES=tile.stages,
        SLOTS=STATS,
        SPLIT=splits > 1,
        EXACT=exact,
        num_warps=tile.warps,
        num_stages=tile.stages,
    )
    if splits > 1:
        merge_kernel[(triton.cdiv(count, 128), batches)](
            partial,
            prepared.stats,
            found,
            listed,
            limits,
            counters,
            total,
            count,
            splits,
            D=dim,
            BLOCK_M=128,
            SLOTS=STATS,
            EXACT=exact,
        )
    programs = min(triton.cdiv(count, _SETTLE_ROWS), max(1, 4 * processors // batches))
    settle_kernel[(programs, batches)](
        rows,
        books,
        books if biases is None else biases,
        prepared.halves,
        prepared.offsets,
        prepared.means,
        prepared.stats,
        found,
        listed,
        limits,
        counters,
        total,
        count,
        prepared.offsets.shape[1] // min(tile.codes, 64),
        books.shape[1],
        D=dim,
        D1=first,
        D2=second,
        BLOCK_M=min(tile.rows, _SETTLE_ROWS),
        BLOCK_N=min(tile.codes, 64),
        SLOTS=STATS,
        HAS_BIAS=biases is not None,
        WIDE=CANDIDATES,
        num_warps=_SETTLE_WARPS,
        enable_fp_fusion=False,
    )


def _distances(x: Tensor, codebook: Tensor, bias: Tensor | None, codes: Tensor) -> Tensor:
    rows, books, biases = as_books(x, codebook, bias)
    distances = torch.empty(rows.shape[:2], dtype=torch.float32, device=x.device)
    if rows.numel():
        distance_kernel[(triton.cdiv(rows.shape[1], 128), len(rows))](
            rows,
            books,
            books if biases is None else biases,
            codes,
            distances,
            rows.shape[1],
            books.shape[1],
            rows.shape[2],
            BLOCK_M=128,
            HAS_BIAS=biases is not None,
            enable_fp_fusion=False,
        )
    return distances.reshape(x.shape[:-1])
