"""Vectors in a few bytes each, which are searched as they are: embeddings, descriptors, features.

>>> import numpy
>>> made = numpy.random.default_rng(5).normal(size=(600, 24)).astype(numpy.float32)
>>> data = encode(made, bytes_per_vector=16, effort=2)
>>> found = open(data)
>>> int(found.search(made[7], k=3, metric="cosine").rows[0, 0]), found.rebuild([7, -1]).shape
(7, (2, 24))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from vqcodec.bitstream import Buffer, limits_of
from vqcodec.content import FileLike, content_of
from vqcodec.errors import CorruptError, kernels_refuse
from vqcodec.media.naming import with_article
from vqcodec.media.registry import read_any_stream, signal_of
from vqcodec.media.vector.codebook_file import codebook_bytes, read_codebook
from vqcodec.media.vector.coder import CODER
from vqcodec.media.vector.medium import MEDIUM
from vqcodec.media.vector.opened import OpenVectors
from vqcodec.media.vector.search import Nearest

__all__ = ["Nearest", "OpenVectors", "decode", "encode", "open", "train_codebook"]

Progress = Callable[[int, int], None]


def encode(
    vectors: Any,
    *,
    bytes_per_vector: float,
    codebook: Buffer | FileLike | None = None,
    effort: int = 5,
    max_samples: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Code vectors in a file of at most so many bytes for each; rows keep their order.

    Args:
        vectors: float32 or float16 (N, D), also mapped from a file, which is read block by block;
            or the path of a .npy file.
        bytes_per_vector: 1 to 64, of all that stands in the file, the codebook too if it is inside.
        codebook: a file that `train_codebook` made, its bytes or its path, which is then needed to
            decode; without one the file holds its own, which pays from ten thousand vectors on.
        effort: 1 (fast) to 9 (slow, nearer for the same bytes).
        max_samples: refuse files of more numbers; 2^28 by default.
        threads: at most so many.
        progress: is told how many of how many steps are done.

    Raises:
        InputError: no such vectors, NaN or infinity among them, or too few bytes.
        LimitError: a file holds too many numbers. BadModelError: no codebook.
    """
    return CODER.encode(
        signal_of(MEDIUM, vectors, limits_of(max_samples)),
        bytes_per_vector=bytes_per_vector,
        codebook=codebook,
        effort=effort,
        threads=threads,
        progress=progress,
    )


@kernels_refuse()
def train_codebook(
    vectors: Any,
    *,
    bytes_per_vector: float,
    effort: int = 5,
    max_samples: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> bytes:
    """The bytes of a codebook file that many files of vectors like these can share.

    bytes_per_vector: of their codes. Other arguments and errors are those of `encode`. At most
    65,536 of the vectors are learned from.
    """
    from vqcodec.media.vector import encoding  # loads torch
    from vqcodec.workers import side_by_side

    signal = signal_of(MEDIUM, vectors, limits_of(max_samples))
    with side_by_side(threads, jobs=1):
        book = encoding.train_codebook(
            signal, bytes_per_vector=bytes_per_vector, effort=effort, progress=progress
        )
    return codebook_bytes(book)


def decode(
    data: Buffer | FileLike,
    *,
    codebook: Buffer | FileLike | None = None,
    max_samples: int | None = None,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """All vectors of a stream, (N, D) in the dtype that was encoded, the same bits everywhere.

    Raises:
        InputError: a file cannot be read. FormatError: the stream is damaged, cut, too large, or
        of no vectors. UnknownModelError: it names another codebook.
    """
    found = open(data, codebook=codebook, max_samples=max_samples)
    found.codes(progress)
    return found.rebuild()


def open(
    data: Buffer | FileLike,
    *,
    codebook: Buffer | FileLike | None = None,
    max_samples: int | None = None,
) -> OpenVectors:
    """Read a stream of vectors to search it, or to rebuild some; arguments and errors as `decode`.

    Every byte of it is checked; the vectors are not decoded.
    """
    medium, stream = read_any_stream(content_of(data), limits_of(max_samples))
    if medium.number != MEDIUM.number:
        raise CorruptError(f"a stream of {with_article(medium.name)}, not of vectors")
    return OpenVectors(stream, None if codebook is None else read_codebook(codebook))
