"""Options that say how good, how small or how near an encoded file is to be."""

import argparse
from collections.abc import Callable

from vqcodec.media.registry import RECIPES
from vqcodec_cli import options
from vqcodec_cli.batch import Tell

# Qualities that a target tries before one fits: 4 to 7 of photographs.
_USUAL_TRIES = 6


def add_target(parser: argparse.ArgumentParser) -> None:
    """What an output is to be: as good, as small or as near as this."""
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument(
        "-q",
        "--quality",
        type=options.number(0, 100),
        metavar="Q",
        help="0 (smallest) to 100 (best); default 50",
    )
    rate.add_argument(
        "--bpp", type=options.positive, metavar="X", help="at most X bits for each sample (pixel)"
    )
    rate.add_argument(
        "--kbps",
        type=options.positive,
        metavar="X",
        help="at most X kilobits a second (sound); about X, of the groups of a video",
    )
    rate.add_argument(
        "--size", type=options.whole(1), metavar="BYTES", help="at most BYTES for the whole file"
    )
    rate.add_argument(
        "--psnr",
        type=options.positive,
        metavar="DB",
        help="at least so many dB, in the smallest file that has them",
    )
    _add_bound(parser, rate)
    _add_vectors(parser, rate)
    _add_alpha_quality(parser)


def _add_bound(parser: argparse.ArgumentParser, group: "argparse._MutuallyExclusiveGroup") -> None:
    """How near every value must come, for what is coded without a model.

    group: of the options of which one says how large or how good the output is.
    """
    group.add_argument(
        "--max-error",
        metavar="X",
        type=options.max_error,
        help="arrays: no value further off than X, or than X%% of the range",
    )
    group.add_argument(
        "--max-relative-error",
        metavar="X",
        type=options.number(0, 0.5),
        help="arrays: no value further off than X times itself, as 1e-3",
    )
    group.add_argument(
        "--lossless",
        action="store_true",
        default=None,
        help="arrays: every bit, smaller than a zip",
    )
    parser.add_argument(
        "--missing", metavar="X", type=float, help="arrays: a value that stands for none, as -9999"
    )
    parser.add_argument(
        "--chunk",
        metavar="N,N,..",
        type=options.lengths,
        help="arrays: lengths of the parts that are decoded on their own (default: 2^20 values)",
    )


def _add_vectors(
    parser: argparse.ArgumentParser, group: "argparse._MutuallyExclusiveGroup"
) -> None:
    """What vectors are told from arrays by, and how small they are to be. group: as above."""
    parser.add_argument(
        "--recipe",
        choices=sorted(RECIPES),
        help="vectors: the rows of a .npy file are vectors, such as embeddings, not an array",
    )
    group.add_argument(
        "--bytes-per-vector",
        metavar="B",
        type=options.number(1, 64),
        help="vectors: at most B bytes for each in the file, 1 to 64",
    )
    options.add_codebook(parser)
    parser.add_argument(
        "--new-codebook",
        metavar="FILE",
        help="vectors: learn a codebook, write it to FILE for other files too, and use it",
    )


def _add_alpha_quality(parser: argparse.ArgumentParser) -> None:
    """--alpha-quality: of what is transparent."""
    parser.add_argument(
        "--alpha-quality",
        type=options.number(0, 100),
        metavar="N",
        help="of the alpha of pictures: 100 (default) keeps it without loss, 80 off by 1 of 255 at "
        "most, 60 by 2, 40 by 4, 20 by 8, 0 by 16",
    )


def tell_of_tries(tell: Tell) -> Callable[[int, int], None]:
    """What is told how much of a signal is done, again and again: once for each quality tried.

    How many a target tries nobody knows before; as many as usual, and one more once those are over.
    """
    tries, last = 0, 0

    def told(done: int, parts: int) -> None:
        nonlocal tries, last
        if done <= last:
            tries += 1
        last = done
        expected = max(_USUAL_TRIES, tries + 2)
        note = f"quality {tries + 1} of about {expected} that are tried"
        tell(tries * parts + done, expected * parts, note)

    return told
