"""The codec: signals to bytes and back, samples to codes and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.bitstream import Buffer, Chunk, Header, Limits, Stream, limits_of, write_stream
from vqcodec.errors import (
    BadModelError,
    CorruptError,
    InputError,
    UnknownModelError,
    kernels_refuse,
)
from vqcodec.files import FileLike, content_of
from vqcodec.media.base import Signal
from vqcodec.media.registry import check_stream, find_medium, read_any_stream, signal_of
from vqcodec.model.catalog import locate_model
from vqcodec.model.file import ModelCard, Tensors, read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.payload import decode_codes, smallest_payloads
from vqcodec.priors import RawPrior
from vqcodec.rate.choices import check_target
from vqcodec.rate.search import LatentSearch
from vqcodec.rate.target import fit_psnr, fit_size
from vqcodec.tokenizer import Tokenizer

__all__ = ["Codec", "decode", "load"]


def load(name_or_path: str | Path = "photo", *, device: str | torch.device = "auto") -> Codec:
    """Load a model by name, fingerprint or path of its file.

    Args:
        name_or_path: "photo", 16 hexadecimal digits, or a .safetensors file.
        device: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:1", or torch's own.

    Raises:
        UnknownModelError: no such model; the message says where it was looked for.
        BadModelError: the file is damaged or not what it says it is.
        BackendError: a device was asked for that is not here.

    >>> load("photo").card.label
    'photo-1'
    """
    card, tensors = read_model(locate_model(name_or_path))
    return Codec(card, tensors, device=device)


def decode(
    data: Buffer | FileLike, *, device: str | torch.device = "auto", max_samples: int | None = None
) -> NDArray[Any]:
    """Decode a stream of any medium with the model it names; see `Codec.decode`.

    Raises:
        InputError: a file cannot be read.
        FormatError: the stream is damaged, cut, too large, or no stream at all.
        UnknownModelError: the model that it names is not installed.

    >>> decode(load("photo").encode(np.zeros((48, 64), np.uint8), bpp=0.5)).shape
    (48, 64)
    """
    _, stream = read_any_stream(content_of(data), limits_of(max_samples))
    return load(stream.header.fingerprint.hex(), device=device).decode(stream)


def _load_again(path: Path, fingerprint: str, device: str) -> Codec:
    """What a pickled codec becomes. Raises: BadModelError if another model is at the path now."""
    codec = load(path, device=device)
    if codec.card.fingerprint != fingerprint:
        raise BadModelError(f"{path}: is {codec.card.fingerprint} now, it was {fingerprint}")
    return codec


class Codec(Tokenizer):
    """A model, ready to encode and decode; `quantize` and `reconstruct` stop at the codes.

    To another process it travels as the path of its weights, which are loaded there, on the device
    of the same name; a pickle holds no weights. Forked processes use it on one thread.

    Attributes:
        medium: what the model is for; see `vqcodec.media.base.Medium`.

    >>> codec = load("photo", device="cpu")
    >>> data = codec.encode(np.zeros((48, 64, 3), np.uint8), quality=50)
    >>> codec.decode(data).shape
    (48, 64, 3)
    """

    def __init__(
        self, card: ModelCard, tensors: Tensors, *, device: str | torch.device = "auto"
    ) -> None:
        super().__init__(card, tensors, device=device)
        self.medium = find_medium(card.config.medium.kind)
        self.medium.check_model(card.config)
        self._span = self.medium.span
        self._priors = priors_from_tensors(card.config, tensors, card.path)
        quantizer = card.config.quantizer
        self._priors[RawPrior.mode] = RawPrior(quantizer.codebook_size, quantizer.stages)

    def __reduce__(self) -> tuple[Any, ...]:
        path = Path(self.card.path).absolute()
        return _load_again, (path, self.card.fingerprint, str(self.device))

    @kernels_refuse()
    def encode(
        self,
        signal: Any,
        *,
        quality: float = 50.0,
        bpp: float | None = None,
        size: int | None = None,
        psnr: float | None = None,
        effort: int = 5,
        facts: bool = True,
        found: Callable[[float], None] | None = None,
    ) -> bytes:
        """Encode a signal; the same input gives the same bytes.

        Args:
            signal: what the model's medium takes. Pictures: a `Picture`, a PIL image, a numpy array
                (H, W) or (H, W, 1 to 4) of uint8, uint16 or float in [0, 1], or a torch tensor
                (C, H, W) of uint8 or float in [0, 1]. Or a file of the medium, read as the command
                reads it: by its path (every `str` is one), open for reading, or as its bytes.
            quality: 0 (smallest) to 100 (best).
            bpp: instead of a quality, at most so many bits for each sample (pixel) of the extent.
            size: instead of a quality, at most so many bytes for the whole stream.
            psnr: instead of a quality, at least so many dB, as the medium takes them of what is
                decoded.
            effort: 1 (fast) to 9 (good), whole: more quality for the bytes; the format and the
                decoder's time stay the same.
            facts: keep what travels with the samples, such as a colour profile and EXIF data.
            found: told the quality of the stream, which a target finds.

        Raises:
            InputError: not a signal, a value out of range, a rate that cannot be reached, or a file
                that cannot be read.
            LimitError: a file holds a signal that is too large.

        >>> codec, file = load("photo", device="cpu"), b"P5 64 48 255 " + bytes(64 * 48)
        >>> codec.encode(file) == codec.encode(np.zeros((48, 64), np.uint8))
        True
        """
        check_target(quality, bpp, size, psnr)
        job = _Encoding(self, signal_of(self.medium, signal), effort=effort, facts=facts)
        if bpp is not None:
            size = int(bpp * math.prod(job.signal.extent) / 8)
        if size is not None:
            quality, data = job.to_size(size)
        elif psnr is not None:
            quality, data = job.to_psnr(psnr)
        else:
            data = job.at_quality(quality)
        if found is not None:
            found(quality)
        return data

    def decode(
        self, data: Buffer | FileLike | Stream, *, max_samples: int | None = None
    ) -> NDArray[Any]:
        """Decode a stream of this model to a plain array.

        Args:
            data: the bytes of a stream, the path of its file, a file that is open for reading
                bytes, or a stream that has been read already.
            max_samples: refuse signals of more samples; 2^28 by default.

        Returns:
            what the medium's people expect. Pictures: uint8 (H, W, C), or (H, W) for grey.

        Raises:
            InputError: a file cannot be read.
            FormatError: the stream is damaged, cut, or too large.
            UnknownModelError: the stream needs another model.
        """
        return self.medium.unwrap(self.decode_signal(data, max_samples=max_samples))

    @kernels_refuse()
    def decode_signal(
        self, data: Buffer | FileLike | Stream, *, max_samples: int | None = None
    ) -> Any:
        """Decode a stream of this model with the facts that travel with it.

        Returns:
            the medium's signal. Pictures: a `Picture` with alpha, colour profile and EXIF data.

        Raises:
            InputError, FormatError, UnknownModelError: as `decode`.
        """
        stream = self._read(data, limits_of(max_samples))
        codes = torch.from_numpy(self.decode_codes(stream))
        return self._to_signal(codes, stream)

    @kernels_refuse()
    def decode_codes(self, stream: Stream) -> NDArray[np.int64]:
        """Read the codes of a stream of this model, int64 (S, *positions): integers only.

        Raises:
            CorruptError, UnknownModelError: as `decode`.
        """
        header = stream.header
        named = header.fingerprint.hex()
        if named != self.card.fingerprint:
            raise UnknownModelError(
                f"needs the model {named}, this one is {self.card.label} ({self.card.fingerprint})"
            )
        if header.medium != self.medium.number:
            raise CorruptError(
                f"says medium {header.medium}, its model is for {self.medium.number}"
            )
        try:
            grid, regions = self.card.config.cut_into(header.regions, header.extent)
        except InputError as error:
            raise CorruptError(str(error)) from error
        return decode_codes(stream.codes, header, self._priors, grid=grid, regions=regions)

    def _read(self, data: Buffer | FileLike | Stream, limits: Limits) -> Stream:
        if not isinstance(data, Stream):
            return read_any_stream(content_of(data), limits)[1]
        check_stream(self.medium, data, limits)
        return data

    def _to_signal(self, codes: Tensor, stream: Stream) -> Any:
        """Decode codes (S, *positions) to the signal that a stream describes."""
        samples = self.reconstruct(codes[None], extent=stream.header.extent)[0]
        return self.medium.from_samples(samples.cpu().numpy(), stream)


class _Encoding:
    """One signal on its way to bytes: analysed once, searched at any quality."""

    def __init__(self, codec: Codec, signal: Signal, *, effort: int, facts: bool) -> None:
        self.signal = signal
        self._codec = codec
        self._side_chunks: list[Chunk] = codec.medium.side_chunks(signal, facts=facts)
        config = codec.card.config
        self._regions = config.regions(signal.extent)
        samples = torch.from_numpy(codec.medium.to_samples(signal, config.medium))
        latent = codec.analyse(samples[None])[0]
        self._search: LatentSearch = codec.search(latent, samples=samples, effort=effort)

    def at_quality(self, quality: float, *, draft: bool = False) -> bytes:
        """The stream at a quality; see `LatentSearch.at_quality` for drafts."""
        return self._write(self._search.at_quality(quality, draft=draft))

    def to_size(self, size: int) -> tuple[float, bytes]:
        """The best stream of at most so many bytes, and its quality."""
        near = 50.0
        if self._search.refines:
            # Refined streams are nearly as large as drafts, and take far longer to find.
            near, _ = fit_size(lambda quality: self.at_quality(quality, draft=True), size)
        return fit_size(self.at_quality, size, near=near)

    def to_psnr(self, psnr: float) -> tuple[float, bytes]:
        """The smallest stream of at least so many decibels, and its quality."""

        def measure(quality: float) -> tuple[float, Tensor]:
            codes = self._search.at_quality(quality)
            unwritten = Stream(self._header(codes, RawPrior.mode), tuple(self._side_chunks), ())
            decoded = self._codec._to_signal(codes, unwritten)
            return self._codec.medium.decibels(decoded, self.signal), codes

        quality, codes = fit_psnr(measure, psnr)
        return quality, self._write(codes)

    def _write(self, codes: Tensor) -> bytes:
        prior, payloads = smallest_payloads(
            codes.cpu().numpy(),
            self._codec._priors,
            self._regions,
            threads=torch.get_num_threads(),
        )
        return write_stream(self._header(codes, prior), self._side_chunks, payloads)

    def _header(self, codes: Tensor, prior: int) -> Header:
        return Header(
            medium=self._codec.medium.number,
            extent=self.signal.extent,
            channels=self.signal.channels,
            stages=len(codes),
            prior=prior,
            fingerprint=bytes.fromhex(self._codec.card.fingerprint),
            regions=len(self._regions),
        )
