"""What a frame is made of, step by step: the same for who encodes and who decodes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.device import own_modes
from vqcodec.grid import cover
from vqcodec.media.video.pictures import STRIDE, Pictures
from vqcodec.media.video.windows import grown, windows_of
from vqcodec_kernels.entropy.changes import Change, blocks_of
from vqcodec_kernels.motion.ops import BLOCK, warp_blocks

__all__ = ["Playing", "blocks_said", "to_blocks"]

# Predicted latents are whole multiples of 1 / 256: what differs between machines is mostly rounded
# away before it is fed back.
_UNIT = 256.0


class Playing:
    """The latent and the picture of the last frame of a group, which the next one changes.

    Attributes:
        latent: float32 (D, *grid). key: that of the key frame.
        picture: uint8 (3, H, W), H and W whole blocks of 16.
    """

    def __init__(self, pictures: Pictures, height: int, width: int) -> None:
        self._pictures = pictures
        self.extent = (height, width)
        rows, columns = cover(self.extent, (STRIDE, STRIDE))
        self.grid = (rows, columns)
        self.blocks = blocks_of(rows, columns)
        self.latent = self.key = torch.zeros(pictures.dim, rows, columns)
        self.picture: NDArray[np.uint8] = np.zeros((3, *(BLOCK * n for n in self.blocks)), np.uint8)

    def show(self) -> NDArray[np.uint8]:
        """The picture as it is shown: uint8 (3, height, width), a copy."""
        height, width = self.extent
        return self.picture[:, :height, :width].copy()

    def begin(self, latent: Tensor) -> None:
        """Take a key frame."""
        self.latent = self.key = latent
        self.picture = to_blocks(self._pictures.synthesise(latent).cpu().numpy())

    def predict(self, moving: NDArray[np.uint8], motion: NDArray[np.int8]) -> Tensor:
        """The latent that the next frame has where it says nothing, float32 (D, *grid).

        Where nothing moves it is that of the frame before; elsewhere it is that of the picture
        before, moved. A block that moves by nothing becomes what it was in the key frame.
        """
        if not moving.any():
            return self.latent
        predicted = self.latent.clone()
        returns = (moving > 0) & ~motion.any(-1)
        if returns.any():
            back = torch.from_numpy(_positions(returns, self.grid)).to(predicted.device)
            predicted = torch.where(back, self.key, predicted)
        blocks = (moving > 0) & ~returns
        if not blocks.any():
            return predicted
        warped = np.stack(
            [warp_blocks(plane, blocks.astype(np.uint8), motion) for plane in self.picture]
        )
        moves = _positions(blocks, self.grid)
        for (top, bottom, left, right), seen in windows_of(blocks, self.grid):
            window = warped[
                :,
                STRIDE * seen[0] : STRIDE * seen[1],
                STRIDE * seen[2] : STRIDE * seen[3],
            ]
            found = self._pictures.analyse_window(
                torch.from_numpy(window).to(self._pictures.device)
            )
            found = found[:, top - seen[0] : bottom - seen[0], left - seen[2] : right - seen[2]]
            mask = torch.from_numpy(moves[top:bottom, left:right]).to(found.device)
            old = predicted[:, top:bottom, left:right]
            predicted[:, top:bottom, left:right] = torch.where(
                mask, (found * _UNIT).round() / _UNIT, old
            )
        return predicted

    def advance(self, predicted: Tensor, books: Tensor, change: Change) -> None:
        """Take the next frame: its prediction, and vectors of changes (S, K, D) by its codes."""
        says = blocks_said(change.codes, self.blocks)
        latent = predicted
        if says.any():
            with own_modes(self._pictures.device):
                latent = _added(predicted, books, change.codes)
        self.take(latent, says | (change.moving > 0))

    def take(self, latent: Tensor, changed: NDArray[np.bool_]) -> None:
        """Take the latent of the next frame, which differs from the last one in some blocks."""
        self.latent = latent
        for (top, bottom, left, right), seen in windows_of(grown(changed), self.grid):
            found = self._pictures.synthesise_window(
                latent[:, seen[0] : seen[1], seen[2] : seen[3]]
            )
            rows = slice(STRIDE * (top - seen[0]), STRIDE * (bottom - seen[0]))
            columns = slice(STRIDE * (left - seen[2]), STRIDE * (right - seen[2]))
            place = slice(STRIDE * top, STRIDE * bottom), slice(STRIDE * left, STRIDE * right)
            self.picture[:, *place] = found[:, rows, columns].cpu().numpy()
        if changed.any():
            height, width = (STRIDE * n for n in self.grid)
            self.picture = to_blocks(self.picture[:, :height, :width])


def to_blocks(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (C, H, W) in whole blocks of 16, its last row and column repeated.

    >>> to_blocks(np.zeros((3, 24, 40), np.uint8)).shape
    (3, 32, 48)
    """
    pads = [(0, -side % BLOCK) for side in picture.shape[1:]]
    if not any(pad for _, pad in pads):
        return np.ascontiguousarray(picture)
    return np.pad(picture, ((0, 0), *pads), mode="edge")


def blocks_said(codes: NDArray[np.int64], blocks: tuple[int, int]) -> NDArray[np.bool_]:
    """Blocks of 2 x 2 positions in which any code is another one than 0."""
    said = codes.any(0)
    rows, columns = blocks
    padded = np.zeros((2 * rows, 2 * columns), bool)
    padded[: said.shape[0], : said.shape[1]] = said
    return np.asarray(padded.reshape(rows, 2, columns, 2).any((1, 3)))


def _positions(blocks: NDArray[np.bool_], grid: tuple[int, int]) -> NDArray[np.bool_]:
    """Which positions lie in blocks."""
    return blocks.repeat(2, 0).repeat(2, 1)[: grid[0], : grid[1]]


def _added(latent: Tensor, books: Tensor, codes: NDArray[np.int64]) -> Tensor:
    """The latent and the vectors of its codes, added stage by stage in float32."""
    said = np.flatnonzero(codes.any(0))
    places = torch.from_numpy(said).to(latent.device)
    chosen = torch.from_numpy(codes.reshape(len(codes), -1)[:, said]).to(latent.device)
    rows = latent.flatten(1)[:, places].T
    for book, code in zip(books, chosen, strict=True):
        rows = rows + book[code]
    changed = latent.flatten(1).clone()
    changed[:, places] = rows.T
    return changed.reshape(latent.shape)
