"""What training minimises where a sound is to be heard, not only to be near in its values."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from vqcodec.errors import InputError

__all__ = ["SoundDistortion", "mel_bands", "mel_distance"]

# Samples of a window, and bands that its spectrum is gathered into.
_SCALES = ((2048, 128), (1024, 80), (512, 40), (256, 20), (128, 10))
# What is weaker than this part of full scale counts as silence: -100 dB.
_SILENCE = 1e-5
_FLOOR = 30.0  # Hz: lowest edge of the bands
# The mel distance over the transform's error, as both are at about 3 kbit/s.
_MEL_UNIT = 16.0


class SoundDistortion:
    """The transform's error and the mel distance, mixed by shares.

    The latter comes in a unit that brings both to one size at about 3 kbit/s.

    Args:
        shares: of "mel", in [0, 1]; what is left to 1 is the transform's error's.
        rate: samples per second.

    Raises:
        InputError: another name, or a share that is no such number.
    """

    def __init__(self, shares: Mapping[str, float], *, rate: int) -> None:
        if unknown := sorted(set(shares) - {"mel"}):
            raise InputError(f"sound has no distortion {unknown}; there is ['mel']")
        self._share, self._rate = shares.get("mel", 0.0), rate
        if not 0 <= self._share <= 1:
            raise InputError(f"shares must be at least 0 and at most 1, got {shares}")

    def __call__(self, decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
        """A scalar in the unit of `error`; samples (B, 1 or 2, T), mono or mid and side."""
        distortion = (1 - self._share) * error
        if self._share:
            with torch.autocast(original.device.type, enabled=False):
                heard = (_as_heard(x.float()) for x in (decoded, original))
                distance = mel_distance(*heard, rate=self._rate)
            distortion = distortion + self._share / _MEL_UNIT * distance
        return distortion


def mel_distance(decoded: Tensor, original: Tensor, *, rate: int) -> Tensor:
    """Mean difference of the log10 of mel magnitudes, over windows of several lengths, a scalar.

    Args:
        decoded, original: float32 (B, C, T); the gradient reaches `decoded`.
        rate: samples per second.

    >>> noise = torch.randn(1, 1, 4096, generator=torch.Generator().manual_seed(0))
    >>> round(float(mel_distance(0.1 * noise, noise, rate=24000)), 3)
    1.0
    """
    decoded, original = decoded.flatten(0, 1), original.flatten(0, 1)
    distances = []
    for size, bands in _SCALES:
        if size <= decoded.shape[-1]:
            ours, theirs = (_log_mel(x, size, bands, rate) for x in (decoded, original))
            distances.append((ours - theirs).abs().mean())
    return torch.stack(distances).mean()


def mel_bands(size: int, bands: int, rate: int) -> Tensor:
    """Triangles even on the mel scale (O'Shaughnessy 1987), float32 (size // 2 + 1, bands).

    Each adds up to 1 over the bins of a spectrum of windows of `size` samples; those narrower than
    a bin hold the bin nearest to their middle.
    """
    high = 2595 * math.log10(1 + rate / 2 / 700)
    low = 2595 * math.log10(1 + _FLOOR / 700)
    mel = torch.linspace(low, high, bands + 2, dtype=torch.float64)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = torch.arange(size // 2 + 1, dtype=torch.float64)[:, None] * rate / size
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = torch.minimum(rise, fall).clamp_min(0)
    nearest = (edges[1:-1] * size / rate).round().long().clamp(max=size // 2)
    empty = weights.sum(0) == 0
    weights[nearest[empty], empty.nonzero()[:, 0]] = 1
    return (weights / weights.sum(0)).float()


def _as_heard(x: Tensor) -> Tensor:
    """Left and right of mid and side, (B, 2, T); mono as it is."""
    return x if x.shape[1] == 1 else torch.cat([x[:, :1] + x[:, 1:], x[:, :1] - x[:, 1:]], 1)


def _log_mel(x: Tensor, size: int, bands: int, rate: int) -> Tensor:
    """log10 of mel magnitudes where a sine of full scale has about 1: (B, frames, bands)."""
    window, triangles = _tables(size, bands, rate, x.device)
    spectrum = torch.stft(x, size, size // 2, window=window, center=False, return_complex=True)
    # The root has no slope at 0.
    magnitude = (spectrum.real.square() + spectrum.imag.square() + 1e-14).sqrt()
    return (magnitude.mT @ triangles).clamp_min(_SILENCE).log10()


@functools.cache
def _tables(size: int, bands: int, rate: int, device: torch.device) -> tuple[Tensor, Tensor]:
    window = torch.hann_window(size, dtype=torch.float64)
    return (window * 2 / window.sum()).float().to(device), mel_bands(size, bands, rate).to(device)
