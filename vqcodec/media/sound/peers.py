"""The codecs that a user would otherwise take, by the programs that people encode with.

Every one is given 16-bit samples at the sound's own rate and gives as many back, its delay taken
out; each runs on one thread. Rates count packets, because a container can be chosen freely.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes.util import find_library

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.sound.extras import extra_package
from vqcodec.media.sound.other_rates import at_rate
from vqcodec.media.sound.packets import adts_packets, opus_packets
from vqcodec.media.sound.program_codec import Format, from_pcm, program_contestant, to_pcm
from vqcodec.media.sound.programs import find_programs, first_line, run
from vqcodec.media.sound.signal import Sound
from vqcodec.media.workshop import Contestant

__all__ = ["PEERS"]

Samples = NDArray[np.float32]

_FFMPEG = ("ffmpeg", "-hide_banner", "-loglevel", "error", "-threads", "1")

_CODEC2_RATE, _CODEC2_FRAME = 8000, 320
# Bits a second: name of the mode, and its delay in samples, at which ESTOI of speech is best.
_CODEC2_MODES = {
    700: ("700C", 240),
    **{rate: (str(rate), 160) for rate in (1200, 1300, 1600, 2400, 3200)},
}


def _opus() -> Contestant:
    find_programs("opusenc", "opusdec", needed_by="Opus", package="opus-tools")

    def encode(sound: Sound, kbps: float) -> bytes:
        pcm = ("--raw", "--raw-bits", "16", "--raw-rate", str(sound.rate))
        rate = ("--raw-chan", str(sound.channels), "--bitrate", f"{kbps:g}", "--comp", "10")
        return run(["opusenc", "--quiet", *pcm, *rate, "-", "-"], to_pcm(sound.samples))

    def decode(data: bytes, format: Format, length: int) -> Samples:
        options = ("--quiet", "--float", "--no-dither", "--rate", str(format.rate))
        return _floats(run(["opusdec", *options, "-", "-"], data), format)

    return program_contestant(
        "opus",
        version=first_line(["opusenc", "--version"]),
        settings="VBR, complexity 10, frames of 20 ms; the setting is kbit/s",
        ladder=(5, 6, 9, 12, 16, 24, 32),
        encode=encode,
        decode=decode,
        packets=opus_packets,
    )


def _codec2() -> Contestant:
    find_programs("c2enc", "c2dec", needed_by="Codec2", package="codec2")
    extra_package("scipy.signal", needed_by="Codec2")

    def encode(sound: Sound, setting: float) -> bytes:
        mode, delay = _CODEC2_MODES[round(setting)]
        mono = sound.samples.mean(axis=1)
        narrow = at_rate(mono, rate=sound.rate, wanted=_CODEC2_RATE, needed_by="Codec2")
        # The program drops the frame that is not full, and what is said arrives late.
        padded = np.pad(narrow, (0, delay + _CODEC2_FRAME - 1))
        coded = run(["c2enc", mode, "-", "-"], to_pcm(padded))
        return round(setting).to_bytes(2, "little") + coded

    def decode(data: bytes, format: Format, length: int) -> Samples:
        mode, delay = _CODEC2_MODES[int.from_bytes(data[:2], "little")]
        pcm = run(["c2dec", mode, "-", "-"], data[2:])
        narrow = from_pcm(pcm, channels=1)[delay:, 0]
        wide = at_rate(narrow, rate=_CODEC2_RATE, wanted=format.rate, needed_by="Codec2")
        return np.repeat(wide[:length, None], format.channels, axis=1)

    return program_contestant(
        "codec2",
        version=find_library("codec2") or "of unknown version",
        settings="one channel at 8 kHz, resampled by scipy; the setting is bit/s of its mode",
        ladder=tuple(_CODEC2_MODES),
        encode=encode,
        decode=decode,
        packets=lambda data: [data[2:]],
    )


def _mp3() -> Contestant:
    return _by_ffmpeg(
        "mp3",
        encoder="libmp3lame",
        # No tags and no frame that describes the others: frames alone, whose headers are needed.
        options=("-write_xing", "0", "-id3v2_version", "0", "-f", "mp3"),
        demuxer="mp3",
        settings="LAME by ffmpeg, CBR, at the sound's rate; the setting is kbit/s",
        ladder=(8, 16, 24, 32, 48, 64),
        # 576 of the encoder, 529 of the decoder.
        delay=1105,
        packets=lambda data: [data],
    )


def _aac() -> Contestant:
    return _by_ffmpeg(
        "aac",
        encoder="aac",
        options=("-f", "adts"),
        demuxer="aac",
        settings="ffmpeg's own encoder, AAC-LC, at the sound's rate; the setting is kbit/s",
        ladder=(8, 12, 16, 24, 32, 48, 64),
        delay=1024,
        packets=adts_packets,
    )


def _by_ffmpeg(
    name: str,
    *,
    encoder: str,
    options: tuple[str, ...],
    demuxer: str,
    settings: str,
    ladder: tuple[float, ...],
    delay: int,
    packets: Callable[[bytes], list[bytes]],
) -> Contestant:
    find_programs("ffmpeg", needed_by=name.upper(), package="ffmpeg")

    def encode(sound: Sound, kbps: float) -> bytes:
        pcm = ("-f", "s16le", "-ar", str(sound.rate), "-ac", str(sound.channels), "-i", "pipe:0")
        coder = ("-threads", "1", "-c:a", encoder, "-b:a", f"{kbps:g}k", *options)
        return run([*_FFMPEG, *pcm, *coder, "pipe:1"], to_pcm(sound.samples))

    def decode(data: bytes, format: Format, length: int) -> Samples:
        command = [*_FFMPEG, "-f", demuxer, "-i", "pipe:0", "-f", "f32le", "pipe:1"]
        return _floats(run(command, data), format)[delay : delay + length]

    return program_contestant(
        name,
        version=" ".join(first_line(["ffmpeg", "-version"]).split()[:3]),
        settings=settings,
        ladder=ladder,
        encode=encode,
        decode=decode,
        packets=packets,
    )


def _floats(data: bytes, format: Format) -> Samples:
    return np.frombuffer(data, "<f4").reshape(-1, format.channels).astype(np.float32)


PEERS: Mapping[str, Callable[[], Contestant]] = {
    "opus": _opus,
    "codec2": _codec2,
    "mp3": _mp3,
    "aac": _aac,
}
