"""The measures against independent implementations and closed forms."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.picture.measures import ms_ssim, ms_ssim_db, psnr, ssimulacra2


def noisy_pair(
    height: int, width: int, channels: int = 3, *, deviation: float = 12.0
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture with structure at several scales, and the same with noise."""
    random = np.random.default_rng(height * 1000 + width)
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [
        128 + 60 * np.sin(rows / (3 + c)) + 50 * np.cos(columns / (11 - c)) for c in range(channels)
    ]
    clean = np.stack(waves, axis=2)
    noise = random.normal(0, deviation, clean.shape)
    return (
        np.clip(clean, 0, 255).astype(np.uint8),
        np.clip(clean + noise, 0, 255).astype(np.uint8),
    )


def test_psnr_of_a_constant_difference() -> None:
    a = np.full((5, 7, 3), 100, np.uint8)
    for step in (1, 3, 155):
        expected = 20 * math.log10(255 / step)
        assert psnr(a, a + np.uint8(step)) == pytest.approx(expected, abs=1e-12)
        assert psnr(a + np.uint8(step), a) == pytest.approx(expected, abs=1e-12)


def test_psnr_is_over_all_values_of_all_channels() -> None:
    a = np.zeros((2, 2, 3), np.uint8)
    b = a.copy()
    b[0, 0, 0], b[1, 1, 2] = 3, 4
    assert psnr(a, b) == pytest.approx(10 * math.log10(255**2 / (25 / 12)), abs=1e-12)


def test_equal_pictures() -> None:
    a, _ = noisy_pair(40, 33)
    assert psnr(a, a) == math.inf
    assert ms_ssim(a, a) == pytest.approx(1, abs=1e-6)
    assert ms_ssim_db(1.0) == math.inf


@pytest.mark.parametrize(
    ("height", "width", "channels"), [(161, 161, 3), (163, 333, 3), (200, 170, 1)]
)
def test_ms_ssim_equals_the_reference_package(height: int, width: int, channels: int) -> None:
    import pytorch_msssim
    import torch

    a, b = noisy_pair(height, width, channels)
    x, y = (torch.from_numpy(np.moveaxis(p, 2, 0).astype(np.float32))[None] for p in (a, b))
    expected = float(pytorch_msssim.ms_ssim(x, y, data_range=255))
    assert 0.3 < expected < 0.99
    assert ms_ssim(a, b) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("side", [11, 15, 20])
def test_ms_ssim_with_room_for_one_scale_is_ssim(side: int) -> None:
    import pytorch_msssim
    import torch

    a, b = noisy_pair(side, 47)
    x, y = (torch.from_numpy(np.moveaxis(p, 2, 0).astype(np.float32))[None] for p in (a, b))
    one = pytorch_msssim.ssim(x, y, data_range=255, size_average=False)
    # The weights sum to 1.0001, and the single scale carries them all.
    assert ms_ssim(a, b) == pytest.approx(float(one) ** 1.0001, abs=1e-5)


@pytest.mark.parametrize(
    ("side", "scales"), [(21, 2), (40, 2), (41, 3), (80, 3), (81, 4), (160, 4)]
)
def test_ms_ssim_of_small_pictures_uses_the_scales_that_fit(side: int, scales: int) -> None:
    a, b = noisy_pair(side, 173)
    assert ms_ssim(a, b) == pytest.approx(direct_ms_ssim(a, b, scales), abs=1e-5)


def direct_ms_ssim(a: NDArray[np.uint8], b: NDArray[np.uint8], scales: int) -> float:
    """The definition, in float64 with SciPy's filters."""
    from scipy.ndimage import correlate1d

    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
    weights = weights[:scales] * weights.sum() / weights[:scales].sum()
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        full = correlate1d(correlate1d(plane, window, axis=0), window, axis=1)
        inner: NDArray[np.float64] = full[5:-5, 5:-5]
        return inner

    def halve(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(plane, [(size % 2, size % 2) for size in plane.shape])
        height, width = (size // 2 * 2 for size in padded.shape)
        blocks = padded[:height, :width].reshape(height // 2, 2, width // 2, 2)
        mean: NDArray[np.float64] = blocks.mean(axis=(1, 3))
        return mean

    values = []
    for channel in range(a.shape[2]):
        x, y = a[..., channel].astype(float), b[..., channel].astype(float)
        value = 1.0
        for scale, weight in enumerate(weights):
            mx, my = blur(x), blur(y)
            vx, vy, cov = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
            term = (2 * cov + 58.5225) / (vx + vy + 58.5225)
            if scale == scales - 1:
                term = term * (2 * mx * my + 6.5025) / (mx**2 + my**2 + 6.5025)
            value *= max(0.0, term.mean()) ** weight
            x, y = halve(x), halve(y)
        values.append(value)
    return float(np.mean(values))


def test_grey_without_a_channel_axis_is_the_same_as_with_one() -> None:
    a, b = noisy_pair(50, 60, 1)
    assert ms_ssim(a[..., 0], b[..., 0]) == ms_ssim(a, b)
    assert psnr(a[..., 0], b[..., 0]) == psnr(a, b)


def test_decibels_of_similarity() -> None:
    assert ms_ssim_db(0.9) == pytest.approx(10)
    assert ms_ssim_db(0.99) == pytest.approx(20)
    assert ms_ssim_db(1 + 1e-7) == math.inf
    assert math.isnan(ms_ssim_db(math.nan))


@pytest.mark.parametrize("measure", [psnr, ms_ssim])
def test_what_is_not_a_pair_of_pictures_is_refused(measure: object) -> None:
    assert callable(measure)
    good = np.zeros((16, 16, 3), np.uint8)
    for other in (good[:, :15], good[..., 0], good.astype(np.float32)):
        with pytest.raises(InputError):
            measure(good, other)
        with pytest.raises(InputError):
            measure(other, good)
    with pytest.raises(InputError):
        measure(good[:0], good[:0])


def test_ms_ssim_refuses_what_no_window_fits() -> None:
    small = np.zeros((10, 400, 3), np.uint8)
    with pytest.raises(InputError, match="11 pixels"):
        ms_ssim(small, small)


@pytest.mark.parametrize(("height", "width"), [(17, 23), (61, 47), (229, 233)])
def test_ssimulacra2_equals_its_package_on_files(height: int, width: int, tmp_path: Path) -> None:
    package = pytest.importorskip("ssimulacra2", reason="the measure needs ssimulacra2")
    clean, noisy = noisy_pair(height, width)
    for name, pixels in (("clean", clean), ("noisy", noisy)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    paths = [str(tmp_path / f"{name}.png") for name in ("clean", "noisy")]
    expected = package.compute_ssimulacra2(*paths)
    assert expected < 90
    # The measure tells lost from added detail: the order counts.
    assert abs(package.compute_ssimulacra2(*reversed(paths)) - expected) > 1e-3
    assert ssimulacra2(noisy, clean) == pytest.approx(expected, abs=1e-9)
    assert ssimulacra2(clean, clean) == pytest.approx(100, abs=1e-9)


def test_ssimulacra2_falls_with_noise() -> None:
    pytest.importorskip("ssimulacra2", reason="the measure needs ssimulacra2")
    values = []
    for deviation in (2.0, 8.0, 30.0):
        clean, noisy = noisy_pair(120, 90, deviation=deviation)
        values.append(ssimulacra2(noisy, clean))
    assert values[0] > values[1] + 5 > values[2] + 10


def test_ssimulacra2_refuses_what_it_cannot_compare() -> None:
    pytest.importorskip("ssimulacra2", reason="the measure needs ssimulacra2")
    for shape in ((7, 30, 3), (30, 7, 3), (30, 30), (30, 30, 1), (30, 30, 4)):
        flat = np.zeros(shape, np.uint8)
        with pytest.raises(InputError, match="RGB of 8 x 8"):
            ssimulacra2(flat, flat)
    good = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(InputError):
        ssimulacra2(good, good[:8])
    with pytest.raises(InputError):
        ssimulacra2(good, good.astype(np.float32))


def test_ssimulacra2_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ssimulacra2", None)
    flat = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vqcodec\[eval\]'"):
        ssimulacra2(flat, flat)
