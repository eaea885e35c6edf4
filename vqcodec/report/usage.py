"""Where the bytes of a stream of ours went: bits of each position, codes that each stage uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.registry import read_any_stream
from vqcodec.model.file import read_model
from vqcodec.model.tensors import priors_from_tensors
from vqcodec.payload import prior_of
from vqcodec.priors import RawPrior

if TYPE_CHECKING:
    from vqcodec.codec import Codec
    from vqcodec.priors import Prior

__all__ = ["StageUsage", "Usage", "find_usage"]


@dataclass(frozen=True, kw_only=True)
class StageUsage:
    """What one stage of codes is.

    Attributes:
        bits: of all its codes.
        codes: how many of the codebook's occur.
        perplexity: 2 to the entropy of how often they do: as many codes, used evenly, say as much.
        zeros: share of code 0, which changes nothing.
    """

    bits: float
    codes: int
    perplexity: float
    zeros: float


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Where the bytes of a stream went.

    Attributes:
        positions: float32, the bits of each position of the grid, over all stages.
        stages: one by one.
        codebook_size: K.
        besides: bytes of the stream that are no codes: header, chunks, facts.
    """

    positions: NDArray[np.float32]
    stages: tuple[StageUsage, ...]
    codebook_size: int
    besides: int


def find_usage(codec: Codec, data: bytes) -> Usage:
    """Look into a stream of a codec's model.

    Raises:
        FormatError: it is damaged. UnknownModelError: it is of another model.

    >>> from vqcodec import load
    >>> codec = load("photo", device="cpu")
    >>> data = codec.encode(np.zeros((24, 40, 3), np.uint8), quality=50)
    >>> usage = find_usage(codec, data)
    >>> usage.positions.shape, usage.codebook_size, len(usage.stages)
    ((3, 5), 1024, 7)
    """
    _, stream = read_any_stream(data)
    codes = codec.decode_codes(stream)
    prior = prior_of(stream.header, _priors(codec))
    bits = np.empty(codes.shape, np.float32)
    config = codec.card.config
    for region in config.regions(stream.header.extent):
        bits[:, *region] = prior.bits(np.ascontiguousarray(codes[:, *region]))
    return Usage(
        positions=bits.sum(axis=0),
        stages=tuple(_stage(s, b) for s, b in zip(codes, bits, strict=True)),
        codebook_size=config.quantizer.codebook_size,
        besides=len(data) - sum(map(len, stream.codes)),
    )


def _priors(codec: Codec) -> dict[int, Prior]:
    card = codec.card
    _, tensors = read_model(card.path)
    quantizer = card.config.quantizer
    raw: dict[int, Prior] = {0: RawPrior(quantizer.codebook_size, quantizer.stages)}
    return raw | priors_from_tensors(card.config, tensors, card.path)


def _stage(codes: NDArray[np.int64], bits: NDArray[np.float32]) -> StageUsage:
    counts = np.unique(codes, return_counts=True)[1]
    shares = counts / codes.size
    return StageUsage(
        bits=float(bits.sum(dtype=np.float64)),
        codes=len(counts),
        perplexity=float(2 ** -(shares * np.log2(shares)).sum()),
        zeros=float(np.mean(codes == 0)),
    )
