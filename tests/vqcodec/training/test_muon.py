"""Muon beside torch's own, and its precision."""

import pytest
import torch
from torch import nn

from vqcodec.training import muon
from vqcodec.training.muon import Muon, orthogonal

COEFFICIENTS = (3.4445, -4.775, 2.0315)


@pytest.mark.parametrize("half", [False, True])
def test_it_steps_as_torch_does_but_for_rounding(
    half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(muon, "cpu_multiplies_bfloat16", lambda: half)
    start, generator = torch.randn(2, 30, 20), torch.Generator().manual_seed(0)
    ours, theirs = ([nn.Parameter(m.clone()) for m in (start[0], start[1].T)] for _ in range(2))
    pairs = (
        (kind(parameters, lr=0.1, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"), parameters)
        for kind, parameters in ((Muon, ours), (torch.optim.Muon, theirs))
    )
    (first, _), (second, _) = pairs
    for _ in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=generator)
            b.grad = a.grad.clone()
        first.step()  # type: ignore[no-untyped-call]
        second.step()  # type: ignore[no-untyped-call]
    for a, b in zip(ours, theirs, strict=True):
        # Three steps of about 0.02 each, of which bfloat16 rounds off a part.
        torch.testing.assert_close(a, b, atol=5e-3 if not half else 1e-6, rtol=0)


@pytest.mark.parametrize("shape", [(20, 60), (60, 20)])
def test_without_bfloat16_the_axes_are_kept_to_float32(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(muon, "cpu_multiplies_bfloat16", lambda: False)
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found = orthogonal(matrix, COEFFICIENTS, 5, 1e-7)
    left, _, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    along = left.T @ found.double() @ right.T
    assert (along - along.diagonal().diag()).abs().max() < 1e-5
    assert 0.6 < along.diagonal().min() < along.diagonal().max() < 1.3
