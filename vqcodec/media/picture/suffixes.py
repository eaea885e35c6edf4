"""Which picture files are read and written, by the ends of their names and their first bytes."""

__all__ = ["FORMATS", "SUFFIXES", "looks_like_picture"]

# What counts as a picture in a folder; a file that is named by itself goes by its content.
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".ppm", ".pgm", ".avif", ".jp2"),
)

# Formats that are written.
FORMATS = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
}

_BEGINNINGS = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"qoif"),
    *(b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"\x00\x00\x01\x00"),
    *(b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51"),
)


def looks_like_picture(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a picture that is read.

    >>> looks_like_picture(b"GIF89a"), looks_like_picture(b"%PDF-1.7")
    (True, False)
    """
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[4:8] == b"ftyp":
        return head[8:12] in (b"avif", b"avis", b"mif1")
    return head.startswith(_BEGINNINGS)
