"""SSIMULACRA2 with a gradient against the package that has none, and its slopes."""

import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_image

from vqcodec.media.picture.measures import ssimulacra2
from vqcodec.media.picture.perceptual import ssimulacra2_distance


def _photograph(top: int, left: int, height: int, width: int) -> NDArray[np.uint8]:
    pixels = load_sample_image("china.jpg")[top : top + height, left : left + width]
    return np.ascontiguousarray(pixels, np.uint8)


def _as_jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg", quality=quality)
    return np.asarray(Image.open(file))


def _tensor(*pictures: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def _score(distance: float) -> float:
    """The published last step, from the sum of differences to points."""
    s = 0.9562382616834844 * distance
    bent = 2.326765642916932 * s - 0.020884521182843837 * s**2 + 6.248496625763138e-05 * s**3
    return float(100 - 10 * max(bent, 0.0) ** 0.6276336467831387)


# Of pictures below 225 pixels the package sees fewer scales, and gives them the weights of others.
@pytest.mark.parametrize(("height", "width"), [(256, 256), (225, 331), (307, 229)])
@pytest.mark.parametrize("quality", [5, 30, 80])
def test_has_the_score_of_the_package(height: int, width: int, quality: int) -> None:
    original = _photograph(60, 40, height, width)
    decoded = _as_jpeg(original, quality)
    found = _score(ssimulacra2_distance(_tensor(decoded), _tensor(original)).item())
    assert found == pytest.approx(ssimulacra2(decoded, original), abs=0.02)


def test_a_batch_is_the_mean_of_its_pictures() -> None:
    originals = [_photograph(0, 0, 96, 128), _photograph(200, 300, 96, 128)]
    decoded = [_as_jpeg(picture, 20) for picture in originals]
    alone = [
        float(ssimulacra2_distance(_tensor(a), _tensor(b)))
        for a, b in zip(decoded, originals, strict=True)
    ]
    both = float(ssimulacra2_distance(_tensor(*decoded), _tensor(*originals)))
    assert both == pytest.approx(np.mean(alone), rel=1e-5)


def test_equal_pictures_have_no_distance_and_a_finite_slope() -> None:
    original = _tensor(_photograph(0, 0, 64, 80))
    black = torch.zeros_like(original)
    for picture in (original, black):
        pixels = picture.clone().requires_grad_()
        distance = ssimulacra2_distance(pixels, picture)
        distance.backward()  # type: ignore[no-untyped-call]
        assert distance.item() == pytest.approx(0, abs=0.01)
        assert pixels.grad is not None
        assert bool(pixels.grad.isfinite().all())


def test_the_slope_is_that_of_finite_differences() -> None:
    original = _tensor(_photograph(100, 100, 48, 40))
    decoded = _tensor(_as_jpeg(_photograph(100, 100, 48, 40), 20)).requires_grad_()
    direction = torch.randn(decoded.shape, generator=torch.Generator().manual_seed(0)) * 1e-3
    ssimulacra2_distance(decoded, original).backward()  # type: ignore[no-untyped-call]
    assert decoded.grad is not None
    with torch.no_grad():
        further = ssimulacra2_distance(decoded + direction, original)
        before = ssimulacra2_distance(decoded - direction, original)
    expected = float(further - before) / 2
    assert float((decoded.grad * direction).sum()) == pytest.approx(expected, rel=0.05)


def test_following_the_slope_brings_pictures_nearer() -> None:
    original = _photograph(150, 250, 232, 240)
    pixels = _tensor(_as_jpeg(original, 10)).requires_grad_()
    start = ssimulacra2(_as_jpeg(original, 10), original)
    optimizer = torch.optim.Adam([pixels], lr=2e-3)
    for _ in range(25):
        optimizer.zero_grad()
        ssimulacra2_distance(pixels, _tensor(original)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    moved = (pixels.detach()[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    assert ssimulacra2(moved, original) > start + 20
