"""Signals in time as they come: blocks of samples to bytes, and bytes to blocks of samples."""

from vqcodec.live.decoder import SoundDecoder
from vqcodec.live.encoder import SoundEncoder

__all__ = ["SoundDecoder", "SoundEncoder"]
