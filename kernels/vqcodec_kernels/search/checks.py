"""What every operator demands of its arguments, checked before anything is launched.

Shapes, dtypes and devices are checked on any tensor, fake ones too; values only where there are
some.
"""

import torch
from torch import Tensor
from torch.autograd import forward_ad

from vqcodec_kernels.errors import InvalidInputError

__all__ = [
    "MAX_BEAMS",
    "MAX_CODEBOOK_SIZE",
    "MAX_DIM",
    "check_beams",
    "check_bias",
    "check_codes",
    "check_finite",
    "check_residual",
    "check_search",
]

MAX_DIM = 1024
MAX_CODEBOOK_SIZE = 1 << 20
MAX_BEAMS = 64
_FLOATS = (torch.float32, torch.float16, torch.bfloat16)


def check_search(x: Tensor, codebook: Tensor, bias: Tensor | None) -> None:
    """Accept x (..., N, D), codebook (K, D) or (..., K, D), bias (K,) or (..., K)."""
    _check_floats("x", x)
    _check_floats("codebook", codebook, x.device)
    _check_matrix("x", x)
    _check_matrix("codebook", codebook)
    if x.shape[-1] != codebook.shape[-1]:
        raise InvalidInputError(
            f"x and codebook must have the same last size D, got {tuple(x.shape)} and "
            f"{tuple(codebook.shape)}"
        )
    _check_size(codebook.shape[-2])
    _check_batch(x, codebook.shape[:-2], "codebook", codebook)
    if bias is not None:
        _check_bias_shape(bias, codebook.shape[:-1], x.device)


def check_residual(x: Tensor, codebooks: Tensor, biases: Tensor | None, stages: int | None) -> int:
    """Accept x (..., N, D), codebooks (S, K, D) or (..., S, K, D); the number of stages to run."""
    _check_floats("x", x)
    _check_floats("codebooks", codebooks, x.device)
    _check_matrix("x", x)
    if codebooks.dim() < 3:
        raise InvalidInputError(f"codebooks must be (..., S, K, D), got {tuple(codebooks.shape)}")
    if x.shape[-1] != codebooks.shape[-1]:
        raise InvalidInputError(
            f"x and codebooks must have the same last size D, got {tuple(x.shape)} and "
            f"{tuple(codebooks.shape)}"
        )
    _check_size(codebooks.shape[-2])
    _check_batch(x, codebooks.shape[:-3], "codebooks", codebooks)
    if biases is not None:
        _check_bias_shape(biases, codebooks.shape[:-1], x.device, name="biases")
    if stages is None:
        return codebooks.shape[-3]
    if not 0 <= stages <= codebooks.shape[-3]:
        raise InvalidInputError(f"stages must be in [0, {codebooks.shape[-3]}], got {stages}")
    return stages


def check_beams(x: Tensor, codebooks: Tensor, biases: Tensor | None, beams: int) -> None:
    """Accept float32 x (N, D) and codebooks (S, K, D), S >= 1, biases (S, K) or (K,), beams."""
    check_residual(x, codebooks, biases, None)
    if x.dim() != 2 or codebooks.dim() != 3 or len(codebooks) == 0:
        raise InvalidInputError(
            f"x must be (N, D), codebooks (S, K, D), got {tuple(x.shape)}, {tuple(codebooks.shape)}"
        )
    if x.dtype != torch.float32 or codebooks.dtype != torch.float32:
        raise InvalidInputError(f"beams need float32, got {x.dtype} and {codebooks.dtype}")
    if not 1 <= beams <= MAX_BEAMS:
        raise InvalidInputError(f"beams must be in [1, {MAX_BEAMS}], got {beams}")


def check_codes(x: Tensor, codes: Tensor, codebook_size: int) -> None:
    """Accept x (..., N, D) and int64 codes (..., N); their values are checked elsewhere."""
    _check_floats("x", x)
    _check_matrix("x", x)
    _check_size(codebook_size)
    if codes.dtype != torch.int64:
        raise InvalidInputError(f"codes must be int64, got {codes.dtype}")
    if codes.device != x.device:
        raise InvalidInputError(f"codes must be on {x.device} as x is, got {codes.device}")
    if codes.shape != x.shape[:-1]:
        raise InvalidInputError(
            f"codes must be {tuple(x.shape[:-1])} for x {tuple(x.shape)}, got {tuple(codes.shape)}"
        )


def check_finite(name: str, values: Tensor) -> None:
    """Reject NaN and infinity, in one pass over the values without a copy of them."""
    if values.numel() == 0:
        return
    low, high = torch.aminmax(values)
    # NaN in either passes through the subtraction, and so does infinity.
    if not torch.isfinite(high.double() - low.double()).item():
        bad = (~torch.isfinite(values)).nonzero()[0].tolist()
        raise InvalidInputError(
            f"{name} must be finite, got {values[tuple(bad)].item()} at {tuple(bad)}"
        )


def check_bias(name: str, bias: Tensor) -> None:
    """Reject NaN, -infinity and a codebook whose codes are all forbidden; bias (..., K)."""
    if bias.numel() == 0:
        return
    low, high = torch.aminmax(bias)
    if torch.isfinite(high.double() - low.double()).item():
        return
    bad = (~(bias > -torch.inf)).nonzero()
    if len(bad):
        place = tuple(bad[0].tolist())
        raise InvalidInputError(
            f"{name} must be finite or +inf, got {bias[place].item()} at {place}"
        )
    empty = (bias == torch.inf).all(-1).nonzero()
    if len(empty):
        place = tuple(empty[0].tolist())
        where = f" of codebook {place}" if place else ""
        raise InvalidInputError(f"{name} must leave a code to choose, got +inf for all{where}")


def _check_floats(name: str, values: Tensor, device: torch.device | None = None) -> None:
    if not isinstance(values, Tensor):
        raise InvalidInputError(f"{name} must be a tensor, got {type(values).__name__}")
    if values.dtype not in _FLOATS:
        raise InvalidInputError(f"{name} must be float32, float16 or bfloat16, got {values.dtype}")
    if device is not None and values.device != device:
        raise InvalidInputError(f"{name} must be on {device} as x is, got {values.device}")
    # The compiler traces no forward mode; here it would go on with tangents of zero.
    if not torch.compiler.is_compiling() and _has_tangent(values):
        raise InvalidInputError(
            f"{name} has a tangent: there is no forward-mode derivative, use torch.autograd"
        )


def _has_tangent(values: Tensor) -> bool:
    return forward_ad.unpack_dual(values).tangent is not None  # type: ignore[no-untyped-call]


def _check_matrix(name: str, values: Tensor) -> None:
    if values.dim() < 2:
        raise InvalidInputError(f"{name} must have at least 2 axes, got {tuple(values.shape)}")
    if not 1 <= values.shape[-1] <= MAX_DIM:
        raise InvalidInputError(f"D must be in [1, {MAX_DIM}], got {name} {tuple(values.shape)}")


def _check_size(codebook_size: int) -> None:
    if not 1 <= codebook_size <= MAX_CODEBOOK_SIZE:
        raise InvalidInputError(f"K must be in [1, {MAX_CODEBOOK_SIZE}], got {codebook_size}")


def _check_batch(x: Tensor, batch: torch.Size, name: str, books: Tensor) -> None:
    if len(batch) and batch != x.shape[:-2]:
        raise InvalidInputError(
            f"{name} must share the leading sizes of x {tuple(x.shape)} or have none, got "
            f"{tuple(books.shape)}"
        )


def _check_bias_shape(
    bias: Tensor, shape: torch.Size, device: torch.device, *, name: str = "bias"
) -> None:
    _check_floats(name, bias, device)
    if bias.dim() == 0 or bias.dim() > len(shape) or bias.shape != shape[-bias.dim() :]:
        raise InvalidInputError(f"{name} must be {tuple(shape)}, got {tuple(bias.shape)}")
