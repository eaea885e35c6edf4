"""What people ask for by name: measures and peers of a medium's workshop."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.workshop import Contestant, Measure, Workshop

__all__ = ["find_measures", "find_peer"]


def find_measures(workshop: Workshop, names: Iterable[str] | None = None) -> tuple[Measure, ...]:
    """The measures of these names, in the workshop's order; without names its default ones.

    Raises:
        InputError: an empty list of names, or one that there is not.
        MissingDependencyError: a measure needs a package that is not installed.
    """
    wanted = set(workshop.default_measures if names is None else names)
    known = [measure.name for measure in workshop.measures]
    if not wanted or wanted.difference(known):
        odd = ", ".join(sorted(wanted.difference(known))) or "none"
        raise InputError(f"no such measure: {odd}; there are {', '.join(known)}")
    chosen = tuple(measure for measure in workshop.measures if measure.name in wanted)
    for measure in chosen:
        if measure.package is not None and find_spec(measure.package) is None:
            raise MissingDependencyError(
                f"{measure.title} needs {measure.package}: pip install 'vqcodec[{measure.extra}]'"
            )
    return chosen


def find_peer(workshop: Workshop, name: str) -> Contestant:
    """A codec that the medium is otherwise coded with, by its name.

    Raises:
        InputError: there is none of that name.
        MissingDependencyError: its package is not installed.
    """
    if name not in workshop.peers:
        known = ", ".join(workshop.peers)
        raise InputError(f"no codec {name!r} to compare with; there are {known}")
    return workshop.peers[name]()
