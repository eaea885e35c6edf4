# mypy: disable-error-code="import-untyped"
"""nearest_code and nearest_code_fast on CUDA: the filter, then the float64 settlement.

Memory beside inputs and outputs: the rounded codebook, 8 bytes for each of at most 2^22 rows at
a time, and above D = 96 at most 32 MB of rounded rows.

The codebook is centred, scaled and rounded anew in every call, by two kernels that read it once
each: K values for every N K of the search. Nothing is kept, because a codebook in training changes
in place and no key would tell.
"""

import torch
import triton
from torch import Tensor

from vqcodec_kernels.search.triton.codebook import STATS, PreparedCodebook, prepare_codebook
from vqcodec_kernels.search.triton.filter import filter_kernel, merge_kernel
from vqcodec_kernels.search.triton.launch import as_books, batch_parts, find_device, on_device
from vqcodec_kernels.search.triton.rows import round_rows
from vqcodec_kernels.search.triton.settle import CANDIDATES, distance_kernel, settle_kernel
from vqcodec_kernels.search.triton.tiles import (
    Device,
    Tile,
    choose_tile,
    pad_width,
    settle_tile,
    split_tiles,
)

__all__ = ["nearest_code", "nearest_code_fast"]

_ROWS_AT_ONCE = 1 << 22
_ROUNDED_AT_ONCE = 1 << 24


def nearest_code(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, return_distance: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Find the nearest code of every row, exactly; see `ops.nearest_code`."""
    with on_device(x):
        codes = _search(x, codebook, bias, exact=True)
        return (codes, _distances(x, codebook, bias, codes)) if return_distance else codes


def nearest_code_fast(x: Tensor, codebook: Tensor, bias: Tensor | None = None) -> Tensor:
    """Find a code about as near as the nearest, by one half-precision pass.

    x and codes are rounded to float16 around the codes' mean: the squared distance of the
    returned code exceeds the lowest by at most 2^-8 X C + (D + 4) 2^-21 (X + C)^2, X and C the
    norms of the row and of the largest code around that mean, for rows whose entries are within
    4096 times the largest of the codes (a bias adds (D + 4) 2^-22 max|bias|). Rows whose two best
    scores are equal bit for bit are settled exactly.
    """
    with on_device(x):
        return _search(x, codebook, bias, exact=False)


def _search(x: Tensor, codebook: Tensor, bias: Tensor | None, *, exact: bool) -> Tensor:
    rows, books, biases = as_books(x, codebook, bias)
    codes = torch.zeros(rows.shape[:2], dtype=torch.int64, device=x.device)
    if rows.numel() and books.shape[1] > 1:
        for part in batch_parts(len(books)):
            offsets = None if biases is None else biases[part]
            _search_books(rows[part], books[part], offsets, codes[part], exact)
    return codes.reshape(x.shape[:-1])


def _search_books(
    x: Tensor, books: Tensor, biases: Tensor | None, codes: Tensor, exact: bool
) -> None:
    """Search the rows of every batch of x (B, N, D) into codes (B, N), a bounded number at once."""
    device = find_device(x.device)
    tile = choose_tile(books.shape[2], books.shape[1], device)
    widths = pad_width(books.shape[2])
    prepared = prepare_codebook(books, biases, width=widths.total, multiple=tile.codes)
    limit = _ROUNDED_AT_ONCE // widths.total if widths.rounded_before else _ROWS_AT_ONCE
    at_once = max(1, limit // len(books))
    for start in range(0, x.shape[1], at_once):
        part = slice(start, min(start + at_once, x.shape[1]))
        _search_rows(x, part, books, biases, prepared, codes, tile, device, exact)


def _search_rows(
    x: Tensor,
    part: slice,
    books: Tensor,
    biases: Tensor | None,
    prepared: PreparedCodebook,
    codes: Tensor,
    tile: Tile,
    device: Device,
    exact: bool,
) -> None:
    """Filter and settle the rows `part` of every batch of x (B, N, D) into codes (B, N)."""
    batches, total, dim = x.shape
    count = part.stop - part.start
    widths = pad_width(dim)
    tiles = prepared.offsets.shape[1] // tile.codes
    blocks = triton.cdiv(count, tile.rows)
    splits, each = split_tiles(blocks * batches, tiles, device.processors)
    listed = torch.empty((batches, count), dtype=torch.int32, device=x.device)
    limits = torch.empty((batches, count), dtype=torch.float32, device=x.device)
    counters = torch.zeros((batches,), dtype=torch.int32, device=x.device)
    shape = (5, splits, batches, count) if splits > 1 else (1,)
    partial = torch.empty(shape, dtype=torch.float32, device=x.device)
    rows, found = x[:, part.start :], codes[:, part.start :]
    rounded = round_rows(x, part, prepared, widths)
    filter_kernel[(blocks, batches, splits)](
        rows,
        rounded.halves,
        rounded.norms,
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
        D1=widths.first,
        D2=widths.second,
        CHUNK=widths.chunk,
        BLOCK_M=tile.rows,
        BLOCK_N=tile.codes,
        STAGES=tile.stages,
        GROUP=tile.group,
        ADJACENT=tile.adjacent,
        SLOTS=STATS,
        SPLIT=splits > 1,
        ROUNDED=widths.rounded_before,
        EXACT=exact,
        num_warps=tile.warps,
        num_stages=tile.stages,
        maxnreg=tile.registers,
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
    settle = settle_tile(device)
    settle_codes = min(settle.codes, tile.codes)
    programs = min(triton.cdiv(count, settle.rows), max(1, 2 * device.processors // batches))
    settle_kernel[(programs, batches)](
        rows,
        books,
        books if biases is None else biases,
        rounded.halves,
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
        prepared.offsets.shape[1] // settle_codes,
        books.shape[1],
        D=dim,
        D1=widths.first,
        D2=widths.second,
        CHUNK=widths.chunk,
        BLOCK_M=settle.rows,
        BLOCK_N=settle_codes,
        SLOTS=STATS,
        HAS_BIAS=biases is not None,
        ROUNDED=widths.rounded_before,
        WIDE=CANDIDATES,
        num_warps=settle.warps,
        maxnreg=settle.registers,
        enable_fp_fusion=False,
    )


def _distances(x: Tensor, codebook: Tensor, bias: Tensor | None, codes: Tensor) -> Tensor:
    rows, books, biases = as_books(x, codebook, bias)
    distances = torch.empty(rows.shape[:2], dtype=torch.float32, device=x.device)
    found = codes.reshape(rows.shape[:2])
    for part in batch_parts(len(rows)) if rows.numel() else []:
        distance_kernel[(triton.cdiv(rows.shape[1], 128), part.stop - part.start)](
            rows[part],
            books[part],
            books if biases is None else biases[part],
            found[part],
            distances[part],
            rows.shape[1],
            books.shape[1],
            rows.shape[2],
            BLOCK_M=128,
            HAS_BIAS=biases is not None,
            enable_fp_fusion=False,
        )
    return distances.reshape(x.shape[:-1])
