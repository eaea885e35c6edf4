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

from vqcodec_kernels.search.triton.certificate import tolerances
from vqcodec_kernels.search.triton.codebook import STATS, power_of_two_scale, prepare_codebook
from vqcodec_kernels.search.triton.launch import batch_parts, find_device, on_device
from vqcodec_kernels.search.triton.nearest import nearest_code
from vqcodec_kernels.search.triton.rows import load_rows, to_half
from vqcodec_kernels.search.triton.scan import scan_codes
from vqcodec_kernels.search.triton.settle import CANDIDATES, settle_rows
from vqcodec_kernels.search.triton.tiles import pad_width, residual_tile

__all__ = ["residual_codes", "residual_kernel"]

# Floats of scratch at once, 32 MB: the residuals of doubtful rows, for the float64 distances.
_SCRATCH = 1 << 23
_IN_REGISTERS = 64


@triton.jit(do_not_specialize=["N", "count", "tiles", "K", "stages", "books"])
def residual_kernel(
    x_ptr,
    codebooks_ptr,
    biases_ptr,
    halves_ptr,
    offsets_ptr,
    means_ptr,
    stats_ptr,
    codes_ptr,
    scratch_ptr,
    N,
    count,
    tiles,
    K,
    stages,
    books,
    D: tl.constexpr,
    D1: tl.constexpr,
    D2: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    STAGES: tl.constexpr,
    SLOTS: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    WIDE: tl.constexpr,
):
    """Codes (B, N, stages) of the rows [0, count) of x (B, N, D), codebooks (B, books, K, D)."""
    batch = tl.program_id(1).to(tl.int64)
    local = tl.arange(0, BLOCK_M).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * BLOCK_M + local
    live = rows < count
    base = x_ptr + batch * N * D
    left_residual = load_rows(base, rows, live, D, 0, D1)
    right_residual = left_residual
    if D2 > 0:
        right_residual = load_rows(base, rows, live, D, D1, D2)
    program = batch * tl.num_programs(0) + tl.program_id(0)
    scratch = scratch_ptr + program * BLOCK_M * D
    padded = tiles.to(tl.int64) * BLOCK_N
    for stage in range(0, stages):
        book = batch * books + stage
        stats = stats_ptr + book * SLOTS
        means = means_ptr + book * D
        codebook = codebooks_ptr + book * K * D
        halves = halves_ptr + book * padded * (D1 + D2)
        offsets = offsets_ptr + book * padded
        scale = power_of_two_scale(tl.load(stats).to(tl.float32, bitcast=True))
        left, x_squared, lost_squared = to_half(left_residual, means, scale, D, 0, D1)
        right = left
        if D2 > 0:
            right, more, lost = to_half(right_residual, means, scale, D, D1, D2)
            x_squared += more
            lost_squared += lost
        best, found, second = scan_codes(
            left,
            right,
            scratch + local,
            live,
            halves,
            offsets,
            0,
            tiles,
            D1,
            D2,
            0,
            BLOCK_M,
            BLOCK_N,
            STAGES,
            1,
            False,
        )
        full, _ = tolerances(best, x_squared, lost_squared, stats, D)
        doubtful = live & ((second - best > full) == 0)
        codes = found.to(tl.int64)
        if tl.max(doubtful.to(tl.int32), axis=0) > 0:
            # The distances walk along the columns of a row, which registers cannot: through
            # memory, and a barrier before other threads read it.
            columns = tl.arange(0, D1)[None, :]
            keep = doubtful[:, None] & (columns < D)
            tl.store(scratch + local[:, None] * D + columns, left_residual, mask=keep)
            if D2 > 0:
                columns = D1 + tl.arange(0, D2)[None, :]
                keep = doubtful[:, None] & (columns < D)
                tl.store(scratch + local[:, None] * D + columns, right_residual, mask=keep)
            tl.debug_barrier()
            settled = settle_rows(
                left,
                right,
                scratch + local,
                doubtful,
                best + full,
                halves,
                offsets,
                tiles,
                scratch,
                local,
                codebook,
                biases_ptr + book * K,
                K,
                D,
                D1,
                D2,
                0,
                BLOCK_M,
                BLOCK_N,
                HAS_BIAS,
                WIDE,
            )
            codes = tl.where(doubtful, settled, codes)
            tl.debug_barrier()
        codes = tl.minimum(codes, K - 1)
        tl.store(codes_ptr + (batch * N + rows) * stages + stage, codes, mask=live)
        left_residual -= load_rows(codebook, codes, live, D, 0, D1)
        if D2 > 0:
            right_residual -= load_rows(codebook, codes, live, D, D1, D2)


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
            _launch(rows[part], flat[part], offsets, codes[part])
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


def _launch(x: Tensor, codebooks: Tensor, biases: Tensor | None, codes: Tensor) -> None:
    """Fill codes (B, N, stages) from x (B, N, D), codebooks (B, books, K, D), biases flat."""
    batches, total, dim = x.shape
    books, size = codebooks.shape[1:3]
    widths = pad_width(dim)
    tile = residual_tile(find_device(x.device))
    flat = codebooks.reshape(-1, size, dim)
    prepared = prepare_codebook(flat, biases, width=widths.total, multiple=tile.codes)
    at_once = max(1, _SCRATCH // (dim * tile.rows * batches)) * tile.rows
    for start in range(0, total, at_once):
        count = min(at_once, total - start)
        blocks = triton.cdiv(count, tile.rows)
        shape = (batches * blocks * tile.rows * dim,)
        scratch = torch.empty(shape, dtype=torch.float32, device=x.device)
        residual_kernel[(blocks, batches)](
            x[:, start:],
            flat,
            flat if biases is None else biases,
            prepared.halves,
            prepared.offsets,
            prepared.means,
            prepared.stats,
            codes[:, start:],
            scratch,
            total,
            count,
            prepared.offsets.shape[1] // tile.codes,
            size,
            codes.shape[2],
            books,
            D=dim,
            D1=widths.first,
            D2=widths.second,
            BLOCK_M=tile.rows,
            BLOCK_N=tile.codes,
            STAGES=tile.stages,
            SLOTS=STATS,
            HAS_BIAS=biases is not None,
            WIDE=CANDIDATES,
            num_warps=tile.warps,
            num_stages=tile.stages,
            maxnreg=tile.registers,
            enable_fp_fusion=False,
        )
