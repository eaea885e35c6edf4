# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""residual_codes on CUDA: every stage of a residual quantizer in one launch.

A program keeps the float32 residual of its rows in registers. In each stage it filters them as
`nearest_code` does, settles its doubtful rows at once (the next stage needs their codes), and
takes the codes off. Rows of more than 64 columns do not fit and go stage by stage.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from vqcodec_kernels.search.triton.certificate import far_limits, may_be_far, tolerances
from vqcodec_kernels.search.triton.codebook import (
    Codebooks,
    pick_centre,
    pick_prepared,
    prepare_codebook,
)
from vqcodec_kernels.search.triton.launch import batch_parts, find_device, on_device, readable
from vqcodec_kernels.search.triton.nearest import nearest_code
from vqcodec_kernels.search.triton.rows import Blocks, Operands, load_blocks, round_blocks
from vqcodec_kernels.search.triton.scan import scan_codes
from vqcodec_kernels.search.triton.settle import settle_rows
from vqcodec_kernels.search.triton.tiles import pad_width, residual_tile

__all__ = ["residual_codes", "residual_kernel"]

# Floats of scratch at once, 32 MB: the residuals of doubtful rows, for the float64 distances.
_SCRATCH = 1 << 23
_IN_REGISTERS = 64


@triton.jit(do_not_specialize=["N", "count", "tiles", "K", "stages", "books"])
def residual_kernel(
    codebooks,
    prepared,
    x_ptr,
    codes_ptr,
    scratch_ptr,
    N,
    count,
    tiles,
    K,
    stages,
    books,
    widths: tl.constexpr,
    tile: tl.constexpr,
):
    """Codes (B, N, stages) of the rows [0, count) of x (B, N, D), codebooks (B, books, K, D)."""
    D: tl.constexpr = widths.dim
    batch = tl.program_id(1).to(tl.int64)
    local = tl.arange(0, tile.rows).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * tile.rows + local
    live = rows < count
    residual = load_blocks(x_ptr + batch * N * D, rows, live, widths)
    program = batch * tl.num_programs(0) + tl.program_id(0)
    scratch = scratch_ptr + program * tile.rows * D
    padded = tiles.to(tl.int64) * tile.codes
    for stage in range(0, stages):
        number = batch * books + stage
        first = number * K
        vectors = codebooks.vectors + first * D
        book = pick_prepared(prepared, number, padded, widths)
        centre = pick_centre(prepared, number, widths)
        operands, x_squared, lost_squared = round_blocks(residual, live, centre, widths)
        found = scan_codes(operands, book, 0, tiles, widths, tile)
        full, _ = tolerances(found.best, x_squared, lost_squared, book.stats, D)
        limits = found.best + full
        certain = found.second - found.best > full
        certain = certain & (may_be_far(limits, x_squared, lost_squared, book.stats) == 0)
        doubtful = live & (certain == 0)
        codes = found.code.to(tl.int64)
        if tl.max(doubtful.to(tl.int32), axis=0) > 0:
            # The distances walk along the columns of a row, which registers cannot: through
            # memory, and a barrier before other threads read it.
            _store_blocks(scratch, local, doubtful, residual, widths)
            tl.debug_barrier()
            doubts = Operands(operands.left, operands.right, doubtful)
            floor_limits = far_limits(limits, x_squared, lost_squared, book.stats)
            settled = settle_rows(
                doubts,
                limits,
                floor_limits,
                book,
                tiles,
                scratch,
                local,
                codebooks,
                first,
                K,
                widths,
                tile,
            )
            codes = tl.where(doubtful, settled, codes)
            tl.debug_barrier()
        codes = tl.minimum(codes, K - 1)
        tl.store(codes_ptr + (batch * N + rows) * stages + stage, codes, mask=live)
        residual = _subtract(residual, load_blocks(vectors, codes, live, widths), widths)


@triton.jit
def _subtract(blocks, others, widths: tl.constexpr):
    left = blocks.left - others.left
    right = blocks.right
    if widths.second > 0:
        right -= others.right
    return Blocks(left, right)


@triton.jit
def _store_blocks(base_ptr, rows, wanted, blocks, widths: tl.constexpr):
    columns = tl.arange(0, widths.first)[None, :]
    mask = wanted[:, None] & (columns < widths.dim)
    tl.store(base_ptr + rows[:, None] * widths.dim + columns, blocks.left, mask=mask)
    if widths.second > 0:
        columns = widths.first + tl.arange(0, widths.second)[None, :]
        mask = wanted[:, None] & (columns < widths.dim)
        tl.store(base_ptr + rows[:, None] * widths.dim + columns, blocks.right, mask=mask)


def residual_codes(
    x: Tensor, codebooks: Tensor, biases: Tensor | None = None, stages: int | None = None
) -> Tensor:
    """Quantize stage by stage what the last stage left over; see `ops.residual_codes`."""
    stages = codebooks.shape[-3] if stages is None else stages
    books, size, dim = codebooks.shape[-3:]
    if biases is not None:
        biases = biases.expand(codebooks.shape[:-1])
    if not x.numel() or not stages:
        return torch.zeros((*x.shape[:-1], stages), dtype=torch.int64, device=x.device)
    x, codebooks = readable(x), readable(codebooks)
    if dim > _IN_REGISTERS:
        return _stage_by_stage(x, codebooks, biases, stages)
    flat = codebooks.reshape(-1, books, size, dim).contiguous()
    rows = x.reshape(len(flat), -1, dim).contiguous()
    if biases is not None:
        biases = biases.reshape(-1, books, size).contiguous()
    codes = torch.empty((*rows.shape[:2], stages), dtype=torch.int64, device=x.device)
    with on_device(x):
        for part in batch_parts(len(flat)):
            offsets = None if biases is None else biases[part].flatten(0, 1)
            _launch(rows[part], Codebooks(flat[part].flatten(0, 1), offsets), codes[part])
    return codes.reshape(*x.shape[:-1], stages)


def _stage_by_stage(x: Tensor, codebooks: Tensor, biases: Tensor | None, stages: int) -> Tensor:
    residual = x.float()
    found = []
    for stage in range(stages):
        codebook = codebooks[..., stage, :, :]
        bias = None if biases is None else biases[..., stage, :]
        codes = nearest_code(residual, codebook, bias)
        assert isinstance(codes, Tensor)
        found.append(codes)
        flat = codebook.reshape(-1, *codebook.shape[-2:])
        picked = codes.reshape(len(flat), -1, 1).expand(-1, -1, x.shape[-1])
        residual = residual - flat.gather(1, picked).reshape(x.shape).float()
    return torch.stack(found, dim=-1)


def _launch(x: Tensor, codebooks: Codebooks, codes: Tensor) -> None:
    """Fill codes (B, N, stages) from x (B, N, D) and the codebooks (B * books, K, D)."""
    batches, total, dim = x.shape
    widths = pad_width(dim)
    tile = residual_tile(find_device(x.device))
    prepared = prepare_codebook(codebooks, widths, multiple=tile.codes)
    at_once = max(1, _SCRATCH // (dim * tile.rows * batches)) * tile.rows
    for start in range(0, total, at_once):
        count = min(at_once, total - start)
        blocks = triton.cdiv(count, tile.rows)
        shape = (batches * blocks * tile.rows * dim,)
        scratch = torch.empty(shape, dtype=torch.float32, device=x.device)
        residual_kernel[(blocks, batches)](
            codebooks,
            prepared,
            x[:, start:],
            codes[:, start:],
            scratch,
            total,
            count,
            prepared.offsets.shape[2] // tile.codes,
            codebooks.vectors.shape[1],
            codes.shape[2],
            len(codebooks.vectors) // batches,
            widths=widths,
            tile=tile,
            num_warps=tile.warps,
            num_stages=tile.stages,
            maxnreg=tile.registers,
            enable_fp_fusion=False,
        )
