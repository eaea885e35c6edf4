"""STUB: reads sounds, so that evaluation can be run before the medium is here."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from vqcodec.bitstream import Limits
from vqcodec.media.sound.signal import Sound

__all__ = ["MEDIUM", "SoundMedium"]


class SoundMedium:
    """STUB."""

    number = 1
    name = "sound"
    axes = ("time",)
    letters: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = (".wav", ".flac", ".ogg")
    formats: Mapping[str, str] = {".wav": "wav"}
    default_model = "sound"
    span = None

    def recognises(self, head: bytes) -> bool:
        """STUB."""
        return head.startswith((b"RIFF", b"fLaC", b"OggS"))

    def read(self, data: bytes, limits: Limits) -> Sound:
        """STUB."""
        import soundfile

        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        return Sound(samples, rate)


MEDIUM: Any = SoundMedium()
