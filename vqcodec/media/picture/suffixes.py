"""Which picture files are read and written, by the ends of their names and their first bytes."""

__all__ = ["FORMATS", "SUFFIXES", "is_heic", "looks_like_picture"]

# What counts as a picture in a folder; a file that is named by itself goes by its content.
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".ppm", ".pgm", ".avif", ".jp2", ".heic", ".heif", ".jxl"),
)

# Formats that are written.
FORMATS = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".avif": "avif",
    ".jxl": "jxl",
    ".bmp": "bmp",
}

_BEGINNINGS = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"qoif"),
    *(b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"\x00\x00\x01\x00"),
    *(b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51"),
    *(b"\xff\x0a", b"\x00\x00\x00\x0cJXL "),
)
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def is_heic(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a HEIC picture; `mif1` may be AVIF, too."""
    brands = {head[8:12]} | {head[place : place + 4] for place in range(16, 32, 4)}
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC and not brands & {b"avif", b"avis"}


def looks_like_picture(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a picture that is read.

    >>> looks_like_picture(b"GIF89a"), looks_like_picture(b"%PDF-1.7")
    (True, False)
    """
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[4:8] == b"ftyp":
        return head[8:12] in (b"avif", b"avis", *_HEIC)
    return head.startswith(_BEGINNINGS)
