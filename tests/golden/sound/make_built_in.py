"""Made files of the built-in models of sounds, once; see ../README.md.

    PYTHONPATH=.:tests/support python -m tests.golden.sound.make_built_in [MODEL]

MODEL: that of which there are none, because another generation of it came.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.golden.making import Maker
from vqcodec import Sound, load

HERE = Path(__file__).parent
RATE, SECONDS = 22050, 3


def vowels() -> NDArray[np.float32]:
    """A voice that glides through three vowels, with a hiss between them, (T,)."""
    time = np.arange(RATE * SECONDS) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2.1 * time)) / RATE
    formants = ((700, 1100), (300, 2200), (400, 800))
    voice = np.zeros_like(time)
    for number in range(1, 40):
        pitch = number * (120 + 30 * np.sin(2.1 * time))
        first, second = (
            np.interp(time, (0.4, 1.5, 2.6), [vowel[which] for vowel in formants])
            for which in (0, 1)
        )
        near = np.exp(-(((pitch - first) / 150) ** 2)) + np.exp(-(((pitch - second) / 200) ** 2))
        voice += near * np.sin(number * phase)
    hiss = np.random.default_rng(4).normal(size=len(time)) * (np.abs(np.sin(3 * time)) < 0.2)
    return (0.1 * voice + 0.05 * hiss).astype(np.float32)


def sounds() -> dict[str, NDArray[np.float32]]:
    """One voice alone, and in stereo to the left of a tone."""
    voice = vowels()
    tone = (0.2 * np.sin(0.05 * np.arange(len(voice)))).astype(np.float32)
    return {
        "voice": voice[:, None],
        "stereo": np.stack([voice + 0.3 * tone, 0.3 * voice + tone], axis=1),
    }


def main() -> None:
    """Add every file."""
    made = {}
    for model, names in (("sound", ("voice", "stereo")), ("speech", ("voice",))):
        if model not in (sys.argv[1:] or (model,)):
            continue
        codec = load(model, device="cpu")
        for name in names:
            for quality in (10, 50, 90):
                data = codec.encode(Sound(sounds()[name], rate=RATE), quality=quality)
                facts = {"model": model, "sound": name, "quality": quality}
                made[f"{model}-{name}-{quality}"] = (data, facts)
    Maker(HERE).add_built_in(made)


if __name__ == "__main__":
    main()
