"""Which video files are read and written, by the ends of their names and their first bytes."""

__all__ = ["FORMATS", "SUFFIXES", "looks_like_video"]

# What counts as a video in a folder; a file that is named by itself goes by its content. Not .ts,
# which are programs more often.
SUFFIXES = (
    *(".mkv", ".mp4", ".webm", ".y4m", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".m2ts", ".mts"),
    *(".wmv", ".flv", ".ogv", ".3gp", ".ivf"),
)

# Formats that are written; numbered PNG files besides.
FORMATS = {".mkv": "mkv", ".mp4": "mp4", ".webm": "webm", ".y4m": "y4m"}

_BEGINNINGS = (
    *(b"YUV4MPEG2 ", b"\x1aE\xdf\xa3", b"FLV\x01", b"DKIF", b"nut/multimedia container"),
    *(b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", bytes.fromhex("3026b2758e66cf11")),
)
# Brands of files that begin as MP4 does and hold pictures or sound.
_OTHER_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"crx ", b"M4A ", b"M4B ")
_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PAT, _SDT = bytes.fromhex("474000"), bytes.fromhex("474011")


def looks_like_video(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a video that is read.

    >>> looks_like_video(b"YUV4MPEG2 W320"), looks_like_video(bytes(4) + b"ftypavif")
    (True, False)
    """
    if head[4:8] == b"ftyp":
        return head[8:12] not in _OTHER_BRANDS
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    # Transport streams, as they are and with the four bytes of a time before each packet.
    if head[:3] in (_PAT, _SDT) or head[4:7] in (_PAT, _SDT):
        return True
    return head.startswith(_BEGINNINGS) or head[4:8] in _BOXES
