"""Training data: crops of a folder of pictures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.bitstream.limits import DEFAULT_LIMITS
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.medium import MEDIUM
from vqcodec.media.workshop import Skipped

__all__ = ["PictureCrops", "PictureReader", "find_pictures", "read_rgb", "split_pictures"]


def find_pictures(folder: Path) -> list[Path]:
    """Every picture file below a folder, sorted, without hidden files and folders.

    Raises:
        InputError: the folder holds none.
    """
    suffixes = MEDIUM.suffixes
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not found:
        raise InputError(f"{folder}: no pictures found ({', '.join(sorted(suffixes))})")
    return found


def split_pictures(paths: list[Path], *, held_out: int) -> tuple[list[Path], list[Path]]:
    """Split into (training, held out): every n-th of the sorted names, at most `held_out`.

    A folder of fewer than ten pictures is too small to give any away: they serve as both.

    >>> kept, held = split_pictures([Path(f"{n}.png") for n in range(12)], held_out=2)
    >>> len(kept), [path.name for path in held]
    (10, ['0.png', '10.png'])
    """
    if len(paths) < 10:
        return paths, paths
    step = max(10, -(-len(paths) // held_out))
    kept = [path for i, path in enumerate(paths) if i % step]
    return kept, paths[::step]


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read a picture as uint8 (H, W, 3); grey is repeated, alpha dropped.

    Raises:
        InputError: the file is not a picture that can be read.
    """
    try:
        picture = MEDIUM.read(path.read_bytes(), DEFAULT_LIMITS)
    except VqcodecError as error:
        raise InputError(f"{path}: {error}") from error
    return np.ascontiguousarray(to_channels(picture.pixels, 3))


class PictureReader:
    """Reads pictures as `read_rgb` does, and leaves out those that cannot be read.

    skipped: told of each of these once; without it they are errors.
    """

    def __init__(self, skipped: Skipped | None = None) -> None:
        self._skipped = skipped
        self._told: set[Path] = set()

    def read(self, path: Path) -> NDArray[np.uint8] | None:
        """Read one picture; None if it is left out."""
        return self.take(path, lambda: read_rgb(path))

    def take(
        self, path: Path, reading: Callable[[], NDArray[np.uint8]]
    ) -> NDArray[np.uint8] | None:
        """What a reading of `path` gives, here or in another thread; None if it is left out."""
        try:
            return reading()
        except (InputError, OSError) as error:
            if self._skipped is None:
                raise
            why = error.strerror if isinstance(error, OSError) else None
            if path not in self._told:
                self._told.add(path)
                self._skipped(path, why or str(error).removeprefix(f"{path}: "))
            return None


class PictureCrops:
    """Random square crops, flipped and transposed at random, of pictures held in memory.

    Pictures are decoded once. When they need more than `memory` bytes only a random part is held,
    and a background thread reads others in exchange, at most one for each batch; which crops are
    drawn then depends on how fast it is, too.
    """

    def __init__(
        self,
        paths: list[Path],
        *,
        side: int,
        seed: int,
        memory: int = 3 << 30,
        reader: PictureReader | None = None,
    ) -> None:
        reader = reader or PictureReader()
        self.side = side
        self._seed = seed
        self._random = np.random.default_rng(seed)
        self._pictures: list[NDArray[np.uint8]] = []
        self._others: _ReadAhead | None = None
        order = [paths[i] for i in self._random.permutation(len(paths))]
        used = 0
        for path in order:
            picture = reader.read(path)
            if picture is not None and self._is_large(picture):
                self._pictures.append(picture)
                used += picture.nbytes
            if used > memory:
                self._others = _ReadAhead(order, reader, seed=int(self._random.integers(2**32)))
                break
        if not self._pictures:
            raise InputError(f"no picture that can be read is at least {side} x {side} pixels")
        self._areas = np.array([p.shape[0] * p.shape[1] for p in self._pictures], dtype=np.float64)

    def _is_large(self, picture: NDArray[np.uint8]) -> bool:
        return bool(min(picture.shape[:2]) >= self.side)

    def _exchange(self) -> None:
        other = None if self._others is None else self._others.take()
        if other is not None and self._is_large(other):
            place = self._random.integers(len(self._pictures))
            self._pictures[place] = other
            self._areas[place] = other.shape[0] * other.shape[1]

    def go_on(self, steps: int) -> None:
        """Draw from now on what a run draws after so many steps, whatever was drawn before."""
        self._random = np.random.default_rng([self._seed, steps])

    def batch(self, size: int) -> Tensor:
        """Draw float32 (size, 3, side, side) in [0, 1].

        Raises:
            InputError, OSError: a picture that was read in exchange cannot be, and the reader
                does not leave it out; they name it.
        """
        self._exchange()
        crops = np.empty((size, self.side, self.side, 3), np.uint8)
        shares = self._areas / self._areas.sum()
        picks = self._random.choice(len(self._pictures), size=size, p=shares)
        for crop, pick in zip(crops, picks, strict=True):
            crop[:] = self._crop(self._pictures[pick])
        return torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255

    def _crop(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        top = self._random.integers(picture.shape[0] - self.side + 1)
        left = self._random.integers(picture.shape[1] - self.side + 1)
        crop = picture[top : top + self.side, left : left + self.side]
        if self._random.integers(2):
            crop = crop[:, ::-1]
        if self._random.integers(2):
            crop = crop[::-1]
        if self._random.integers(2):
            crop = crop.transpose(1, 0, 2)
        return crop


class _ReadAhead:
    """Reads pictures, drawn at random, in a background thread: one, and the next once it is taken.

    What goes wrong there comes up in `take`.
    """

    def __init__(self, paths: list[Path], reader: PictureReader, *, seed: int) -> None:
        self._paths = paths
        self._reader = reader
        self._random = np.random.default_rng(seed)
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._path, self._read = self._begin()

    def take(self) -> NDArray[np.uint8] | None:
        """The picture that was read; None while it is not, and for one that is left out."""
        if not self._read.done():
            return None
        picture = self._reader.take(self._path, self._read.result)
        self._path, self._read = self._begin()
        return picture

    def _begin(self) -> tuple[Path, Future[NDArray[np.uint8]]]:
        path = self._paths[self._random.integers(len(self._paths))]
        return path, self._thread.submit(read_rgb, path)
