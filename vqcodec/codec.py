"""The codec: signals to bytes and back, samples to codes and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vqcodec.bitstream import Buffer, Limits, Stream, limits_of
from vqcodec.choices import check_target, check_whole
from vqcodec.content import FileLike
from vqcodec.decoding import Progress, checked_bits, checked_region, decode_parts, region_there
from vqcodec.encoding import Encoding, size_at
from vqcodec.errors import BadModelError, kernels_refuse
from vqcodec.grid import Region
from vqcodec.grid import shrink as shrunk
from vqcodec.many import Many
from vqcodec.media.registry import check_stream, open_any_stream, signal_of
from vqcodec.model.restorer import read_restoring_model
from vqcodec.payload import checked_cut, decode_codes, region_codes
from vqcodec.sampling import Sampling
from vqcodec.scale import checked_shrink, stages_shown

__all__ = ["Codec", "load"]


def load(
    name_or_path: str | Path = "photo",
    *,
    restore: str | Path | None = None,
    device: str | torch.device = "auto",
) -> Codec:
    """Load a model by name, fingerprint or path of its file.

    Args:
        name_or_path: "photo", 16 hexadecimal digits, or a .safetensors file.
        restore: encode by a restoring encoder of the model, "noise" or a .safetensors file: what
            is encoded is what the signal was before it was damaged.
        device: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:1", or torch's own.

    Raises:
        UnknownModelError: no such model or restorer; the message says where it was looked for.
        BadModelError: a file is damaged, not what it says it is, or restores for another model.
        BackendError: a device was asked for that is not here.

    >>> load("photo", restore="noise", device="cpu").card.label
    'photo-1'
    """
    card, tensors = read_restoring_model(name_or_path, restore)
    return Codec(card, tensors, device=device)


def _load_again(path: Path, fingerprint: str, device: str, restorer: Path | None) -> Codec:
    """What a pickled codec becomes. Raises: BadModelError if another model is at the path now."""
    codec = load(path, restore=restorer, device=device)
    if codec.card.fingerprint != fingerprint:
        raise BadModelError(f"{path}: is {codec.card.fingerprint} now, it was {fingerprint}")
    return codec


class Codec(Sampling, Many):
    """A model, ready to encode and decode; `quantize` and `reconstruct` stop at the codes.

    To another process it travels as the path of its weights, which are loaded there, on the device
    of the same name; a pickle holds no weights. Forked processes use it on one thread.

    >>> codec = load("photo", device="cpu")
    >>> data = codec.encode(np.zeros((48, 64, 3), np.uint8), quality=50)
    >>> codec.decode(data).shape
    (48, 64, 3)
    """

    def __reduce__(self) -> tuple[Any, ...]:
        card, path = self.card, Path(self.card.path).absolute()
        return _load_again, (path, card.fingerprint, str(self.device), card.restorer)

    def begin(self, signal: Any, **options: Any) -> Encoding:
        """A signal of the medium on its way to bytes; options are those of `Encoding`."""
        return Encoding(self, self.medium, self._priors, signal, **options)

    @kernels_refuse()
    def encode(
        self,
        signal: Any,
        *,
        quality: float = 50.0,
        bpp: float | None = None,
        kbps: float | None = None,
        size: int | None = None,
        psnr: float | None = None,
        effort: int = 5,
        facts: bool = True,
        alpha_quality: float | None = None,
        max_samples: int | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
        found: Callable[[float], None] | None = None,
    ) -> bytes:
        """Encode a signal; the same input gives the same bytes.

        Args:
            signal: what the model's medium takes. Pictures: a `Picture` or `PictureRows`, a PIL
                image, a numpy array (H, W) or (H, W, 1 to 4) of uint8, uint16 or float in [0, 1],
                or a torch tensor (C, H, W) of uint8 or float in [0, 1]. Sounds: a `Sound` or
                `SoundBlocks`, or (samples, rate). Fields: a `Field`, an array or a tensor, (H, W)
                or (C, H, W). Or a file of the medium, read as the command reads it: by its path
                (every `str` is one), open for reading, or as its bytes.
            quality: 0 (smallest) to 100 (best).
            bpp: instead of a quality, at most so many bits for each sample (pixel) of the extent.
            kbps: instead of a quality, at most so many kilobits a second, for a signal in time.
            size: instead of a quality, at most so many bytes for the whole stream.
            psnr: instead of a quality, at least so many dB, as the medium measures them.
            effort: 1 (fast) to 9 (good), whole: more quality for the bytes, to the same decoder.
            facts: keep what travels with the samples, such as a colour profile and EXIF data.
            alpha_quality: of pictures, 100 without loss (the default) to 0: 9 levels of alpha.
            max_samples: refuse files of more samples; 2^28 by default.
            threads: at most so many, as many as torch has by default; the bytes are the same.
            progress: is told how many of how many regions are done.
            found: is told the quality of the stream, which a target finds.

        Raises:
            InputError: not a signal, a value out of range, a rate that cannot be reached, or a file
                that cannot be read.
            LimitError: a file holds a signal that is too large.

        >>> codec, file = load("photo", device="cpu"), b"P5 64 48 255 " + bytes(64 * 48)
        >>> codec.encode(file) == codec.encode(np.zeros((48, 64), np.uint8))
        True
        """
        check_target(quality, bpp=bpp, kbps=kbps, size=size, psnr=psnr)
        signal = signal_of(self.medium, signal, limits_of(max_samples))
        signal = self.medium.with_options(signal, alpha_quality=alpha_quality)
        job = self.begin(signal, effort=effort, facts=facts, threads=threads, progress=progress)
        if bpp is not None:
            size = int(bpp * math.prod(signal.extent) / 8)
        elif kbps is not None:
            size = size_at(self.medium, signal, kbps, "kbps")
        quality, data = job.to_target(quality, size=size, psnr=psnr)
        if found is not None:
            found(quality)
        return data

    def decode(
        self,
        data: Buffer | FileLike | Stream,
        *,
        region: Sequence[slice] | None = None,
        scale: float = 1,
        rate: int | str | None = None,
        bits: int | None = None,
        partial: bool = False,
        max_samples: int | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> NDArray[Any]:
        """Decode a stream of this model to a plain array.

        Args:
            data: the bytes of a stream, the path or URL of its file, a file that is open for
                reading bytes, or a stream that has been read already.
            region: only these samples, a slice for each axis: what the whole has there, of the
                code chunks that matter for it. At a scale it lies between multiples of 1/scale. Of
                a file that can seek no others are read, nor checked.
            scale: 1, or at 1/2, 1/4 or 1/8 the means of blocks of samples, of the first stages of
                codes, in less time; it divides the model's stride.
            rate: of a signal in time, so many samples a second, or "model" for as many as it codes;
                its own by default. A region is of these.
            bits: of a sample, where the medium has a choice. Pictures: 8 by default, in which the
                values that are there fill 0 to 255, or 16, in which they are as they were.
            partial: take what is left of a stream that was cut or damaged behind its header and
                side chunks; regions that are not there come out blank (pictures: grey), and a
                signal in time ends with its last one that is there.
            max_samples: refuse signals of more samples; 2^28 by default.
            threads: at most so many, as many as torch has by default; the samples are the same.
            progress: is told how many of how many regions are done.

        Returns:
            what the medium's people expect. Pictures: uint8 (H, W, C), or (H, W) for grey; uint16
            with 16 bits. Sounds: float32 (T, 2), or (T,) for mono. Fields: of the shape
            and dtype that were encoded.

        Raises:
            InputError: a file cannot be read, a region that is not within the signal, or another
                scale or number of bits.
            FormatError: the stream is damaged, cut, or too large.
            UnknownModelError: the stream needs another model.
        """
        signal = self.decode_signal(
            data,
            region=region,
            scale=scale,
            rate=rate,
            bits=bits,
            partial=partial,
            max_samples=max_samples,
            threads=threads,
            progress=progress,
        )
        return self.medium.unwrap(signal)

    @kernels_refuse()
    def decode_signal(
        self,
        data: Buffer | FileLike | Stream,
        *,
        region: Sequence[slice] | None = None,
        scale: float = 1,
        rate: int | str | None = None,
        bits: int | None = None,
        partial: bool = False,
        max_samples: int | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
        take: Callable[..., Any] | None = None,
    ) -> Any:
        """Decode a stream of this model with the facts that travel with it.

        Args:
            take: makes something else of the parts, called as `Medium.from_samples` is.

        Returns:
            the medium's signal: a `Picture` with alpha, profile and EXIF data, a `Sound` with tags.

        Raises:
            InputError, FormatError, UnknownModelError: as `decode`.
        """
        bits = checked_bits(bits, self.medium)
        shrink = checked_shrink(scale, self._transform.stride)
        take = self.medium.from_samples if take is None else take
        opened = self._opened(data, limits_of(max_samples), partial, part=region is not None)
        with opened as (stream, grid):
            header = stream.header
            if rate is not None:
                stream = self.medium.at_rate(stream, rate)
            if region is None:
                region = self.region_there(stream)
            chosen = checked_region(region, self.medium.extent_of(stream), shrink=shrink)
            first = stages_shown(header.stages, 1 if self._transform.fine_means else shrink)
            parts = decode_parts(
                self.pieces,
                region_codes(stream, self._priors, first=first),
                extent=header.extent,
                grid=grid,
                side=self.card.config.region,
                region=self.medium.samples_for(stream, chosen, shrink=shrink),
                shrink=shrink,
                threads=threads,
                progress=progress,
            )
            return take(parts, stream, shrunk(chosen, shrink), shrink=shrink, bits=bits)

    @kernels_refuse()
    def decode_codes(self, stream: Stream, *, stages: int | None = None) -> NDArray[np.int64]:
        """Read the codes of a stream of this model, int64 (S, *positions): integers only.

        Args:
            stages: at most the first so many, in less time.

        Raises:
            InputError: stages is not a whole number from 1.
            CorruptError, UnknownModelError: as `decode`.
        """
        if stages is not None:
            check_whole("stages", stages, 1)
        header, priors = stream.header, self._priors
        grid, regions = checked_cut(header, self.card, medium=self.medium.number)
        return decode_codes(stream.codes, header, priors, grid=grid, regions=regions, first=stages)

    def region_there(self, stream: Stream) -> Region:
        """What is decoded of a stream if no region is asked for; see `decoding.region_there`."""
        grid, _ = checked_cut(stream.header, self.card, medium=self.medium.number)
        side, stride = self.card.config.region, self._transform.stride
        return region_there(stream, self.medium, grid=grid, side=side, stride=stride)

    @contextmanager
    def _opened(
        self, data: Buffer | FileLike | Stream, limits: Limits, partial: bool, *, part: bool
    ) -> Iterator[tuple[Stream, tuple[int, ...]]]:
        """A stream that this model can have written, and its grid; see `open_any_stream`."""
        if isinstance(data, Stream):
            grid, _ = checked_cut(data.header, self.card, medium=self.medium.number)
            # Only now: what a medium would say of a stream of another one is no help.
            check_stream(self.medium, data, limits)
            yield data, grid
            return
        with open_any_stream(data, limits, partial=partial, part=part) as (_, stream):
            yield stream, checked_cut(stream.header, self.card, medium=self.medium.number)[0]
