"""Pillow opens and saves `.vqc` once this has been imported.

    import vqcodec.plugins.pillow

    Image.open("photo.vqc").convert("L").save("grey.vqc", quality=70)

Opening reads size, mode, colour profile and EXIF data, without torch; pixels are decoded when they
are asked for. `draft`, and with it `thumbnail`, decodes at 1/2, 1/4 or 1/8 of the size, `verify`
checks every checksum, and with `PIL.ImageFile.LOAD_TRUNCATED_IMAGES` what is left of a cut file is
decoded. How large a picture may be is for Pillow to say (`Image.MAX_IMAGE_PIXELS`).

`save` takes quality, bpp, size, psnr, effort and threads of `Codec.encode`, model and device of
`load`, and icc_profile and exif, by default those of `info`; an orientation in EXIF data is
applied.
"""

from __future__ import annotations

import math
import sys
from typing import IO, Any

from PIL import Image, ImageFile, UnidentifiedImageError

from vqcodec.bitstream import Limits
from vqcodec.bitstream.magic import MAGIC
from vqcodec.errors import UnknownModelError, VqcodecError
from vqcodec.model.catalog import find_model
from vqcodec.plugins.pictures import (
    FACTS,
    encode_picture,
    facts_of_picture,
    picture_stream,
    refused,
)

__all__ = ["DEVICE", "MIME", "VqcImageFile"]

# Pillow has no way to hand an option to `Image.open`: where pixels are decoded.
DEVICE = "auto"

MIME = "image/x-vqcodec"

_FORMAT = "VQC"
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_SHRINKS = (8, 4, 2)
_OPTIONS = ("quality", "bpp", "size", "psnr", "effort", "threads")
# What Pillow puts before EXIF data in `info`, and expects where it is saved.
_EXIF_PREFIX = b"Exif\x00\x00"
# Pillow has looked at the size by then.
_LIMITS = Limits(max_samples=sys.maxsize)


class VqcImageFile(ImageFile.ImageFile):
    """A stream of a picture as Pillow sees it; `Image.open` makes it.

    Raises:
        UnidentifiedImageError: header or side chunks are damaged, or it is no picture's stream.
            OSError, when pixels are asked for: the rest is damaged, or its model is not installed.

    >>> import io, numpy, vqcodec
    >>> data = vqcodec.load("photo").encode(numpy.zeros((48, 64, 3), numpy.uint8))
    >>> image = Image.open(io.BytesIO(data))
    >>> image.format, image.mode, image.size
    ('VQC', 'RGB', (64, 48))
    """

    format = _FORMAT
    format_description = "vqcodec picture"

    def _open(self) -> None:
        assert self.fp is not None
        self._data, self._shrink = self.fp.read(), 1
        try:
            stream = picture_stream(self._data, _LIMITS, partial=True)
            facts = facts_of_picture(stream, _LIMITS)
        except VqcodecError as error:
            # What begins with our magic is no other format: our reason is the one to be told.
            raise UnidentifiedImageError(str(error)) from error
        self._fingerprint = stream.header.fingerprint.hex()
        height, width = stream.header.extent
        self._mode, self._size = _MODES[stream.header.channels], (width, height)
        self.info.update({**facts})
        if "exif" in self.info:
            self.info["exif"] = _EXIF_PREFIX + self.info["exif"]
        # Says that there is something to load; `load` does it.
        self.tile = [ImageFile._Tile("vqcodec", (0, 0, width, height), 0, self.mode)]

    def load(self) -> Any:
        """Decode the pixels, if that was not done."""
        if self.tile:
            with refused():
                from vqcodec.recent import recent_codec

                partial = ImageFile.LOAD_TRUNCATED_IMAGES
                stream = picture_stream(self._data, _LIMITS, partial=partial)
                codec = recent_codec(self._fingerprint, device=DEVICE)
                most = _LIMITS.max_samples
                pixels = codec.decode(stream, scale=1 / self._shrink, max_samples=most)
            image = Image.fromarray(pixels)
            # Pillow lets nobody write into the memory of an array.
            self.im = image.im.copy() if image.readonly else image.im
            self.readonly, self.tile, self._data = 0, [], b""
            self._done()
        return super().load()

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> Any:
        """Choose the smallest of 1/2, 1/4 and 1/8 that is no smaller than a size (width, height).

        Returns:
            the mode, and the box of the whole picture in what will be loaded; None where nothing
            smaller fits, or the model has no such scale.
        """
        if size is None or not self.tile or self._shrink > 1:
            return None
        most = min(have // max(1, want) for have, want in zip(self.size, size, strict=True))
        try:
            stride = find_model(self._fingerprint).config.synthesis.stride
        except UnknownModelError:
            return None  # loading says so
        fits = [n for n in _SHRINKS if n <= most and all(step % n == 0 for step in stride)]
        if not fits:
            return None
        self._shrink = fits[0]
        width, height = self.size
        self._size = (math.ceil(width / self._shrink), math.ceil(height / self._shrink))
        return self.mode, (0.0, 0.0, width / self._shrink, height / self._shrink)

    def verify(self) -> None:
        """Check every checksum, without decoding; the file is closed then. Raises: OSError."""
        if self.tile:
            with refused():
                picture_stream(self._data, _LIMITS)
        super().verify()

    def _done(self) -> None:
        """Close a file that Pillow opened: all of it was read."""
        if self._exclusive_fp and self.fp is not None:
            self.fp.close()
        self.fp = None


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(MAGIC)


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    """Encode an image. Raises: ValueError for an option, OSError for what cannot be encoded."""
    options: dict[str, Any] = getattr(image, "encoderinfo", {})
    data = encode_picture(
        _with_facts(image, options),
        model=options.get("model"),
        device=options.get("device", DEVICE),
        **{name: options[name] for name in _OPTIONS if name in options},
    )
    file.write(data)


def _with_facts(image: Image.Image, options: dict[str, Any]) -> Image.Image:
    """The image with the profile and EXIF data that it is to be saved with."""
    given: dict[str | tuple[int, int], Any] = {
        name: options[name] for name in FACTS if name in options
    }
    if not given:
        return image
    image = image.copy()
    if isinstance(given.get("exif"), Image.Exif):
        given["exif"] = given["exif"].tobytes()
    image.info |= given
    return image


Image.register_open(_FORMAT, VqcImageFile, _accept)
Image.register_save(_FORMAT, _save)
Image.register_extension(_FORMAT, ".vqc")
Image.register_mime(_FORMAT, MIME)
