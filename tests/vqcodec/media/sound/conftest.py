"""What the tests of sound share: a small model of stereo at 8000 samples a second."""

from pathlib import Path

import pytest
from laws import EXAMPLES
from tiny import write_tiny

from vqcodec.codec import Codec, load


@pytest.fixture(scope="session")
def sound_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its file."""
    example = EXAMPLES["sound"]
    samples = example.samples()
    path = tmp_path_factory.mktemp("sound") / "sound.safetensors"
    return write_tiny(path, example.config, samples, list(samples), name="sound")


@pytest.fixture(scope="session")
def codec(sound_model: Path) -> Codec:
    """That model, ready; tests must leave it as it is."""
    return load(sound_model, device="cpu")
