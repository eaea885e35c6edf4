"""What pictures are trained for: shares of three measures, each in the unit of the first."""

import sys

import pytest
import torch
from pytorch_msssim import ms_ssim
from torch import Tensor

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.picture.distortion import PictureDistortion
from vqcodec.media.picture.perceptual import published_weights, ssimulacra2_distance


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    """Noise, and a noisier version of it that leaves [0, 1]."""
    generator = torch.Generator().manual_seed(0)
    original = torch.rand(1, 3, 176, 176, generator=generator)
    return original + 0.1 * torch.randn(original.shape, generator=generator), original


@pytest.mark.parametrize(
    ("structure", "looks"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (0.0, 1.0), (0.25, 0.6)]
)
def test_every_measure_counts_as_much_as_its_share(
    pair: tuple[Tensor, Tensor], structure: float, looks: float
) -> None:
    decoded, original = pair
    error = (decoded - original).square().mean()
    visible = decoded.clamp(0, 1)
    expected = (
        (1 - structure - looks) * float(error)
        + structure * (1 - float(ms_ssim(visible, original, data_range=1.0))) / 25
        + looks * float(ssimulacra2_distance(visible, original)) / 6000
    )
    distortion = PictureDistortion({"ms-ssim": structure, "ssimulacra2": looks})
    assert float(distortion(decoded, original, error)) == pytest.approx(expected, rel=1e-4)


def test_without_shares_it_is_the_squared_error_alone(pair: tuple[Tensor, Tensor]) -> None:
    error = torch.tensor(0.25)
    assert float(PictureDistortion({})(*pair, error)) == 0.25


def test_the_gradient_reaches_what_was_decoded(pair: tuple[Tensor, Tensor]) -> None:
    decoded, original = pair[0].clone().requires_grad_(), pair[1]
    error = (decoded - original).square().mean()
    distortion = PictureDistortion({"ms-ssim": 0.5, "ssimulacra2": 0.5})
    distortion(decoded, original, error).backward()  # type: ignore[no-untyped-call]
    assert decoded.grad is not None
    assert bool(decoded.grad.isfinite().all())
    # What is cut off cannot get better by what does not see it.
    outside = (decoded < 0) | (decoded > 1)
    assert bool(outside.any())
    assert not bool(decoded.grad[outside].any())
    assert bool(decoded.grad[~outside].any())


@pytest.mark.parametrize(
    ("shares", "why"),
    [
        ({"lpips": 0.5}, "lpips"),
        ({"ms-ssim": 0.6, "ssimulacra2": 0.6}, "at most 1"),
        ({"ms-ssim": -0.1}, "at least 0"),
    ],
)
def test_shares_that_make_no_sense(shares: dict[str, float], why: str) -> None:
    with pytest.raises(InputError, match=why):
        PictureDistortion(shares)


def test_the_gradient_of_structure_is_that_of_the_reference_package(
    pair: tuple[Tensor, Tensor],
) -> None:
    """So a training for MS-SSIM takes the steps that it took with it."""
    grown = []
    for of in (
        lambda a, b: 1 - ms_ssim(a, b, data_range=1.0),
        lambda a, b: 25 * PictureDistortion({"ms-ssim": 1.0})(a, b, a.new_zeros(())),
    ):
        decoded = (0.8 * pair[0].clamp(0, 1) + 0.1).requires_grad_()
        of(decoded, pair[1]).backward()
        assert decoded.grad is not None
        grown.append(decoded.grad)
    assert float(grown[0].abs().max()) > 0
    torch.testing.assert_close(grown[1], grown[0], rtol=1e-3, atol=1e-7)


def test_a_missing_package_is_told_before_training_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ssimulacra2.ssimulacra2", None)
    published_weights.cache_clear()
    with pytest.raises(MissingDependencyError, match="pip install"):
        PictureDistortion({"ssimulacra2": 0.5})
