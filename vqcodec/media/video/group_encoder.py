"""A group of frames on its way to bytes, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.media.video.deciding import Deciding, Watch, luma_of
from vqcodec.media.video.facts import pack_times
from vqcodec.media.video.group import Group, pack_group
from vqcodec.media.video.model import VideoModel, scale_index
from vqcodec.media.video.pictures import Pictures
from vqcodec.media.video.playing import Playing, to_blocks
from vqcodec.media.video.signal import Facts
from vqcodec_kernels.entropy.changes import Change, ChangeEncoder

__all__ = ["GroupEncoder", "Seen", "change_price", "is_cut", "see"]

# A bit of a change is worth so many of a key frame: what a key frame has, all frames have.
_KEY_WORTH = 6.0
# Beams of the search for changes, by effort.
_BEAMS = (1, 1, 2, 3, 4, 6, 8, 12, 16)
# Below it vectors of changes are too short for what is to be corrected: more bits, lower PSNR.
_LOWEST_PRICE = 0.01

# Two frames that differ by more than this part of what they have are not of one scene.
_CUT = 0.7


class Seen:
    """A frame as an encoder sees it: when it is shown, luma in whole blocks, its latent."""

    def __init__(self, ticks: int, luma: NDArray[np.uint8], latent: Tensor) -> None:
        self.ticks, self.luma, self.latent = ticks, luma, latent


def see(pictures: Pictures, rgb: NDArray[np.uint8], ticks: int) -> Seen:
    """Look at a frame, uint8 (3, H, W)."""
    pads = [(0, -side % 8) for side in rgb.shape[1:]]
    whole = np.pad(rgb, ((0, 0), *pads), mode="edge") if any(p for _, p in pads) else rgb
    latent = pictures.analyse(torch.from_numpy(whole).to(pictures.device))
    return Seen(ticks, luma_of(to_blocks(whole)), latent)


def is_cut(before: Seen, after: Seen) -> bool:
    """Whether two frames are of different scenes."""
    change = float((after.latent - before.latent).square().mean())
    each = sum(
        float((s.latent - s.latent.mean((1, 2), keepdim=True)).square().mean())
        for s in (before, after)
    )
    return change > _CUT * each and change > 1e-3


def change_price(pictures: Pictures, quality: float) -> float:
    """Squared distance of latents that a bit of a change is worth at a quality."""
    return max(_KEY_WORTH * pictures.price(quality), _LOWEST_PRICE)


class GroupEncoder:
    """Takes the frames of a group and gives its payload.

    Args:
        quality: 0 to 100. effort: 1 to 9.
        key: the first frame.

    Attributes:
        bits: of each frame so far, about.
    """

    def __init__(
        self,
        model: VideoModel,
        height: int,
        width: int,
        key: Seen,
        *,
        quality: float,
        effort: int = 5,
        watch: Watch | None = None,
    ) -> None:
        self._model = model
        price = change_price(model.pictures, quality)
        self._scale = scale_index(price)
        self._books = model.scaled(self._scale)
        self._playing = Playing(model.pictures, height, width)
        codes = model.pictures.search(key.latent, quality, effort)
        self._stages, self._key = len(codes), model.pictures.pack(codes)
        self._playing.begin(model.pictures.values(codes))
        self._ticks = [key.ticks]
        self._deciding = Deciding(
            self._playing, self._books, model.share, price, _BEAMS[effort - 1], watch
        )
        self.encoder = ChangeEncoder(
            *self._playing.grid,
            stages=model.stages,
            codebook_size=model.codebook_size,
            start=model.start,
        )
        self.bits = [8.0 * sum(map(len, self._key))]

    @property
    def frames(self) -> int:
        """How many it has so far."""
        return len(self._ticks)

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The last frame as it decodes."""
        return self._playing.show()

    def add(self, seen: Seen, following: Sequence[Seen] = ()) -> Change:
        """Code the next frame; following: those of the group behind it that are there."""
        playing, deciding = self._playing, self._deciding
        moving, motion = deciding.motion(seen.latent, seen.luma)
        predicted = playing.predict(moving, motion)
        latents = [seen.latent, *(later.latent for later in following)]
        active = deciding.active(moving)
        change = Change(moving, motion, deciding.codes(latents, predicted, moving))
        deciding.learn(change, active)
        self.bits.append(self.encoder.add(change))
        playing.advance(predicted, self._books, change)
        self._ticks.append(seen.ticks)
        return change

    def finish(self, first: int, facts: Facts, audio: bytes = b"") -> bytes:
        """The payload of the group, whose first frame has this number in the video."""
        changes = self.encoder.finish() if self.frames > 1 else b""
        return pack_group(
            Group(
                first=first,
                count=self.frames,
                times=pack_times(self._ticks, first, facts),
                audio=audio,
                stages=self._stages,
                scale=self._scale,
                key=tuple(self._key),
                changes=changes,
            )
        )
