"""A medium that there is not, tones of one axis, to see that evaluation knows none."""

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.workshop import Contestant, Measure, Rate, Workshop, decibels


@dataclass(frozen=True, eq=False)
class Tone:
    """samples: uint8 (T,)."""

    samples: NDArray[np.uint8]

    @property
    def extent(self) -> tuple[int, ...]:
        return self.samples.shape


def tones() -> list[tuple[str, Tone]]:
    """Two of them, of odd lengths, the second one noisier."""
    random = np.random.default_rng(3)
    made = []
    for number, length in ((1, 171), (2, 205)):
        wave = 128 + 90 * np.sin(np.arange(length) / (4 + number))
        noisy = wave + random.normal(0, 6 * number, length)
        made.append((f"t{number}.raw", Tone(np.clip(noisy, 0, 255).astype(np.uint8))))
    return made


def error(decoded: Tone, original: Tone) -> float:
    """Mean squared error of values in [0, 1]."""
    difference = decoded.samples.astype(float) - original.samples.astype(float)
    return float(np.mean(difference**2)) / 255**2


def likeness(decoded: Tone, original: Tone) -> float:
    """1 for equal tones, and less with every error."""
    return 1 - math.sqrt(error(decoded, original))


SNR = Measure(
    name="snr", of=lambda a, b: decibels(error(a, b)), title="SNR", unit="dB", low=0, high=100
)
LIKENESS = Measure(
    name="like-ness",
    of=likeness,
    title="Likeness",
    unit="dB",
    low=0,
    high=1,
    smallest=50,
    of_mean=lambda mean: decibels(1 - mean),
)
OPINION = Measure(
    name="opinion",
    of=lambda decoded, original: 100 * likeness(decoded, original),
    title="OPINION",
    decimals=1,
    high=100,
    package="ears",
)
RATE = Rate(
    unit="bps",
    title="bits per sample, whole file",
    of=lambda size, tone: 8 * size / tone.samples.size,
    table=(0.1, 0.15, 0.25, 0.5, 0.75),
    timed=0.25,
    ticks=(0.1, 0.2, 0.5),
)


def coarse(name: str = "coarse") -> Contestant:
    """A codec whose errors are known: it keeps the high bits of every value."""

    def encode(tone: Tone, keep: float) -> bytes:
        step = 2 ** (8 - int(keep))
        return zlib.compress((tone.samples // step * step + step // 2).astype(np.uint8).tobytes())

    def decode(data: bytes) -> Tone:
        return Tone(np.frombuffer(zlib.decompress(data), np.uint8))

    return Contestant(
        name=name, version="1", settings="raw", ladder=(1, 3, 5), encode=encode, decode=decode
    )


class _Tones:
    """What evaluation asks of a workshop."""

    measures = (SNR, LIKENESS, OPINION)
    default_measures = ("snr", "like-ness")
    peers: Mapping[str, Callable[[], Contestant]] = {
        "coarse": coarse,
        "other": lambda: coarse("other"),
    }
    rate = RATE


TONES = cast(Workshop, _Tones())
