"""Pictures as the codec sees them: between files, arrays and what a model takes and gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

from vqcodec.bitstream import Chunk, Header, Limits, Stream, inflated_chunk
from vqcodec.errors import BadModelError, CorruptError
from vqcodec.grid import Region, clip, stretch, whole
from vqcodec.media.base import Direct, Part
from vqcodec.media.picture.chunks import ALPHA, EXIF, ICC, check_alpha, pack_chunks
from vqcodec.media.picture.data_range import EIGHT_BITS, RANGE, check_range, range_of
from vqcodec.media.picture.suffixes import FORMATS, SUFFIXES, looks_like_picture
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.parts import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vqcodec.media.picture.rows import PictureRows
    from vqcodec.media.picture.signal import Picture

__all__ = ["MEDIUM", "PictureMedium"]

_NAMES = {1: "grey", 2: "grey + alpha", 3: "RGB", 4: "RGBA"}


class PictureMedium(Direct):
    """Grey or RGB, with or without alpha, of 8 or 16 bits: a `vqcodec.media.base.Medium`.

    Reading and writing files is left to Pillow, which is loaded when a file comes along.
    """

    number = 0
    name = "picture"
    axes = ("height", "width")
    letters = frozenset((ALPHA, ICC, EXIF, RANGE))
    suffixes: tuple[str, ...] = SUFFIXES
    formats: Mapping[str, str] = FORMATS
    default_model = "photo"
    span = (0.0, 1.0)
    depths = (8, 16)

    def recognises(self, head: bytes) -> bool:
        """Whether a file begins as one of the formats that are read does."""
        return looks_like_picture(head)

    def open(self, path: str, limits: Limits) -> PictureRows | None:
        """The picture in a large file, read by rows; see `rows_of_file`."""
        from vqcodec.media.picture.rows_of_file import rows_of_file

        return rows_of_file(path, limits)

    def read(self, data: bytes, limits: Limits) -> Picture:
        """The picture in the bytes of a file; see `read_picture`."""
        from vqcodec.media.picture.reader import read_picture

        # A limit that someone set holds whatever the memory.
        chosen = None if limits.max_samples == Limits().max_samples else limits.max_samples
        return read_picture(data, max_pixels=chosen)

    def write(self, signal: Picture, *, format: str) -> bytes:
        """The bytes of a picture file; see `write_picture`."""
        from vqcodec.media.picture.writer import write_picture

        return write_picture(signal, format=format)

    def writer(
        self, stream: Stream, region: Region, *, format: str, bits: int | None = None
    ) -> Callable[[Iterable[Part], BinaryIO], None] | None:
        """What writes a large picture by rows; see `writer_by_rows`."""
        from vqcodec.media.picture.large import writer_by_rows

        return writer_by_rows(stream, region, format, bits)

    def wrap(self, thing: Any) -> Picture | PictureRows:
        """The picture in an array, a Pillow image, a torch tensor, `Picture` or `PictureRows`."""
        from vqcodec.media.picture.arrays import picture_from
        from vqcodec.media.picture.rows import PictureRows

        return thing if isinstance(thing, PictureRows) else picture_from(thing)

    def with_options(self, signal: Picture | PictureRows, **options: Any) -> Picture | PictureRows:
        """The picture with alpha as good as `alpha_quality`; see `with_alpha_quality`."""
        from vqcodec.media.picture.alpha_levels import with_alpha_quality

        given = {name: value for name, value in options.items() if value is not None}
        return with_alpha_quality(signal, **given) if given else signal

    def unwrap(self, signal: Picture) -> NDArray[Any]:
        """The pixels, uint8 or uint16 (H, W, C), or (H, W) for grey."""
        return signal.pixels[:, :, 0] if signal.channels == 1 else signal.pixels

    def check_model(self, model: ModelConfig) -> None:
        """Raise BadModelError unless a model is for grey or RGB in the plane."""
        medium, axes = model.medium, len(model.synthesis.stride)
        if medium.channels not in (1, 3) or axes != 2 or medium.numbers:
            raise BadModelError(
                f"a model of pictures has 1 or 3 channels, 2 axes and no other numbers, got "
                f"{medium.channels}, {axes} and {shown(dict(medium.numbers))}"
            )

    def blank(self, extent: tuple[int, ...], model: ModelConfig) -> Picture:
        """A black picture."""
        import numpy as np

        from vqcodec.media.picture.signal import Picture

        return Picture(np.zeros((*extent, model.medium.channels), np.uint8))

    def to_samples(
        self, signal: Picture | PictureRows, model: MediumConfig, region: Region
    ) -> NDArray[np.float32]:
        """Colours in [0, 1], as many as the model has: float32 (C, H, W)."""
        from vqcodec.media.picture.samples import samples_of

        return samples_of(signal.window(region), model.channels, signal.data_range)

    def from_samples(
        self,
        parts: Iterable[Part],
        stream: Stream,
        region: Region,
        *,
        shrink: int = 1,
        bits: int | None = None,
    ) -> Picture:
        """A region of the picture, with what the side chunks of its stream hold."""
        import numpy as np

        from vqcodec.media.picture.alpha import decode_alpha
        from vqcodec.media.picture.samples import pixels_of
        from vqcodec.media.picture.signal import Picture
        from vqcodec.scale import block_means

        limits, extent, payload = Limits(), stream.header.extent, stream.payload(ALPHA)
        icc, exif = (inflated_chunk(stream, kind, limits) for kind in (ICC, EXIF))
        # Before any part is drawn: what is damaged is refused before the network runs.
        if payload is not None:
            plane = decode_alpha(
                payload, *extent, region=clip(stretch(region, (shrink, shrink)), whole(extent))
            )
        pixels = pixels_of(parts, stream.header.channels, region, range_of(stream, bits))
        if payload is not None:
            if shrink > 1:
                plane = np.rint(block_means(plane, shrink, axes=2)).astype(np.uint8)
            # 65535 is opaque of sixteen bits.
            pixels[:, :, -1] = plane * pixels.dtype.type(257 if pixels.itemsize > 1 else 1)
        return Picture(pixels, icc=icc, exif=exif)

    def side_chunks(self, signal: Picture | PictureRows, *, facts: bool) -> list[Chunk]:
        """Alpha, the range of 16 bits, and with `facts` the colour profile and EXIF data."""
        return pack_chunks(signal, facts=facts)

    def check(self, header: Header, side_chunks: Sequence[Chunk]) -> None:
        """Raise CorruptError for other axes or channels, alpha that does not fit, a wrong range."""
        if len(header.extent) != 2 or header.channels not in _NAMES:
            raise CorruptError(
                f"a picture has 2 axes and 1 to 4 channels, the header says {len(header.extent)} "
                f"and {header.channels}"
            )
        check_alpha(header, side_chunks)
        check_range(side_chunks)

    def describe(self, stream: Stream, *, size: int, limits: Limits) -> dict[str, Any]:
        """Bits per pixel; bytes of alpha as they stand there, of profile and EXIF once inflated.

        Of a picture of sixteen bits also these, and its lowest and highest sample.
        """
        data_range = range_of(stream, None)
        facts = {"icc_bytes": ICC, "exif_bytes": EXIF}
        return {
            "bpp": 8 * size / stream.header.samples,
            "alpha_bytes": len(stream.payload(ALPHA) or b""),
            **{
                name: len(inflated_chunk(stream, kind, limits) or b"")
                for name, kind in facts.items()
            },
            **({} if data_range is EIGHT_BITS else asdict(data_range)),
        }

    def size_text(self, extent: tuple[int, ...], channels: int | None = None) -> str:
        """Width before height, and the kind of colours."""
        text = " x ".join(map(str, reversed(extent)))
        return text if channels is None else f"{text} {_NAMES[channels]}"

    def rate(self, size: int, signal: Picture | PictureRows) -> tuple[str, float]:
        """Bits per pixel."""
        return "bpp", 8 * size / math.prod(signal.extent)

    def decibels(self, decoded: Picture, original: Picture | PictureRows) -> float:
        """PSNR of the colours where anything is visible, of their data range; alpha left out."""
        from vqcodec.media.picture.hidden import visible_psnr

        return visible_psnr(decoded, original)


MEDIUM = PictureMedium()
