"""The codec: pictures to bytes and back, pictures to codes and back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vqcodec.bitstream import (
    ALPHA,
    DEFAULT_LIMITS,
    EXIF,
    ICC,
    TILE_SIDE,
    Buffer,
    Chunk,
    Header,
    Limits,
    Stream,
    pack_metadata,
    read_header,
    read_stream,
    unpack_metadata,
    write_stream,
)
from vqcodec.catalog import find_model
from vqcodec.checkpoint import ModelCard, Tensors, read_model
from vqcodec.errors import (
    BackendError,
    BadModelError,
    CorruptError,
    InputError,
    UnknownModelError,
)
from vqcodec.media.alpha import decode_alpha, encode_alpha
from vqcodec.media.image import Picture, picture_from
from vqcodec.payload import Region, decode_codes, encode_codes, tile_regions
from vqcodec.priors import RawPrior
from vqcodec.rate import LatentSearch, fit_psnr, fit_size
from vqcodec.transforms.convolutional import ConvolutionalAnalysis, ConvolutionalSynthesis
from vqcodec.transforms.tiles import apply_tiled
from vqcodec.weights import network_from_tensors, priors_from_tensors, search_mu

__all__ = ["Codec", "decode", "find_device", "load"]


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


def find_device(name: str) -> torch.device:
    """Find a device by name: "auto", "cpu", "cuda" or "cuda:1".

    Raises:
        BackendError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or not (index.isdecimal() or name == kind):
        raise BackendError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:NUMBER")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise BackendError(
            f"device {name!r} was asked for, but there are {torch.cuda.device_count()} CUDA devices"
        )
    return torch.device(name)


class Codec:
    """A model, ready to encode and decode.

    Attributes:
        card: what the model says about itself.
        device: where its networks run.
    """

    def __init__(self, card: ModelCard, tensors: Tensors, *, device: str = "auto") -> None:
        self.card = card
        self.device = find_device(device)
        transform = card.config.transform
        if transform.kind == "convolutional" and TILE_SIDE % transform.stride:
            raise BadModelError(f"{card.path}: stride {transform.stride} does not divide a tile")
        if transform.kind == "dense" and max(transform.height, transform.width) > TILE_SIDE:
            raise BadModelError(f"{card.path}: pictures of a dense model must fit into one tile")
        self._model = network_from_tensors(card.config, tensors, card.path).to(self.device)
        self._priors = priors_from_tensors(card.config, tensors, card.path)
        quantizer = card.config.quantizer
        self._priors[RawPrior.mode] = RawPrior(quantizer.codebook_size, quantizer.stages)
        books = self._model.quantizer.books()
        self._codebooks = torch.stack([book.vectors for book in books])
        self._bits = torch.stack([book.bits() for book in books])
        self._mu = search_mu(tensors, card.path)

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
        pixels = _to_channels(picture.pixels, self.card.config.transform.channels)
        search = self.search(torch.from_numpy(pixels).permute(2, 0, 1).float() / 255, effort=effort)

        def encode_at(quality: float) -> bytes:
            codes = search.at_quality(quality).cpu().numpy()
            return self._write(picture, side_chunks, codes)

        def psnr_at(quality: float) -> float:
            codes = search.at_quality(quality)[None]
            decoded = self._to_pixels(codes, picture.height, picture.width, picture.channels)
            return _psnr(picture.pixels, decoded)

        if size is not None:
            return fit_size(encode_at, size)
        return encode_at(quality if psnr is None else fit_psnr(psnr_at, psnr))

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
                f"needs the model {named}, this one is {self.card.name} ({self.card.fingerprint})"
            )
        height, width = stream.header.height, stream.header.width
        try:
            grid, regions = self._grid(height, width), self._regions(height, width)
        except InputError as error:
            raise CorruptError(str(error)) from error
        return decode_codes(stream.codes, stream.header, self._priors, grid=grid, regions=regions)

    @torch.inference_mode()
    def quantize(self, images: Tensor) -> tuple[Tensor, ...]:
        """Turn pictures into codes of all stages, by plain nearest-code search.

        Args:
            images: float (B, C, H, W) in [0, 1].

        Returns:
            per level, int64 (B, S, ceil(H / stride), ceil(W / stride)), on the model's device.

        Raises:
            InputError: another rank or number of channels, no pixels, or values that are not
                finite.
        """
        channels = self.card.config.transform.channels
        if images.ndim != 4 or images.shape[1] != channels or not images.is_floating_point():
            raise InputError(
                f"images must be float (B, {channels}, H, W), "
                f"got {images.dtype} {tuple(images.shape)}"
            )
        if images.numel() == 0:
            raise InputError(f"images are empty: {tuple(images.shape)}")
        if not bool(images.isfinite().all()):
            raise InputError("images hold NaN or infinite values")
        return (self._model.quantizer(self._analyse(images)).codes,)

    @torch.inference_mode()
    def reconstruct(self, codes: tuple[Tensor, ...], *, height: int, width: int) -> Tensor:
        """Turn codes back into pictures, float (B, C, height, width) near [0, 1].

        Args:
            codes: per level, int64 (B, S', rows, columns), each in [0, K), 1 <= S' <= S.

        Raises:
            InputError: a code out of range, or a grid that does not belong to the size.
        """
        if len(codes) != 1:
            raise InputError(f"the model has one level of codes, got {len(codes)}")
        (level,) = codes
        if level.dtype != torch.int64:
            raise InputError(f"codes must be int64, got {level.dtype}")
        quantizer = self.card.config.quantizer
        grid = self._grid(height, width)
        if level.ndim < 3 or level.shape[2:] != grid or not 1 <= level.shape[1] <= quantizer.stages:
            raise InputError(
                f"codes of {width} x {height} pixels must be (B, 1 to {quantizer.stages}, "
                f"{', '.join(map(str, grid))}), got {tuple(level.shape)}"
            )
        if (
            level.numel()
            and not 0 <= int(level.min()) <= int(level.max()) < quantizer.codebook_size
        ):
            raise InputError(
                f"codes must be in [0, {quantizer.codebook_size}), "
                f"got {int(level.min())} to {int(level.max())}"
            )
        latent = self._model.quantizer.reconstruct(level.to(self.device))
        if not isinstance(self._model.synthesis, ConvolutionalSynthesis):
            dense: Tensor = self._model.synthesis(latent)
            return dense
        pixels = apply_tiled(
            self._model.synthesis,
            latent.contiguous(memory_format=torch.channels_last),
            grid=grid,
            side=TILE_SIDE // self._stride,
            reach=self._model.synthesis.reach,
        )
        return pixels[:, :, :height, :width]

    @property
    def _stride(self) -> int:
        return self.card.config.transform.stride

    def _grid(self, height: int, width: int) -> tuple[int, ...]:
        """The positions of a picture; a dense model has those of its one size."""
        transform = self.card.config.transform
        if min(height, width) < 1:
            raise InputError(f"a picture has at least one pixel, got {width} x {height}")
        if transform.kind == "convolutional":
            return -(-height // transform.stride), -(-width // transform.stride)
        if (height, width) != (transform.height, transform.width):
            raise InputError(
                f"model {self.card.name} is for pictures of {transform.width} x {transform.height} "
                f"pixels alone, got {width} x {height}"
            )
        return (transform.positions,)

    def _regions(self, height: int, width: int) -> list[Region]:
        if self.card.config.transform.kind == "convolutional":
            return tile_regions(width, height, self._stride)
        return [tuple(slice(0, side) for side in self._grid(height, width))]

    def _analyse(self, images: Tensor) -> Tensor:
        images = images.to(self.device, torch.float32)
        grid = self._grid(images.shape[2], images.shape[3])
        if not isinstance(self._model.analysis, ConvolutionalAnalysis):
            dense: Tensor = self._model.analysis(images)
            return dense
        below = grid[0] * self._stride - images.shape[2]
        right = grid[1] * self._stride - images.shape[3]
        padded = functional.pad(images, (0, right, 0, below), mode="replicate")
        return apply_tiled(
            self._model.analysis,
            padded.contiguous(memory_format=torch.channels_last),
            grid=grid,
            side=TILE_SIDE // self._stride,
            reach=self._model.analysis.reach,
        )

    @torch.inference_mode()
    def search(self, image: Tensor, *, effort: int = 5) -> LatentSearch:
        """Run the analysis once, for codes of a picture at any number of qualities.

        Args:
            image: float (C, H, W) in [0, 1], with the channels of the model.
            effort: 1 (fast) to 9 (small).
        """
        return LatentSearch(
            self._analyse(image[None])[0],
            self._codebooks,
            bits=self._bits,
            residual_energy=self._model.quantizer.residual_energy,
            mu=self._mu,
            effort=effort,
        )

    def _to_pixels(
        self, codes: Tensor, height: int, width: int, channels: int
    ) -> NDArray[np.uint8]:
        """Decode codes (1, S, *grid) to uint8 (H, W, channels); an alpha channel is opaque."""
        values = self.reconstruct((codes,), height=height, width=width)[0]
        rounded = (values.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
        return np.ascontiguousarray(_to_channels(rounded.cpu().numpy(), channels))

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
            payloads = encode_codes(codes, prior, regions)
            streams.append(write_stream(header, side_chunks, payloads))
        return min(streams, key=len)


def _psnr(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """PSNR of the colour channels of uint8 (H, W, C), dB."""
    colours = 3 if original.shape[2] >= 3 else 1
    difference = original[:, :, :colours].astype(np.float64) - decoded[:, :, :colours]
    return 10 * math.log10(255**2 / max(1e-9, float(np.square(difference).mean())))


def _limits(max_pixels: int | None) -> Limits:
    return DEFAULT_LIMITS if max_pixels is None else Limits(max_pixels=max_pixels)


def _side_chunks(picture: Picture, *, metadata: bool) -> list[Chunk]:
    chunks = pack_metadata(icc=picture.icc, exif=picture.exif) if metadata else []
    if picture.channels in (2, 4):
        chunks.append(Chunk(ALPHA, encode_alpha(np.ascontiguousarray(picture.pixels[:, :, -1]))))
    return chunks


def _to_channels(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Turn (H, W, 1 to 4) into 1 to 4 channels; an alpha channel that is added is opaque.

    Grey becomes three equal colours; three colours become their rounded mean, so that a grey
    picture that a colour model decoded stays as near to its source as the model brought it.
    """
    colours = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, :1]
    wanted = 3 if channels >= 3 else 1
    if colours.shape[2] < wanted:
        colours = np.repeat(colours, 3, axis=2)
    elif colours.shape[2] > wanted:
        mean = (colours.astype(np.uint16).sum(axis=2, keepdims=True) * 2 + 3) // 6
        colours = mean.astype(np.uint8)
    if channels in (2, 4):
        opaque = np.full((*colours.shape[:2], 1), 255, np.uint8)
        colours = np.concatenate([colours, opaque], axis=2)
    return colours
