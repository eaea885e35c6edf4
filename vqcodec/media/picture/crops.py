"""Training data: crops of a folder of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.bitstream.limits import DEFAULT_LIMITS
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.crops import Crops, SignalReader, find_files
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.medium import MEDIUM
from vqcodec.media.workshop import Skipped

__all__ = ["PictureCrops", "find_pictures", "picture_reader", "read_rgb"]


def find_pictures(folder: Path) -> list[Path]:
    """Every picture below a folder; see `find_files`."""
    return find_files(folder, MEDIUM.suffixes, of="pictures")


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read a picture as uint8 (H, W, 3); grey is repeated, alpha dropped, 16 bits mapped to 8.

    Raises:
        InputError: the file is not a picture that can be read.
    """
    try:
        picture = MEDIUM.read(path.read_bytes(), DEFAULT_LIMITS)
    except VqcodecError as error:
        raise InputError(f"{path}: {error}") from error
    return np.ascontiguousarray(to_channels(picture.in_eight_bits().pixels, 3))


def picture_reader(skipped: Skipped | None = None) -> SignalReader:
    """Reads pictures as `read_rgb` does; see `SignalReader` for those that it cannot read."""
    return SignalReader(read_rgb, skipped)


class PictureCrops(Crops):
    """Random square crops of pictures, flipped and transposed at random; see `Crops`.

    side: rows and columns of a crop.
    """

    def __init__(
        self,
        paths: list[Path],
        *,
        side: int,
        seed: int,
        reader: SignalReader | None = None,
        memory: int = 3 << 30,
    ) -> None:
        super().__init__(
            paths,
            crop=(side, side),
            seed=seed,
            reader=reader or picture_reader(),
            memory=memory,
        )

    def turn(self, crop: NDArray[np.uint8], random: Generator) -> NDArray[np.uint8]:
        """Flip and transpose, each or not."""
        if random.integers(2):
            crop = crop[:, ::-1]
        if random.integers(2):
            crop = crop[::-1]
        if random.integers(2):
            crop = crop.transpose(1, 0, 2)
        return crop

    def to_batch(self, crops: list[NDArray[np.uint8]]) -> Tensor:
        """Float32 (B, 3, side, side) in [0, 1]."""
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
