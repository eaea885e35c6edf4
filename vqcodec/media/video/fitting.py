"""Codebooks of changes, fitted to what the coding of videos leaves to be corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.media.video.deciding import LOOK_AHEAD, Deciding, corrections
from vqcodec.media.video.group_encoder import GroupEncoder, Seen, change_price
from vqcodec.media.video.model import VideoModel
from vqcodec.media.video.pictures import Pictures
from vqcodec.media.video.playing import Playing, blocks_said
from vqcodec_kernels import nearest_code

__all__ = [
    "Books",
    "fit_books",
    "ideal_corrections",
    "learned_start",
    "shares_of",
    "true_corrections",
]

# Rounds of each stage, and how often a code must be chosen among a hundred thousand to stay.
_ROUNDS = 14
_ALIVE = 2e-5
# What an ideal coder would correct: errors beyond so many bits, but for a part of them.
_CORRECTED_FROM, _LEFT = 10.0, 0.45
# What is collected of a clip at a quality.
_MOST_ROWS = 12000

Report = Callable[[str, float], object]


@dataclass(frozen=True)
class Books:
    """vectors: float32 (S, K, D), code 0 is zero. share: float32 (S, K), how often each is used."""

    vectors: Tensor
    share: Tensor


def ideal_corrections(
    pictures: Pictures, frames: Sequence[Seen], size: tuple[int, int], quality: float
) -> Tensor:
    """What is to be corrected in a group, float32 (N, D) at a price of 1, if nearly all of it was.

    Codebooks do not exist yet: the frames are taken to be corrected where that is worth its bits.
    """
    playing, price = Playing(pictures, *size), change_price(pictures, quality)
    none = torch.zeros(1, 2, pictures.dim, device=pictures.device)
    deciding = Deciding(playing, none, np.full((1, 2), 0.5, np.float32), price, 1)
    playing.begin(pictures.values(pictures.search(frames[0].latent, quality, 5)))
    found = []
    for number, seen in enumerate(frames[1:], 1):
        moving, motion = deciding.motion(seen.latent, seen.luma)
        predicted = playing.predict(moving, motion)
        latents = [later.latent for later in frames[number : number + 1 + LOOK_AHEAD]]
        rows, stays = corrections(latents, predicted)
        worth = rows.square().sum(1) > price / stays * _CORRECTED_FROM
        found.append(rows[worth] / (price / stays[worth]).sqrt()[:, None])
        latent = predicted.flatten(1) + (1 - _LEFT) * (rows * worth[:, None]).T
        said = worth.reshape(playing.grid).cpu().numpy()
        blocks = blocks_said(said[None].astype(np.int64), playing.blocks)
        playing.take(latent.reshape(predicted.shape), blocks | (moving > 0))
    return torch.cat(found)[:_MOST_ROWS]


def true_corrections(
    model: VideoModel, frames: Sequence[Seen], size: tuple[int, int], quality: float
) -> tuple[Tensor, Tensor]:
    """What was corrected in a group, at a price of 1, and the codes that did it, (N, S)."""
    found: list[tuple[Tensor, Tensor]] = []
    _encoded(model, frames, size, quality, found)
    if not found:
        return torch.zeros(0, model.pictures.dim), torch.zeros(0, model.stages, dtype=torch.int64)
    rows, codes = (torch.cat(part)[:_MOST_ROWS] for part in zip(*found, strict=True))
    return rows, codes


def learned_start(
    model: VideoModel, groups: Iterable[tuple[Sequence[Seen], tuple[int, int], float]]
) -> tuple[dict[str, NDArray[np.generic]], float]:
    """What coding knows after groups of frames (frames, size, quality), and the bits they took."""
    bits = 0.0
    for frames, size, quality in groups:
        group = _encoded(model, frames, size, quality)
        model.start = group.encoder.state()
        bits += sum(group.bits[1:])
    return dict(model.start), bits


def fit_books(rows: Tensor, *, stages: int, size: int, seed: int, report: Report) -> Books:
    """Fit codebooks stage by stage to rows (N, D), a bit being worth a squared distance of 1.

    Code 0 of each stage is zero and stays so; codes that nobody chooses move halfway to a row.
    """
    generator = torch.Generator().manual_seed(seed)
    left, books, shares = rows.clone(), [], []
    for stage in range(stages):
        # Where little is left nothing is said: rows that are worth a code make codes.
        worth = (left.square().sum(1) > 4.0).nonzero()[:, 0]
        pool = worth if len(worth) >= size else torch.arange(len(left))
        chosen = pool[torch.randint(len(pool), (size,), generator=generator)]
        book = left[chosen] * 0.7
        book[0] = 0
        share = torch.full((size,), 1 / size)
        for round_number in range(_ROUNDS):
            report("codebooks", (stage + round_number / _ROUNDS) / stages)
            codes = nearest_code(left, book, -share.log2())
            counts = torch.bincount(codes, minlength=size).float()
            sums = torch.zeros_like(book).index_add_(0, codes, left)
            alive = counts > max(2.0, _ALIVE * len(left))
            book = torch.where(alive[:, None], sums / counts.clamp_min(1)[:, None], book)
            dead = (~alive).nonzero()[:, 0]
            if round_number < _ROUNDS - 3 and len(dead):
                picks = pool[torch.randint(len(pool), (len(dead),), generator=generator)]
                book[dead] = (book[dead] + left[picks]) / 2
            book[0] = 0
            share = (counts + 0.5) / (counts + 0.5).sum()
        codes = nearest_code(left, book, -share.log2())
        left = left - book[codes]
        counts = torch.bincount(codes, minlength=size).float()
        books.append(book)
        shares.append((counts + 0.5) / (counts + 0.5).sum())
    return Books(torch.stack(books), torch.stack(shares))


def shares_of(codes: Tensor, size: int) -> Tensor:
    """How often each code of each stage is chosen among codes (N, S): float32 (S, K)."""
    counts = torch.stack([torch.bincount(c, minlength=size) for c in codes.unbind(1)]).float() + 0.5
    return counts / counts.sum(1, keepdim=True)


def _encoded(
    model: VideoModel,
    frames: Sequence[Seen],
    size: tuple[int, int],
    quality: float,
    found: list[tuple[Tensor, Tensor]] | None = None,
) -> GroupEncoder:
    watch = None if found is None else lambda rows, codes: found.append((rows, codes))
    group = GroupEncoder(model, *size, frames[0], quality=quality, watch=watch)
    for number, seen in enumerate(frames[1:], 1):
        group.add(seen, frames[number + 1 : number + 1 + LOOK_AHEAD])
    return group
