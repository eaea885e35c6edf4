"""What training minimises for sound, against plain NumPy and against laws."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.media.sound.distortion import SoundDistortion, mel_bands, mel_distance


def noise(length: int, *, channels: int = 1, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(2, channels, length, generator=generator)


def plain_log_mel(x: NDArray[np.float64], size: int, bands: int) -> NDArray[np.float64]:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    starts = range(0, len(x) - size + 1, size // 2)
    frames = np.stack([x[start : start + size] * window * 2 / window.sum() for start in starts])
    magnitude = np.abs(np.fft.rfft(frames, axis=1))
    mel = magnitude @ mel_bands(size, bands, 16000).double().numpy()
    found: NDArray[np.float64] = np.log10(np.maximum(mel, 1e-5))
    return found


def test_mel_distance_is_its_definition() -> None:
    a, b = noise(5001), noise(5001, seed=1) * 0.3
    wanted = []
    for size, bands in ((2048, 128), (1024, 80), (512, 40), (256, 20), (128, 10)):
        rows = [
            np.abs(plain_log_mel(x, size, bands) - plain_log_mel(y, size, bands)).mean()
            for x, y in zip(a[:, 0].double().numpy(), b[:, 0].double().numpy(), strict=True)
        ]
        wanted.append(np.mean(rows))
    found = float(mel_distance(a, b, rate=16000))
    assert found == pytest.approx(np.mean(wanted), rel=1e-4)


def test_windows_longer_than_the_sound_are_left_out() -> None:
    a, b = noise(300), noise(300, seed=1)
    assert math.isfinite(float(mel_distance(a, b, rate=24000)))


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
@pytest.mark.parametrize(("size", "bands"), [(2048, 128), (128, 10), (64, 40)])
def test_each_band_adds_up_to_one_and_they_rise(size: int, bands: int, rate: int) -> None:
    weights = mel_bands(size, bands, rate)
    assert weights.shape == (size // 2 + 1, bands)
    assert bool((weights >= 0).all())
    torch.testing.assert_close(weights.sum(0), torch.ones(bands))
    middles = (torch.arange(size // 2 + 1.0) @ weights).tolist()
    assert middles == sorted(middles)


def test_silence_is_no_distance_and_has_a_slope() -> None:
    nothing = torch.zeros(1, 1, 4096, requires_grad=True)
    distance = mel_distance(nothing, torch.zeros(1, 1, 4096), rate=24000)
    assert float(distance.detach()) == 0
    mel_distance(nothing + 1e-3, noise(4096)[:1], rate=24000).backward()  # type: ignore[no-untyped-call]
    assert nothing.grad is not None
    assert bool(nothing.grad.isfinite().all())


def test_shares_mix_error_and_distance() -> None:
    a, b = noise(4096), noise(4096, seed=1)
    error = torch.tensor(0.5)
    alone = SoundDistortion({}, rate=24000)(a, b, error)
    assert float(alone) == 0.5
    mixed = SoundDistortion({"mel": 0.25}, rate=24000)(a, b, error)
    wanted = 0.75 * 0.5 + 0.25 / 16 * float(mel_distance(a, b, rate=24000))
    assert float(mixed) == pytest.approx(wanted)


def test_of_two_channels_left_and_right_are_heard() -> None:
    middle_and_side = noise(4096, channels=2)
    left_and_right = torch.stack(
        [middle_and_side.sum(1), middle_and_side[:, 0] - middle_and_side[:, 1]], 1
    )
    other = torch.zeros_like(middle_and_side)
    found = SoundDistortion({"mel": 1.0}, rate=24000)(middle_and_side, other, torch.tensor(0.0))
    wanted = mel_distance(left_and_right, other, rate=24000) / 16
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("shares", [{"mel": 1.5}, {"mel": -0.1}, {"psnr": 0.5}])
def test_other_shares_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"mel"):
        SoundDistortion(shares, rate=24000)
