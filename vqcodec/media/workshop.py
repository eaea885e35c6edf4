"""What training and evaluation ask of a medium: recipes, data, distortion, measures, peers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vqcodec.media.recipe import Recipe
from vqcodec.model.config import ModelConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from vqcodec.media.damage import Damage
    from vqcodec.model.file import ModelCard

    # Takes folders, the file to write, `name`, `minutes`, `seed`, `device` and `report`, which is
    # told what is done and which share of it.
    Fitter = Callable[..., ModelCard]

__all__ = [
    "Batches",
    "Contestant",
    "Distortion",
    "Measure",
    "Rate",
    "Recipe",
    "Skipped",
    "Workshop",
    "decibels",
]

# Takes the path of a file that was left out, and why.
Skipped = Callable[[Path, str], None]


class Batches(Protocol):
    """A source of training data."""

    def batch(self, size: int) -> Tensor:
        """Draw float32 samples (size, C, *crop), as the model takes them."""

    def go_on(self, steps: int) -> None:
        """Draw from now on what a run draws after so many steps, whatever was drawn before."""


class Distortion(Protocol):
    """How far decoded samples are from their originals, as training minimises it."""

    def __call__(self, decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
        """A scalar of samples (B, C, *extent) and their mean squared error, in its unit."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number that says how good a decoded signal is.

    Attributes:
        name: on the command line, and of the values of points.
        of: takes the decoded signal and its original.
        title, unit: for people.
        decimals: as many as mean something.
        low, high: what `of` can give at least and at most; what others publish is held to it.
        smallest: extent that a signal must have at least; below it a value is NaN.
        lower_is_better: whether it tells how far from the original, not how near.
        package: what has to be installed for it, if anything.
        extra: of vqcodec, which brings that package.
        of_mean: from the mean over signals to what curves show (decibels of a mean).
    """

    name: str
    of: Callable[[Any, Any], float]
    title: str
    unit: str = ""
    decimals: int = 2
    low: float = -math.inf
    high: float = math.inf
    smallest: int = 1
    lower_is_better: bool = False
    package: str | None = None
    extra: str = "eval"
    of_mean: Callable[[float], float] = float

    @property
    def label(self) -> str:
        """Title and unit, as axes and tables carry them."""
        lower = " (lower is better)" if self.lower_is_better else ""
        return f"{self.title} {self.unit}".rstrip() + lower

    def worth(self, value: float) -> float:
        """A value as a quality, of which more is better; the worth of that is the value again."""
        return -value if self.lower_is_better else value

    def text(self, value: float) -> str:
        """A value of this measure as a table shows it."""
        return f"{value:.{self.decimals}f}"

    def fits(self, extent: tuple[int, ...]) -> bool:
        """Whether a signal is large enough for it."""
        return min(extent) >= self.smallest


@dataclass(frozen=True, kw_only=True)
class Rate:
    """What the size of a file is measured by.

    Attributes:
        unit: "bpp".
        title: for the axis of a plot, "bits per pixel, whole file".
        of: bits per unit, of the bytes of a file and the signal in it.
        table: rates at which tables compare codecs.
        timed: the rate near which seconds are compared.
        ticks: of a plot's axis.
    """

    unit: str
    title: str
    of: Callable[[int, Any], float]
    table: tuple[float, ...]
    timed: float
    ticks: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A codec with all its settings but one.

    Attributes:
        name: short, in file names and legends.
        version: of the libraries that do the work.
        settings: every choice that changes the bytes.
        ladder: values of the open setting, from small to large files.
        encode: a comparable signal (see `Workshop.comparable`) and a value of the ladder -> the
            bytes of a whole file.
        decode: such bytes -> a comparable signal.
        size: how many of those bytes count; all of them, unless they stand in a container that the
            codec can do without.
        counted: what that is, for people.
        runs_on: threads or device, which seconds depend on.
        measured: where and when, if that was in an earlier run.
    """

    name: str
    version: str
    settings: str
    ladder: Sequence[float]
    encode: Callable[[Any, float], bytes]
    decode: Callable[[bytes], Any]
    size: Callable[[bytes], int] = len
    counted: str = "whole file"
    runs_on: str = "1 thread"
    measured: Mapping[str, Any] | None = None


class Workshop(Protocol):
    """A medium, as training and evaluation see it.

    Attributes:
        recipes: by name; the first one is the default.
        measures: all that there are, in the order of tables.
        default_measures: names of those that are taken if nothing else is asked for.
        peers: the codecs that a user would otherwise take, by name; made when asked for, which
            raises MissingDependencyError without their package.
        default_peers: names of those that are run if nothing else is asked for.
        rate: what files are measured by.
        packages: whose versions belong to what was measured.

    >>> from vqcodec.media.registry import find_workshop
    >>> workshop = find_workshop("picture")
    >>> workshop.default_measures, workshop.default_peers, workshop.rate.unit
    (('psnr', 'ms-ssim'), ('jpeg', 'webp', 'avif'), 'bpp')
    """

    recipes: Mapping[str, Recipe]
    measures: tuple[Measure, ...]
    default_measures: tuple[str, ...]
    peers: Mapping[str, Callable[[], Contestant]]
    default_peers: tuple[str, ...]
    rate: Rate
    packages: tuple[str, ...]

    @property
    def damages(self) -> Mapping[str, Damage]:
        """What a restoring encoder can learn to undo, by name."""

    @property
    def fitters(self) -> Mapping[str, Fitter]:
        """Recipes that fit codebooks to networks that are there already and train none, by name."""

    def suited(self, recipe: Recipe, place: Path) -> Recipe:
        """The recipe as the data at a place need it, where they decide on channels or crops.

        Raises:
            InputError: nothing there that the recipe can train on.
        """

    def open_data(
        self, place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
    ) -> tuple[Batches, Iterator[Tensor]]:
        """Open training data: batches, and whole signals, float32 (C, *extent), for the priors.

        Processes that train together pass seeds of their own, and draw batches of their own.

        Args:
            skipped: told once of each file of a folder that cannot be read, now or later, which
                is then left out; without it such a file is an error.

        Raises:
            InputError: nothing there that the recipe can train on.
            InputError, OSError: a file cannot be read, and there is no `skipped`.
        """

    def labelled(
        self, place: Path, labels: Path | None, extent: tuple[int, ...] | None, model: ModelConfig
    ) -> tuple[Tensor, Tensor | None]:
        """Signals of one extent, float32 (N, C, *extent), and their classes, int64 (N,), if known.

        Args:
            place: a file of small signals; or a folder, for parts, with subfolders as classes.
            labels: a file with the class of each signal of such a file.
            extent: of the parts; what the model is for, if nothing is said.

        Raises:
            InputError: no signals there, or labels of another number.
        """

    def nudged(self, samples: Tensor, random: Generator) -> Tensor:
        """Signals as `labelled` gives them, each changed by chance, so little that its class stays.

        Of few signals a learned prior gets such copies.
        """

    def distortion(self, recipe: Recipe) -> Distortion:
        """What the recipe minimises. Raises MissingDependencyError without a package it needs."""

    def preview(self, original: Tensor, decoded: Tensor) -> NDArray[np.uint8] | None:
        """A picture of a batch, for people: samples (B, C, *extent) above what became of them.

        Returns:
            uint8 (rows, columns, 1 or 3), or None where there is nothing to see.
        """

    def read(self, data: bytes) -> Any:
        """A signal to compare codecs on, of the bytes of a file: what all of them can carry."""

    def comparable(self, signal: Any) -> Any:
        """The signal as every codec takes it, without what some of them cannot carry."""

    def exhibit(self, signal: Any) -> str:
        """A comparable signal in a page of results: HTML elements with everything in them.

        Raises:
            MissingDependencyError: a package that this needs is not installed.
        """

    def sheet(self, signals: Sequence[Any]) -> Any:
        """Signals of one extent as one: pictures in rows, sounds one after the other."""

    def draw(self, panels: Sequence[tuple[str, Any]]) -> bytes:
        """Comparable signals side by side, each under its label: the bytes of a PNG.

        Raises:
            InputError: there are none, or their extents differ.
        """


def decibels(error: float) -> float:
    """Decibels of a mean squared error of samples in [0, 1]; inf for none.

    >>> decibels(0.001)
    30.0
    """
    return math.inf if error == 0 else -10 * math.log10(error)
