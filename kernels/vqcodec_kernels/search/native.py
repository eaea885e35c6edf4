"""The operators in C++ for CPU tensors: torch tensors in, addresses to `_search`, tensors out.

A filter of float32 scores, or of scores by bfloat16 pieces, finds the codes that may be nearest and
a float64 settle decides between them, so the codes are those of `reference`. Tensors are
contiguous, checked for shape and type, with at most one leading axis; values are checked here,
while they are read.

`threads` defaults to `torch.get_num_threads()`. `level` is an instruction set, see `level`. Neither
changes a nearest code; of the beams' scores, which are not exact, a level may round others.
"""

from typing import Literal, NoReturn, overload

import torch
from torch import Tensor

from vqcodec_kernels import _search
from vqcodec_kernels.errors import InvalidInputError
from vqcodec_kernels.search.level import level_name
from vqcodec_kernels.search.reference import QuantizedVectors

__all__ = [
    "beam_codes",
    "code_statistics",
    "nearest_code",
    "nearest_code_fast",
    "quantize_vectors",
    "residual_codes",
]

_TYPES = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2}
_BAD_ROW = 1


@overload
def nearest_code(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = ...,
    *,
    return_distance: Literal[False] = ...,
    threads: int | None = ...,
    level: str | None = ...,
) -> Tensor: ...


@overload
def nearest_code(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = ...,
    *,
    return_distance: Literal[True],
    threads: int | None = ...,
    level: str | None = ...,
) -> tuple[Tensor, Tensor]: ...


def nearest_code(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    return_distance: bool = False,
    threads: int | None = None,
    level: str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Find the nearest code of every row; see `ops.nearest_code`."""
    codes = torch.empty(x.shape[:-1], dtype=torch.int64, device="cpu")
    distance = (
        torch.empty(x.shape[:-1], dtype=torch.float32, device="cpu") if return_distance else None
    )
    _search_groups(x, codebook, bias, codes, distances=distance, threads=threads, level=level)
    return codes if distance is None else (codes, distance)


def nearest_code_fast(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    threads: int | None = None,
    level: str | None = None,
) -> Tensor:
    """Find the nearest code: leaving out the settle saves no time; see `ops.nearest_code_fast`."""
    return nearest_code(x, codebook, bias, threads=threads, level=level)


def quantize_vectors(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    threads: int | None = None,
    level: str | None = None,
) -> QuantizedVectors:
    """Find, gather, measure and count in one pass; see `ops.quantize_vectors`."""
    codes = torch.empty(x.shape[:-1], dtype=torch.int64, device="cpu")
    values = torch.empty(x.shape, dtype=codebook.dtype, device="cpu")
    squared_error = torch.empty(x.shape[:-1], dtype=torch.float32, device="cpu")
    counts = torch.zeros(codebook.shape[:-1], dtype=torch.int64, device="cpu")
    _search_groups(
        x,
        codebook,
        bias,
        codes,
        values=values,
        squared_errors=squared_error,
        counts=counts,
        threads=threads,
        level=level,
    )
    return QuantizedVectors(codes, values, squared_error, counts)


def residual_codes(
    x: Tensor,
    codebooks: Tensor,
    biases: Tensor | None = None,
    stages: int | None = None,
    *,
    threads: int | None = None,
    level: str | None = None,
) -> Tensor:
    """Search every stage while the residual stays in the cache; see `ops.residual_codes`."""
    stages = codebooks.shape[-3] if stages is None else stages
    codes = torch.empty((*x.shape[:-1], stages), dtype=torch.int64, device="cpu")
    x, codebooks, biases = _aligned(x), _aligned(codebooks), _float_bias(biases)
    groups = codebooks.shape[:-3].numel()
    for group in range(groups if stages else 0):
        defect = _search.search_stages(
            _address(x, group, groups),
            _TYPES[x.dtype],
            x.numel() // (groups * x.shape[-1]),
            x.shape[-1],
            _address(codebooks, group, groups),
            _TYPES[codebooks.dtype],
            codebooks.shape[-2],
            _address(biases, group, groups),
            stages,
            _address(codes, group, groups),
            threads or torch.get_num_threads(),
            level_name(level),
        )
        if defect[0]:
            _raise_defect(defect, x, codebooks, group, groups, name="codebooks")
    return codes


def code_statistics(
    x: Tensor, codes: Tensor, codebook_size: int, *, threads: int | None = None
) -> tuple[Tensor, Tensor]:
    """Count and add up in the order of the rows; see `ops.code_statistics`."""
    counts = torch.empty((*codes.shape[:-1], codebook_size), dtype=torch.int64, device="cpu")
    sums = torch.empty((*counts.shape, x.shape[-1]), dtype=torch.float32, device="cpu")
    x, codes = _aligned(x), _aligned(codes)
    groups = codes.shape[:-1].numel()
    for group in range(groups):
        _search.statistics(
            _address(x, group, groups),
            _TYPES[x.dtype],
            codes.shape[-1],
            x.shape[-1],
            _address(codes, group, groups),
            codebook_size,
            _address(counts, group, groups),
            _address(sums, group, groups),
            threads or torch.get_num_threads(),
        )
    return counts, sums


def beam_codes(
    x: Tensor,
    codebooks: Tensor,
    biases: Tensor | None = None,
    *,
    beams: int,
    threads: int | None = None,
    level: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Follow the cheapest beginnings of each row; see `ops.beam_codes`."""
    stages, size, dim = codebooks.shape
    codes = torch.empty((len(x), stages), dtype=torch.int64, device="cpu")
    errors = torch.empty((len(x), stages), dtype=torch.float32, device="cpu")
    x, codebooks, biases = _aligned(x), _aligned(codebooks), _float_bias(biases)
    defect = _search.search_beams(
        _address(x, 0, 1),
        len(x),
        dim,
        _address(codebooks, 0, 1),
        size,
        _address(biases, 0, 1),
        stages,
        beams,
        _address(codes, 0, 1),
        _address(errors, 0, 1),
        threads or torch.get_num_threads(),
        level_name(level),
    )
    if defect[0]:
        _raise_defect(defect, x, codebooks, 0, 1, name="codebooks")
    return codes, errors


def _search_groups(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None,
    codes: Tensor,
    *,
    distances: Tensor | None = None,
    values: Tensor | None = None,
    squared_errors: Tensor | None = None,
    counts: Tensor | None = None,
    threads: int | None,
    level: str | None,
) -> None:
    """Fill the outputs, one codebook of a batch after the other."""
    x, codebook, bias = _aligned(x), _aligned(codebook), _float_bias(bias)
    groups = codebook.shape[:-2].numel()
    for group in range(groups):
        defect = _search.search(
            _address(x, group, groups),
            _TYPES[x.dtype],
            x.numel() // (groups * x.shape[-1]),
            x.shape[-1],
            _address(codebook, group, groups),
            _TYPES[codebook.dtype],
            codebook.shape[-2],
            _address(bias, group, groups),
            _address(codes, group, groups),
            _address(distances, group, groups),
            _address(values, group, groups),
            _address(squared_errors, group, groups),
            _address(counts, group, groups),
            threads or torch.get_num_threads(),
            level_name(level),
        )
        if defect[0]:
            _raise_defect(defect, x, codebook, group, groups)


def _address(values: Tensor | None, group: int, groups: int) -> int:
    """Where one group's share of a contiguous tensor begins; 0 for no tensor."""
    if values is None:
        return 0
    return values.data_ptr() + group * (values.numel() // groups) * values.element_size()


def _aligned(values: Tensor) -> Tensor:
    """The tensor, or a copy if a value straddles its natural boundary (views of raw bytes do)."""
    return values.clone() if values.data_ptr() % values.element_size() else values


def _float_bias(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else _aligned(bias.float())


def _raise_defect(
    defect: tuple[int, int],
    x: Tensor,
    books: Tensor,
    group: int,
    groups: int,
    *,
    name: str = "codebook",
) -> NoReturn:
    what, index = defect
    name, values = ("x", x) if what == _BAD_ROW else (name, books)
    rows = values.reshape(-1, values.shape[-1])
    row = rows[group * (len(rows) // groups) + index]
    bad = (~torch.isfinite(row)).nonzero()
    raise InvalidInputError(f"{name} must be finite, got {row[bad[0]].item()} in row {index}")
