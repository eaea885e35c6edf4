"""The codec: pictures to bytes and back, pictures to codes and back."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.bitstream import (
    ALPHA,
    DEFAULT_LIMITS,
    EXIF,
    ICC,
    Buffer,
    Chunk,
    Header,
    Limits,
    Stream,
    read_header,
    read_stream,
    write_stream,
)
from vqcodec.errors import CorruptError, InputError, UnknownModelError
from vqcodec.media.picture.alpha import decode_alpha, encode_alpha
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.chunks import pack_metadata, unpack_metadata
from vqcodec.media.picture.image import Picture, picture_from
from vqcodec.media.picture.metrics import psnr as psnr_of
from vqcodec.model.catalog import find_model
from vqcodec.model.file import ModelCard, Tensors, read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.payload import decode_codes, encode_codes
from vqcodec.priors import RawPrior
from vqcodec.rate.target import fit_psnr, fit_size
from vqcodec.tokenizer import Tokenizer

__all__ = ["Codec", "decode", "load"]


def load(name_or_path: str | Path = "photo", *, device: str = "auto") -> Codec:
    """Load a model by name, fingerprint or path of its file.

    Args:
        name_or_path: "photo", 16 hexadecimal digits, or a .safetensors file.
        device: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:1".

    Raises:
        UnknownModelError: no such model; the message says where it was looked for.
        BadModelError: the file is damaged or not what it says it is.
        BackendError: a device was asked for that is not here.
    """
    path = Path(name_or_path)
    if path.suffix != ".safetensors":
        path = find_model(str(name_or_path)).path
    elif not path.is_file():
        raise UnknownModelError(f"no file of weights {path}")
    card, tensors = read_model(path)
    return Codec(card, tensors, device=device)


def decode(
    data: Buffer, *, device: str = "auto", max_pixels: int | None = None
) -> NDArray[np.uint8]:
    """Decode a stream with the model it names: uint8 (H, W, C), or (H, W) for grey.

    Raises:
        FormatError: the stream is damaged, cut, too large, or no stream at all.
        UnknownModelError: the model that it names is not installed.
    """
    header = read_header(data, _limits(max_pixels))
    return load(header.fingerprint.hex(), device=device).decode(data, max_pixels=max_pixels)


class Codec(Tokenizer):
    """A model, ready to encode and decode; `quantize` and `reconstruct` stop at the codes."""

    def __init__(self, card: ModelCard, tensors: Tensors, *, device: str = "auto") -> None:
        super().__init__(card, tensors, device=device)
        self._priors = priors_from_tensors(card.config, tensors, card.path)
        quantizer = card.config.quantizer
        self._priors[RawPrior.mode] = RawPrior(quantizer.codebook_size, quantizer.stages)

    def encode(
        self,
        image: Any,
        *,
        quality: float = 50.0,
        bpp: float | None = None,
        size: int | None = None,
        psnr: float | None = None,
        effort: int = 5,
        metadata: bool = True,
    ) -> bytes:
        """Encode a picture; the same input gives the same bytes.

        Args:
            image: a `Picture`, a PIL image, a numpy array (H, W) or (H, W, 1 to 4) of uint8,
                uint16 or float in [0, 1], or a torch tensor (C, H, W) of uint8 or float in [0, 1].
            quality: 0 (smallest) to 100 (best).
            bpp: instead of a quality, at most so many bits per pixel for the whole stream.
            size: instead of a quality, at most so many bytes for the whole stream.
            psnr: instead of a quality, at least so many dB, on 8-bit samples without alpha.
            effort: 1 (fast) to 9 (small); the format and the decoder's time stay the same.
            metadata: keep the colour profile and EXIF data.

        Raises:
            InputError: not a picture, a value out of range, or a rate that cannot be reached.
        """
        picture = picture_from(image)
        if sum(target is not None for target in (bpp, size, psnr)) > 1:
            raise InputError(f"give one of bpp, size and psnr: {bpp = }, {size = }, {psnr = }")
        if bpp is not None:
            if not (math.isfinite(bpp) and bpp > 0):
                raise InputError(f"bpp must be positive, got {bpp}")
            size = int(bpp * picture.width * picture.height / 8)
        side_chunks = _side_chunks(picture, metadata=metadata)
        pixels = to_channels(picture.pixels, self.card.config.transform.channels)
        tensor = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
        search = self.search(self.analyse(tensor[None])[0], image=tensor, effort=effort)

        def encode_at(quality: float, *, draft: bool = False) -> bytes:
            codes = search.at_quality(quality, draft=draft).cpu().numpy()
            return self._write(picture, side_chunks, codes)

        def psnr_at(quality: float) -> tuple[float, Tensor]:
            codes = search.at_quality(quality)
            decoded = self._to_pixels(codes[None], picture.height, picture.width, picture.channels)
            colours = 3 if picture.channels >= 3 else 1
            return psnr_of(decoded[:, :, :colours], picture.pixels[:, :, :colours]), codes

        if size is not None:
            # Refined streams are nearly as large as drafts, and take far longer to find.
            draft_at = partial(encode_at, draft=True)
            near = fit_size(draft_at, size)[0] if search.refines else 50.0
            return fit_size(encode_at, size, near=near)[1]
        if psnr is not None:
            return self._write(picture, side_chunks, fit_psnr(psnr_at, psnr)[1].cpu().numpy())
        return encode_at(quality)

    def decode(self, data: Buffer, *, max_pixels: int | None = None) -> NDArray[np.uint8]:
        """Decode a stream of this model: uint8 (H, W, C), or (H, W) for grey.

        Raises:
            FormatError: the stream is damaged, cut, or has more than `max_pixels` (2^28) pixels.
            UnknownModelError: the stream needs another model.
        """
        pixels = self.decode_picture(data, max_pixels=max_pixels).pixels
        return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels

    def decode_picture(self, data: Buffer, *, max_pixels: int | None = None) -> Picture:
        """Decode a stream of this model with its alpha, colour profile and EXIF data.

        Raises:
            FormatError, UnknownModelError: as `decode`.
        """
        limits = _limits(max_pixels)
        stream = read_stream(data, limits)
        codes = torch.from_numpy(self.decode_codes(stream))
        header = stream.header
        pixels = self._to_pixels(codes[None], header.height, header.width, header.channels)
        alpha = stream.payload(ALPHA)
        if alpha is not None:
            pixels[:, :, -1] = decode_alpha(alpha, header.height, header.width)
        kept = {
            name: unpack_metadata(payload, limits)
            for name, kind in (("icc", ICC), ("exif", EXIF))
            if (payload := stream.payload(kind)) is not None
        }
        return Picture(pixels, icc=kept.get("icc"), exif=kept.get("exif"))

    def decode_codes(self, stream: Stream) -> NDArray[np.int64]:
        """Read the codes of a stream of this model, int64 (S, rows, columns): integers only.

        Raises:
            CorruptError, UnknownModelError: as `decode`.
        """
        named = stream.header.fingerprint.hex()
        if named != self.card.fingerprint:
            raise UnknownModelError(
                f"needs the model {named}, this one is {self.card.label} ({self.card.fingerprint})"
            )
        height, width = stream.header.height, stream.header.width
        try:
            grid, regions = self._grid(height, width), self._regions(height, width)
        except InputError as error:
            raise CorruptError(str(error)) from error
        return decode_codes(stream.codes, stream.header, self._priors, grid=grid, regions=regions)

    def _to_pixels(
        self, codes: Tensor, height: int, width: int, channels: int
    ) -> NDArray[np.uint8]:
        """Decode codes (1, S, *grid) to uint8 (H, W, channels); an alpha channel is opaque."""
        values = self.reconstruct((codes,), height=height, width=width)[0]
        rounded = (values.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
        return np.ascontiguousarray(to_channels(rounded.cpu().numpy(), channels))

    def _write(self, picture: Picture, side_chunks: list[Chunk], codes: NDArray[np.int64]) -> bytes:
        # The adaptive prior is nearly always the smallest; a picture of a few positions may do
        # better with fixed tables.
        streams = []
        for mode, prior in self._priors.items():
            header = Header(
                width=picture.width,
                height=picture.height,
                channels=picture.channels,
                stages=(len(codes),),
                prior_mode=mode,
                fingerprint=bytes.fromhex(self.card.fingerprint),
            )
            regions = self._regions(picture.height, picture.width)
            payloads = encode_codes(codes, prior, regions, threads=torch.get_num_threads())
            streams.append(write_stream(header, side_chunks, payloads))
        return min(streams, key=len)


def _limits(max_pixels: int | None) -> Limits:
    return DEFAULT_LIMITS if max_pixels is None else Limits(max_pixels=max_pixels)


def _side_chunks(picture: Picture, *, metadata: bool) -> list[Chunk]:
    chunks = pack_metadata(icc=picture.icc, exif=picture.exif) if metadata else []
    if picture.channels in (2, 4):
        chunks.append(Chunk(ALPHA, encode_alpha(np.ascontiguousarray(picture.pixels[:, :, -1]))))
    return chunks
