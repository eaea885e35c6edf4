"""Losses beside mel distance: what ESTOI looks at, masked noise, the opinion of a discriminator.

Each is what a workshop calls a distortion, so that `Trainer` takes it as it stands; which of them
pays is asked in `bench/sound_ablations.py`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from vqcodec.media.sound.distortion import mel_bands, mel_distance
from vqcodec.media.workshop import Distortion
from vqcodec.transforms.base import Transform

__all__ = ["Discriminator", "Judged", "Mixed", "estoi_loss", "noise_to_signal"]

# As Jensen and Taal 2016 have it: windows of 25.6 ms that overlap by half, 30 of them to a segment
# (384 ms), 15 third octaves from 150 Hz, frames 40 dB below the loudest left out as silent.
_SECONDS, _SEGMENT, _BANDS, _LOWEST, _RANGE = 0.0256, 30, 15, 150.0, 40.0
_MASKED_BANDS, _QUIET = 32, 1e-3
_TINY = 1e-8


class Mixed:
    """The transform's error and other losses, mixed by shares as in `SoundDistortion`.

    Args:
        shares: of "mel" distance, "estoi" and "masked" noise; what is left to 1 is the error's.
    """

    def __init__(self, shares: Mapping[str, float], *, rate: int) -> None:
        self.shares, self.rate = shares, rate

    def __call__(self, decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
        """A scalar in the unit of `error`; samples (B, 1, T)."""
        distortion = (1 - sum(self.shares.values())) * error
        with torch.autocast(original.device.type, enabled=False):
            for name, share in self.shares.items():
                loss, unit = _TERMS[name]
                value = loss(decoded.float(), original.float(), rate=self.rate)
                distortion = distortion + share / unit * value
        return distortion


def noise_to_signal(decoded: Tensor, original: Tensor, *, rate: int) -> Tensor:
    """Mean log(1 + noise / signal) of 32 mel bands in windows of 32 ms, a scalar.

    So the noise of a band counts by how loud the band is just then, as it is masked by it. What is
    30 dB below the usual level of its band counts as silence.

    Args:
        decoded, original: float32 (B, C, T); the gradient reaches `decoded`.
        rate: samples per second.

    >>> noise = torch.randn(1, 1, 16000, generator=torch.Generator().manual_seed(0))
    >>> round(float(noise_to_signal(0 * noise, noise, rate=16000)), 2)
    0.69
    """
    size = 1 << round(math.log2(0.032 * rate))
    bands = mel_bands(size, _MASKED_BANDS, rate)
    signal, noise = (_power(x.flatten(0, 1), size) @ bands for x in (original, decoded - original))
    floor = _QUIET * signal.mean(1, keepdim=True) + 1e-9
    return (noise / (signal + floor)).log1p().mean()


def _power(samples: Tensor, size: int) -> Tensor:
    """Power of frequencies over time: (B, T) -> (B, frames, size // 2 + 1)."""
    spectrum = torch.stft(
        samples, size, size // 2, window=_hann(size), center=False, return_complex=True
    )
    return (spectrum.real.square() + spectrum.imag.square()).mT


def estoi_loss(decoded: Tensor, original: Tensor, *, rate: int) -> Tensor:
    """1 - ESTOI (Jensen and Taal 2016), at the sounds' own rate, the mean of a batch: a scalar.

    Short-time spectra are gathered into bands; over each segment every band, then every frame, is
    freed of mean and length; what is left is correlated. Sounds with less than a segment that is
    not silent say nothing.

    Args:
        decoded, original: float32 (B, C, T); the gradient reaches `decoded`.
        rate: samples per second, 10,000 at least: bands reach up to 4.3 kHz.

    >>> noise = torch.randn(1, 1, 16000, generator=torch.Generator().manual_seed(0))
    >>> round(float(estoi_loss(0.1 * noise, noise, rate=16000)), 3)
    0.0
    """
    decoded, original = decoded.flatten(0, 1), original.flatten(0, 1)
    ours, theirs = (_envelopes(x, rate) for x in (decoded, original))
    losses = [
        1 - _correlation(a[:, heard], b[:, heard])
        for a, b, heard in zip(ours, theirs, _heard(original, rate), strict=True)
        if int(heard.sum()) >= _SEGMENT
    ]
    return torch.stack(losses).mean() if losses else 0 * decoded.sum()


class Discriminator(nn.Module):
    """Says of spectra of three window lengths whether a sound is an original.

    A small form of that of EnCodec (Defossez et al. 2022): real and imaginary parts, frequencies
    thinned out by strides. Gives for each length what every layer makes of it, the verdicts last.
    """

    def __init__(self, sizes: tuple[int, ...] = (1024, 512, 256), width: int = 16) -> None:
        super().__init__()
        self.sizes = sizes
        self.towers = nn.ModuleList(_tower(width) for _ in sizes)

    def forward(self, samples: Tensor) -> list[list[Tensor]]:
        """Samples float32 (B, T)."""
        found = []
        for size, tower in zip(self.sizes, self.towers, strict=True):
            assert isinstance(tower, nn.ModuleList)
            spectrum = torch.stft(samples, size, size // 4, window=_hann(size), return_complex=True)
            layers = [torch.view_as_real(spectrum).permute(0, 3, 2, 1) * (2 / size**0.5)]
            for number, layer in enumerate(tower):
                x = layer(layers[-1])
                layers.append(x if number == len(tower) - 1 else functional.leaky_relu(x, 0.2))
            found.append(layers[1:])
        return found


class Judged:
    """Another distortion, and the opinion of a discriminator that learns beside the model.

    Hinge losses, and the distance of its features of the decoded sound from those of the original.
    Its gradient by the decoded samples is brought to `share` of the length of the other's.

    Args:
        crops: how many of a batch it looks at; it takes as long as the model otherwise.
        alone: steps in which it learns and has no say.
    """

    def __init__(
        self,
        distortion: Distortion,
        transform: Transform,
        *,
        share: float,
        crops: int = 4,
        alone: int = 60,
    ) -> None:
        self.distortion, self.transform = distortion, transform
        self.share, self.crops, self.alone = share, crops, alone
        self.judge = Discriminator()
        self.optimizer = torch.optim.Adam(self.judge.parameters(), 3e-4, (0.5, 0.9))
        self.steps = 0

    def __call__(self, decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
        """The other distortion's value, with the slope of both."""
        with torch.autocast(original.device.type, enabled=False):
            self._learn(decoded.detach()[: self.crops, 0].float(), original[: self.crops, 0])
            self.steps += 1
            shown = decoded.detach().float().requires_grad_()
            nearer = self.distortion(shown, original, self.transform.error(shown, original))
            (slope,) = torch.autograd.grad(nearer, shown)
            if self.steps > self.alone:
                opinion = self._opinion(shown[: self.crops, 0], original[: self.crops, 0])
                (better,) = torch.autograd.grad(opinion, shown)
                # Only some crops are judged: those are weighed as the others' slopes are.
                length = slope[: self.crops].norm() / better.norm().clamp_min(1e-12)
                slope = slope + self.share * length * better
            carried = (decoded.float() * slope).sum()
        return nearer.detach() + carried - carried.detach()

    def _learn(self, decoded: Tensor, original: Tensor) -> None:
        """Tell both apart better: a step of the discriminator."""
        verdicts = zip(self.judge(original), self.judge(decoded), strict=True)
        loss = torch.stack(
            [(1 - a[-1]).relu().mean() + (1 + b[-1]).relu().mean() for a, b in verdicts]
        ).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def _opinion(self, decoded: Tensor, original: Tensor) -> Tensor:
        """How far the decoded sound is from one that passes, and from the original's features."""
        with torch.no_grad():
            wanted = self.judge(original)
        terms = []
        for ours, theirs in zip(self.judge(decoded), wanted, strict=True):
            terms.append(-ours[-1].mean())
            for a, b in zip(ours[:-1], theirs[:-1], strict=True):
                terms.append((a - b).abs().mean() / b.abs().mean().clamp_min(_TINY))
        return torch.stack(terms).mean()


def _tower(width: int) -> nn.ModuleList:
    shape = {"kernel_size": (3, 9), "padding": (1, 4)}
    return nn.ModuleList(
        [
            nn.Conv2d(2, width, **shape),  # type: ignore[arg-type]
            *(nn.Conv2d(width, width, **shape, stride=(1, 2)) for _ in range(3)),  # type: ignore[arg-type]
            nn.Conv2d(width, 1, (3, 3), padding=(1, 1)),
        ]
    )


def _envelopes(samples: Tensor, rate: int) -> Tensor:
    """Amplitudes of third octaves over time: (B, T) -> (B, bands, frames)."""
    window = round(_SECONDS * rate)
    size = 1 << (2 * window - 1).bit_length()
    spectrum = torch.stft(
        samples,
        size,
        window // 2,
        win_length=window,
        window=_hann(window),
        center=False,
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()
    # The root has no slope at 0.
    return (_third_octaves(size, rate) @ power + 1e-12).sqrt()


def _heard(original: Tensor, rate: int) -> Tensor:
    """Which frames are not silent, bool (B, frames), as the envelopes have them."""
    window = round(_SECONDS * rate)
    size = 1 << (2 * window - 1).bit_length()
    # torch puts a window into the middle of what it transforms.
    first = (size - window) // 2
    frames = original[:, first:].unfold(1, window, window // 2)
    count = (original.shape[1] - size) // (window // 2) + 1
    level = (frames[:, :count] * _hann(window)).square().sum(2).clamp_min(1e-20).log10() * 10
    return level > level.amax(1, keepdim=True) - _RANGE


def _correlation(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean over segments and frames of how alike the bands are, from (bands, frames) of both."""
    a, b = (_freed(_freed(x.unfold(1, _SEGMENT, 1), 2), 0) for x in (ours, theirs))
    return (a * b).sum(0).mean()


def _freed(x: Tensor, axis: int) -> Tensor:
    x = x - x.mean(axis, keepdim=True)
    return x / (x.square().sum(axis, keepdim=True) + 1e-12).sqrt()


@functools.cache
def _third_octaves(size: int, rate: int) -> Tensor:
    """Which frequencies belong to which band, float32 (bands, size // 2 + 1)."""
    middles = _LOWEST * 2 ** (torch.arange(_BANDS, dtype=torch.float64) / 3)
    low, high = ((middles * 2 ** (k / 6) * size / rate).round() for k in (-1, 1))
    bins = torch.arange(size // 2 + 1)
    return ((bins >= low[:, None]) & (bins < high[:, None])).float()


@functools.cache
def _hann(size: int) -> Tensor:
    return torch.hann_window(size)


# Losses, and what they are over the transform's error at about 3 kbit/s.
_TERMS = {
    "mel": (mel_distance, 16.0),
    "estoi": (estoi_loss, 12.0),
    "masked": (noise_to_signal, 16.0),
}
