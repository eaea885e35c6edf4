"""Bare samples: integers of 8 to 32 bits and floats, as bytes and as float32 of full scale 1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError

__all__ = ["FORMATS", "from_pcm", "sample_bytes", "to_pcm"]

# Name -> bytes of a sample, all little-endian: u unsigned, s signed, f floating-point.
FORMATS: Mapping[str, int] = {"u8": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8}


def sample_bytes(format: str) -> int:
    """How many bytes a sample of a format takes. Raises: InputError for an unknown format.

    >>> sample_bytes("s24")
    3
    """
    if format not in FORMATS:
        raise InputError(f"unknown sample format {format[:20]!a}: use {', '.join(FORMATS)}")
    return FORMATS[format]


def from_pcm(data: bytes, format: str, channels: int) -> NDArray[np.float32]:
    """Samples (n, channels) of bytes that hold a whole number of them, channel after channel.

    >>> from_pcm(bytes([0, 0x40, 0, 0x80]), "s16", 2)
    array([[ 0.5, -1. ]], dtype=float32)
    """
    if format == "s24":
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        numbers = wide.view("<i4")[:, 0]
    else:
        numbers = np.frombuffer(data, f"<{format[0].replace('s', 'i')}{FORMATS[format]}")
    samples: NDArray[np.float32]
    if format == "u8":
        samples = (numbers.astype(np.float32) - np.float32(128)) / np.float32(128)
    elif format[0] == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            samples = numbers.astype(np.float32)
    else:
        # float64 until the end: 32 bits do not fit into a float32.
        samples = (numbers / float(2 ** (8 * numbers.itemsize - 1))).astype(np.float32)
    return samples.reshape(-1, channels)


def to_pcm(samples: NDArray[np.float32], format: str) -> bytes:
    """Bytes of samples (n, channels); integers are rounded and clipped at full scale.

    >>> to_pcm(np.array([[0.5, 1.0]], np.float32), "s16").hex()
    '0040ff7f'
    """
    if format[0] == "f":
        return samples.astype(f"<f{sample_bytes(format)}").tobytes()
    full = 2.0 ** (8 * sample_bytes(format) - 1)
    numbers = np.rint(samples * np.float64(full)).clip(-full, full - 1).astype("<i4")
    if format == "u8":
        return bytes((numbers + 128).astype(np.uint8).tobytes())
    if format == "s24":
        return numbers.reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    return numbers.astype(f"<i{sample_bytes(format)}").tobytes()
