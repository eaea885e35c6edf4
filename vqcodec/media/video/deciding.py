"""What an encoder decides about a frame: which blocks move, and which positions say what."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.device import own_modes
from vqcodec.media.video.playing import Playing
from vqcodec_kernels import beam_codes
from vqcodec_kernels.entropy.changes import Change
from vqcodec_kernels.motion.ops import find_motion

__all__ = ["LOOK_AHEAD", "Deciding", "Watch", "corrections", "luma_of"]

# Frames behind one that are looked at: a correction that stays is worth more.
LOOK_AHEAD = 7
# A correction stays as long as the latent moves less than this part of what it corrects.
_STAYS = 0.35
# Bits of a motion of its own and of one that is merged, of a block that stays, and of one that
# returns to what it was in the key frame.
_OWN_BITS, _MERGED_BITS, _STAY_BITS, _RETURN_BITS = 9.0, 2.0, 0.3, 5.0
# Bits that a position says something, among quiet ones and among others, to begin with.
_SAYS_BITS = (7.0, 2.5)
# Fewer bits than this no position takes that says anything.
_FEWEST_BITS = 7.0
# Beyond so many bits' worth of error a position will be corrected, at a cost that grows slowly.
_CORRECTED_FROM = 20.0
# What a step of luma is worth in latents, about: a block of 256 pixels has four positions.
_PIXEL_PRICE = 25.0
_FLOOR = 0.02

Bytes = NDArray[np.uint8]

# Is told what was corrected, (N, D) at a price of 1, and by which codes, (N, S).
Watch = Callable[[Tensor, Tensor], object]


class Deciding:
    """Decides about the frames of a group, one after another.

    Args:
        playing: the frame that is there.
        books, share: of the model, at the scale of the group.
        price: squared distance of latents that a bit is worth.
        beams: candidates of the search for codes.
    """

    def __init__(
        self,
        playing: Playing,
        books: Tensor,
        share: NDArray[np.float32],
        price: float,
        beams: int,
        watch: Watch | None = None,
    ) -> None:
        self._watch = watch
        self._playing, self._books, self._price, self._beams = playing, books, price, beams
        share = (1 - _FLOOR) * share + _FLOOR / share.shape[1]
        self._bits = torch.from_numpy(-np.log2(share)).float().to(books.device)
        # How many positions said something and how many there were, of the quiet and of the others.
        self._said = [[2.0**-bits * 64, 64.0] for bits in _SAYS_BITS]
        self._before: NDArray[np.bool_] = np.zeros(playing.grid, bool)
        self._moving = np.zeros(playing.blocks, np.uint8)

    def motion(self, latent: Tensor, luma: Bytes) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
        """Which blocks move, and from where; those that return to the key frame, by nothing.

        latent: of the frame, (D, *grid). luma: its, in whole blocks.
        """
        playing = self._playing
        reference = luma_of(playing.picture)
        # In sixteenths of a step: a price in squared latents as one in absolute differences.
        price = min(round(16 * _PIXEL_PRICE * math.sqrt(self._price)), 2**20)
        motion, errors = find_motion(luma, reference, price=price)
        stays = _block_sums(np.abs(luma.astype(np.int32) - reference))
        tried = ((stays - errors) * 16 > 4 * price).astype(np.uint8)
        left_still = self._expected((latent - playing.latent).square().sum(0))
        left_back = self._expected((latent - playing.key).square().sum(0))
        gain = np.zeros(playing.blocks)
        if tried.any():
            moved = playing.predict(tried, motion)
            left_moved = self._expected((latent - moved).square().sum(0))
            bits = _motion_bits(motion, tried, _OWN_BITS) - _STAY_BITS
            gain = np.where(tried, left_still - left_moved - self._price * bits, 0)
        returns = left_still - left_back > self._price * _RETURN_BITS
        bits = _motion_bits(motion * 0, returns, _RETURN_BITS) - _STAY_BITS
        gain_back = np.where(returns, left_still - left_back - self._price * bits, 0)
        returns = gain_back > np.maximum(gain, 0)
        moves = (gain > 0) & ~returns
        return (moves | returns).astype(np.uint8), motion * moves[..., None]

    def codes(
        self, latents: Sequence[Tensor], predicted: Tensor, moving: NDArray[np.uint8]
    ) -> NDArray[np.int64]:
        """Codes of changes, (S, *grid). latents: of the frame and of those behind it."""
        with own_modes(predicted.device):
            rows, stays = corrections(latents, predicted)
            chosen = self._searched(rows, stays, moving)
        stages = len(self._books)
        codes: NDArray[np.int64] = chosen.T.reshape(stages, *self._playing.grid).cpu().numpy()
        return np.ascontiguousarray(codes)

    def learn(self, change: Change, active: NDArray[np.bool_]) -> None:
        """Count who said something. active: as of `active`, before this frame."""
        said: NDArray[np.bool_] = np.asarray(change.codes.any(0))
        for kind, where in enumerate((~active, active)):
            counts = self._said[kind]
            counts[0] = 0.9 * counts[0] + float((said & where).sum())
            counts[1] = 0.9 * counts[1] + float(where.sum())
        self._before = said

    def active(self, moving: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Positions about which something was said a frame ago, or beside them, or that move."""
        near = np.pad(self._before, 1)
        rows, columns = self._before.shape
        around = np.zeros_like(self._before)
        for y in range(3):
            for x in range(3):
                around |= near[y : y + rows, x : x + columns]
        moves = moving.repeat(2, 0).repeat(2, 1)[:rows, :columns] > 0
        found: NDArray[np.bool_] = around | moves
        return found

    def _searched(self, rows: Tensor, stays: Tensor, moving: NDArray[np.uint8]) -> Tensor:
        """Codes (N, S) of corrections (N, D) that stay for so many frames (N,)."""
        codes = torch.zeros(len(rows), len(self._books), dtype=torch.int64, device=rows.device)
        energy = rows.square().sum(1)
        active = torch.from_numpy(self.active(moving).reshape(-1)).to(rows.device)
        speaks = [-math.log2(said / count) for said, count in self._said]
        silent = [-math.log2(max(1 - said / count, 1e-3)) for said, count in self._said]
        for stay in (1, 2, 4, 8):
            price = self._price / stay
            here = torch.where(stays == stay, energy > price * _FEWEST_BITS, False)
            places = here.nonzero()[:, 0]
            if not len(places):
                continue
            found, errors = beam_codes(
                rows[places].contiguous(), self._books, self._bits * price, beams=self._beams
            )
            bits = torch.stack([b[c] for b, c in zip(self._bits, found.T, strict=True)]).sum(0)
            extra = torch.where(active[places], speaks[1] - silent[1], speaks[0] - silent[0])
            worth = errors[:, -1] + price * (bits + extra) < energy[places]
            kept = worth & (found != 0).any(1)
            codes[places[kept]] = found[kept]
            if self._watch is not None:
                self._watch(rows[places[kept]] / math.sqrt(price), found[kept])
        return codes

    def _expected(self, errors: Tensor) -> NDArray[np.float64]:
        """What is left of squared errors (rows, columns), and of bits, once they are corrected."""
        most = self._price * _CORRECTED_FROM
        ratio = errors.cpu().double().numpy() / most
        left = np.where(ratio < 1, ratio, 1 + np.log(np.maximum(ratio, 1)))
        rows, columns = self._playing.blocks
        padded = np.zeros((2 * rows, 2 * columns))
        padded[: left.shape[0], : left.shape[1]] = most * left
        total: NDArray[np.float64] = padded.reshape(rows, 2, columns, 2).sum((1, 3))
        return total


def luma_of(picture: Bytes) -> Bytes:
    """Luma of red, green and blue, about: what motion is searched in."""
    red, green, blue = picture.astype(np.uint16)
    luma: Bytes = ((red + 2 * green + blue + 2) >> 2).astype(np.uint8)
    return luma


def corrections(latents: Sequence[Tensor], predicted: Tensor) -> tuple[Tensor, Tensor]:
    """What is to be corrected (N, D), as a mean over the frames that it stays for: 1, 2, 4 or 8."""
    first = latents[0]
    wrong = (first - predicted).square().sum(0)
    stays = torch.ones_like(wrong, dtype=torch.int64)
    still = torch.ones_like(wrong, dtype=torch.bool)
    total, mean = first.clone(), first.clone()
    for number, later in enumerate(latents[1:], 2):
        still &= (later - first).square().sum(0) < _STAYS * wrong
        if not still.any():
            break
        total = total + torch.where(still, later, 0)
        if number in (2, 4, 8):
            stays = torch.where(still, number, stays)
            mean = torch.where(still, total / number, mean)
    rows = (mean - predicted).flatten(1).T
    return rows, stays.flatten()


def _motion_bits(motion: NDArray[np.int8], moving: NDArray[Any], own: float) -> NDArray[np.float64]:
    """Bits of the motions, about: those of the block to the left or above are merged."""
    same = np.zeros(moving.shape, bool)
    same[:, 1:] |= (motion[:, 1:] == motion[:, :-1]).all(-1) & (moving[:, :-1] > 0)
    same[1:] |= (motion[1:] == motion[:-1]).all(-1) & (moving[:-1] > 0)
    return np.where(same, _MERGED_BITS, own)


def _block_sums(values: NDArray[np.int32]) -> NDArray[np.int64]:
    rows, columns = values.shape[0] // 16, values.shape[1] // 16
    sums: NDArray[np.int64] = values.reshape(rows, 16, columns, 16).sum((1, 3), dtype=np.int64)
    return sums
