"""Options that several commands share, spelt and explained once."""

import argparse
import math
from collections.abc import Callable
from typing import Any, TypeVar

from vqcodec_cli.environment import from_environment

_MOST = 2**63 - 1
# Of threads or processes; a mistyped number of them brings a machine to its knees.
_MOST_THREADS = 1024

T = TypeVar("T", int, float)

DEVICES = ("auto", "cpu", "cuda")


def add_model(parser: argparse.ArgumentParser, *, default: str | None, explanation: str) -> None:
    """-m MODEL: a name that `vqcodec models` lists, or a file of weights."""
    parser.add_argument("-m", "--model", metavar="MODEL", default=default, help=explanation)


def add_restore(parser: argparse.ArgumentParser) -> None:
    """--restore: the encoder that undoes a damage."""
    parser.add_argument(
        "--restore",
        metavar="NAME",
        help="undo a damage on the way: noise, jpeg, or a file of `train --recipe restore`",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """--device: where the networks run."""
    parser.add_argument(
        "--device",
        type=device,
        metavar="{" + ",".join(DEVICES) + "}",
        default=from_environment("VQCODEC_DEVICE", device, "auto"),
        help="where the networks run (auto: a GPU if there is one)",
    )


def add_output(parser: argparse.ArgumentParser, *, explanation: str) -> None:
    """-o OUT and -f."""
    parser.add_argument("-o", "--output", metavar="OUT", help=explanation)
    add_force(parser)


def add_force(parser: argparse.ArgumentParser) -> None:
    """-f."""
    parser.add_argument(
        "-f", "--force", action="store_true", help="overwrite an output that exists already"
    )


def add_codebook(parser: argparse.ArgumentParser) -> None:
    """--codebook: what streams name that hold none."""
    parser.add_argument(
        "--codebook",
        metavar="FILE",
        help="vectors: the codebook that several files share (default: each holds its own)",
    )


def add_many(parser: argparse.ArgumentParser) -> None:
    """--threads, for large signals, and for many of them --jobs and what else a long run needs."""
    parser.add_argument(
        "--threads",
        metavar="N",
        type=whole(1, _MOST_THREADS),
        default=from_environment("VQCODEC_THREADS", whole(1, _MOST_THREADS), None),
        help="at most N threads in each process (default: all that it may use, shared by the jobs)",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=whole(1, _MOST_THREADS),
        default=from_environment("VQCODEC_JOBS", whole(1, _MOST_THREADS), 1),
        help="work on N files at a time, each in a process of its own (default: 1)",
    )
    parser.add_argument(
        "--skip-existing",
        action="store_true",
        help="leave out inputs whose output is there already, as after an interruption",
    )
    parser.add_argument(
        "--keep-times", action="store_true", help="give outputs the times of their inputs"
    )
    parser.add_argument(
        "--manifest",
        metavar="FILE",
        help="write what came of every file to FILE, .jsonl or .parquet",
    )


def add_json(
    parser: argparse.ArgumentParser, *, each: str = "for each file, failed or not", **default: Any
) -> None:
    """--json: for machines."""
    explanation = f"print one line of JSON {each}"
    parser.add_argument("--json", action="store_true", help=explanation, **default)


def add_loudness(parser: argparse.ArgumentParser, **default: Any) -> None:
    """--quiet and --verbose, which every command has."""
    explanation = "print nothing but what fails; the exit code says the rest"
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--quiet", action="store_true", help=explanation, **default)
    explanation = "also say how: models, devices, what an error came of"
    group.add_argument("-v", "--verbose", action="store_true", help=explanation, **default)


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """--dry-run."""
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be written, and what refused"
    )


def add_max_samples(parser: argparse.ArgumentParser) -> None:
    """--max-samples: how large a signal may be."""
    parser.add_argument(
        "--max-samples",
        metavar="N",
        type=whole(1),
        help="refuse signals of more than N samples (pixels of a picture, of a sound those of each "
        "channel; default: 2^28)",
    )


def device(text: str) -> str:
    """One of the devices."""
    if text not in DEVICES:
        raise argparse.ArgumentTypeError(f"{_cut(text)!a} is none of {', '.join(DEVICES)}")
    return text


def region(text: str) -> tuple[int, ...]:
    """Numbers with commas between: where a region begins along each axis, then its lengths."""
    numbers = tuple(whole(0)(word) for word in text.split(","))
    if len(numbers) % 2:
        raise argparse.ArgumentTypeError(f"{_cut(text)} is not a place and as many lengths")
    if 0 in numbers[len(numbers) // 2 :]:
        raise argparse.ArgumentTypeError(f"{_cut(text)} is a region without samples")
    return numbers


def add_bits(parser: argparse.ArgumentParser) -> None:
    """--bits: of a decoded sample."""
    parser.add_argument(
        "--bits",
        metavar="N",
        type=whole(1),
        help="bits of a decoded sample: of pictures 8 (default), or 16 into PNG and TIFF",
    )


def slices(text: str) -> tuple[slice, ...]:
    """Slices of the first axes as NumPy writes them: 0:10,:,-5:"""
    found = []
    for part in text.split(","):
        first, colon, last = part.partition(":")
        start, stop = (_parsed(int, end) if end.strip() else None for end in (first, last))
        if not colon:
            if start is None:
                raise argparse.ArgumentTypeError(f"{_cut(text)} is not slices, as 0:10,:,5:9")
            # One of -1 ends at the end.
            stop = start + 1 if start != -1 else None
        found.append(slice(start, stop))
    return tuple(found)


def lengths(text: str) -> tuple[int, ...]:
    """Whole numbers from 1 with commas between."""
    return tuple(whole(1)(word) for word in text.split(","))


def max_error(text: str) -> str:
    """A number from 0, or one with %."""
    number(0)(text.removesuffix("%"))
    return text


def add_scale(parser: argparse.ArgumentParser) -> None:
    """--scale: at which fraction of its size a signal is decoded."""
    parser.add_argument(
        "--scale",
        metavar="1/N",
        type=scale,
        default=1.0,
        help="decode at 1/2, 1/4 or 1/8 of the size along each axis, in less time",
    )


def scale(text: str) -> float:
    """A power of two in (0, 1], as a fraction or a decimal."""
    above, slash, below = text.partition("/")
    one, parts = _parsed(float, above), _parsed(float, below) if slash else 1.0
    value = one / parts if parts else math.nan
    if not (0 < value <= 1 and math.frexp(value)[0] == 0.5):
        raise argparse.ArgumentTypeError(f"{_cut(text)} is no power of two in (0, 1], such as 1/8")
    return value


def number(low: float, high: float = math.inf) -> Callable[[str], float]:
    """A reader of finite numbers from `low` to `high`."""

    def read(text: str) -> float:
        value = _parsed(float, text)
        if not (low <= value <= high and math.isfinite(value)):
            raise argparse.ArgumentTypeError(f"{_cut(text)} is not {_span(low, high)}")
        return value

    return read


def positive(text: str) -> float:
    """A finite number above zero."""
    value = _parsed(float, text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{_cut(text)} is not a number above 0")
    return value


def share(text: str) -> float:
    """A number above 0 and up to 1."""
    value = _parsed(float, text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{_cut(text)} is not a number above 0 and up to 1")
    return value


def whole(low: int, high: int = _MOST) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        value = _parsed(int, text)
        if value < low:
            raise argparse.ArgumentTypeError(f"{_cut(text)} is not {_span(low, math.inf)}")
        if value > high:
            most = "2^63 - 1" if high == _MOST else f"{high:,}"
            raise argparse.ArgumentTypeError(f"{_cut(text)} is more than {most}")
        return value

    return read


def _parsed(kind: Callable[[str], T], text: str) -> T:
    try:
        return kind(text)
    except ValueError as error:
        what = "a whole number" if kind is int else "a number"
        raise argparse.ArgumentTypeError(f"{_cut(text)} is not {what}") from error


def _cut(text: str) -> str:
    """A text as a message shows it: whole, or its beginning and its length."""
    return text if len(text) <= 40 else f"{text[:20]}... ({len(text):,} characters)"


def _span(low: float, high: float) -> str:
    return f"{low:g} or more" if math.isinf(high) else f"from {low:g} to {high:g}"
