"""The measures of quality: what they are called, where they stand, how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from vqcodec.errors import InputError, MissingDependencyError

__all__ = ["DEFAULT_MEASURES", "MEASURES", "Measure", "find_measures"]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """name: on the command line. field: of a point on a curve. title, unit: for people.

    decimals: as many as mean something. package: what has to be installed for it, if anything.
    """

    name: str
    field: str
    title: str
    unit: str = ""
    decimals: int
    package: str | None = None

    @property
    def label(self) -> str:
        """Title and unit, as axes and tables carry them."""
        return f"{self.title} {self.unit}".rstrip()

    def text(self, value: float) -> str:
        """A value of this measure as a table shows it."""
        return f"{value:.{self.decimals}f}"


MEASURES = (
    Measure(name="psnr", field="psnr", title="PSNR", unit="dB", decimals=2),
    Measure(name="ms-ssim", field="ms_ssim_db", title="MS-SSIM", unit="dB", decimals=2),
    Measure(
        name="ssimulacra2",
        field="ssimulacra2",
        title="SSIMULACRA2",
        decimals=1,
        package="ssimulacra2",
    ),
)
DEFAULT_MEASURES = ("psnr", "ms-ssim")


def find_measures(names: Iterable[str]) -> tuple[Measure, ...]:
    """The measures of these names, in the order of `MEASURES`.

    Raises:
        InputError: no names, or one that there is not.
        MissingDependencyError: a measure needs a package that is not installed.
    """
    wanted = set(names)
    known = [measure.name for measure in MEASURES]
    if not wanted or wanted.difference(known):
        odd = ", ".join(sorted(wanted.difference(known))) or "none"
        raise InputError(f"no such measure: {odd}; there are {', '.join(known)}")
    chosen = tuple(measure for measure in MEASURES if measure.name in wanted)
    for measure in chosen:
        if measure.package is not None and find_spec(measure.package) is None:
            raise MissingDependencyError(
                f"{measure.title} needs {measure.package}: pip install 'vqcodec[eval]'"
            )
    return chosen
