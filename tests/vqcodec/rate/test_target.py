"""Searches for a number of bytes or of decibels, on stand-ins with known curves."""

from collections.abc import Callable

import numpy as np
import pytest

from vqcodec.errors import InputError
from vqcodec.rate.target import fit_psnr, fit_size


def coder(size: Callable[[float], float]) -> tuple[Callable[[float], bytes], list[float]]:
    """A stand-in for an encoder, whose streams have a size for each quality."""
    asked: list[float] = []

    def encode(quality: float) -> bytes:
        asked.append(quality)
        return bytes(int(size(quality)))

    return encode, asked


@pytest.mark.parametrize("target", [101, 500, 1234, 9999, 10_099])
def test_size_is_never_above_and_nearly_met(target: int) -> None:
    encode, asked = coder(lambda quality: 100 + quality**2)
    quality, data = fit_size(encode, target)
    assert len(data) == int(100 + quality**2)
    assert 0.99 * target <= len(data) <= target
    assert len(asked) <= 14


@pytest.mark.parametrize("target", [700, 3000, 9000, 15_000, 25_000])
def test_size_of_what_grows_like_a_photograph_takes_few_tries(target: int) -> None:
    """Evenly in the logarithm, by another rate than expected, and with a kink."""
    encode, asked = coder(
        lambda quality: 600 * np.exp(0.05 * min(quality, 60) + 0.02 * max(quality - 60, 0))
    )
    assert 0.99 * target <= len(fit_size(encode, target)[1]) <= target
    assert len(asked) <= 6


def test_size_with_steps_and_dips() -> None:
    """Real streams grow in steps, and shrink by a few bytes here and there."""
    encode, _ = coder(lambda quality: 100 + 40 * (quality // 7) + 3 * np.sin(quality * 50))
    for target in range(110, 700, 17):
        assert len(fit_size(encode, target)[1]) <= target


def test_size_at_the_ends() -> None:
    encode, _ = coder(lambda quality: 100 + quality)
    assert len(fit_size(encode, 100)[1]) == 100
    assert len(fit_size(encode, 200)[1]) == len(fit_size(encode, 10**9)[1]) == 200
    for target in (99, 0, -5):
        with pytest.raises(InputError, match=r"the smallest stream takes 100"):
            fit_size(encode, target)


@pytest.mark.parametrize("target", [20.0, 20.1, 33.3, 40.0])
def test_psnr_is_reached_at_nearly_the_lowest_quality(target: float) -> None:
    asked: list[float] = []

    def measure(quality: float) -> tuple[float, str]:
        asked.append(quality)
        return 20 + quality / 5, f"made at {quality}"

    quality, subject = fit_psnr(measure, target)
    assert subject == f"made at {quality}"
    assert 20 + quality / 5 >= target
    assert quality <= 5 * (target - 20) + 0.11
    assert len(asked) <= 5


def test_psnr_below_the_worst_takes_quality_0() -> None:
    assert fit_psnr(lambda quality: (20 + quality / 5, quality), 3.0) == (0, 0)


def test_psnr_beyond_the_best() -> None:
    with pytest.raises(InputError, match=r"quality 100 gives 40\.00 dB"):
        fit_psnr(lambda quality: (20 + quality / 5, None), 40.01)


@pytest.mark.parametrize("off", [-30.0, -1.2, 0.0, 0.7, 45.0])
@pytest.mark.parametrize("target", [100, 500, 5000, 10_099])
def test_a_hint_saves_tries_and_a_wrong_one_does_no_harm(target: int, off: float) -> None:
    encode, asked = coder(lambda quality: 100 + quality**2)
    near = (target - 100) ** 0.5 + off
    _, data = fit_size(encode, target, near=min(100.0, max(0.0, near)))
    assert 0.98 * target <= len(data) <= target
    assert len(asked) <= (8 if abs(off) < 1.5 else 15)
