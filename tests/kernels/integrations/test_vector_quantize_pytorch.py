"""Modules of the released package beside copies of themselves that use the kernels."""

import copy
import functools
import importlib.metadata
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from vector_quantize_pytorch import GroupedResidualVQ, ResidualVQ, VectorQuantize

from vqcodec_kernels.errors import BackendError, InvalidInputError
from vqcodec_kernels.integrations.vector_quantize_pytorch import use_kernels
from vqcodec_kernels.search.testing import HARD_CASES, hard_case

PLAIN = {"dim": 19, "codebook_size": 37}
SHARED = {"dim": 20, "codebook_size": 37, "heads": 4, "codebook_dim": 5}
SEPARATE = {**SHARED, "separate_codebook_per_head": True}
SGD = functools.partial(torch.optim.SGD, lr=0.1)

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": PLAIN,
    "no rotation trick": {**PLAIN, "rotation_trick": False},
    "projected": {**PLAIN, "codebook_dim": 7},
    "heads share a codebook": SHARED,
    "a codebook for each head": SEPARATE,
    "k-means": {**PLAIN, "kmeans_init": True},
    "k-means of fewer rows than codes": {**PLAIN, "codebook_size": 131, "kmeans_init": True},
    "k-means for each head": {**SEPARATE, "kmeans_init": True, "kmeans_iters": 3},
    "dead codes": {**PLAIN, "threshold_ema_dead_code": 2},
    "cosine": {**PLAIN, "use_cosine_sim": True},
    "cosine for each head": {**SEPARATE, "use_cosine_sim": True, "kmeans_init": True},
    "frozen": {**PLAIN, "freeze_codebook": True},
    "averages by hand": {**PLAIN, "manual_ema_update": True},
    "learnable": {**PLAIN, "learnable_codebook": True, "ema_update": False},
    "optimised in place": {
        **PLAIN,
        "learnable_codebook": True,
        "ema_update": False,
        "in_place_codebook_optimizer": SGD,
    },
    "orthogonal": {
        **PLAIN,
        "orthogonal_reg_weight": 10.0,
        "orthogonal_reg_active_codes_only": True,
    },
    "synchronous": {**PLAIN, "learnable_codebook": True, "ema_update": False, "sync_update_v": 0.5},
    "directional": {**PLAIN, "directional_reparam": True, "threshold_ema_dead_code": 1},
    "bridge": {**PLAIN, "vq_bridge": nn.Linear(19, 19)},
}

# An optimizer outside, or a call, is to move these.
UNMOVED = {"frozen", "averages by hand", "learnable", "synchronous", "bridge"}


def assert_near(found: Tensor, expected: Tensor) -> None:
    # Sums of up to 400 values near 1, which the package adds up in another order, in every step.
    torch.testing.assert_close(found, expected, rtol=3e-5, atol=1e-5)


def both(make: Callable[..., nn.Module], **options: Any) -> tuple[nn.Module, nn.Module]:
    """One module of the package, and a copy of it with our kernels."""
    torch.manual_seed(1)
    theirs = make(**options)
    torch.manual_seed(1)
    return theirs, use_kernels(make(**options))


def step(module: nn.Module, x: Tensor, seed: int, **arguments: Any) -> tuple[Tensor, ...]:
    """Values, codes, loss and gradient of x of one call under a seed of its own."""
    x = x.clone().requires_grad_()
    torch.manual_seed(seed)
    values, codes, loss = module(x, **arguments)
    module.zero_grad()
    total = values.sin().sum() + loss.sum()
    if module.training:
        total.backward()
        assert x.grad is not None
    return values, codes, loss, torch.zeros_like(x) if x.grad is None else x.grad


def assert_same_steps(theirs: nn.Module, ours: nn.Module, x: Tensor, **arguments: Any) -> None:
    """Five steps of training and one of evaluation; then all that the modules hold."""
    for seed in range(6):
        for module in (theirs, ours):
            module.train(seed < 5)
        rows = x + 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
        expected, found = (step(module, rows, seed, **arguments) for module in (theirs, ours))
        assert torch.equal(found[1], expected[1])
        for one, other in zip(found, expected, strict=True):
            assert_near(one, other)
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            # Sums over all rows, of which many cancel.
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for name, value in theirs.state_dict().items():
        assert_near(ours.state_dict()[name], value)


@pytest.mark.parametrize("name", OPTIONS)
def test_training_and_evaluation(name: str) -> None:
    theirs, ours = both(VectorQuantize, **copy.deepcopy(OPTIONS[name]))
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    assert_same_steps(theirs, ours, torch.randn(3, 29, OPTIONS[name]["dim"]))
    moved = not torch.equal(before["_codebook.embed"], ours.state_dict()["_codebook.embed"])
    assert moved == (name not in UNMOVED)


# With heads the package compares tensors of different shapes for its masked commitment loss.
@pytest.mark.parametrize(
    "options",
    [
        PLAIN,
        {**PLAIN, "kmeans_init": True},
        {**SHARED, "commitment_weight": 0.0},
        {**SEPARATE, "commitment_weight": 0.0},
    ],
)
@pytest.mark.parametrize("by", ["mask", "lens"])
def test_what_a_mask_leaves_out(options: dict[str, Any], by: str) -> None:
    theirs, ours = both(VectorQuantize, **options, threshold_ema_dead_code=1)
    lens = torch.tensor([29, 1, 17])
    mask = torch.arange(29) < lens[:, None]
    x = torch.randn(3, 29, options["dim"])
    x[~mask] = 100.0
    assert_same_steps(theirs, ours, x, **{by: mask if by == "mask" else lens})
    assert ours.get_buffer("_codebook.embed").abs().max() < 10


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"accept_image_fmap": True}, (2, 19, 5, 7)),
        ({"accept_3d_fmap": True}, (2, 19, 3, 5, 2)),
        ({"channel_last": False}, (2, 19, 31)),
        ({}, (23, 19)),
        ({}, (1, 1, 19)),
    ],
)
def test_shapes(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    assert_same_steps(*both(VectorQuantize, **PLAIN, **options), torch.randn(shape))


@pytest.mark.parametrize("cosine", [False, True])
def test_several_codes_for_each_row(cosine: bool) -> None:
    theirs, ours = both(VectorQuantize, **PLAIN, use_cosine_sim=cosine)
    assert_same_steps(theirs, ours, torch.randn(3, 29, 19), topk=5)
    mask = torch.rand(3, 29) < 0.6
    assert_same_steps(theirs, ours, torch.randn(3, 29, 19), topk=40, mask=mask)


def test_weights_and_accumulation_of_averages() -> None:
    theirs, ours = both(VectorQuantize, **PLAIN)
    x = torch.randn(2, 31, 19)
    for arguments in (
        {"accum_ema_update": True},
        {"accum_ema_update": True},
        {"ema_update_weight": torch.rand(1, 37)},
        {"ema_update_weight": lambda sums, counts: (counts > 2).float()},
        {"freeze_codebook": True},
    ):
        for module in (theirs, ours):
            module(x, **arguments)
        for name, value in theirs.state_dict().items():
            assert_near(ours.state_dict()[name], value)
        x = x + 0.1


def test_codes_that_are_known() -> None:
    theirs, ours = both(VectorQuantize, **SEPARATE)
    x, codes = torch.randn(3, 17, 20), torch.randint(-1, 37, (3, 17, 4))
    mask = torch.rand(3, 17) < 0.7
    for module in (theirs, ours):
        module.update_indices(x, codes, mask=mask)  # type: ignore[operator]
    for name, value in theirs.state_dict().items():
        assert_near(ours.state_dict()[name], value)


RESIDUAL = {"dim": 19, "num_quantizers": 3, "codebook_size": 37}


@pytest.mark.parametrize(
    "options",
    [
        RESIDUAL,
        {**RESIDUAL, "codebook_size": 11, "kmeans_init": True, "threshold_ema_dead_code": 1},
        {**RESIDUAL, "shared_codebook": True},
        {**RESIDUAL, "codebook_size": (37, 5, 11), "quantize_dropout": True},
        {**RESIDUAL, "use_cosine_sim": True, "codebook_dim": 6},
        {**RESIDUAL, "beam_size": 3},
        {**RESIDUAL, "beam_size": 2, "use_cosine_sim": True, "quantize_dropout": True},
    ],
)
def test_residual_quantizers(options: dict[str, Any]) -> None:
    assert_same_steps(*both(ResidualVQ, **options), torch.randn(3, 129, 19))


def test_beams_and_a_mask() -> None:
    theirs, ours = both(ResidualVQ, **RESIDUAL, beam_size=3, threshold_ema_dead_code=1)
    mask = torch.rand(3, 31) < 0.6
    assert_same_steps(theirs, ours, torch.randn(3, 31, 19), mask=mask)


def test_quantizers_inside_a_model() -> None:
    theirs, ours = both(GroupedResidualVQ, **{**RESIDUAL, "dim": 20}, groups=2)
    x = torch.randn(3, 29, 20)
    for one, other in zip(ours(x), theirs(x), strict=True):
        assert_near(one, other)


@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("name", [name for name in HARD_CASES if name != "overflowing"])
def test_codes_differ_only_where_float32_cannot_tell(name: str, cosine: bool) -> None:
    x, codebook, _ = hard_case(name, 997, 131, 24)
    theirs, ours = both(VectorQuantize, dim=24, codebook_size=131, use_cosine_sim=cosine)
    if cosine:
        codebook = nn.functional.normalize(codebook, dim=-1)
        # A code that was not used for long, whose length has shrunk.
        codebook[7] *= 1e-3
    for module in (theirs, ours):
        module.eval().codebook = codebook
    found, expected = (module(x[None])[1][0] for module in (ours, theirs))
    rows, codes = (
        (nn.functional.normalize(x, eps=1e-6) if cosine else x).double(),
        codebook.double(),
    )
    # The smaller the nearer: squared distances, or products with their sign changed.
    scores = -rows @ codes.T if cosine else (rows[:, None] - codes).square().sum(-1)
    length = rows.norm(dim=-1) + codes.norm(dim=-1).max()
    tolerance = 2.0**-24 if cosine else 0.0
    assert (scores.gather(1, found[:, None])[:, 0] <= scores.amin(1) + tolerance).all()
    # 24 + 4 roundings of float32, in both codes compared; the package takes less than 1e-8 for it.
    gap = scores.gather(1, expected[:, None])[:, 0] - scores.gather(1, found[:, None])[:, 0]
    assert (gap <= 2 * 28 * 2.0**-24 * length.square() + 1e-8).all()
    if name in {"near_duplicates", "shifted"} and not cosine:
        assert (found != expected).any()


REFUSED: dict[str, dict[str, Any]] = {
    "stochastic_sample_codes": {"stochastic_sample_codes": True},
    "straight_through": {"straight_through": True, "rotation_trick": False},
    "commitment_use_cross_entropy_loss": {"commitment_use_cross_entropy_loss": True},
    "codebook_diversity_loss_weight": {"codebook_diversity_loss_weight": 0.1},
    "affine_param": {"affine_param": True},
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_that_need_distances_are_refused(name: str) -> None:
    fine, wrong = VectorQuantize(**PLAIN), VectorQuantize(**PLAIN, **REFUSED[name])
    kind = type(fine._codebook)
    with pytest.raises(InvalidInputError, match=f"{name}="):
        use_kernels(nn.Sequential(fine, wrong))
    assert type(fine._codebook) is kind


def test_implicit_codebooks_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="implicit_neural_codebook=True"):
        use_kernels(ResidualVQ(**RESIDUAL, implicit_neural_codebook=True))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"indices": torch.zeros(1, 5, dtype=torch.int64)}, r"indices=\(1, 5\)"),
        ({"codebook_transform_fn": torch.sin}, "codebook_transform_fn="),
    ],
)
def test_calls_that_need_distances_are_refused(arguments: dict[str, Any], shown: str) -> None:
    quantizer = use_kernels(VectorQuantize(**PLAIN))
    with pytest.raises(InvalidInputError, match=shown):
        quantizer(torch.randn(1, 5, 19), **arguments)


def test_other_modules_and_releases_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match="no VectorQuantize in Linear"):
        use_kernels(nn.Linear(2, 2))
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.33.0")
    with pytest.raises(BackendError, match=r"1\.33\.0"):
        use_kernels(VectorQuantize(**PLAIN))


def test_twice_is_once_and_copies_keep_it() -> None:
    quantizer = use_kernels(use_kernels(VectorQuantize(**PLAIN)))
    assert len(quantizer._forward_pre_hooks) == 1
    stored = io.BytesIO()
    torch.save(quantizer, stored)
    stored.seek(0)
    for other in (copy.deepcopy(quantizer), torch.load(stored, weights_only=False)):
        with pytest.raises(InvalidInputError, match="codebook_transform_fn="):
            other(torch.randn(1, 5, 19), codebook_transform_fn=torch.sin)


def test_padding_may_hold_anything() -> None:
    x, mask = torch.randn(2, 9, 8), torch.ones(2, 9, dtype=torch.bool)
    x[0, 0], mask[0, 0] = torch.nan, False
    theirs = VectorQuantize(dim=8, codebook_size=16).eval()
    wanted = theirs(x, mask=mask)[1]
    found = use_kernels(theirs)(x, mask=mask)[1]
    assert torch.equal(found, wanted)
    assert int(found[0, 0]) == -1
