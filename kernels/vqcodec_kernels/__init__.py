"""Nearest-code search for vector quantizers: exact, fused, the same integers on every backend.

`import vqcodec_kernels` loads no torch; the operators load it when first asked for.
"""

from typing import TYPE_CHECKING, Any

from vqcodec_kernels.errors import (
    BackendError,
    CorruptPayloadError,
    InvalidInputError,
    KernelError,
)

if TYPE_CHECKING:
    from vqcodec_kernels.search.ops import (
        QuantizedVectors,
        beam_codes,
        code_statistics,
        nearest_code,
        nearest_code_fast,
        quantize_vectors,
        residual_codes,
    )

__all__ = [
    "BackendError",
    "CorruptPayloadError",
    "InvalidInputError",
    "KernelError",
    "QuantizedVectors",
    "beam_codes",
    "code_statistics",
    "nearest_code",
    "nearest_code_fast",
    "quantize_vectors",
    "residual_codes",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vqcodec_kernels.search import ops

    return getattr(ops, name)
