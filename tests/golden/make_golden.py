"""Made the streams of this folder, once; see README.md. Refuses to touch a file that is there."""

import dataclasses
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

from vqcodec import Codec, Picture, load
from vqcodec.bitstream import PRIORS, Chunk, Stream, write_stream
from vqcodec.bitstream.chunk import pack_chunk
from vqcodec.bitstream.header import pack_header
from vqcodec.media.picture.medium import MEDIUM
from vqcodec.media.registry import read_any_stream
from vqcodec.model.file import read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.payload import encode_codes
from vqcodec.priors import Prior, RawPrior

HERE = Path(__file__).parent
Pixels = NDArray[np.uint8]


def read_stream(data: bytes) -> Stream:
    """Read a stream of a picture."""
    return read_any_stream(data)[1]


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
        "two-regions": (Picture(wide), 40.0),
    }


def with_prior(codec: Codec, data: bytes, prior: Prior) -> bytes:
    """Code the same codes with another prior."""
    stream = read_stream(data)
    header = dataclasses.replace(stream.header, prior=prior.mode)
    regions = codec.card.config.regions(header.extent)
    payloads = encode_codes(codec.decode_codes(stream), prior, regions)
    return write_stream(header, stream.side_chunks, payloads)


def built_in_streams() -> dict[str, tuple[str, str, int, bytes]]:
    """Return (model, photograph, quality, bytes) of whole files of the built-in models by name."""
    crops = {"china": crop(0, 100, 200, 211, 277), "flower": crop(1, 80, 150, 197, 253)}
    streams = {}
    for model in ("photo", "photo-psnr"):
        codec = load(model, device="cpu")
        for photograph, pixels in crops.items():
            for quality in (10, 35, 60, 90):
                data = codec.encode(pixels, quality=quality)
                streams[f"{model}-{photograph}-{quality}"] = (model, photograph, quality, data)
    return streams


def valid_streams(codec: Codec, priors: dict[int, Prior]) -> dict[str, bytes]:
    """Return every valid stream by name."""
    streams = {
        name: codec.encode(picture, quality=quality)
        for name, (picture, quality) in pictures().items()
    }
    for prior in priors.values():
        for name in ("rgb", "two-regions"):
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
    out, region = header + checksum, 0
    for letter, payload in chunks:
        length = len(payload)
        packed = bytes([length]) if length < 128 else bytes([0x80 | length & 127, length >> 7])
        body = letter.encode() + packed + payload
        place = checksum + (region if letter == "C" else 0).to_bytes(4, "little")
        out += body + zlib.crc32(place + body).to_bytes(4, "little")
        region += letter == "C"
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
    # What follows the fingerprint: channels, height, width, stages, regions.
    channels, height, stages, regions = 17, 18, len(head) - 2, len(head) - 1
    side = bytes([0xFF, 0xFF, 0xFF, 0x0F])
    huge = head[:height] + side * 2 + head[stages:]
    raw = read_stream(valid["rgb-raw"])
    second = read_stream(valid["two-regions"]).codes[1]
    raw_head = pack_header(raw.header)[:-4]

    def made(header: bytes, *chunks: tuple[str, bytes]) -> bytes:
        return repaired(header, list(chunks))

    return {
        "empty": ("TruncatedError", "empty file", b""),
        "cut-in-header": ("TruncatedError", "ends inside", data[:13]),
        "cut-in-codes": ("TruncatedError", "code chunk 0", data[:-9]),
        "cut-by-one": ("TruncatedError", "code chunk 0", data[:-1]),
        "cut-before-second-region": (
            "TruncatedError",
            "1 of 2 code chunks",
            valid["two-regions"][: -len(pack_chunk(Chunk("C", second), b"", 1))],
        ),
        "png": ("BadMagicError", "looks like PNG", b"\x89PNG\r\n\x1a\n" + bytes(60)),
        "text-mode": ("BadMagicError", "converted to LF", data.replace(b"\r\n", b"\n")),
        "seven-bit": ("BadMagicError", "high bits", bytes(byte & 127 for byte in data)),
        "header-bit": (
            "ChecksumError",
            "header checksum",
            edited(data, channels, data[channels] ^ 1),
        ),
        "codes-bit": ("ChecksumError", "code chunk 0", edited(data, -8, data[-8] ^ 16)),
        "checksum-bit": ("ChecksumError", "code chunk 0", edited(data, -1, data[-1] ^ 128)),
        "trailing-byte": ("CorruptError", "1 bytes follow", data + b"\n"),
        "two-streams": ("CorruptError", "follow the end", data + data),
        "newer-version": ("UnsupportedVersionError", "version 2", edited(data, 6, 2)),
        "unknown-medium": (
            "UnsupportedVersionError",
            "medium 15",
            made(edited(head, 7, data[7] | 15), code),
        ),
        "unknown-prior": (
            "UnsupportedVersionError",
            "prior 3",
            made(edited(head, 8, 3), code),
        ),
        "unknown-critical-chunk": (
            "UnsupportedVersionError",
            "critical type 'Z'",
            made(head, ("Z", b"?"), code),
        ),
        "three-axes": (
            "CorruptError",
            "2 axes",
            made(edited(head[:stages] + b"\x01" + head[stages:], 7, 0x20), code),
        ),
        "open-length": (
            "UnsupportedVersionError",
            "open length",
            made(edited(head, regions, 0), code),
        ),
        "another-number-of-regions": (
            "CorruptError",
            "2 regions",
            made(edited(head, regions, 2), code, code),
        ),
        "no-height": ("CorruptError", "empty signal", made(edited(head, height, 0), code)),
        "no-channels": ("CorruptError", "0 channels", made(edited(head, channels, 0), code)),
        "five-channels": ("CorruptError", "5", made(edited(head, channels, 5), code)),
        "no-stages": ("CorruptError", "0 stages", made(edited(head, stages, 0), code)),
        "reserved-bit": ("CorruptError", "stages", made(edited(head, stages, 0x81), code)),
        "long-varint": (
            "CorruptError",
            "more bytes",
            made(head[:height] + b"\xbd\x00" + head[height + 1 :], code),
        ),
        "huge": ("LimitError", "more than the limit", made(huge, code)),
        "alpha-missing": ("CorruptError", "alpha", made(edited(head, channels, 4), code)),
        "alpha-wrong-size": (
            "CorruptError",
            "exactly",
            made(edited(head, channels, 4), ("A", b"\x01" + zlib.compress(bytes(9))), code),
        ),
        "two-profiles": ("CorruptError", "2 chunks", made(head, ("i", b""), ("i", b""), code)),
        "metadata-not-zlib": ("CorruptError", "inflate", made(head, ("e", b"Exif"), code)),
        "too-many-stages": ("CorruptError", "64 stages", made(edited(head, stages, 64), code)),
        "another-model": (
            "UnknownModelError",
            "ffff",
            made(head[:9] + b"\xff" * 8 + head[17:], code),
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
        "prior": stream.header.prior,
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
    manifest: dict[str, Any] = {"fingerprint": card.fingerprint}
    manifest |= {"valid": {}, "damaged": {}, "built_in": {}}
    for name, data in valid.items():
        write_new(HERE / "valid" / f"{name}.vqc", data)
        pixels = pixels_of(name)
        if pixels == name:
            png = MEDIUM.write(codec.decode_signal(data), format="png")
            write_new(HERE / "valid" / f"{name}.png", png)
        manifest["valid"][name] = expectation(codec, data) | {"pixels": f"{pixels}.png"}
    for name, (error, says, data) in damaged_streams(valid).items():
        write_new(HERE / "damaged" / f"{name}.vqc", data)
        manifest["damaged"][name] = {"error": error, "says": says}
    for name, (model, photograph, quality, data) in built_in_streams().items():
        write_new(HERE / "built_in" / f"{name}.vqc", data)
        facts = {"model": model, "photograph": photograph, "quality": quality}
        manifest["built_in"][name] = expectation(load(model, device="cpu"), data) | facts
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    write_new(HERE / "manifest.json", text.encode())


if __name__ == "__main__":
    main()
