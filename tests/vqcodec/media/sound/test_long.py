"""An hour of noise, both ways, in memory that does not grow with it."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import tiny_config, write_tiny

from vqcodec import Codec, Sound, SoundBlocks, decode_file, load
from vqcodec.bitstream import Limits
from vqcodec.media.sound import files
from vqcodec.media.sound.medium import MEDIUM

RATE, MINUTE = 4000, 60


class Noise:
    """Minutes of noise, from the beginning each time."""

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        random = np.random.default_rng(0)
        for _ in range(self.minutes):
            yield random.standard_normal(MINUTE * RATE, np.float32) * np.float32(0.2)


@pytest.fixture
def codec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Codec:
    """A model of 1000 samples a second, in regions of a minute."""
    config = tiny_config(
        medium="sound",
        channels=1,
        numbers={"rate": 1000},
        stride=(200,),
        latent_dim=4,
        stages=1,
        codebook_size=4,
        region=300,
    )
    samples = 0.2 * torch.randn(4, 1, 8000, generator=torch.Generator().manual_seed(0))
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path))
    path = write_tiny(tmp_path / "long.safetensors", config, samples, list(samples), name="long")
    return load(path, device="cpu")


def peak_of(codec: Codec, minutes: int, path: Path) -> int:
    """The most memory that NumPy and Python took at a time, there and back, in bytes."""
    noise = SoundBlocks(Noise(minutes), samples=minutes * MINUTE * RATE, rate=RATE)
    tracemalloc.start()
    try:
        stream = codec.encode(noise, threads=1)
        decode_file(stream, path, device="cpu", threads=1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_an_hour_takes_the_memory_of_minutes(codec: Codec, tmp_path: Path) -> None:
    peaks = [peak_of(codec, minutes, tmp_path / f"{minutes}.wav") for minutes in (4, 4, 60)]
    # The hour's samples alone are 58 MB; the first run imports modules.
    assert peaks[2] < 1.2 * peaks[1] + 2_000_000 < 20_000_000


def test_a_long_file_is_read_as_it_is_asked_for(
    codec: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        one = Sound(np.zeros((1, 1), np.float32), rate=RATE)
        head = MEDIUM.write(one, format="wav")[:40]
        length = 2 * 50 * MINUTE * RATE
        file.write(head + length.to_bytes(4, "little"))
        file.truncate(44 + length)
    monkeypatch.setattr(files, "read_sound", None)
    opened = MEDIUM.open(str(path), Limits())
    assert opened is not None
    assert opened.extent == (50 * MINUTE * RATE,)
    window = opened.window((slice(40 * MINUTE * RATE, 40 * MINUTE * RATE + 9),))
    assert window.shape == (9, 1)
    assert opened.held < 200_000
