"""The methods that the GPU comparison times: ours and what people use today."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["PEERS", "RESIDUAL_METHODS", "Method", "methods"]

# Module and distribution of what is not ours.
PEERS = {"flash_kmeans": "flash-kmeans", "vector_quantize_pytorch": "vector-quantize-pytorch"}

# A method takes its inputs and returns the call that is timed; converting, allocating and moving
# weights is done before.
Call = Callable[[], Tensor]
Method = Callable[[Tensor, Tensor], Call]


def exact(x: Tensor, codebook: Tensor) -> Call:
    from vqcodec_kernels.search.triton.nearest import nearest_code

    return lambda: torch.as_tensor(nearest_code(x, codebook))


def fast(x: Tensor, codebook: Tensor) -> Call:
    from vqcodec_kernels.search.triton.nearest import nearest_code_fast

    return lambda: nearest_code_fast(x, codebook)


def matmul_argmin(x: Tensor, codebook: Tensor) -> Tensor:
    return (codebook.square().sum(1) - 2 * (x @ codebook.T)).argmin(1)


def cdist_argmin(x: Tensor, codebook: Tensor) -> Tensor:
    return torch.cdist(x, codebook).argmin(1)


def in_blocks(search: Callable[[Tensor, Tensor], Tensor]) -> Method:
    """Cut the rows so that the matrix of distances stays below 16 GB."""

    def prepare(x: Tensor, codebook: Tensor) -> Call:
        parts = torch.split(x, max(1, (1 << 32) // len(codebook)))
        return lambda: torch.cat([search(part, codebook) for part in parts])

    return prepare


def flash_kmeans(x: Tensor, codebook: Tensor) -> Call:
    from flash_kmeans.assign_euclid_triton import (  # type: ignore[import-not-found]
        euclid_assign_triton,
    )

    # It wants ||x||^2 from its caller; left out of its time.
    squared = x.float().square().sum(1)[None]
    return lambda: torch.as_tensor(euclid_assign_triton(x[None], codebook[None], squared))[0]


def vector_quantize_pytorch(x: Tensor, codebook: Tensor) -> Call:
    from vector_quantize_pytorch import VectorQuantize

    layer = VectorQuantize(dim=x.shape[1], codebook_size=len(codebook)).to(x.device).eval()
    layer._codebook.embed.data.copy_(codebook[None])
    layer._codebook.initted.fill_(True)
    return lambda: torch.as_tensor(layer(x[None])[1])[0]


def in_half(method: Method) -> Method:
    return lambda x, codebook: method(x.half(), codebook.half())


def methods(compiled: bool) -> dict[str, Method]:
    product = torch.compile(matmul_argmin) if compiled else matmul_argmin
    return {
        "exact": exact,
        "fast": fast,
        "fast, half input": in_half(fast),
        "matmul+argmin, compiled": in_blocks(product),
        "cdist+argmin": in_blocks(cdist_argmin),
        "flash-kmeans": flash_kmeans,
        "flash-kmeans, half input": in_half(flash_kmeans),
        "vector-quantize-pytorch": vector_quantize_pytorch,
    }


def residual_exact(x: Tensor, books: Tensor) -> Call:
    from vqcodec_kernels.search.triton.residual import residual_codes

    return lambda: residual_codes(x, books)


def residual_vq(x: Tensor, books: Tensor) -> Call:
    from vector_quantize_pytorch import ResidualVQ

    stages, size, dim = books.shape
    layer = ResidualVQ(dim=dim, num_quantizers=stages, codebook_size=size).to(x.device).eval()
    for stage, book in zip(layer.layers, books, strict=True):
        stage._codebook.embed.data.copy_(book[None])
        stage._codebook.initted.fill_(True)
    return lambda: torch.as_tensor(layer(x[None])[1])[0]


RESIDUAL_METHODS: dict[str, Method] = {
    "residual_codes": residual_exact,
    "vector-quantize-pytorch ResidualVQ": residual_vq,
}
