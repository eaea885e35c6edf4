"""Which sound files are read and written, by the ends of their names and their first bytes."""

__all__ = ["FORMATS", "SUFFIXES", "looks_like_sound"]

# What counts as a sound in a folder; a file that is named by itself goes by its content.
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff")

# Formats that are written.
FORMATS = {".wav": "wav", ".flac": "flac", ".ogg": "ogg"}

_BEGINNINGS = (b"fLaC", b"OggS", b"ID3")
# The first two bytes of a frame of MPEG audio, layers I to III.
_FRAMES = {bytes((0xFF, second)) for second in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2)}


def looks_like_sound(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a sound that is read.

    >>> looks_like_sound(b"fLaC"), looks_like_sound(b"RIFF1234WEBP")
    (True, False)
    """
    if head[:4] in (b"RIFF", b"RF64"):
        return head[8:12] == b"WAVE"
    if head[:4] == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC")
    return head.startswith(_BEGINNINGS) or head[:2] in _FRAMES
