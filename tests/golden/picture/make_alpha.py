"""Made the streams of alpha in tiles in this folder, once; see ../README.md."""

import numpy as np
from numpy.typing import NDArray

from tests.golden.making import Damaged, Maker, bare_header, parts_of, repaired
from tests.golden.picture.make_golden import HERE, crop, grey
from vqcodec import Picture, load


def soft(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add an alpha channel: a rim of a hundred levels around an opaque middle."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = ((2 * y - height) * 64 // height) ** 2 + ((2 * x - width) * 64 // width) ** 2
    alpha = np.clip(400 - distance // 9, 0, 255).astype(np.uint8)
    return np.concatenate([pixels, alpha[:, :, None]], axis=2)


def pictures() -> dict[str, tuple[Picture, float]]:
    """Return each picture and how good its alpha is."""
    wide = np.concatenate([crop(0, 200, 0, 24, 640), crop(1, 200, 0, 24, 460)], axis=1)
    tiles = soft(grey(wide))
    # One tile of one level, and one of many.
    tiles[:, 1024:, 1] = 255
    return {
        "soft-alpha": (Picture(soft(crop(0, 100, 200, 57, 83))), 100.0),
        "soft-alpha-grey": (Picture(soft(grey(crop(1, 150, 250, 61, 35)))), 100.0),
        "soft-alpha-coarse": (Picture(soft(crop(0, 100, 200, 57, 83))), 40.0),
        "soft-alpha-tiles": (Picture(tiles), 100.0),
    }


def damaged_tiles(data: bytes) -> Damaged:
    """Return tiles that are none, beside codes that are right."""
    head, parts = bare_header(data), parts_of(data)
    whole, codes = dict(parts)["A"], parts[-1]
    payloads = {
        "alpha-of-no-steps": ("does not begin", b"\x02\0\0\0"),
        "alpha-lacks-a-tile": ("lacks tiles", b"\x02\x0f"),
        "alpha-ends-inside-a-tile": ("inside a tile", whole[:-1]),
        "alpha-level-too-high": ("level of 16, above 15", b"\x02\x0f\0\x10"),
        "alpha-too-many-tiles": ("1 bytes follow", whole + b"\0"),
        "alpha-field-too-short": ("does not decode", b"\x02\xff\x01\x80"),
        "alpha-field-too-long": ("does not decode", b"\x02\xff\x7f" + bytes(range(1, 128))),
    }
    return {
        name: ("CorruptError", says, repaired(head, ("A", payload), codes))
        for name, (says, payload) in payloads.items()
    }


def main() -> None:
    """Add every stream."""
    codec = load(HERE / "tiny.safetensors", device="cpu")
    valid = {
        name: codec.encode(picture, quality=60, alpha_quality=quality)
        for name, (picture, quality) in pictures().items()
    }
    forms = {name: dict(parts_of(data))["A"][0] for name, data in valid.items()}
    assert set(forms.values()) == {2}, forms
    Maker(HERE).add(valid, damaged_tiles(valid["soft-alpha-coarse"]))


if __name__ == "__main__":
    main()
