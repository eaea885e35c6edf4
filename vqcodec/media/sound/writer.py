"""Sounds to files, block by block: WAV and bare samples by ourselves, others by libsndfile."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.sound.files import import_soundfile, named_errors
from vqcodec.media.sound.pcm import FORMATS, sample_bytes, to_pcm
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.tags import NAMES
from vqcodec.media.sound.wav import WavHead, pack_wav_head

__all__ = ["write_blocks", "write_sound"]

# libsndfile's Vorbis encoder takes a stack in proportion to what it is given at once.
_BLOCK = 2**14
_SUBTYPES = {"flac": "PCM_16", "ogg": "VORBIS"}


def write_sound(sound: Sound, *, format: str) -> bytes:
    """The bytes of a file that holds a sound: "wav" of 16 bits, "flac", "ogg", or bare samples.

    Raises: InputError as `write_blocks`; MissingDependencyError for FLAC and Ogg without soundfile.
    """
    file = io.BytesIO()
    write_blocks(
        file,
        [sound.samples],
        samples=sound.extent[0],
        rate=sound.rate,
        channels=sound.channels,
        tags=sound.tags,
        format=format,
    )
    return file.getvalue()


def write_blocks(
    file: BinaryIO,
    blocks: Iterable[NDArray[np.float32]],
    *,
    samples: int,
    rate: int,
    channels: int,
    tags: Mapping[str, str],
    format: str,
) -> None:
    """Write a sound of blocks (n, channels), `samples` in all, to a file as they come.

    format: "wav", "flac", "ogg", or of bare samples one of `pcm.FORMATS`.
    Raises: InputError for another format, and for a rate that it cannot hold.
    """
    if format in _SUBTYPES:
        _write_packed(file, blocks, rate, channels, tags, format)
        return
    bare = "s16" if format == "wav" else format
    sample_bytes(bare)
    if format == "wav":
        head = WavHead(bare, channels, rate, samples, 0, tags)
        file.write(pack_wav_head(head))
    for block in blocks:
        file.write(to_pcm(block, bare))
    if format == "wav" and FORMATS[bare] * channels * samples % 2:
        file.write(b"\0")


def _write_packed(
    file: BinaryIO,
    blocks: Iterable[NDArray[np.float32]],
    rate: int,
    channels: int,
    tags: Mapping[str, str],
    format: str,
) -> None:
    soundfile = import_soundfile(f"write {format}")
    options = {"format": format.upper(), "subtype": _SUBTYPES[format]}
    # Opened by itself first: what a format cannot hold is the sound's fault, a full disk is not.
    with named_errors(f"cannot write the sound as {format}"):
        opened = soundfile.SoundFile(file, "w", rate, channels, **options)
    with opened:
        for name in NAMES.keys() & tags.keys():
            # The library takes no empty text, and a text ends at its first NUL.
            if text := tags[name].split("\0")[0].strip():
                setattr(opened, name, text)
        for block in blocks:
            for first in range(0, len(block), _BLOCK):
                opened.write(np.clip(block[first : first + _BLOCK], -1, 1))
