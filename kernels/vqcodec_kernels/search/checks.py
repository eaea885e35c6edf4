"""What every operator demands of its arguments, checked before anything is launched.

Shapes, dtypes and devices are checked on any tensor, fake ones too; values only where there are
some.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from vqcodec_kernels.errors import InvalidInputError

__all__ = [
    "MAX_BEAMS",
    "MAX_CODEBOOK_SIZE",
    "MAX_DIM",
    "check_allowed",
    "check_beams",
    "check_bias",
    "check_codebook_axes",
    "check_codes",
    "check_count",
    "check_finite",
    "check_mask",
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
    _check_whole("stages", stages, 0, codebooks.shape[-3])
    return stages


def check_beams(x: Tensor, codebooks: Tensor, biases: Tensor | None, beams: int) -> None:
    """Accept what check_residual accepts with at least one stage, and beams."""
    if check_residual(x, codebooks, biases, None) == 0:
        raise InvalidInputError(f"beams need a stage, got codebooks {tuple(codebooks.shape)}")
    _check_whole("beams", beams, 1, MAX_BEAMS)


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


def check_codebook_axes(x: Tensor, codebook_axes: int | None) -> int:
    """How many of the leading axes of x have a codebook each; all of them by default."""
    most = x.dim() - 2
    if codebook_axes is None:
        return most
    _check_whole("codebook_axes", codebook_axes, 0, most, f" for x {tuple(x.shape)}")
    return codebook_axes


def check_count(k: int, codebook_size: int) -> None:
    """Accept how many codes of a codebook are asked for."""
    _check_whole("k", k, 1, codebook_size)


def check_mask(mask: Tensor | None, x: Tensor) -> None:
    """Accept no mask, or bool (..., N) for x (..., N, D)."""
    if mask is None:
        return
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise InvalidInputError(f"mask must be a tensor of bool, got {kind}")
    if mask.device != x.device or mask.shape != x.shape[:-1]:
        raise InvalidInputError(
            f"mask must be {tuple(x.shape[:-1])} on {x.device} as x is, got {tuple(mask.shape)} "
            f"on {mask.device}"
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


def check_allowed(k: int, bias: Tensor | None) -> None:
    """Reject more codes than a bias (..., K) leaves to a codebook."""
    if bias is None or bias.numel() == 0:
        return
    fewest = int(bias.isfinite().sum(-1).min())
    if k > fewest:
        raise InvalidInputError(f"k must be in [1, {fewest}], as the bias allows, got {k}")


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
    _check_whole("K", codebook_size, 1, MAX_CODEBOOK_SIZE)


def _check_whole(name: str, value: Any, low: int, high: int, where: str = "") -> None:
    """Accept an integer, also NumPy's and one that a compiler traces; 2.0 and True are none."""
    whole = isinstance(value, int | torch.SymInt | np.integer) and not isinstance(value, bool)
    if not (whole and low <= value <= high):
        kind = "" if whole else "a whole number "
        raise InvalidInputError(f"{name} must be {kind}in [{low}, {high}]{where}, got {value!r}")


def _check_batch(x: Tensor, batch: torch.Size, name: str, books: Tensor) -> None:
    leading = x.shape[:-2]
    if len(batch) > len(leading) or batch != leading[len(leading) - len(batch) :]:
        raise InvalidInputError(
            f"{name} must have the last of the leading sizes of x {tuple(x.shape)}, or none, got "
            f"{tuple(books.shape)}"
        )


def _check_bias_shape(
    bias: Tensor, shape: torch.Size, device: torch.device, *, name: str = "bias"
) -> None:
    _check_floats(name, bias, device)
    if bias.dim() == 0 or bias.dim() > len(shape) or bias.shape != shape[-bias.dim() :]:
        raise InvalidInputError(f"{name} must be {tuple(shape)}, got {tuple(bias.shape)}")
