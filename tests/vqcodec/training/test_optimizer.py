"""The optimizer against the laws of its two parts, on parameters of every rank."""

import pytest
import torch
from torch import Tensor, nn

from vqcodec.training.optimizer import Optimizer

RATE = 1e-3


WEIGHTS = [f"{layer}.weight" for layer in range(4)]
BIASES = [f"{layer}.bias" for layer in range(4)]


def make_model() -> nn.Module:
    """Matrices of all ranks: convolutions on one, two and three axes, and a plain one."""
    torch.manual_seed(0)
    convolutions = nn.Conv1d(6, 5, 3), nn.Conv2d(5, 7, 3), nn.Conv3d(2, 9, (3, 1, 2))
    return nn.Sequential(*convolutions, nn.Linear(11, 6))


@pytest.fixture
def model() -> nn.Module:
    return make_model()


def step(model: nn.Module, optimizer: Optimizer, seed: int) -> dict[str, tuple[Tensor, Tensor]]:
    """One step on random gradients; gives the change and the gradient of every parameter."""
    generator = torch.Generator().manual_seed(seed)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    gradients = {n: torch.randn(p.shape, generator=generator) for n, p in before.items()}
    for name, parameter in model.named_parameters():
        # In the parameter's memory layout, as autograd gives it.
        parameter.grad = torch.empty_like(parameter).copy_(gradients[name])
    optimizer.step(RATE)
    assert all(parameter.grad is None for parameter in model.parameters())
    return {n: (p.detach() - before[n], gradients[n]) for n, p in model.named_parameters()}


def test_a_matrix_moves_equally_far_in_all_directions(model: nn.Module) -> None:
    """The step is near the orthogonal factor of the gradient: singular values near 1, same axes."""
    found = step(model, Optimizer(model, muon=True), 1)
    for name in WEIGHTS:
        change, gradient = (t.movedim(1, -1).flatten(1).double() for t in found[name])
        change = -change / (RATE * 0.2 * max(change.shape) ** 0.5)
        left, _, right = torch.linalg.svd(gradient, full_matrices=False)
        along = left.T @ change @ right.T
        # The iteration of Jordan et al. brings singular values near 1, not to it.
        assert along.diagonal().min() > 0.6
        assert along.diagonal().max() < 1.3
        assert (along - along.diagonal().diag()).abs().max() < 0.1


@pytest.mark.parametrize("muon", [False, True])
def test_all_else_takes_the_first_step_of_adam(model: nn.Module, muon: bool) -> None:
    """Adam's first step is the learning rate against the sign of the gradient."""
    found = step(model, Optimizer(model, muon=muon), 2)
    for name in BIASES if muon else found:
        change, gradient = found[name]
        torch.testing.assert_close(change, -RATE * gradient.sign(), atol=2e-7, rtol=0)


@pytest.mark.parametrize("muon", [False, True])
def test_a_missing_gradient_moves_nothing(model: nn.Module, muon: bool) -> None:
    optimizer = Optimizer(model, muon=muon)
    before = [p.detach().clone() for p in model.parameters()]
    optimizer.step(RATE)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("muon", [False, True])
def test_what_it_remembers_comes_back(model: nn.Module, muon: bool) -> None:
    twin = make_model()
    first, second = Optimizer(model, muon=muon), Optimizer(twin, muon=muon)
    step(model, first, 3)
    twin.load_state_dict(model.state_dict())
    assert first.tensors()
    second.load({name: tensor.clone() for name, tensor in first.tensors().items()})
    step(model, first, 4)
    step(twin, second, 4)
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("muon", [False, True])
def test_shapes_are_those_of_what_is_remembered(muon: bool) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv1d(4, 5, 2), nn.Linear(7, 2))
    optimizer = Optimizer(model, muon=muon)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step(1e-3)
    found = optimizer.tensors()
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == optimizer.shapes()
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}
