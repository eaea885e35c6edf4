"""A deeper model made from a shallower one computes the same, and can learn more."""

import dataclasses
from typing import Any

import pytest
import torch

from vqcodec.errors import BadModelError
from vqcodec.model.config import ModelConfig, TransformConfig
from vqcodec.model.network import VQVAE
from vqcodec.training.growth import copy_weights


def deeper(config: ModelConfig, **changes: Any) -> ModelConfig:
    return dataclasses.replace(config, transform=dataclasses.replace(config.transform, **changes))


@pytest.mark.parametrize("analysis", [0, 1, 3])
@pytest.mark.parametrize("synthesis", [0, 2])
def test_grown_model_computes_the_same(started_model: VQVAE, analysis: int, synthesis: int) -> None:
    transform = started_model.config.transform
    config = deeper(
        started_model.config,
        analysis_depth=transform.analysis_depth + analysis,
        synthesis_depth=transform.synthesis_depth + synthesis,
    )
    grown = VQVAE(config).eval()
    for tensor in (*grown.parameters(), *grown.buffers()):
        if tensor.is_floating_point():
            tensor.data.add_(7.0)
    assert copy_weights(started_model, grown)
    pixels = torch.rand(1, 3, 24, 48)
    with torch.no_grad():
        wanted, found = started_model(pixels), grown(pixels)
    torch.testing.assert_close(found.latent, wanted.latent, atol=1e-6, rtol=1e-6)
    assert torch.equal(found.quantized.codes, wanted.quantized.codes)
    torch.testing.assert_close(found.pixels, wanted.pixels, atol=1e-6, rtol=1e-6)


def test_new_blocks_learn(started_model: VQVAE) -> None:
    depth = started_model.config.transform.synthesis_depth + 1
    grown = VQVAE(deeper(started_model.config, synthesis_depth=depth))
    copy_weights(started_model, grown)
    grown(torch.rand(1, 3, 24, 48)).pixels.square().sum().backward()
    last = grown.synthesis.get_parameter(f"blocks.{depth - 1}.second.weight")
    assert float(last.detach().abs().max()) == 0
    assert last.grad is not None
    assert float(last.grad.abs().max()) > 0


@pytest.mark.parametrize("change", [{"codebook_size": 24}, {"stages": 1}])
def test_other_codebooks_begin_anew(started_model: VQVAE, change: dict[str, int]) -> None:
    config = started_model.config
    quantizer = dataclasses.replace(config.quantizer, **change)
    assert quantizer != config.quantizer
    grown = VQVAE(dataclasses.replace(config, quantizer=quantizer)).eval()
    before = [book.vectors.clone() for book in grown.quantizer.books()]
    assert not copy_weights(started_model, grown)
    for book, vectors in zip(grown.quantizer.books(), before, strict=True):
        assert torch.equal(book.vectors, vectors)
    pixels = torch.rand(1, 3, 24, 48)
    with torch.no_grad():
        wanted, found = started_model(pixels, quantize=False), grown(pixels, quantize=False)
    torch.testing.assert_close(found.pixels, wanted.pixels, atol=0, rtol=0)


@pytest.mark.parametrize(
    "changes",
    [{"synthesis_width": 13}, {"analysis_depth": 0}, {"latent_dim": 5, "synthesis_depth": 9}],
)
def test_other_models_do_not_grow_into_it(started_model: VQVAE, changes: dict[str, Any]) -> None:
    assert started_model.config.transform != dataclasses.replace(TransformConfig(), **changes)
    with pytest.raises(BadModelError, match="differ in more than depth"):
        copy_weights(started_model, VQVAE(deeper(started_model.config, **changes)))
