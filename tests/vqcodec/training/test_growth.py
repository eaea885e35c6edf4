"""A deeper model made from a shallower one computes the same, and can learn more."""

import dataclasses
from typing import Any

import pytest
import torch

from tiny import tiny_config

from vqcodec.errors import BadModelError
from vqcodec.model.config import ModelConfig
from vqcodec.model.network import VQVAE
from vqcodec.training.growth import copy_weights


def changed(config: ModelConfig, part: str, **changes: Any) -> ModelConfig:
    """The configuration with other numbers in one of its parts."""
    return dataclasses.replace(
        config, **{part: dataclasses.replace(getattr(config, part), **changes)}
    )


@pytest.mark.parametrize("analysis", [0, 1, 3])
@pytest.mark.parametrize("synthesis", [0, 2])
def test_grown_model_computes_the_same(started_model: VQVAE, analysis: int, synthesis: int) -> None:
    config = changed(started_model.config, "analysis", depth=1 + analysis)
    config = changed(config, "synthesis", depth=1 + synthesis)
    grown = VQVAE(config).eval()
    for tensor in (*grown.parameters(), *grown.buffers()):
        if tensor.is_floating_point():
            tensor.data.add_(7.0)
    assert copy_weights(started_model, grown)
    samples = torch.rand(1, 3, 24, 48)
    with torch.no_grad():
        wanted, found = started_model(samples), grown(samples)
    torch.testing.assert_close(found.latent, wanted.latent, atol=1e-6, rtol=1e-6)
    assert torch.equal(found.quantized.codes, wanted.quantized.codes)
    torch.testing.assert_close(found.samples, wanted.samples, atol=1e-6, rtol=1e-6)


def test_new_blocks_learn(started_model: VQVAE) -> None:
    grown = VQVAE(changed(started_model.config, "synthesis", depth=2))
    copy_weights(started_model, grown)
    grown(torch.rand(1, 3, 24, 48)).samples.square().sum().backward()
    last = grown.transform.synthesis.get_parameter("blocks.1.second.weight")
    assert float(last.detach().abs().max()) == 0
    assert last.grad is not None
    assert float(last.grad.abs().max()) > 0


@pytest.mark.parametrize("change", [{"codebook_size": 24}, {"stages": 1}])
def test_other_codebooks_begin_anew(started_model: VQVAE, change: dict[str, int]) -> None:
    grown = VQVAE(changed(started_model.config, "quantizer", **change)).eval()
    before = [book.vectors.clone() for book in grown.quantizer.books()]
    assert not copy_weights(started_model, grown)
    for book, vectors in zip(grown.quantizer.books(), before, strict=True):
        assert torch.equal(book.vectors, vectors)
    samples = torch.rand(1, 3, 24, 48)
    with torch.no_grad():
        wanted, found = started_model(samples, quantize=False), grown(samples, quantize=False)
    torch.testing.assert_close(found.samples, wanted.samples, atol=0, rtol=0)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("synthesis", {"width": 13}),
        ("analysis", {"depth": 0}),
        ("synthesis", {"latent_dim": 5, "depth": 9}),
        ("medium", {"channels": 1}),
    ],
)
def test_other_models_do_not_grow_into_it(
    started_model: VQVAE, part: str, changes: dict[str, Any]
) -> None:
    target = VQVAE(changed(started_model.config, part, **changes))
    with pytest.raises(BadModelError, match="the weights to start from"):
        copy_weights(started_model, target)


def test_on_one_axis() -> None:
    config = tiny_config(medium="sound", channels=1, stride=(6,), latent_dim=4)
    torch.manual_seed(0)
    source = VQVAE(config).eval()
    grown = VQVAE(changed(config, "synthesis", depth=3)).eval()
    copy_weights(source, grown)
    samples = torch.rand(2, 1, 42)
    with torch.no_grad():
        wanted, found = source(samples, quantize=False), grown(samples, quantize=False)
    torch.testing.assert_close(found.samples, wanted.samples, atol=1e-6, rtol=1e-6)
