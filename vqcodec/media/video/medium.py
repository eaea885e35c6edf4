"""Videos as the registry sees them: coded by themselves, see `coder.py`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, BinaryIO

from vqcodec.bitstream import PRIORS, Chunk, CountedStream, Header, Limits, Stream
from vqcodec.errors import BadModelError, CorruptError, InputError
from vqcodec.grid import Region
from vqcodec.media.base import Direct, Part
from vqcodec.media.video.letters import FACTS, LETTERS, NUMBER, TRACKS
from vqcodec.media.video.suffixes import FORMATS, SUFFIXES, looks_like_video
from vqcodec.model.config import MediumConfig, ModelConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vqcodec.media.video.signal import Video

__all__ = ["MEDIUM", "VideoMedium"]

_BY_GROUPS = "videos are coded by groups of frames: use open_video and VideoEncoder"


class VideoMedium(Direct):
    """Frames in time: what `vqcodec.media.base.Medium` asks for, but for codecs of one signal."""

    number = NUMBER
    name = "video"
    axes = ("frames", "height", "width")
    letters = LETTERS
    suffixes: tuple[str, ...] = SUFFIXES
    formats: Mapping[str, str] = FORMATS
    default_model = "video"
    span: tuple[float, float] | None = None
    depths: tuple[int, ...] = ()

    def recognises(self, head: bytes) -> bool:
        """Whether a file begins as YUV4MPEG2 or a container of videos does."""
        return looks_like_video(head)

    def open(self, path: str, limits: Limits) -> Video:
        """The video in a file, its frames read as they are drawn."""
        from vqcodec.media.video.files import open_video_file

        return open_video_file(path, limits)

    def read(self, data: bytes, limits: Limits) -> Video:
        """The video in the bytes of a file."""
        from vqcodec.media.video.files import read_video

        return read_video(io.BytesIO(data), limits)

    def write(self, signal: Any, *, format: str) -> bytes:
        """The bytes of a YUV4MPEG2 file; others are written to files, see `coder.py`."""
        from vqcodec.media.video.y4m import Y4mWriter

        if format != "y4m":
            raise InputError(f"a video is written as {format} to a file alone")
        buffer = io.BytesIO()
        writer = Y4mWriter(buffer, signal.facts)
        for frame in signal:
            writer.write(frame)
        return buffer.getvalue()

    def writer(
        self, stream: Stream, region: Region, *, format: str, bits: int | None = None
    ) -> Callable[[Iterable[Part], BinaryIO], None] | None:
        """None: the coder writes it."""
        return None

    def wrap(self, thing: Any) -> Video:
        """The video in frames of many kinds; see `video_from`."""
        from vqcodec.media.video.arrays import video_from

        return video_from(thing)

    def unwrap(self, signal: Any) -> NDArray[np.uint8]:
        """All frames as red, green and blue, uint8 (T, H, W, 3)."""
        from vqcodec.media.video.arrays import array_of

        return array_of(signal)

    def check_model(self, model: ModelConfig) -> None:
        """Raise BadModelError."""
        raise BadModelError(_BY_GROUPS)

    def blank(self, extent: tuple[int, ...], model: ModelConfig) -> Any:
        """Refuse: a group is more than codes of a grid."""
        raise BadModelError(_BY_GROUPS)

    def to_samples(self, signal: Any, model: MediumConfig, region: Region) -> NDArray[np.float32]:
        """Raise BadModelError."""
        raise BadModelError(_BY_GROUPS)

    def from_samples(
        self,
        parts: Iterable[Part],
        stream: Stream,
        region: Region,
        *,
        shrink: int = 1,
        bits: int | None = None,
    ) -> Any:
        """Raise BadModelError."""
        raise BadModelError(_BY_GROUPS)

    def extent_of(self, stream: Stream) -> tuple[int, ...]:
        """Frames, height and width; frames are counted, and their numbers compared.

        Raises: CorruptError.
        """
        from vqcodec.media.video.group import count_frames

        found = [count_frames(payload) for payload in stream.codes]
        frames = sum(count for _, count in found)
        if isinstance(stream, CountedStream):
            wanted = list(zip(accumulate((0, *stream.amounts)), stream.amounts, strict=False))
            for number, (says, should) in enumerate(zip(found, wanted, strict=True)):
                if says != should:
                    raise CorruptError(
                        f"group {number} says first frame and number {says}, the index {should}"
                    )
        return frames, *stream.header.extent

    def per_second(self, stream: Stream) -> int | None:
        """None: rates of frames are fractions, or vary."""
        return None

    def side_chunks(self, signal: Any, *, facts: bool) -> list[Chunk]:
        """None: what stands beside the codes is the coder's."""
        return []

    def check(self, header: Header, side_chunks: Sequence[Chunk]) -> None:
        """Raise CorruptError if header and facts contradict each other."""
        from vqcodec.media.video.audio import unpack_tracks
        from vqcodec.media.video.facts import unpack_facts
        from vqcodec.media.video.signal import LONGEST_SIDE

        payloads = {chunk.type: chunk.payload for chunk in side_chunks}
        if FACTS not in payloads:
            raise CorruptError("a video lacks its facts")
        unpack_facts(payloads[FACTS])
        if TRACKS in payloads:
            unpack_tracks(payloads[TRACKS])
        says = (len(header.extent), header.channels, PRIORS[header.prior])
        if says != (2, 3, "mixing") or header.regions:
            raise CorruptError(f"a video of {says} and {header.regions} regions")
        if max(header.extent) > LONGEST_SIDE:
            raise CorruptError(f"a video of {header.extent}, sides are {LONGEST_SIDE} at most")

    def describe(self, stream: Stream, *, size: int, limits: Limits) -> dict[str, Any]:
        """Kilobits a second and bits a pixel, seconds, frames a second, and what is not usual."""
        from vqcodec.media.video.description import describe

        return describe(stream, size)

    def size_text(self, extent: tuple[int, ...], channels: int | None = None) -> str:
        """Width x height, and how many frames."""
        frames, height, width = extent
        return f"{width} x {height}, {frames} frame{'' if frames == 1 else 's'}"

    def rate(self, size: int, signal: Any) -> tuple[str, float]:
        """Kilobits a second."""
        return "kbps", 8 * size / 1000 / float(signal.duration)

    def decibels(self, decoded: Any, original: Any) -> float:
        """PSNR of (6 Y + U + V) / 8, over all frames."""
        from vqcodec.media.video.measures import psnr_of_frames

        return psnr_of_frames(decoded, original)


MEDIUM = VideoMedium()
