"""Vectors to a stream, by a codebook of their own or one that is given."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from vqcodec.bitstream import PRIORS, Chunk, Header, write_stream
from vqcodec.choices import check_real, check_whole
from vqcodec.errors import InputError
from vqcodec.media.vector.budget import plan_for
from vqcodec.media.vector.codebook import Codebook, pack_codebook
from vqcodec.media.vector.codebook_head import most_stages
from vqcodec.media.vector.description import Description, pack_description
from vqcodec.media.vector.letters import CODEBOOK, DESCRIPTION, NUMBER
from vqcodec.media.vector.signal import Vectors
from vqcodec.media.vector.survey import Survey, survey
from vqcodec.media.vector.training import Effort, Projection, choose_codes, project, train, undo
from vqcodec.priors.static import StaticPrior

__all__ = ["BLOCK", "encode", "train_codebook"]

Progress = Callable[[int, int], None]

# Vectors whose codes stand in one payload.
BLOCK = 4096
# Of which the size decides how long a search takes; larger ones spend bits a little better.
_LARGEST_SIZE = 256
_TRIES = 5
_MANY = 10**9
_LEAST_BYTES, _MOST_BYTES = 1, 64
_EFFORTS = {
    1: Effort(rounds=0, beams=1, final=1, sweeps=0),
    2: Effort(rounds=2, beams=1, final=2, sweeps=0),
    3: Effort(rounds=3, beams=2, final=4, sweeps=1),
    4: Effort(rounds=4, beams=4, final=8, sweeps=1),
    5: Effort(rounds=6, beams=4, final=16, sweeps=2),
    6: Effort(rounds=8, beams=6, final=24, sweeps=2),
    7: Effort(rounds=12, beams=8, final=32, sweeps=2),
    8: Effort(rounds=16, beams=12, final=48, sweeps=3),
    9: Effort(rounds=24, beams=16, final=64, sweeps=4),
}


class _Steps:
    """Tells of one step after another how many there were."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._done, self._total = progress, 0, total

    def __call__(self) -> None:
        self._done = min(self._done + 1, self._total)
        if self._progress is not None:
            self._progress(self._done, self._total)


def encode(
    vectors: Vectors,
    *,
    bytes_per_vector: float,
    codebook: Codebook | None,
    effort: int,
    progress: Progress | None,
) -> bytes:
    """The stream of vectors, of at most so many bytes for each, all that stands in it counted.

    Raises:
        InputError: too few bytes, or numbers that cannot be coded.
    """
    _check(bytes_per_vector, effort)
    count, dim = vectors.extent
    if codebook is not None and len(codebook.mean) != dim:
        raise InputError(f"the codebook is of {len(codebook.mean)} numbers, the vectors of {dim}")
    found = survey(vectors)
    budget = target = int(bytes_per_vector * count)
    for _ in range(_TRIES):
        if codebook is None:
            data = _by_own(vectors, found, target, _EFFORTS[effort], progress)
        else:
            data = _by_given(vectors, found, codebook, target, _EFFORTS[effort], progress)
        if len(data) <= budget:
            return data
        target -= len(data) - budget + max(8, budget // 500)
    raise InputError(f"{count} vectors take more than {bytes_per_vector:g} bytes each")


def train_codebook(
    vectors: Vectors, *, bytes_per_vector: float, effort: int, progress: Progress | None
) -> Codebook:
    """A codebook whose codes take so many bytes a vector, for files that do not hold it.

    Raises:
        InputError: as `encode`.
    """
    _check(bytes_per_vector, effort)
    chosen, found = _EFFORTS[effort], survey(vectors)
    # As if for so many vectors that a stream's frame is no part.
    plan = plan_for(
        found.spectrum,
        count=_MANY,
        budget=_MANY * bytes_per_vector + 1000,
        blocks=0,
        inside=False,
        largest=min(_LARGEST_SIZE, len(found.sample)),
    )
    sampled = -(-len(found.sample) // BLOCK)
    steps = _Steps(progress, plan.stages + chosen.rounds + 1 + sampled)
    projection = project(found.mean, found.axes[: plan.components], found.spectrum)
    book = train(found.sample, projection, plan, chosen, steps)
    codes = _codes(Vectors(found.sample), projection, book, chosen, steps)
    return replace(book, frequencies=_frequencies(codes, book))


def _check(bytes_per_vector: float, effort: int) -> None:
    check_whole("effort", effort, 1, 9)
    span = f"{_LEAST_BYTES} to {_MOST_BYTES} bytes"
    check_real("bytes_per_vector", bytes_per_vector, span, low=_LEAST_BYTES, high=_MOST_BYTES)


def _by_own(
    vectors: Vectors, found: Survey, budget: int, effort: Effort, progress: Progress | None
) -> bytes:
    plan = plan_for(
        found.spectrum,
        count=len(vectors.values),
        budget=budget,
        blocks=_blocks(vectors),
        inside=True,
        largest=min(_LARGEST_SIZE, len(found.sample)),
    )
    steps = _Steps(progress, plan.stages + effort.rounds + 1 + 2 * _blocks(vectors))
    projection = project(found.mean, found.axes[: plan.components], found.spectrum)
    book = train(found.sample, projection, plan, effort, steps)
    codes = _codes(vectors, projection, book, effort, steps)
    book = replace(book, frequencies=_frequencies(codes, book))
    return _stream(vectors, found, book, codes, steps)


def _by_given(
    vectors: Vectors,
    found: Survey,
    book: Codebook,
    budget: int,
    effort: Effort,
    progress: Progress | None,
) -> bytes:
    """By the first stages of a codebook, as many as there are bytes for."""
    stages, size, _ = book.tables.shape
    count = len(vectors.values)
    stages = min(
        stages,
        most_stages(len(book.mean)),
        int(8 * budget / count / math.log2(max(size, 2)) + 1e-9),
    )
    if stages == 0:
        raise InputError(f"{budget} bytes for {count} vectors are too few for a stage of codes")
    steps = _Steps(progress, 2 * _blocks(vectors))
    codes = _codes(vectors, undo(book), book.first(stages), effort, steps)
    return _stream(vectors, found, book.first(stages), codes, steps, fingerprint=book.fingerprint)


def _blocks(vectors: Vectors) -> int:
    return -(-len(vectors.values) // BLOCK)


def _codes(
    vectors: Vectors, projection: Projection, book: Codebook, effort: Effort, steps: _Steps
) -> NDArray[np.uint16]:
    """Codes (S, N) of all vectors, by the tables as they were rounded."""
    tables = torch.from_numpy(book.tables.astype(np.float32))
    tables *= book.unit / (projection.worth * projection.scale)
    found = np.empty((len(tables), len(vectors.values)), np.uint16)
    for number, block in enumerate(vectors.blocks(BLOCK)):
        chosen = choose_codes(
            projection.of(block), tables, beams=effort.final, sweeps=effort.sweeps
        )
        found[:, number * BLOCK : number * BLOCK + len(block)] = chosen.T.numpy()
        steps()
    return found


def _frequencies(codes: NDArray[np.uint16], book: Codebook) -> NDArray[np.uint16]:
    size = book.tables.shape[1]
    prior = StaticPrior.fit([codes.astype(np.int64)], codebook_size=size)
    return prior.tensors()["frequencies"].astype(np.uint16)


def _stream(
    vectors: Vectors,
    found: Survey,
    book: Codebook,
    codes: NDArray[np.uint16],
    steps: _Steps,
    *,
    fingerprint: bytes = b"",
) -> bytes:
    """fingerprint: of the codebook where it does not stand in the stream."""
    payloads, squares, dtype = [], 0.0, vectors.values.dtype.name
    for number, block in enumerate(vectors.blocks(BLOCK)):
        own = codes[:, number * BLOCK : number * BLOCK + len(block)].astype(np.int64)
        payloads.append(book.prior.encode(own))
        off = block - book.rebuild(own, dtype)
        squares += float(np.einsum("nd,nd->", off, off, dtype=np.float64))
        steps()
    said = Description(
        dtype=dtype,
        block=BLOCK,
        error=squares / len(vectors.values),
        spread=found.spread,
    )
    side = [Chunk(DESCRIPTION, pack_description(said))]
    if not fingerprint:
        side.append(Chunk(CODEBOOK, pack_codebook(book)))
    header = Header(
        medium=NUMBER,
        extent=vectors.extent,
        channels=1,
        stages=len(codes),
        prior=PRIORS.index(StaticPrior.name),
        fingerprint=fingerprint or bytes(8),
        regions=len(payloads),
    )
    return write_stream(header, side, payloads)
