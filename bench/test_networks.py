"""What bench/networks.py rests on: its transforms keep the contract, its runs add up."""

import dataclasses
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from bench import networks
from bench.network_blocks import Windows
from bench.network_runs import Mean, Runs, Steps
from bench.network_transform import (
    BOTTLENECK,
    GATED,
    INVERTED,
    PLAIN,
    Shape,
    VariantTransform,
)
from bench.network_variants import VARIANTS, Variant, other
from bench.networks import costs, gains
from vqcodec.model.config import ModelConfig
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.training.state import TrainingState
from vqcodec.transforms.convolutional import ConvolutionalTransform
from vqcodec.transforms.layout import to_patches
from vqcodec.transforms.tiled import apply_tiled

SHAPES = {
    "plain": Shape(width=32, depth=1),
    "inverted": Shape(width=16, depth=2, block=INVERTED, side=7),
    "bottleneck": Shape(width=16, depth=3, block=BOTTLENECK),
    "gated": Shape(width=16, depth=2, block=GATED, hidden=12),
    "windows": Shape(width=32, depth=2, windows=1),
    "fine": Shape(width=16, depth=1, fine=2, fine_width=8),
}
# Rounding alone: a convolution may add its terms in another order on another shape.
ROUNDING = 2e-5
TRAINING = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def transform_of(shape: Shape, *, loud: bool = True) -> VariantTransform:
    """An untrained transform, whose networks say as much as the linear path if they are loud."""
    torch.manual_seed(0)
    transform = VariantTransform(3, latent_dim=6, analysis=shape, synthesis=shape)
    transform.start(TRAINING)
    for part in (transform.analysis, transform.synthesis) if loud else ():
        for layer in part.modules():
            if isinstance(layer, nn.Conv2d):
                # As large as what it sees, so that what is far away is not lost in rounding.
                nn.init.normal_(layer.weight, std=(layer.weight[0].numel()) ** -0.5)
            if isinstance(layer, Windows):
                nn.init.normal_(layer.bias)
    return transform.requires_grad_(False)


@pytest.mark.parametrize("grid", [(1, 1), (7, 5), (17, 40), (3, 70)], ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_regions_are_the_whole(name: str, grid: tuple[int, int]) -> None:
    transform = transform_of(SHAPES[name])
    samples, latent = torch.rand(1, 3, 8 * grid[0], 8 * grid[1]), torch.randn(1, 6, *grid)
    side = (16, 16)
    for network, x, reach in (
        (transform.analyse, samples, transform.analysis_reach),
        (transform.synthesise, latent, transform.synthesis_reach),
    ):
        whole = network(x)
        tiled = apply_tiled(network, x, grid=grid, side=side, reach=reach)
        torch.testing.assert_close(tiled, whole, rtol=0, atol=ROUNDING * float(whole.abs().max()))


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_beyond_the_reach_counts_and_something_within_does(name: str) -> None:
    transform, place = transform_of(SHAPES[name]), 40
    latent = torch.randn(1, 6, 80, 1)
    reach = transform.synthesis_reach
    assert reach is not None
    before = transform.synthesise(latent)[0, :, 8 * place : 8 * place + 8]
    moved = []
    for distance in (reach + 1, max(1, reach // 4)):
        changed = latent.clone()
        changed[:, :, place + distance :] += 1
        after = transform.synthesise(changed)[0, :, 8 * place : 8 * place + 8]
        moved.append(float((after - before).abs().max()))
    assert moved[0] == 0
    assert moved[1] > 0


@pytest.mark.parametrize("name", SHAPES)
def test_an_untrained_transform_is_nearly_its_linear_path(name: str) -> None:
    transform = transform_of(SHAPES[name], loud=False)
    samples, part = TRAINING, transform.analysis
    rows = to_patches(samples - 0.5, (8, 8)).movedim(1, -1)
    linear = (rows @ part.basis.T / part.scale).movedim(-1, 1)
    latent = transform.analyse(samples)
    assert 0 < float((latent - linear).std()) < 0.2 * float(linear.std())
    back = (linear.movedim(1, -1) * part.scale @ part.basis).movedim(-1, 1)
    decoded = to_patches(transform.synthesise(linear) - 0.5, (8, 8))
    assert 0 < float((decoded - back).std()) < 0.2 * float(back.std())
    # A latent of unit mean square, whose error costs the samples what the unit says.
    assert float(latent.square().mean()) == pytest.approx(1, rel=0.1)
    noise = 0.1 * torch.randn_like(latent)
    error = (transform.synthesise(latent + noise) - transform.synthesise(latent)).square().mean()
    assert float(error / noise.square().mean()) == pytest.approx(transform.unit, rel=0.1)


def test_plain_blocks_are_the_networks_of_the_product() -> None:
    ours = transform_of(SHAPES["plain"])
    product = ConvolutionalTransform(
        3,
        stride=(8, 8),
        latent_dim=6,
        analysis_width=32,
        analysis_depth=1,
        synthesis_width=32,
        synthesis_depth=1,
    )
    product.load_state_dict(dict(zip(product.state_dict(), _in_order(ours), strict=True)))
    samples, latent = torch.rand(1, 3, 24, 40), torch.randn(1, 6, 5, 3)
    torch.testing.assert_close(ours.analyse(samples), product.analyse(samples))
    torch.testing.assert_close(ours.synthesise(latent), product.synthesise(latent))
    assert ours.unit == product.unit
    assert ours.analysis_reach == product.analysis_reach


def _in_order(transform: VariantTransform) -> list[Tensor]:
    """The tensors in the product's order: enter, blocks, leave stand in one row in both."""
    return list(transform.state_dict().values())


def test_attention_is_that_of_each_window_alone() -> None:
    torch.manual_seed(0)
    block = Windows(64).requires_grad_(False)
    nn.init.normal_(block.bias)
    assert block.first.bias is not None
    assert block.last.bias is not None
    x = torch.randn(2, 64, 8, 21)
    found = block(x)
    for begin, end in ((0, 8), (8, 16), (16, 21)):
        window = x[1, :, :, begin:end].flatten(1).T
        normed = functional.layer_norm(window, (64,), block.norm.weight, block.norm.bias)
        parts = normed @ block.first.weight[:, :, 0, 0].T + block.first.bias
        places = [(row, column) for row in range(8) for column in range(end - begin)]
        heads = []
        for head in range(2):
            query, key, value = (parts[:, 64 * n + 32 * head :][:, :32] for n in range(3))
            bias = [
                [block.bias[(a - c + 7) * 15 + b - d + 7, head] for c, d in places]
                for a, b in places
            ]
            heads.append((query @ key.T / 32**0.5 + torch.tensor(bias)).softmax(1) @ value)
        added = torch.cat(heads, 1) @ block.last.weight[:, :, 0, 0].T + block.last.bias
        expected = (window + added).T.reshape(64, 8, end - begin)
        torch.testing.assert_close(found[1, :, :, begin:end], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_are_read_as_they_are_written_and_cost_what_is_allowed(name: str) -> None:
    model = VARIANTS[name].model
    assert ModelConfig.from_text(model.to_text(), model.analysis_text()) == model
    found = costs(VARIANTS[name])
    assert found["synthesis_kmac"] <= 100
    if name == "present":
        # Counted by hand: 3 x 3 convolutions of 64 pixels a position, and the linear path.
        first, block = 9 * 128 * (48 + 192), 9 * 2 * 128 * 128
        assert found["synthesis_kmac"] == (first + 9 * block + 48 * 192) / 64 / 1000


def test_the_mean_counts_each_step_once_and_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "mean"
    weights = [torch.tensor([1.0, 5.0]), torch.tensor([2.0, 7.0]), torch.tensor([6.0, 0.0])]
    models: list[Any] = [SimpleNamespace(state_dict=lambda w=w: {"w": w}) for w in weights]
    mean = Mean(path)
    mean.add(models[0], 20)
    mean.add(models[1], 40)
    again = Mean(path)
    again.add(models[2], 40)
    again.add(models[2], 60)
    torch.testing.assert_close(Mean(path).tensors["w"], torch.tensor([3.0, 4.0]))


def test_a_state_counts_processor_time_from_where_it_was() -> None:
    state = TrainingState(steps=3, seconds=30)
    budget = Steps(steps=12, spent=state.seconds)
    # What the clock on the wall said does not count.
    state.seconds += 100
    time.sleep(0.1)
    assert budget.share(state) == 0.25
    assert state.seconds == pytest.approx(30, abs=0.05)
    began = time.process_time()
    while time.process_time() < began + 0.2:
        pass
    budget.share(state)
    assert state.seconds == pytest.approx(30.2, abs=0.05)


def test_gains_are_of_the_same_picture_at_the_same_rate() -> None:
    def curve(bias: float, rates: tuple[float, ...]) -> list[dict[str, float]]:
        return [{"bpp": r, "psnr": 30 + 3 * np.log2(r) + bias, "ms-ssim": 10 - bias} for r in rates]

    present = {"a": curve(0, (0.1, 0.4)), "b": curve(5, (0.1, 0.6)), "c": curve(0, (0.3, 0.9))}
    better = {"a": curve(1, (0.15, 0.3)), "b": curve(5.5, (0.05, 0.8)), "c": curve(9, (0.1, 0.9))}
    found = gains(better, present, 0.25)
    # The third picture never comes down to the rate.
    assert found["pictures"] == 2
    assert found["psnr"] == pytest.approx([0.75, 0.25])
    assert found["ms-ssim"] == pytest.approx([-0.75, 0.25])
    assert gains(better, present, 0.05) == {"pictures": 0}


@pytest.mark.slow
def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small: dict[str, Any] = {"quantizer": QuantizerConfig(stages=2, codebook_size=16)}
    models = {
        name: dataclasses.replace(
            other(width=16, analysis=0, synthesis=1, block=block, hidden=8), **small
        )
        for name, block in (("present", PLAIN), ("gated", GATED))
    }
    variants = {name: Variant(what=name, model=model) for name, model in models.items()}
    variants["averaged"] = Variant(what="mean", model=models["present"], mean_of="present")
    monkeypatch.setattr(networks, "VARIANTS", variants)
    (tmp_path / "photographs").mkdir()
    random = np.random.default_rng(0)
    for number in range(12):
        pixels = np.kron(random.integers(0, 255, (26, 28, 3), np.uint8), np.ones((8, 8, 1)))
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"photographs/{number}.png")
    work = tmp_path / "work"
    work.mkdir()
    runs = Runs(tmp_path / "photographs", work)
    seconds = runs.step_seconds(models)
    assert all(second > 0 for second in seconds.values())
    assert runs.step_seconds({}) == seconds
    # As many steps as the seconds hold.
    row = networks.finish(runs, "present", minutes=80.5 * seconds["present"] / 60)
    assert row["steps"] in (80, 81)
    assert row["pictures"].keys() == {path.name for path in runs.held_out}
    for steps in (7, 9):
        assert runs.train("again", models["gated"], steps=steps).steps == steps
    averaged = networks.finish(runs, "averaged", minutes=80.5 * seconds["present"] / 60)
    assert averaged["processor_seconds"] == row["processor_seconds"]
    assert averaged["pictures"] != row["pictures"]
    before = {path: path.stat().st_mtime_ns for path in work.iterdir()}
    assert networks.finish(runs, "present", minutes=99) == row
    assert before == {path: path.stat().st_mtime_ns for path in work.iterdir()}
    table = networks.as_table({"averaged": averaged, "present": row}).splitlines()
    assert table[2].startswith("| present: present |")
    assert table[3].startswith("| averaged: mean |")
