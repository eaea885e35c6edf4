"""Which codecs a command line asks to compare, and by what."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from vqcodec_cli import options
from vqcodec_cli.failure import UsageError

if TYPE_CHECKING:
    from vqcodec.codec import Codec
    from vqcodec.media.workshop import Contestant, Measure, Workshop


def add_against(parser: argparse.ArgumentParser) -> None:
    """--against: the codecs of others."""
    parser.add_argument(
        "--against",
        metavar="CODECS",
        type=read_names,
        default=None,
        help="codecs to compare with, '' for none; "
        + _choices(lambda workshop: workshop.peers, lambda workshop: workshop.default_peers),
    )


def add_qualities(parser: argparse.ArgumentParser) -> None:
    """--qualities: the ladder of our own models."""
    parser.add_argument(
        "--qualities",
        metavar="LIST",
        type=read_qualities,
        default=None,
        help="qualities of vqcodec to measure (default: 0,10,...,100)",
    )


def add_measures(parser: argparse.ArgumentParser) -> None:
    """--measures: what says how good a decoded signal is."""
    parser.add_argument(
        "--measures",
        metavar="LIST",
        type=read_names,
        default=None,
        help="what to measure, some of it slow; "
        + _choices(
            lambda workshop: [measure.name for measure in workshop.measures],
            lambda workshop: workshop.default_measures,
        ),
    )


def read_names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_qualities(text: str) -> tuple[float, ...]:
    """Qualities with commas between."""
    return tuple(options.number(0, 100)(part) for part in text.split(","))


def chosen_peers(
    args: argparse.Namespace, workshop: "Workshop"
) -> "tuple[tuple[Measure, ...], list[Contestant]]":
    """The measures and peers that were asked for, or else the workshop's default ones.

    Raises:
        UsageError: there is none of such a name. MissingDependencyError: without its package.
    """
    from vqcodec.errors import InputError
    from vqcodec.evaluation import find_measures, find_peer

    names = workshop.default_peers if args.against is None else args.against
    try:
        return find_measures(workshop, args.measures), [find_peer(workshop, n) for n in names]
    except InputError as error:
        raise UsageError(str(error)) from error


def own_contestants(
    codecs: "Sequence[Codec]", qualities: Sequence[float] | None
) -> "list[Contestant]":
    """Our own codecs at these qualities, None for the usual ones."""
    from vqcodec.evaluation import codec_contestant

    chosen = {} if qualities is None else {"qualities": qualities}
    return [
        codec_contestant(
            codec,
            settings=f"model {codec.card.fingerprint}, device {codec.device}, without facts",
            **chosen,
        )
        for codec in codecs
    ]


def _choices(
    known: "Callable[[Workshop], Iterable[str]]", default: "Callable[[Workshop], Iterable[str]]"
) -> str:
    """What each medium's workshop offers, for the help."""
    from vqcodec.media.registry import MEDIA, WITHOUT_MODEL, find_workshop

    return "; ".join(
        f"for {name}s of {', '.join(known(workshop))} (default: {','.join(default(workshop))})"
        for name in MEDIA
        if name not in WITHOUT_MODEL
        for workshop in [find_workshop(name)]
    )
