"""Made the streams of this folder, once; see ../README.md."""

import zlib
from pathlib import Path

import numpy as np

from tests.golden.field.make_model import weather
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
from vqcodec import Codec, Field, load

HERE = Path(__file__).parent


def fields() -> dict[str, tuple[Field, float]]:
    """Each valid field and the quality at which it is coded."""
    coast = weather(21, 23, 30)
    coast[:, 5:17, :11] = np.nan
    clouds = weather(22, 23, 30)
    clouds[1, :9, 20:] = np.nan
    return {
        "odd": (Field(weather(20, 29, 19)), 70.0),
        "fine": (Field(weather(23, 32, 24)), 100.0),
        "coarse": (Field(weather(23, 32, 24)), 0.0),
        "one-place": (Field(weather(24, 1, 1)), 50.0),
        "same-missing": (Field(coast), 80.0),
        "other-missing": (Field(clouds), 80.0),
        "all-missing": (Field(np.full((2, 9, 9), np.nan, np.float64)), 50.0),
        "double": (Field(weather(25, 17, 40).astype(np.float64)), 60.0),
        "two-regions": (Field(weather(29, 20, 50)), 40.0),
    }


def valid_streams(codec: Codec) -> dict[str, bytes]:
    """Return every valid stream by name."""
    streams = {
        name: codec.encode(signal, quality=quality) for name, (signal, quality) in fields().items()
    }
    for prior in model_priors(HERE / "tiny.safetensors").values():
        for name in ("odd", "two-regions"):
            streams[f"{name}-{prior.name}"] = with_prior(codec, streams[name], prior)
    streams["odd-later"] = with_later_chunk(streams["odd"])
    return streams


def damaged_fields(data: bytes) -> Damaged:
    """Return what only fields refuse: numbers that there are not, masks that do not fit."""
    head, (numbers, code) = bare_header(data), parts_of(data)
    corrupt, plane = "CorruptError", -(-29 * 19 // 8)
    kinds = {
        "numbers-empty": b"",
        "numbers-of-one-byte": b"\x07",
        "numbers-of-three-bytes": b"\x07\x03\x00",
        "numbers-unknown": b"\x09\x03",
        "numbers-of-one-axis": b"\x07\x01",
        "channels-without-axis": b"\x07\x02",
    }
    masks = {
        "mask-not-zlib": (corrupt, "inflate", bytes(9)),
        "mask-too-short": (corrupt, "mask", zlib.compress(bytes(plane - 1))),
        "mask-of-no-planes": (corrupt, "mask", zlib.compress(bytes(plane + 1))),
        "mask-too-long": ("LimitError", "more than the limit", zlib.compress(bytes(3 * plane))),
        "mask-with-more": (corrupt, "exactly one", zlib.compress(bytes(plane)) + b"!"),
    }
    one = repaired(edited(head, CHANNELS, 1), ("N", b"\x07\x03"), code)
    whole = [("N", b"\x03\x03"), ("M", zlib.compress(bytes(plane))), code]
    return {
        "numbers-missing": (corrupt, "lacks two bytes", repaired(head, code)),
        "two-numbers": (corrupt, "2 chunks", repaired(head, numbers, numbers, code)),
        "channels-of-another-model": (corrupt, "1 channels", one),
        "integers-missing": (corrupt, "cannot lack", repaired(head, *whole)),
        **{
            name: (corrupt, "field", repaired(head, ("N", payload), code))
            for name, payload in kinds.items()
        },
        **{
            name: (error, says, repaired(head, numbers, ("M", payload), code))
            for name, (error, says, payload) in masks.items()
        },
    }


def main() -> None:
    """Make every file that this folder holds besides the model."""
    valid = valid_streams(load(HERE / "tiny.safetensors", device="cpu"))
    spoilt = damage(valid["odd"], valid["two-regions"], valid["odd-raw"])
    spoilt |= damaged_fields(valid["odd"])
    Maker(HERE).make(valid, spoilt, {}, tolerance=0.05)


if __name__ == "__main__":
    main()
