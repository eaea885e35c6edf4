"""Training data of any medium: files of a folder, those held out, and random crops of signals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.media.workshop import Skipped

__all__ = ["Crops", "SignalReader", "find_files", "split_files", "spread_files"]

Samples = NDArray[Any]


def find_files(folder: Path, suffixes: Iterable[str], *, of: str) -> list[Path]:
    """Every file below a folder with one of these suffixes, sorted, but for hidden ones.

    of: what is looked for, in the plural, for the message of an error.
    Raises: InputError if the folder holds none.
    """
    suffixes = sorted(suffixes)
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not found:
        raise InputError(f"{folder}: no {of} found ({', '.join(suffixes)})")
    return found


def split_files(paths: list[Path], *, held_out: int) -> tuple[list[Path], list[Path]]:
    """Split into (training, held out): every n-th of the sorted names, at most `held_out`.

    A folder of fewer than ten files is too small to give any away: they serve as both.

    >>> kept, held = split_files([Path(f"{n}.png") for n in range(12)], held_out=2)
    >>> len(kept), [path.name for path in held]
    (10, ['0.png', '10.png'])
    """
    if len(paths) < 10:
        return paths, paths
    step = max(10, -(-len(paths) // held_out))
    kept = [path for i, path in enumerate(paths) if i % step]
    return kept, paths[::step]


def spread_files(paths: list[Path], most: int) -> list[Path]:
    """At most so many files, evenly from the first to the last.

    >>> [path.name for path in spread_files([Path(f"{n}.png") for n in range(12)], 3)]
    ['0.png', '5.png', '11.png']
    """
    places = np.unique(np.linspace(0, len(paths) - 1, most).astype(int))
    return [paths[place] for place in places]


class SignalReader:
    """Reads the samples of files, (*extent, C), and leaves out those that cannot be read.

    load: reads one; raises InputError, with the path, or OSError.
    skipped: told of each that cannot be read, once; without it they are errors.
    """

    def __init__(self, load: Callable[[Path], Samples], skipped: Skipped | None = None) -> None:
        self.load = load
        self._skipped = skipped
        self._told: set[Path] = set()

    def read(self, path: Path) -> Samples | None:
        """Read one file; None if it is left out."""
        return self.take(path, lambda: self.load(path))

    def take(self, path: Path, reading: Callable[[], Samples]) -> Samples | None:
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


class Crops(ABC):
    """Random crops of signals held in memory, as many of each as it has samples.

    Files are decoded once. When they need more than `memory` bytes only a random part is held, and
    a background thread reads others in exchange, at most one for each batch; which crops are drawn
    then depends on how fast it is, too. A medium says what a crop becomes: `turn`, `to_batch`.

    Args:
        crop: extent of a crop; signals that are smaller along any axis are left out.

    Raises:
        InputError: no signal is large enough, or a file cannot be read and the reader is strict.
    """

    def __init__(
        self,
        paths: list[Path],
        *,
        crop: tuple[int, ...],
        seed: int,
        reader: SignalReader,
        memory: int = 3 << 30,
    ) -> None:
        self.crop = crop
        self._seed = seed
        self._random = np.random.default_rng(seed)
        self._signals: list[Samples] = []
        self._others: _ReadAhead | None = None
        order = [paths[i] for i in self._random.permutation(len(paths))]
        used = 0
        for path in order:
            signal = reader.read(path)
            if signal is not None and self._is_large(signal):
                self._signals.append(signal)
                used += signal.nbytes
            if used > memory:
                self._others = _ReadAhead(order, reader, seed=int(self._random.integers(2**32)))
                break
        if not self._signals:
            size = " x ".join(map(str, crop))
            raise InputError(f"none of {len(paths)} files that can be read has {size} samples")
        self._sizes = np.array([self._size(signal) for signal in self._signals])

    @abstractmethod
    def turn(self, crop: Samples, random: Generator) -> Samples:
        """A crop (*extent, C), turned at random into another one that is as likely."""

    @abstractmethod
    def to_batch(self, crops: list[Samples]) -> Tensor:
        """What a model takes: float32 (B, C, *extent)."""

    def go_on(self, steps: int) -> None:
        """Draw from now on what a run draws after so many steps, whatever was drawn before."""
        self._random = np.random.default_rng([self._seed, steps])

    def batch(self, size: int) -> Tensor:
        """Draw float32 (size, C, *crop).

        Raises:
            InputError, OSError: a file that was read in exchange cannot be, and the reader does not
                leave it out; they name it.
        """
        self._exchange()
        shares = self._sizes / self._sizes.sum()
        picks = self._random.choice(len(self._signals), size=size, p=shares)
        return self.to_batch([self._cut(self._signals[pick]) for pick in picks])

    def _cut(self, signal: Samples) -> Samples:
        place = [
            slice(start := int(self._random.integers(length - size + 1)), start + size)
            for length, size in zip(signal.shape[:-1], self.crop, strict=True)
        ]
        return self.turn(signal[tuple(place)], self._random)

    def _is_large(self, signal: Samples) -> bool:
        return all(a >= b for a, b in zip(signal.shape[:-1], self.crop, strict=True))

    def _size(self, signal: Samples) -> float:
        return float(np.prod(signal.shape[:-1], dtype=np.float64))

    def _exchange(self) -> None:
        other = None if self._others is None else self._others.take()
        if other is not None and self._is_large(other):
            place = self._random.integers(len(self._signals))
            self._signals[place] = other
            self._sizes[place] = self._size(other)


class _ReadAhead:
    """Reads files, drawn at random, in a background thread: one, and the next once it is taken.

    What goes wrong there comes up in `take`.
    """

    def __init__(self, paths: list[Path], reader: SignalReader, *, seed: int) -> None:
        self._paths = paths
        self._reader = reader
        self._random = np.random.default_rng(seed)
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._path, self._read = self._begin()

    def take(self) -> Samples | None:
        """The signal that was read; None while it is not, and for one that is left out."""
        if not self._read.done():
            return None
        signal = self._reader.take(self._path, self._read.result)
        self._path, self._read = self._begin()
        return signal

    def _begin(self) -> tuple[Path, Future[Samples]]:
        path = self._paths[self._random.integers(len(self._paths))]
        return path, self._thread.submit(self._reader.load, path)
