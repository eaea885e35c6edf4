"""Made the streams of this folder, once; see ../README.md."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from sklearn.datasets import load_sample_images

from tests.golden.making import (
    CHANNELS,
    Damaged,
    Maker,
    bare_header,
    damage,
    edited,
    model_priors,
    read_stream,
    repaired,
    with_later_chunk,
    with_prior,
)
from vqcodec import Codec, Picture, load

HERE = Path(__file__).parent
Pixels = NDArray[np.uint8]


def crop(index: int, top: int, left: int, height: int, width: int) -> Pixels:
    """Cut a piece out of one of the two photographs that scikit-learn ships, RGB."""
    picture: Pixels = load_sample_images().images[index]
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def with_alpha(pixels: Pixels) -> Pixels:
    """Add an alpha channel: a soft disc."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot((y - height / 2) / height, (x - width / 2) / width)
    alpha = np.clip((0.55 - distance) * 900, 0, 255).astype(np.uint8)
    return np.concatenate([pixels, alpha[:, :, None]], axis=2)


def grey(pixels: Pixels) -> Pixels:
    """Return the mean of three colours as one channel."""
    mean: Pixels = pixels.mean(axis=2, keepdims=True).astype(np.uint8)
    return mean


def metadata() -> dict[str, bytes]:
    """Return a real colour profile, and EXIF data that names a maker."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "golden"
    return {"icc": profile, "exif": exif.tobytes().removeprefix(b"Exif\x00\x00")}


def pictures() -> dict[str, tuple[Picture, float]]:
    """Return each valid picture and the quality at which it is coded."""
    wide = np.concatenate([crop(0, 200, 0, 40, 640), crop(1, 200, 0, 40, 460)], axis=1)
    return {
        "grey": (Picture(grey(crop(0, 100, 200, 48, 64))), 60.0),
        "grey-alpha": (Picture(with_alpha(grey(crop(1, 150, 250, 41, 53)))), 60.0),
        "rgb": (Picture(crop(0, 150, 300, 64, 96)), 100.0),
        "rgb-coarse": (Picture(crop(0, 150, 300, 64, 96)), 0.0),
        "rgba": (Picture(with_alpha(crop(1, 100, 200, 57, 35))), 80.0),
        "one-pixel": (Picture(crop(1, 200, 300, 1, 1)), 50.0),
        "one-row": (Picture(crop(1, 200, 300, 1, 77)), 50.0),
        "one-column": (Picture(crop(0, 120, 330, 83, 1)), 50.0),
        "odd": (Picture(crop(1, 120, 180, 61, 37)), 70.0),
        "metadata": (Picture(crop(0, 80, 90, 33, 47), **metadata()), 50.0),
        "two-regions": (Picture(wide), 40.0),
    }


def built_in_streams() -> dict[str, tuple[bytes, dict[str, Any]]]:
    """Return whole files of the built-in models by name, and what each was made of."""
    crops = {"china": crop(0, 100, 200, 211, 277), "flower": crop(1, 80, 150, 197, 253)}
    streams = {}
    for model in ("photo", "photo-psnr"):
        codec = load(model, device="cpu")
        for photograph, pixels in crops.items():
            for quality in (10, 35, 60, 90):
                facts = {"model": model, "photograph": photograph, "quality": quality}
                data = codec.encode(pixels, quality=quality)
                streams[f"{model}-{photograph}-{quality}"] = (data, facts)
    return streams


def valid_streams(codec: Codec) -> dict[str, bytes]:
    """Return every valid stream by name."""
    streams = {
        name: codec.encode(picture, quality=quality)
        for name, (picture, quality) in pictures().items()
    }
    for prior in model_priors(HERE / "tiny.safetensors").values():
        for name in ("rgb", "two-regions"):
            streams[f"{name}-{prior.name}"] = with_prior(codec, streams[name], prior)
    streams["odd-later"] = with_later_chunk(streams["odd"])
    return streams


def damaged_pictures(data: bytes) -> Damaged:
    """Return what only pictures refuse: channels that there are not, alpha, metadata."""
    head, code = bare_header(data), ("C", read_stream(data).codes[0])
    with_alpha = edited(head, CHANNELS, 4)
    short_alpha = ("A", b"\x01" + zlib.compress(bytes(9)))
    profile, exif = ("i", b""), ("e", b"Exif")
    return {
        "five-channels": ("CorruptError", "5", repaired(edited(head, CHANNELS, 5), code)),
        "alpha-missing": ("CorruptError", "alpha", repaired(with_alpha, code)),
        "alpha-wrong-size": ("CorruptError", "exactly", repaired(with_alpha, short_alpha, code)),
        "two-profiles": ("CorruptError", "2 chunks", repaired(head, profile, profile, code)),
        "metadata-not-zlib": ("CorruptError", "inflate", repaired(head, exif, code)),
    }


def main() -> None:
    """Make every file that this folder holds besides the model."""
    valid = valid_streams(load(HERE / "tiny.safetensors", device="cpu"))
    spoilt = damage(valid["odd"], valid["two-regions"], valid["rgb-raw"])
    spoilt |= damaged_pictures(valid["odd"])
    Maker(HERE).make(valid, spoilt, built_in_streams(), tolerance=1)


if __name__ == "__main__":
    main()
