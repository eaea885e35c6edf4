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

from vqcodec_kernels.search.triton.certificate import Doubtful, no_doubts
from vqcodec_kernels.search.triton.codebook import Codebooks, prepare_codebook
from vqcodec_kernels.search.triton.filter import filter_kernel, merge_kernel
from vqcodec_kernels.search.triton.launch import as_books, batch_parts, find_device, on_device
from vqcodec_kernels.search.triton.rows import RoundedRows, round_rows
from vqcodec_kernels.search.triton.settle import distance_kernel, settle_kernel
from vqcodec_kernels.search.triton.tiles import choose_tile, pad_width, settle_tile, split_tiles

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
    2^20 times the largest of the codes (a bias adds (D + 4) 2^-22 max|bias|). Rows whose two best
    scores are equal bit for bit are settled exactly.
    """
    with on_device(x):
        return _search(x, codebook, bias, exact=False)


def _search(x: Tensor, codebook: Tensor, bias: Tensor | None, *, exact: bool) -> Tensor:
    rows, codebooks = as_books(x, codebook, bias)
    codes = torch.zeros(rows.shape[:2], dtype=torch.int64, device=x.device)
    if rows.numel() and codebook.shape[-2] > 1:
        for part in batch_parts(len(rows)):
            _Search(rows[part], codebooks.part(part), codes[part], exact).run()
    return codes.reshape(x.shape[:-1])


class _Search:
    """Rows x (B, N, D) against codebooks of B batches, into codes (B, N)."""

    def __init__(self, x: Tensor, codebooks: Codebooks, codes: Tensor, exact: bool) -> None:
        size, dim = codebooks.vectors.shape[1:]
        self.x, self.codebooks, self.codes, self.exact = x, codebooks, codes, exact
        self.device = find_device(x.device)
        self.widths = pad_width(dim)
        self.tile = choose_tile(dim, size, self.device)
        self.prepared = prepare_codebook(codebooks, self.widths, multiple=self.tile.codes)

    def run(self) -> None:
        """Filter and settle all rows, a bounded number at once."""
        batches, total = self.codes.shape
        widths = self.widths
        limit = _ROUNDED_AT_ONCE // widths.total if widths.rounded_before else _ROWS_AT_ONCE
        at_once = max(1, limit // batches)
        for start in range(0, total, at_once):
            part = slice(start, min(start + at_once, total))
            rounded = round_rows(self.x, part, self.prepared, widths)
            doubtful = no_doubts(self.codes[:, start:], part.stop - start)
            self._filter(part, rounded, doubtful)
            self._settle(part, rounded, doubtful)

    def _filter(self, part: slice, rounded: RoundedRows | None, doubtful: Doubtful) -> None:
        batches, total, dim = self.x.shape
        count = part.stop - part.start
        tile = self.tile
        tiles = self.prepared.offsets.shape[2] // tile.codes
        blocks = triton.cdiv(count, tile.rows)
        splits, each = split_tiles(blocks * batches, tiles, self.device.processors)
        partial = None
        if splits > 1:
            shape = (5, splits, batches, count)
            partial = torch.empty(shape, dtype=torch.float32, device=self.x.device)
        filter_kernel[(blocks, batches, splits)](
            self.prepared,
            doubtful,
            self.x[:, part.start :],
            rounded,
            partial,
            total,
            count,
            tiles,
            each,
            widths=self.widths,
            tile=tile,
            EXACT=self.exact,
            num_warps=tile.warps,
            num_stages=tile.stages,
            maxnreg=tile.registers,
        )
        if partial is not None:
            merge_kernel[(triton.cdiv(count, 128), batches)](
                partial,
                self.prepared.stats,
                doubtful,
                total,
                count,
                splits,
                D=dim,
                BLOCK_M=128,
                EXACT=self.exact,
            )

    def _settle(self, part: slice, rounded: RoundedRows | None, doubtful: Doubtful) -> None:
        batches, total, _ = self.x.shape
        count = part.stop - part.start
        tile = settle_tile(self.device)
        tile = tile._replace(codes=min(tile.codes, self.tile.codes))
        shared = max(1, 2 * self.device.processors // batches)
        settle_kernel[(min(triton.cdiv(count, tile.rows), shared), batches)](
            self.codebooks,
            self.prepared,
            doubtful,
            self.x[:, part.start :],
            rounded,
            total,
            count,
            self.prepared.offsets.shape[2] // tile.codes,
            self.codebooks.vectors.shape[1],
            widths=self.widths,
            tile=tile,
            num_warps=tile.warps,
            maxnreg=tile.registers,
            enable_fp_fusion=False,
        )


def _distances(x: Tensor, codebook: Tensor, bias: Tensor | None, codes: Tensor) -> Tensor:
    rows, codebooks = as_books(x, codebook, bias)
    distances = torch.empty(rows.shape[:2], dtype=torch.float32, device=x.device)
    found = codes.reshape(rows.shape[:2])
    for part in batch_parts(len(rows)) if rows.numel() else []:
        distance_kernel[(triton.cdiv(rows.shape[1], 128), part.stop - part.start)](
            rows[part],
            codebooks.part(part),
            found[part],
            distances[part],
            rows.shape[1],
            codebooks.vectors.shape[1],
            rows.shape[2],
            BLOCK_M=128,
            enable_fp_fusion=False,
        )
    return distances.reshape(x.shape[:-1])
