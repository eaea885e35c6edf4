"""What is put together from operators, under torch.compile, torch.export and for meta tensors."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import vqcodec_kernels

BOOK, BOOKS, STAGES = torch.randn(11, 6), torch.randn(3, 11, 6), torch.randn(3, 2, 11, 6)


def mask_of(x: Tensor) -> Tensor:
    return x[..., 0] > 0


CALLS: dict[str, Callable[..., Any]] = {
    "k nearest": lambda x, book, books, stages: vqcodec_kernels.nearest_code(
        x, book, k=3, return_distance=True
    ),
    "k nearest of heads": lambda x, book, books, stages: vqcodec_kernels.nearest_code(
        x, books, k=3
    ),
    "heads": lambda x, book, books, stages: vqcodec_kernels.nearest_code(
        x, books, return_distance=True
    ),
    "fast": lambda x, book, books, stages: vqcodec_kernels.nearest_code_fast(x, books),
    "masked vectors": lambda x, book, books, stages: vqcodec_kernels.quantize_vectors(
        x, books, mask=mask_of(x)
    ),
    "masked statistics": lambda x, book, books, stages: vqcodec_kernels.code_statistics(
        x, vqcodec_kernels.nearest_code(x, book), 11, mask=mask_of(x), codebook_axes=1
    ),
    "values": lambda x, book, books, stages: vqcodec_kernels.residual_codes(
        x, stages, return_values=True
    ),
    "beams": lambda x, book, books, stages: vqcodec_kernels.beam_codes(
        x.half(), stages[0], beams=3
    ),
    "beams of heads": lambda x, book, books, stages: vqcodec_kernels.beam_codes(x, stages, beams=3),
}


def tensors(found: Any) -> tuple[Tensor, ...]:
    return (found,) if isinstance(found, Tensor) else tuple(found)


@pytest.mark.parametrize("name", CALLS)
def test_compiles_as_one_graph(name: str) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(CALLS[name], fullgraph=True, backend="aot_eager", dynamic=True)
    for rows in (5, 8):
        x = torch.randn(4, 3, rows, 6)
        expected = tensors(CALLS[name](x, BOOK, BOOKS, STAGES))
        for one, other in zip(tensors(compiled(x, BOOK, BOOKS, STAGES)), expected, strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("name", CALLS)
def test_exports_with_any_number_of_rows(name: str) -> None:
    class Call(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            return tensors(CALLS[name](x, BOOK, BOOKS, STAGES))

    rows = torch.export.Dim("rows", min=2, max=4096)
    program = torch.export.export(
        Call(), (torch.randn(4, 3, 5, 6),), dynamic_shapes={"x": {2: rows}}
    )
    x = torch.randn(4, 3, 17, 6)
    for one, other in zip(program.module()(x), Call()(x), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", CALLS)
def test_meta_tensors_have_the_real_shapes(name: str) -> None:
    arguments = (torch.randn(4, 3, 5, 6), BOOK, BOOKS, STAGES)
    real = tensors(CALLS[name](*arguments))
    meta = tensors(CALLS[name](*(value.to("meta") for value in arguments)))
    assert [(m.shape, m.dtype, m.device.type) for m in meta] == [
        (r.shape, r.dtype, "meta") for r in real
    ]


@pytest.mark.parametrize("name", ["k nearest", "masked vectors", "values"])
def test_gradients_through_the_compiler(name: str) -> None:
    torch._dynamo.reset()

    def loss(x: Tensor, book: Tensor, books: Tensor, stages: Tensor) -> Tensor:
        found = tensors(CALLS[name](x, book, books, stages))
        floats = [part.sin().sum() for part in found if part.is_floating_point()]
        return torch.stack(floats).sum() + x.sum() * 0

    leaves = [torch.randn(4, 3, 5, 6), BOOK.clone(), BOOKS.clone(), STAGES.clone()]
    for leaf in leaves:
        leaf.requires_grad_()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    found = torch.autograd.grad(compiled(*leaves), leaves, materialize_grads=True)
    expected = torch.autograd.grad(loss(*leaves), leaves, materialize_grads=True)
    torch.testing.assert_close(found, expected)
