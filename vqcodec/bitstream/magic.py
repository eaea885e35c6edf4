"""The first bytes of a stream, and what others tell of a file that is not one."""

from vqcodec.errors import BadMagicError, TruncatedError

__all__ = ["MAGIC", "check_magic"]

# A byte above 127, a CR LF and a lone LF: transfers that strip bits or convert line ends change it.
MAGIC = b"\x89VQ\r\n\n"

_FOREIGN = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"%PDF", "PDF"),
    (b"<svg", "SVG"),
    (b"<!DOCTYPE", "HTML"),
    (b"<html", "HTML"),
    (b"{", "JSON"),
)


def check_magic(data: bytes) -> None:
    """Return if the data begins as a stream does.

    Raises: TruncatedError if it is empty or stops inside the magic; BadMagicError if it begins
    otherwise, saying what it looks like or that a transfer in text mode damaged it.
    """
    if not data:
        raise TruncatedError("empty file")
    if data.startswith(MAGIC):
        return
    if MAGIC.startswith(data):
        raise TruncatedError(f"the data ends inside the magic, after {len(data)} bytes")
    damage = _transfer_damage(data)
    if damage:
        raise BadMagicError(f"damaged in transfer: {damage}")
    guess = _looks_like(data)
    raise BadMagicError(f"not a vqcodec file{f' (looks like {guess})' if guess else ''}")


def _transfer_damage(data: bytes) -> str | None:
    """Name the conversion that explains a nearly right beginning, if one does."""
    conversions = (
        (bytes(byte & 0x7F for byte in MAGIC), "the high bits are gone (sent as 7-bit text)"),
        (MAGIC.decode("latin-1").encode("utf-8"), "the bytes were re-encoded as UTF-8"),
        (MAGIC.decode("utf-8", "replace").encode("utf-8"), "the bytes were re-encoded as UTF-8"),
        (b"\xef\xbb\xbf" + MAGIC, "a byte order mark was put before it"),
        (MAGIC[:3] + b"\r\n\r\n", "line ends were converted to CR LF (sent as text)"),
        (MAGIC[:3] + b"\r\r\n\r\n", "line ends were converted to CR LF (sent as text)"),
        (MAGIC[:3] + b"\n\n", "line ends were converted to LF (sent as text)"),
        (MAGIC[:3] + b"\r\r", "line ends were converted to CR (sent as text)"),
    )
    return next((reason for changed, reason in conversions if data.startswith(changed)), None)


def _looks_like(data: bytes) -> str | None:
    """Name the well-known format that these first bytes belong to, if any."""
    if data[:4] == b"RIFF":
        return {b"WEBP": "WebP", b"WAVE": "WAV", b"AVI ": "AVI"}.get(data[8:12], "RIFF")
    if data[4:8] == b"ftyp":
        return "AVIF" if data[8:12] in (b"avif", b"avis") else "MP4 or HEIF"
    return next((name for start, name in _FOREIGN if data.startswith(start)), None)
