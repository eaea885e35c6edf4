"""WAV files as they come: every kind of sample, odd chunks, unknown lengths, and what is cut."""

import io
import struct
import wave
from typing import Any

import numpy as np
import pytest

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, LimitError
from vqcodec.media.sound.medium import MEDIUM
from vqcodec.media.sound.pcm import from_pcm, to_pcm
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.wav import WavHead, pack_wav_head

RAMP = np.linspace(-1, 0.9, 62, dtype=np.float32).reshape(31, 2)


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def form(kind: int, bits: int, channels: int = 2, *, more: bytes = b"") -> bytes:
    frame = channels * bits // 8
    return chunk(
        b"fmt ", struct.pack("<HHIIHH", kind, channels, 8000, 8000 * frame, frame, bits) + more
    )


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extensible(kind: int, bits: int) -> bytes:
    guid = struct.pack("<H", kind) + bytes.fromhex("000000001000800000aa00389b71")
    return form(0xFFFE, bits, more=struct.pack("<HHI", 22, bits, 3) + guid)


def read(data: bytes) -> Sound:
    return MEDIUM.read(data, Limits())


@pytest.mark.parametrize(
    ("kind", "bits", "format", "step"),
    [
        (1, 8, "u8", 2**-7),
        (1, 16, "s16", 2**-15),
        (1, 24, "s24", 2**-23),
        (1, 32, "s32", 2**-24),
        (3, 32, "f32", 0),
        (3, 64, "f64", 0),
    ],
)
@pytest.mark.parametrize("make", [form, extensible])
def test_every_kind_of_sample(kind: int, bits: int, format: str, step: float, make: Any) -> None:
    data = chunk(b"data", to_pcm(RAMP, format))
    found = read(riff(chunk(b"JUNK", b"odd"), make(kind, bits), chunk(b"fact", bytes(4)), data))
    assert (found.rate, found.channels) == (8000, 2)
    np.testing.assert_allclose(found.samples, RAMP, rtol=0, atol=step / 2)


def test_the_standard_library_reads_what_is_written() -> None:
    sound = Sound(RAMP, rate=11025, tags={"title": "odd"})
    with wave.open(io.BytesIO(MEDIUM.write(sound, format="wav"))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 11025)
        frames = file.readframes(99)
    wanted = np.clip(np.rint(RAMP * 32768.0), -32768, 32767).astype("<i2")
    assert frames == wanted.tobytes()


def test_what_is_too_loud_is_clipped() -> None:
    loud = Sound(np.array([[1.5], [-1.5], [1.0]], np.float32), rate=8000)
    found = read(MEDIUM.write(loud, format="wav")).samples[:, 0]
    np.testing.assert_array_equal(found, np.array([32767, -32768, 32767], np.float32) / 32768)


@pytest.mark.parametrize("format", ["s16", "s24", "s32", "f32"])
def test_bare_samples_go_both_ways(format: str) -> None:
    sound = Sound(from_pcm(to_pcm(RAMP, "s16"), "s16", 2), rate=8000)
    data = MEDIUM.write(sound, format=format)
    again = MEDIUM.from_raw(data, f"8000,2,{format}", Limits())
    np.testing.assert_array_equal(again.samples, sound.samples, strict=True)


@pytest.mark.parametrize(
    ("data", "said", "wrong"),
    [
        (bytes(8), "8000,2", "RATE,CHANNELS,FORMAT"),
        (bytes(8), "8k,2,s16", "RATE,CHANNELS,FORMAT"),
        (bytes(8), "8000,3,s16", "RATE,CHANNELS,FORMAT"),
        (bytes(8), "8000,2,s17", "unknown sample format"),
        (bytes(8), "10,2,s16", "rate must be"),
        (bytes(7), "8000,2,s16", "7 bytes"),
        (b"", "8000,2,s16", "empty"),
    ],
)
def test_bare_samples_that_are_none(data: bytes, said: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        MEDIUM.from_raw(data, said, Limits())


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_length_that_was_not_known(length: int) -> None:
    """As ffmpeg writes into a pipe."""
    body = to_pcm(RAMP, "s16")
    data = riff(form(1, 16)) + b"data" + struct.pack("<I", length) + body
    np.testing.assert_allclose(read(data).samples, RAMP, atol=2**-16)


def test_no_samples_before_another_chunk_are_none() -> None:
    with pytest.raises(InputError, match="empty"):
        read(riff(form(1, 16), chunk(b"data", b""), chunk(b"LIST", b"INFOabcd")))


def test_a_length_of_64_bits() -> None:
    body = to_pcm(RAMP, "s16")
    wide = chunk(b"ds64", struct.pack("<QQQI", 0, len(body), 31, 0))
    data = b"RF64\xff\xff\xff\xffWAVE" + wide + form(1, 16) + b"data\xff\xff\xff\xff" + body
    np.testing.assert_allclose(read(data + chunk(b"LIST", b"odd")).samples, RAMP, atol=2**-16)
    head = pack_wav_head(WavHead("s16", 2, 48000, 2**31, 0))
    assert head[:4] == b"RF64"
    assert len(head) == 12 + 36 + 24 + 8
    assert struct.unpack("<QQQ", head[20:44]) == (len(head) - 8 + 2**33, 2**33, 2**31)


@pytest.mark.parametrize("text", ["sea", "früh \u65e5\u672c"])
def test_tags_are_kept(text: str) -> None:
    tags = {"title": text, "artist": "x", "tracknumber": "3"}
    assert read(MEDIUM.write(Sound(RAMP, rate=8000, tags=tags), format="wav")).tags == tags


def test_tags_of_an_older_program() -> None:
    info = chunk(
        b"LIST", b"INFO" + chunk(b"INAM", "früh\0".encode("cp1252")) + chunk(b"IXYZ", b"?")
    )
    data = riff(form(1, 16), info, chunk(b"data", to_pcm(RAMP, "s16")))
    assert read(data).tags == {"title": "früh"}


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (riff(), "without its format"),
        (riff(chunk(b"data", bytes(8))), "without its format"),
        (riff(form(1, 16)), "without samples"),
        (riff(form(1, 16), chunk(b"data", bytes(8)))[:-2], "1 of 2 samples are there"),
        (riff(form(1, 16, 6), chunk(b"data", bytes(24))), "6 channels"),
        (riff(form(1, 16, 0), chunk(b"data", bytes(24))), "0 channels|damaged"),
        (riff(form(3, 32), chunk(b"data", b"\0\0\xc0\x7f" * 2)), "finite"),
        (riff(form(3, 64), chunk(b"data", struct.pack("<dd", 1e300, 0))), "finite"),
        (riff(form(3, 32), chunk(b"data", struct.pack("<ff", 65, 0))), "at most 64"),
    ],
)
def test_what_is_no_sound(data: bytes, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        read(data)


def test_a_limit_is_judged_before_samples_are_read() -> None:
    data = riff(form(1, 16), b"data" + struct.pack("<I", 400) + bytes(400))
    with pytest.raises(LimitError, match="100 samples, more than the limit of 99"):
        MEDIUM.read(data, Limits(max_samples=99))
