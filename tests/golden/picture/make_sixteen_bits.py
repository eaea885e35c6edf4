"""Made the streams of sixteen bits in this folder, once; see ../README.md."""

import numpy as np
from numpy.typing import NDArray

from tests.golden.making import Damaged, Maker, bare_header, parts_of, repaired
from tests.golden.picture.make_golden import HERE, crop, grey, with_alpha
from vqcodec import Picture, load

Deep = NDArray[np.uint16]


def stretched(pixels: NDArray[np.uint8], lowest: int, highest: int) -> Deep:
    """The same in sixteen bits, from one value to another, a ramp in the bits that eight lack."""
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    fine = pixels * 16.0 + (rows + columns)[:, :, None] % 16
    shares = (fine - fine.min()) / (fine.max() - fine.min())
    made: Deep = np.rint(lowest + shares * (highest - lowest)).astype(np.uint16)
    return made


def pictures() -> dict[str, tuple[Picture, float]]:
    """Return each picture and the quality at which it is coded."""
    wide = np.concatenate([crop(0, 200, 0, 24, 640), crop(1, 200, 0, 24, 460)], axis=1)
    alpha = with_alpha(crop(1, 100, 200, 57, 35))[:, :, 3:].astype(np.uint16) * 257
    colours = stretched(crop(1, 100, 200, 57, 35), 0, 65535)
    # What counts for the range is what is seen.
    seen = colours[alpha[:, :, 0] > 0].astype(float)
    seen = (seen - seen.min()) / (seen.max() - seen.min())
    colours[alpha[:, :, 0] > 0] = np.rint(seen * 65535).astype(np.uint16)
    rgba = np.concatenate([colours, alpha], axis=2)
    return {
        "ten-bits-grey": (Picture(stretched(grey(crop(0, 100, 200, 48, 63)), 51, 900)), 60.0),
        "twelve-bits-rgb": (Picture(stretched(crop(0, 150, 300, 61, 96), 100, 4095)), 90.0),
        "sixteen-bits-rgba": (Picture(rgba), 80.0),
        "sixteen-bits-regions": (Picture(stretched(wide, 30000, 31000)), 40.0),
    }


def damaged_ranges(data: bytes) -> Damaged:
    """Return ranges that are none, beside codes that are right."""
    head, codes = bare_header(data), parts_of(data)[-1]
    payloads = {
        "range-too-short": ("5 bytes", b"\x10\0\0\xff"),
        "range-of-twelve-bits": ("12 bits", b"\x0c\0\0\xff\x0f"),
        "range-upside-down": ("from 2 to 1", b"\x10\2\0\1\0"),
    }
    spoilt = {
        name: ("CorruptError", says, repaired(head, ("R", payload), codes))
        for name, (says, payload) in payloads.items()
    }
    one = ("R", b"\x10\0\0\xff\x0f")
    spoilt["two-ranges"] = ("CorruptError", "2 chunks", repaired(head, one, one, codes))
    return spoilt


def main() -> None:
    """Add every stream."""
    codec = load(HERE / "tiny.safetensors", device="cpu")
    valid = {
        name: codec.encode(picture, quality=quality)
        for name, (picture, quality) in pictures().items()
    }
    Maker(HERE).add(valid, damaged_ranges(valid["ten-bits-grey"]))


if __name__ == "__main__":
    main()
