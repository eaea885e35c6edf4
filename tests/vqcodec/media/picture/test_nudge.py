"""Pictures that are moved a little: each otherwise, none far, and nothing comes in at the edge."""

import numpy as np
import pytest
import torch
from torch import Tensor

from vqcodec.media.picture.nudge import nudge


def _moved(pictures: Tensor, seed: int = 0) -> Tensor:
    return nudge(pictures, np.random.default_rng(seed))


@pytest.mark.parametrize("extent", [(28, 28), (20, 60)])
def test_a_spot_moves_a_little(extent: tuple[int, int]) -> None:
    height, width = extent
    pictures = torch.zeros(200, 1, *extent)
    pictures[:, :, height // 2 - 1 : height // 2 + 1, width // 2 - 1 : width // 2 + 1] = 1
    moved = _moved(pictures)
    shares = moved[:, 0] / moved.sum((1, 2, 3))[:, None, None]
    down = (shares.sum(2) * torch.arange(height)).sum(1) - (height - 1) / 2
    right = (shares.sum(1) * torch.arange(width)).sum(1) - (width - 1) / 2
    for way, side in ((down, height), (right, width)):
        assert way.abs().max() < 1.2 * side / 28
        assert way.std() > 0.4 * side / 28
        assert way.mean().abs() < 0.15 * side / 28


def test_what_is_even_stays_even() -> None:
    even = torch.full((3, 3, 16, 24), 0.25)
    assert torch.allclose(_moved(even), even)


def test_chance_comes_from_outside() -> None:
    pictures = torch.rand(4, 1, 28, 28)
    assert torch.equal(_moved(pictures), _moved(pictures))
    assert not torch.allclose(_moved(pictures), _moved(pictures, seed=1))
    assert _moved(pictures).min() >= 0
    assert _moved(pictures).max() <= 1
