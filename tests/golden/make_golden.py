"""Made the streams of this folder, once; see README.md. Refuses to touch a file that is there."""

import hashlib
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from sklearn.datasets import load_sample_images

from vqcodec import Codec, load
from vqcodec.bitstream import PRIORS, Chunk, Header, read_stream, write_stream
from vqcodec.bitstream.chunk import pack_chunk
from vqcodec.bitstream.header import pack_header
from vqcodec.media.picture.image import Picture, write_picture
from vqcodec.model.file import read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.payload import encode_codes, tile_regions
from vqcodec.priors import Prior, RawPrior

HERE = Path(__file__).parent
STRIDE = 8
Pixels = NDArray[np.uint8]


def crop(index: int, top: int, left: int, height: int, width: int) -> Pixels:
    """Cut a piece out of one of the two photographs that scikit-learn ships, RGB."""
    picture: Pixels = load_sample_images().images[index]
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def with_alpha(pixels: Pixels) -> Pixels:
    """Add an alpha channel: a soft disc."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot((y - height / 2) / height, (x - width / 2) / width)
    alpha = np.clip((0.55 - distance) * 900, 0, 255).astype(np.uint8)
    return np.concatenate([pixels, alpha[:, :, None]], axis=2)


def grey(pixels: Pixels) -> Pixels:
    """Return the mean of three colours as one channel."""
    mean: Pixels = pixels.mean(axis=2, keepdims=True).astype(np.uint8)
    return mean


def metadata() -> dict[str, bytes]:
    """Return a real colour profile, and EXIF data that names a maker."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "golden"
    return {"icc": profile, "exif": exif.tobytes().removeprefix(b"Exif\x00\x00")}


def pictures() -> dict[str, tuple[Picture, float]]:
    """Return each valid picture and the quality at which it is coded."""
    wide = np.concatenate([crop(0, 200, 0, 40, 640), crop(1, 200, 0, 40, 460)], axis=1)
    return {
        "grey": (Picture(grey(crop(0, 100, 200, 48, 64))), 60.0),
        "grey-alpha": (Picture(with_alpha(grey(crop(1, 150, 250, 41, 53)))), 60.0),
        "rgb": (Picture(crop(0, 150, 300, 64, 96)), 100.0),
        "rgb-coarse": (Picture(crop(0, 150, 300, 64, 96)), 0.0),
        "rgba": (Picture(with_alpha(crop(1, 100, 200, 57, 35))), 80.0),
        "one-pixel": (Picture(crop(1, 200, 300, 1, 1)), 50.0),
        "one-row": (Picture(crop(1, 200, 300, 1, 77)), 50.0),
        "one-column": (Picture(crop(0, 120, 330, 83, 1)), 50.0),
        "odd": (Picture(crop(1, 120, 180, 61, 37)), 70.0),
        "metadata": (Picture(crop(0, 80, 90, 33, 47), **metadata()), 50.0),
        "two-tiles": (Picture(wide), 40.0),
    }


def with_prior(codec: Codec, data: bytes, prior: Prior) -> bytes:
    """Code the same codes with another prior."""
    stream = read_stream(data)
    old = stream.header
    header = Header(
        width=old.width,
        height=old.height,
        channels=old.channels,
        stages=old.stages,
        prior_mode=prior.mode,
        fingerprint=old.fingerprint,
    )
    codes = codec.decode_codes(stream)
    payloads = encode_codes(codes, prior, tile_regions(old.width, old.height, STRIDE))
    return write_stream(header, stream.side_chunks, payloads)


def valid_streams(codec: Codec, priors: dict[int, Prior]) -> dict[str, bytes]:
    """Return every valid stream by name."""
    streams = {
        name: codec.encode(picture, quality=quality)
        for name, (picture, quality) in pictures().items()
    }
    for prior in priors.values():
        for name in ("rgb", "two-tiles"):
            streams[f"{name}-{prior.name}"] = with_prior(codec, streams[name], prior)
    stream = read_stream(streams["odd"])
    later = [Chunk("z", b"from a later version")]
    streams["unknown-optional-chunk"] = write_stream(stream.header, later, stream.codes)
    return streams


def repaired(header: bytes, chunks: list[tuple[str, bytes]]) -> bytes:
    """Join parts that contradict the format, with checksums that are right.

    header: without its checksum.
    """
    checksum = zlib.crc32(header).to_bytes(4, "little")
    out, tile = header + checksum, 0
    for letter, payload in chunks:
        length = len(payload)
        packed = bytes([length]) if length < 128 else bytes([0x80 | length & 127, length >> 7])
        body = letter.encode() + packed + payload
        place = checksum + (tile if letter == "C" else 0).to_bytes(4, "little")
        out += body + zlib.crc32(place + body).to_bytes(4, "little")
        tile += letter == "C"
    return out


def edited(data: bytes, place: int, value: int) -> bytes:
    """Set one byte."""
    place %= len(data)
    return data[:place] + bytes([value]) + data[place + 1 :]


def damaged_streams(valid: dict[str, bytes]) -> dict[str, tuple[str, str, bytes]]:
    """Return (error, part of its message, bytes) of every damaged stream by name."""
    data = valid["odd"]
    stream = read_stream(data)
    head = pack_header(stream.header)[:-4]
    code = ("C", stream.codes[0])
    side = 0x80 | 127
    huge = head[:16] + bytes([side, side, side, 15]) * 2 + head[18:]
    raw = read_stream(valid["rgb-raw"])
    second = read_stream(valid["two-tiles"]).codes[1]
    raw_head = pack_header(raw.header)[:-4]

    def made(header: bytes, *chunks: tuple[str, bytes]) -> bytes:
        return repaired(header, list(chunks))

    return {
        "empty": ("TruncatedError", "empty file", b""),
        "cut-in-header": ("TruncatedError", "ends inside", data[:13]),
        "cut-in-codes": ("TruncatedError", "code chunk 0", data[:-9]),
        "cut-by-one": ("TruncatedError", "code chunk 0", data[:-1]),
        "cut-before-second-tile": (
            "TruncatedError",
            "1 of 2 code chunks",
            valid["two-tiles"][: -len(pack_chunk(Chunk("C", second), b"", 1))],
        ),
        "png": ("BadMagicError", "looks like PNG", b"\x89PNG\r\n\x1a\n" + bytes(60)),
        "text-mode": ("BadMagicError", "converted to LF", data.replace(b"\r\n", b"\n")),
        "seven-bit": ("BadMagicError", "high bits", bytes(byte & 127 for byte in data)),
        "header-bit": ("ChecksumError", "header checksum", edited(data, 16, data[16] ^ 1)),
        "codes-bit": ("ChecksumError", "code chunk 0", edited(data, -8, data[-8] ^ 16)),
        "checksum-bit": ("ChecksumError", "code chunk 0", edited(data, -1, data[-1] ^ 128)),
        "trailing-byte": ("CorruptError", "1 bytes follow", data + b"\n"),
        "two-streams": ("CorruptError", "follow the end", data + data),
        "newer-version": ("UnsupportedVersionError", "version 2", edited(data, 6, 2)),
        "unknown-kind": ("UnsupportedVersionError", "kind 1", edited(data, 7, data[7] | 1)),
        "unknown-prior": (
            "UnsupportedVersionError",
            "prior mode 7",
            made(edited(head, 7, data[7] | 0x70), code),
        ),
        "unknown-critical-chunk": (
            "UnsupportedVersionError",
            "critical type 'Z'",
            made(head, ("Z", b"?"), code),
        ),
        "reserved-bit": (
            "CorruptError",
            "must be zero",
            made(edited(head, 7, data[7] | 128), code),
        ),
        "no-width": ("CorruptError", "empty picture", made(edited(head, 16, 0), code)),
        "long-varint": (
            "CorruptError",
            "more bytes",
            made(head[:16] + b"\xa5\x00" + head[17:], code),
        ),
        "huge": ("LimitError", "more than the limit", made(huge, code)),
        "alpha-missing": ("CorruptError", "alpha", made(edited(head, 7, data[7] | 4), code)),
        "alpha-wrong-size": (
            "CorruptError",
            "exactly",
            made(edited(head, 7, data[7] | 4), ("A", b"\x01" + zlib.compress(bytes(9))), code),
        ),
        "two-profiles": ("CorruptError", "2 chunks", made(head, ("i", b""), ("i", b""), code)),
        "metadata-not-zlib": ("CorruptError", "inflate", made(head, ("e", b"Exif"), code)),
        "too-many-stages": ("CorruptError", "stages", made(edited(head, -1, 63), code)),
        "another-model": (
            "UnknownModelError",
            "ffff",
            made(head[:8] + b"\xff" * 8 + head[16:], code),
        ),
        "codes-too-short": (
            "CorruptError",
            "code chunk 0",
            made(head, ("C", stream.codes[0][:-2])),
        ),
        "codes-too-long": (
            "CorruptError",
            "code chunk 0",
            made(head, ("C", stream.codes[0] + b"!")),
        ),
        "no-codes": ("CorruptError", "code chunk 0", made(head, ("C", b""))),
        "raw-code-too-large": (
            "CorruptError",
            "code chunk 0",
            repaired(raw_head, [("C", b"\xff" * len(raw.codes[0]))]),
        ),
    }


def digest(codes: NDArray[np.int64]) -> str:
    """Return the SHA-256 of codes as little-endian 16-bit numbers."""
    return hashlib.sha256(codes.astype("<u2").tobytes()).hexdigest()


def expectation(codec: Codec, data: bytes) -> dict[str, Any]:
    """Return what the manifest says about a valid stream, besides its pixels."""
    stream = read_stream(data)
    codes = codec.decode_codes(stream)
    return {
        "bytes": len(data),
        "prior": stream.header.prior_mode,
        "codes_shape": list(codes.shape),
        "codes_sha256": digest(codes),
    }


def pixels_of(name: str) -> str:
    """Return the name of the stream that has the same pixels and comes first."""
    if name == "unknown-optional-chunk":
        return "odd"
    base, _, prior = name.rpartition("-")
    return base if prior in PRIORS else name


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet."""
    with path.open("xb") as file:
        file.write(data)


def main() -> None:
    """Make every file that this folder holds besides the model."""
    if (HERE / "manifest.json").exists():
        sys.exit("the golden files are there, and are never made again")
    codec = load(HERE / "tiny.safetensors", device="cpu")
    card, tensors = read_model(HERE / "tiny.safetensors")
    size, stages = card.config.quantizer.codebook_size, card.config.quantizer.stages
    priors: dict[int, Prior] = {0: RawPrior(size, stages)} | priors_from_tensors(
        card.config, tensors, HERE / "tiny.safetensors"
    )
    valid = valid_streams(codec, priors)
    manifest: dict[str, Any] = {"fingerprint": card.fingerprint, "valid": {}, "damaged": {}}
    for name, data in valid.items():
        write_new(HERE / "valid" / f"{name}.vqc", data)
        pixels = pixels_of(name)
        if pixels == name:
            write_new(HERE / "valid" / f"{name}.png", write_picture(codec.decode_picture(data)))
        manifest["valid"][name] = expectation(codec, data) | {"pixels": f"{pixels}.png"}
    for name, (error, says, data) in damaged_streams(valid).items():
        write_new(HERE / "damaged" / f"{name}.vqc", data)
        manifest["damaged"][name] = {"error": error, "says": says}
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    write_new(HERE / "manifest.json", text.encode())


if __name__ == "__main__":
    main()
