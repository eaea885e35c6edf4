"""From a stream to a file of its medium; a large signal is written as it is decoded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from vqcodec.bitstream import Buffer, Stream, limits_of
from vqcodec.codec import Codec
from vqcodec.content import FileLike
from vqcodec.decoding import Progress, checked_bits, checked_region
from vqcodec.errors import InputError
from vqcodec.files import open_whole
from vqcodec.media.registry import find_coder, open_any_stream
from vqcodec.recent import recent_codec

__all__ = ["decode_file", "write_decoded"]


def decode_file(
    data: Buffer | FileLike,
    path: str | os.PathLike[str],
    *,
    device: str = "auto",
    region: Sequence[slice] | None = None,
    rate: int | str | None = None,
    bits: int | None = None,
    max_samples: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Decode a stream of any medium to a file, which appears whole or not at all.

    A large signal is written as it is decoded, in the memory of a row of regions, where its medium
    can: see `Medium.writer`.

    Args:
        data, region, rate, bits, max_samples, threads, progress: as of `Codec.decode`.
        path: of the file to be written, an older one is replaced; its suffix says the format.

    Raises:
        InputError: a suffix that the medium does not write, or what the format cannot hold.
        FormatError, UnknownModelError: as `decode`.
        OSError: the file cannot be written.

    >>> import numpy, tempfile
    >>> data = recent_codec("photo").encode(numpy.zeros((48, 64, 3), numpy.uint8))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     decode_file(data, os.path.join(folder, "back.png"))
    ...     os.listdir(folder)
    ['back.png']
    """
    suffix = Path(path).suffix.lower()
    opened = open_any_stream(data, limits_of(max_samples), part=region is not None)
    with opened as (medium, stream):
        if suffix not in medium.formats:
            raise InputError(f"cannot write {suffix!a}: use {', '.join(medium.formats)}")
        format, coder = medium.formats[suffix], find_coder(medium)
        if coder is not None:
            with open_whole(Path(path)) as file:
                coder.write_decoded(
                    stream, file, format=format, region=region, threads=threads, progress=progress
                )
            return
        write_decoded(
            recent_codec(stream.header.fingerprint.hex(), device=device),
            stream,
            open_whole(Path(path)),
            format=format,
            region=region,
            rate=rate,
            bits=bits,
            max_samples=max_samples,
            threads=threads,
            progress=progress,
        )


def write_decoded(
    codec: Codec,
    stream: Stream,
    opened: AbstractContextManager[BinaryIO],
    *,
    format: str,
    region: Sequence[slice] | None = None,
    scale: float = 1,
    rate: int | str | None = None,
    bits: int | None = None,
    max_samples: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Decode a stream to a file: by parts, or whole where the medium wants it whole.

    Args:
        opened: gives the file, empty and open for writing at any place; entered when there is
            something to write.
        format: one of the medium's.

    Raises:
        FormatError, UnknownModelError, InputError: as `Codec.decode` and `Medium.write`.
    """
    medium, bits = codec.medium, checked_bits(bits, codec.medium)
    timed = stream if rate is None else medium.at_rate(stream, rate)
    chosen = checked_region(region, medium.extent_of(timed))
    writer = None
    if scale == 1:
        writer = medium.writer(timed, chosen, format=format, bits=bits)
    decode = partial(
        codec.decode_signal,
        stream,
        region=chosen,
        scale=scale,
        rate=rate,
        bits=bits,
        max_samples=max_samples,
        threads=threads,
        progress=progress,
    )
    if writer is None:
        content = medium.write(decode(), format=format)
        with opened as file:
            file.write(content)
    else:
        with opened as file:
            decode(take=lambda parts, *_, **__: writer(parts, file))
