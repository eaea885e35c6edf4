"""Made the streams of this folder, once; see ../README.md."""

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.golden.making import (
    CHANNELS,
    Damaged,
    Maker,
    bare_header,
    damage,
    edited,
    model_priors,
    parts_of,
    repaired,
    with_later_chunk,
    with_prior,
)
from tests.golden.sound.make_model import RATE, noise
from vqcodec import Codec, Sound, load

HERE = Path(__file__).parent
TAGS = {"title": "Am Bach", "artist": "niemand", "comment": "früh \u65e5\u672c"}


def sound(
    seed: int,
    samples: int,
    channels: int,
    *,
    rate: int = RATE,
    tags: Mapping[str, str] | None = None,
) -> Sound:
    """A piece of that noise, of samples that sixteen bits hold."""
    made = noise(seed, samples)[:channels].numpy().T
    return Sound(np.rint(made * 32768).astype(np.float32) / 32768, rate=rate, tags=tags or {})


def sounds() -> dict[str, tuple[Sound, float]]:
    """Each valid sound and the quality at which it is coded."""
    return {
        "mono": (sound(20, 200, 1), 60.0),
        "stereo": (sound(21, 250, 2), 100.0),
        "stereo-coarse": (sound(21, 250, 2), 0.0),
        "odd": (sound(22, 101, 1), 70.0),
        "one-sample": (sound(23, 1, 2), 50.0),
        "silence": (Sound(np.zeros((90, 1), np.float32), rate=RATE), 50.0),
        "constant": (Sound(np.full((90, 2), 0.25, np.float32), rate=RATE), 90.0),
        "faster": (sound(24, 1103, 2, rate=44100), 80.0),
        "slower": (sound(25, 61, 1, rate=5000), 80.0),
        "odd-rate": (sound(26, 151, 2, rate=11127), 80.0),
        "tags": (sound(27, 130, 1, tags=TAGS), 50.0),
        "two-regions": (sound(28, 333, 2), 40.0),
    }


def valid_streams(codec: Codec) -> dict[str, bytes]:
    """Return every valid stream by name."""
    streams = {
        name: codec.encode(signal, quality=quality) for name, (signal, quality) in sounds().items()
    }
    for prior in model_priors(HERE / "tiny.safetensors").values():
        for name in ("stereo", "two-regions"):
            streams[f"{name}-{prior.name}"] = with_prior(codec, streams[name], prior)
    streams["odd-later"] = with_later_chunk(streams["odd"])
    return streams


def damaged_sounds(data: bytes) -> Damaged:
    """Return what only sounds refuse: channels that there are not, rates, tags."""
    head, (rate, code) = bare_header(data), parts_of(data)
    own, corrupt = rate[1], "CorruptError"
    of_other = b"\xa0\x1f" + own + b"\x65"
    rates = {
        "rate-empty": b"",
        "rate-cut": own[:1],
        "rate-of-two-numbers": own + own,
        "rate-of-four-numbers": own + of_other + b"\x65",
        "rate-too-low": b"\xe7\x07",
        "rate-too-high": b"\x81\xf0\x2e",
        "rate-said-twice": own + own + b"\x65",
        "rate-of-other-samples": own + of_other[:2] + b"\x65",
    }
    tags = {
        "tags-not-zlib": b"{}",
        "tags-not-json": zlib.compress(b"{"),
        "tags-not-texts": zlib.compress(b'{"year":1999}'),
        "tags-with-more": zlib.compress(b"{}") + b"!",
    }
    says = {"tags-not-zlib": "inflate", "tags-with-more": "exactly one"}
    return {
        "three-channels": (corrupt, "3", repaired(edited(head, CHANNELS, 3), rate, code)),
        "rate-missing": (corrupt, "lacks its rate", repaired(head, code)),
        "two-rates": (corrupt, "2 chunks", repaired(head, rate, rate, code)),
        **{
            name: (corrupt, "rate chunk", repaired(head, ("R", payload), code))
            for name, payload in rates.items()
        },
        **{
            name: (corrupt, says.get(name, "tags are no"), repaired(head, rate, ("t", raw), code))
            for name, raw in tags.items()
        },
        "tags-too-long": (
            "LimitError",
            "more than the limit",
            repaired(head, rate, ("t", zlib.compress(bytes(2**24 + 1), 9)), code),
        ),
    }


def main() -> None:
    """Make every file that this folder holds besides the model."""
    valid = valid_streams(load(HERE / "tiny.safetensors", device="cpu"))
    spoilt = damage(valid["odd"], valid["two-regions"], valid["stereo-raw"])
    spoilt |= damaged_sounds(valid["odd"])
    Maker(HERE).make(valid, spoilt, {}, tolerance=0.004)


if __name__ == "__main__":
    main()
