"""What the makers of golden files share: one a medium, run once; see README.md.

Nothing here is a medium's own: `Maker` writes the files and their manifest, `damage` spoils a
stream in every way that the format itself refuses.
"""

import dataclasses
import hashlib
import json
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec import Codec, load
from vqcodec.bitstream import PRIORS, Chunk, Stream, write_stream
from vqcodec.bitstream.chunk import pack_chunk
from vqcodec.bitstream.header import pack_header
from vqcodec.errors import VqcodecError
from vqcodec.media.registry import read_any_stream
from vqcodec.model.file import read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.priors import Prior, RawPrior

# The error, a part of its message, and the stream that earns it.
Damaged = dict[str, tuple[str, str, bytes]]

# Places in a header: a byte of medium and axes, prior, fingerprint, channels, extent.
AXES, PRIOR, FINGERPRINT, CHANNELS, EXTENT = 7, 8, 9, 17, 18


def read_stream(data: bytes) -> Stream:
    """Read a stream of any medium."""
    return read_any_stream(data)[1]


def model_priors(path: Path) -> dict[int, Prior]:
    """Return every prior of a model by its number in the header, the raw one among them."""
    card, tensors = read_model(path)
    quantizer = card.config.quantizer
    raw: dict[int, Prior] = {0: RawPrior(quantizer.codebook_size, quantizer.stages)}
    return raw | priors_from_tensors(card.config, tensors, path)


def with_prior(codec: Codec, data: bytes, prior: Prior) -> bytes:
    """Code the same codes with another prior."""
    stream = read_stream(data)
    header = dataclasses.replace(stream.header, prior=prior.mode)
    codes = codec.decode_codes(stream)
    regions = codec.card.config.regions(header.extent)
    payloads = [prior.encode(np.ascontiguousarray(codes[:, *region])) for region in regions]
    return write_stream(header, stream.side_chunks, payloads)


def with_later_chunk(data: bytes) -> bytes:
    """Add a chunk of a type that no version knows yet and that a reader may skip."""
    stream = read_stream(data)
    later = Chunk("z", b"from a later version")
    return write_stream(stream.header, [*stream.side_chunks, later], stream.codes)


def edited(data: bytes, place: int, value: int) -> bytes:
    """Set one byte."""
    place %= len(data)
    return data[:place] + bytes([value]) + data[place + 1 :]


def bare_header(data: bytes) -> bytes:
    """The header of a stream without its checksum."""
    return pack_header(read_stream(data).header)[:-4]


def repaired(header: bytes, *chunks: tuple[str, bytes]) -> bytes:
    """Join parts that contradict the format, with checksums that are right.

    header: as `bare_header` gives it.
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


def parts_of(data: bytes) -> list[tuple[str, bytes]]:
    """The chunks of a stream, as `repaired` takes them."""
    stream = read_stream(data)
    side = [(chunk.type, chunk.payload) for chunk in stream.side_chunks]
    return side + [("C", codes) for codes in stream.codes]


def damage(one: bytes, two: bytes, raw: bytes) -> Damaged:
    """Spoil streams in every way that the format itself refuses; by name.

    A medium's `check` refuses a stream of other axes with the word "axes".

    one: a stream of one region and of no more side chunks than must be, lengths below 128 and a
    first axis over 1. two: a stream of two regions. raw: a stream of one region and prior 0.
    """
    return _cut_or_flipped(one, two) | _headers(one) | _payloads(one, raw)


def _cut_or_flipped(one: bytes, two: bytes) -> Damaged:
    """What happens to files on their way: checksums are wrong, or bytes are missing or too many."""
    last = pack_chunk(Chunk("C", read_stream(two).codes[1]), b"", 1)
    lf = one.replace(b"\r\n", b"\n")
    seven = bytes(byte & 127 for byte in one)
    channel = edited(one, CHANNELS, one[CHANNELS] ^ 1)
    return {
        "empty": ("TruncatedError", "empty file", b""),
        "cut-in-header": ("TruncatedError", "ends inside", one[:13]),
        "cut-in-codes": ("TruncatedError", "code chunk 0", one[:-9]),
        "cut-by-one": ("TruncatedError", "code chunk 0", one[:-1]),
        "cut-before-second-region": ("TruncatedError", "1 of 2 code chunks", two[: -len(last)]),
        "png": ("BadMagicError", "looks like PNG", b"\x89PNG\r\n\x1a\n" + bytes(60)),
        "text-mode": ("BadMagicError", "converted to LF", lf),
        "seven-bit": ("BadMagicError", "high bits", seven),
        "header-bit": ("ChecksumError", "header checksum", channel),
        "codes-bit": ("ChecksumError", "code chunk 0", edited(one, -8, one[-8] ^ 16)),
        "checksum-bit": ("ChecksumError", "code chunk 0", edited(one, -1, one[-1] ^ 128)),
        "trailing-byte": ("CorruptError", "1 bytes follow", one + b"\n"),
        "two-streams": ("CorruptError", "follow the end", one + one),
        "newer-version": ("UnsupportedVersionError", "version 2", edited(one, 6, 2)),
    }


def _headers(one: bytes) -> Damaged:
    """Headers that no encoder writes, with a checksum that is right."""
    head, chunks = bare_header(one), parts_of(one)
    stages, regions, axes = len(head) - 2, len(head) - 1, 1 + (head[AXES] >> 4)
    more_axes = edited(head[:stages] + b"\x01" + head[stages:], AXES, head[AXES] + 16)
    # 2^25 - 1 along each axis; where there is only one, 2^32 - 1.
    length = b"\xff\xff\xff\x0f" if axes > 1 else b"\xff\xff\xff\xff\x0f"
    huge = head[:EXTENT] + length * axes + head[stages:]
    long = head[:EXTENT] + bytes([0x80 | head[EXTENT], 0]) + head[EXTENT + 1 :]
    other = head[:FINGERPRINT] + b"\xff" * 8 + head[CHANNELS:]
    newer, corrupt = "UnsupportedVersionError", "CorruptError"
    wrong: dict[str, tuple[str, str, bytes]] = {
        "unknown-medium": (newer, "medium 15", edited(head, AXES, head[AXES] | 15)),
        "unknown-prior": (newer, "prior 3", edited(head, PRIOR, 3)),
        "open-length": (newer, "open length", edited(head, regions, 0)),
        "axis-too-many": (corrupt, "axes", more_axes),
        "empty-axis": (corrupt, "empty signal", edited(head, EXTENT, 0)),
        "no-channels": (corrupt, "0 channels", edited(head, CHANNELS, 0)),
        "no-stages": (corrupt, "0 stages", edited(head, stages, 0)),
        "too-many-stages": (corrupt, "64 stages", edited(head, stages, 64)),
        "reserved-bit": (corrupt, "stages", edited(head, stages, 0x81)),
        "long-varint": (corrupt, "more bytes", long),
        "huge": ("LimitError", "more than the limit", huge),
        "another-model": ("UnknownModelError", "ffff", other),
    }
    two = repaired(edited(head, regions, 2), *chunks, chunks[-1])
    return {
        name: (error, says, repaired(made, *chunks)) for name, (error, says, made) in wrong.items()
    } | {
        "another-number-of-regions": (corrupt, "2 regions", two),
        "unknown-critical-chunk": (
            newer,
            "critical type 'Z'",
            repaired(head, ("Z", b"?"), *chunks),
        ),
    }


def _payloads(one: bytes, raw: bytes) -> Damaged:
    """Codes that no encoder writes, with checksums that are right."""
    *side, (_, codes) = parts_of(one)
    *raw_side, (_, raw_codes) = parts_of(raw)
    head, ones = bare_header(one), ("C", b"\xff" * len(raw_codes))
    payloads = {"codes-too-short": codes[:-2], "codes-too-long": codes + b"!", "no-codes": b""}
    spoilt = {name: repaired(head, *side, ("C", payload)) for name, payload in payloads.items()}
    spoilt["raw-code-too-large"] = repaired(bare_header(raw), *raw_side, ones)
    return {name: ("CorruptError", "code chunk 0", data) for name, data in spoilt.items()}


def signal_of(name: str) -> str:
    """The name of the stream of the same signal that comes first: "odd" of "odd-raw"."""
    base, _, last = name.rpartition("-")
    return base if last in {*PRIORS, "later"} else name


@dataclasses.dataclass(frozen=True)
class Maker:
    """Writes the golden files of a medium into its folder, beside `tiny.safetensors`."""

    folder: Path

    def make(
        self,
        valid: Mapping[str, bytes],
        damaged: Damaged,
        built_in: Mapping[str, tuple[bytes, Mapping[str, Any]]],
        *,
        tolerance: float,
    ) -> None:
        """Write every stream, the decoded signals and the manifest.

        Args:
            valid: streams by name; those of one signal after the one whose name `signal_of` gives.
            damaged: as `damage` gives them, and what only the medium refuses.
            built_in: files of built-in models and what they were made of, "model" at least.
            tolerance: largest difference of a decoded sample elsewhere, in the file's own unit.

        Exits before anything is written if a damaged stream does not earn its error.
        """
        if (self.folder / "manifest.json").exists():
            sys.exit("the golden files are there, and are never made again")
        codec = load(self.folder / "tiny.safetensors", device="cpu")
        _check_refusals(codec, damaged)
        manifest = {
            "fingerprint": codec.card.fingerprint,
            "tolerance": tolerance,
            "valid": {name: self._valid(codec, name, data) for name, data in valid.items()},
            "damaged": {name: {"error": e, "says": s} for name, (e, s, _) in damaged.items()},
            "built_in": self._built_in(built_in),
        }
        for name, (_, _, data) in damaged.items():
            self._write(f"damaged/{name}.vqc", data)
        self._write("manifest.json", _as_json(manifest))

    def add(self, valid: Mapping[str, bytes], damaged: Damaged) -> None:
        """Write streams that came later beside those that are there, whose entries stay.

        Exits before anything is written if a damaged stream does not earn its error, or if an older
        one has the name.
        """
        path = self.folder / "manifest.json"
        manifest = json.loads(path.read_text())
        if {*valid} & {*manifest["valid"]} or {*damaged} & {*manifest["damaged"]}:
            sys.exit("the golden files are there, and are never made again")
        codec = load(self.folder / "tiny.safetensors", device="cpu")
        _check_refusals(codec, damaged)
        for name, data in valid.items():
            manifest["valid"][name] = self._valid(codec, name, data)
        for name, (error, says, data) in damaged.items():
            manifest["damaged"][name] = {"error": error, "says": says}
            self._write(f"damaged/{name}.vqc", data)
        path.write_bytes(_as_json(manifest))

    def add_built_in(self, built_in: Mapping[str, tuple[bytes, Mapping[str, Any]]]) -> None:
        """Write files of built-in models beside those that are there; exits if a name is taken."""
        path = self.folder / "manifest.json"
        manifest = json.loads(path.read_text())
        if {*built_in} & {*manifest["built_in"]}:
            sys.exit("the golden files are there, and are never made again")
        manifest["built_in"] |= self._built_in(built_in)
        path.write_bytes(_as_json(manifest))

    def _built_in(self, built_in: Mapping[str, tuple[bytes, Mapping[str, Any]]]) -> dict[str, Any]:
        """Write files of built-in models; what the manifest says of them."""
        for name, (data, _) in built_in.items():
            self._write(f"built_in/{name}.vqc", data)
        return {
            name: expectation(load(facts["model"], device="cpu"), data) | dict(facts)
            for name, (data, facts) in built_in.items()
        }

    def _valid(self, codec: Codec, name: str, data: bytes) -> dict[str, Any]:
        """Write a valid stream, and its signal if it is the first of it."""
        suffix, format = next(iter(codec.medium.formats.items()))
        self._write(f"valid/{name}.vqc", data)
        signal = signal_of(name)
        if signal == name:
            decoded = codec.decode_signal(data)
            self._write(f"valid/{name}{suffix}", codec.medium.write(decoded, format=format))
        return expectation(codec, data) | {"signal": f"{signal}{suffix}"}

    def _write(self, name: str, data: bytes) -> None:
        """Write a file that must not be there yet."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as file:
            file.write(data)


def _check_refusals(codec: Codec, damaged: Damaged) -> None:
    for name, (error, says, data) in damaged.items():
        if (found := refusal(codec, data))[0] != error or says not in found[1]:
            sys.exit(f"{name} should be a {error} that says {says!r}, and is {found}")


def _as_json(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()


def refusal(codec: Codec, data: bytes) -> tuple[str, str]:
    """Return the error and the message with which a stream is refused; empty if it is not."""
    try:
        codec.decode(data)
    except VqcodecError as error:
        return type(error).__name__, str(error)
    return "", ""


def digest(codes: NDArray[np.int64]) -> str:
    """Return the SHA-256 of codes as little-endian 16-bit numbers in C order."""
    return hashlib.sha256(codes.astype("<u2").tobytes()).hexdigest()


def expectation(codec: Codec, data: bytes) -> dict[str, Any]:
    """Return what the manifest says about any stream."""
    stream = read_stream(data)
    codes = codec.decode_codes(stream)
    return {
        "bytes": len(data),
        "prior": stream.header.prior,
        "codes_shape": list(codes.shape),
        "codes_sha256": digest(codes),
    }
