"""Sound files to sounds: WAV by ourselves, all else through libsndfile."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, LimitError, MissingDependencyError
from vqcodec.media.sound.blocks import SoundBlocks
from vqcodec.media.sound.pcm import FORMATS, from_pcm
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.tags import NAMES, kept_tags
from vqcodec.media.sound.wav import is_wav, read_wav_head

__all__ = ["import_soundfile", "named_errors", "open_sound", "read_sound"]

Samples = NDArray[np.float32]
Opener = Callable[[], BinaryIO]

# What is read at a time; sounds of more samples than the second are not held whole.
_BLOCK = 2**16
_LARGE = 2**22
_HEAD = 64


class _File(Protocol):
    """What a file says of its sound, and its samples in blocks, from the beginning each time."""

    samples: int
    channels: int
    rate: int
    tags: Mapping[str, str]

    def __iter__(self) -> Iterator[Samples]: ...


def read_sound(data: bytes, limits: Limits) -> Sound:
    """The sound in the bytes of a file.

    Raises:
        InputError: no sound that is read, damaged, cut off, or of more than two channels.
        LimitError: more samples than allowed. MissingDependencyError: it is not WAV, and soundfile
            is not installed.
    """
    file = _checked(lambda: io.BytesIO(data), data[:_HEAD], limits)
    samples = np.concatenate([np.zeros((0, file.channels), np.float32), *file])
    if len(samples) != file.samples:
        raise InputError(
            f"the sound is damaged or cut off: {len(samples)} of {file.samples} samples are there"
        )
    return Sound(samples, rate=file.rate, tags=file.tags)


def open_sound(path: str, limits: Limits) -> SoundBlocks | None:
    """The sound in a file of more than 2^22 samples, read as it is asked for; None for another.

    Raises: LimitError as `read_sound`; while blocks are drawn, InputError.
    """

    def opener() -> BinaryIO:
        return open(path, "rb")

    try:
        with opener() as opened:
            head = opened.read(_HEAD)
        file = _checked(opener, head, limits)
    except (OSError, InputError, MissingDependencyError):
        # Read whole it says what is wrong with it.
        return None
    if file.samples <= _LARGE:
        return None
    return SoundBlocks(
        file, samples=file.samples, rate=file.rate, channels=file.channels, tags=file.tags
    )


def _checked(opener: Opener, head: bytes, limits: Limits) -> _File:
    """A file whose sound may be read."""
    file: _File = _Wav(opener) if is_wav(head) and _is_plain(opener) else _Packed(opener)
    if file.channels not in (1, 2):
        raise InputError(f"the sound has {file.channels} channels, mono and stereo are read")
    if file.samples < 1:
        raise InputError("the sound is empty")
    if file.samples > limits.max_samples:
        raise LimitError(
            f"the sound has {file.samples} samples, more than the limit of {limits.max_samples}",
            argument="max_samples",
        )
    return file


def _is_plain(opener: Opener) -> bool:
    """Whether a WAV file holds samples as they are."""
    with opener() as file:
        return read_wav_head(file).format is not None


class _Wav:
    """A WAV file of plain samples."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        with opener() as file:
            self._head = head = read_wav_head(file)
        self.samples, self.channels, self.rate, self.tags = (
            *(head.samples, head.channels),
            *(head.rate, head.tags),
        )

    def __iter__(self) -> Iterator[Samples]:
        format = self._head.format
        assert format is not None
        frame = FORMATS[format] * self.channels
        with self._opener() as file:
            file.seek(self._head.begin)
            for first in range(0, self.samples, _BLOCK):
                data = file.read(frame * min(_BLOCK, self.samples - first))
                yield from_pcm(data[: len(data) // frame * frame], format, self.channels)


class _Packed:
    """A file that libsndfile reads: FLAC, Ogg Vorbis and Opus, MP3, AIFF and others."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        with self._opened() as file:
            self.samples, self.channels = int(file.frames), int(file.channels)
            self.rate = int(file.samplerate)
            found = ((name, str(getattr(file, name, "") or "")) for name in NAMES)
            self.tags: Mapping[str, str] = kept_tags(found)

    def __iter__(self) -> Iterator[Samples]:
        with self._opened() as file:
            while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
                yield block

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        soundfile = import_soundfile("read other sounds than WAV")
        with (
            named_errors("the sound is damaged, cut off or of an unknown format"),
            self._opener() as file,
            soundfile.SoundFile(file) as opened,
        ):
            yield opened


def import_soundfile(use: str) -> Any:
    """The package soundfile. Raises: MissingDependencyError that says what it is for."""
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            f"to {use} needs soundfile: pip install 'vqcodec[sound]'"
        ) from error
    return soundfile


@contextmanager
def named_errors(what: str) -> Iterator[None]:
    """Say in our own words what libsndfile refuses."""
    soundfile = import_soundfile("read and write sounds")
    try:
        yield
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[-1] if str(error) else type(error).__name__
        # What it calls the data that it was given says nothing to a user.
        reason = re.sub(r"Error opening .*?: ", "", os.path.basename(reason))
        raise InputError(f"{what}: {reason[:200]}") from error
