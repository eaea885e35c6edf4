"""What the commands ask of the media: which files there are, and what is to be written."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import MAX_HEADER_BYTES, Limits, read_header
from vqcodec.errors import (
    ChecksumError,
    CorruptError,
    FormatError,
    InputError,
    LimitError,
    TruncatedError,
    VqcodecError,
)
from vqcodec.media.base import Medium
from vqcodec.media.naming import with_article
from vqcodec.media.registry import (
    find_coder,
    find_streaming_coder,
    list_media,
    medium_of_number,
    read_any_stream,
)
from vqcodec_cli.failure import UsageError, options_refused
from vqcodec_cli.inputs import STREAM_SUFFIXES, Source
from vqcodec_cli.output import STDOUT

if TYPE_CHECKING:
    from vqcodec.codec import Codec

# Files of bare samples in a folder; their content says nothing.
RAW_SUFFIXES = (".raw", ".pcm")


def input_suffixes() -> tuple[str, ...]:
    """Suffixes of the files in a folder that any medium reads."""
    return tuple(suffix for medium in list_media() for suffix in medium.suffixes)


def medium_of_raw() -> Medium:
    """The medium whose signals may be bare samples."""
    return next(medium for medium in list_media() if medium.raw)


def check_raw_words(words: str) -> None:
    """Refuse words of `--raw` that do not say what bare samples are.

    Raises:
        UsageError: it shows them.
    """
    # A whole number of samples of any format, all zero: only the words can be wrong.
    with options_refused():
        medium_of_raw().from_raw(bytes(48), words, Limits())


def check_coded(codec: "Codec", signal: Any, limits: Limits) -> None:
    """Refuse a signal that decoding would refuse, of which a model makes more samples than it has.

    Raises:
        LimitError: it says how many.
    """
    samples = math.prod(codec.medium.prepare(signal, codec.card.config).extent)
    if samples > limits.max_samples:
        raise LimitError(
            f"the model codes it as {samples} samples, more than the limit of {limits.max_samples}",
            argument="max_samples",
        )


@contextmanager
def others_named(medium: Medium, head: bytes) -> Iterator[None]:
    """Say of what is refused as none of a medium that it is none of any other either.

    head: the first bytes, which no medium recognises where it is left to the first of them.
    """
    try:
        yield
    except InputError as error:
        if medium.recognises(head) or not str(error).startswith(f"not {with_article(medium.name)}"):
            raise
        others = " or ".join(f"{other.name}s" for other in list_media() if other is not medium)
        raise InputError(f"{error}, nor a file of {others}") from error


def looks_like_file(name: str) -> bool:
    """Whether a name ends as that of a stream, or of a file that some medium reads or writes."""
    written = (suffix for medium in list_media() for suffix in medium.formats)
    return _suffix(name) in {*STREAM_SUFFIXES, *input_suffixes(), *written}


def check_stream_name(target: str) -> None:
    """Refuse to give a stream the name of what it was made from.

    Raises:
        UsageError: the name ends as that of a file which some medium reads or writes.
    """
    if looks_like_file(target) and _suffix(target) not in STREAM_SUFFIXES:
        proper = os.path.splitext(target)[0] + STREAM_SUFFIXES[0]
        raise UsageError(f"{target} would not hold {_suffix(target)} data: name it {proper}")


def suffix_of_stream(source: Source, limits: Limits) -> str:
    """The suffix that a decoded stream gets, by the medium that its header names.

    What cannot be read, or is no stream, gets that of the first medium; decoding it says why not.
    """
    medium = list_media()[0]
    with suppress(OSError, InputError, FormatError):
        header = read_header(source.head(MAX_HEADER_BYTES), limits)
        medium = medium_of_number(header.medium)
    return next(iter(medium.formats))


def check_format(target: str) -> None:
    """Refuse an output whose suffix no medium writes, before anything is decoded.

    Raises:
        UsageError: there is no such format.
    """
    known = {suffix: None for medium in list_media() for suffix in medium.formats}
    suffix = _suffix(target)
    if target != STDOUT and suffix not in known:
        raise UsageError(
            f"cannot write {ascii(suffix) if suffix else 'a name without suffix'}: "
            f"use {', '.join(known)}"
        )


def format_of(medium: Medium, target: str, *, raw: str | None = None) -> str:
    """The format that a medium writes to an output of this name; its first one to stdout.

    Args:
        raw: of bare samples, whatever the name.

    Raises:
        UsageError: the medium has no format of that suffix, or none of bare samples.
    """
    if raw is not None:
        if raw not in medium.raw_formats:
            known = f"use {', '.join(medium.raw_formats)}" if medium.raw else "it has none"
            raise UsageError(
                f"cannot write bare samples of {with_article(medium.name)} as {raw!a}: {known}"
            )
        return raw
    suffix = _suffix(target)
    if target == STDOUT:
        return next(iter(medium.formats.values()))
    if suffix not in medium.formats:
        raise UsageError(
            f"cannot write {with_article(medium.name)} as {suffix!a}: "
            f"use {', '.join(medium.formats)}"
        )
    return medium.formats[suffix]


def check_raw_name(target: str) -> None:
    """Refuse to give bare samples the name of a file that says what it holds.

    Raises:
        UsageError: the name ends as that of a stream, or of a file that a medium reads or writes.
    """
    if looks_like_file(target):
        proper = os.path.splitext(target)[0] + RAW_SUFFIXES[0]
        raise UsageError(
            f"{target} would hold bare samples and no {_suffix(target)} data: name it {proper}"
        )


def check_bits(bits: int | None, medium: Medium) -> None:
    """Refuse a number of bits that no decoded sample of a medium has.

    Raises:
        UsageError: showing it.
    """
    if bits is not None and bits not in medium.depths:
        offered = " or ".join(map(str, medium.depths))
        hint = f"with {offered}" if offered else "without --bits"
        raise UsageError(f"{with_article(medium.name)} is decoded {hint}, got --bits {bits}")


def mixed_channels(stream: bytes, channels: int) -> str:
    """A word on channels that the model has none for."""
    kept = read_header(stream, Limits(max_samples=2**63)).channels
    return "" if kept == channels else f", {channels} channels mixed to {kept}"


@contextmanager
def partial_hinted(look: Callable[[], object] | None) -> Iterator[None]:
    """Say of a stream that is refused as cut or damaged that something of it can be seen.

    look: reads what is left, and raises FormatError where that is nothing; None where nothing is to
    be said.
    """
    try:
        yield
    except (TruncatedError, ChecksumError) as error:
        if look is None:
            raise
        with suppress(FormatError):
            look()
            hint = "vqcodec decode --partial shows what is left"
            raise _Hinted(f"{error}; {hint}") from error
        raise


def look_at_rest(data: bytes, limits: Limits) -> None:
    """Read what is left of a stream that was cut or damaged.

    Raises:
        FormatError: that is nothing, or its medium decodes whole streams alone.
    """
    medium, _ = read_any_stream(data, limits, partial=True)
    if find_coder(medium) is not None and find_streaming_coder(medium) is None:
        raise CorruptError(f"{with_article(medium.name)} is decoded whole or not at all")


class _Hinted(VqcodecError):
    """A refusal of a stream with what can be done."""


def slices_of(
    region: Sequence[int], medium: Medium, extent: Sequence[int], *, shrink: int = 1
) -> tuple[slice, ...]:
    """The region that a command line names, as slices in the order of the medium's axes.

    People say the last axis first, and where it begins before how long it is: X,Y,W,H.

    Raises:
        UsageError: it has other axes, is not within a signal of this extent, or does not lie
            between multiples of `shrink`.
    """
    axes, count = medium.axes, len(extent)
    if len(region) != 2 * count:
        order = ", ".join(reversed(axes[:count]))
        raise UsageError(
            f"a region of {with_article(medium.name)} is {2 * count} numbers, begin and then "
            f"length along {order}; got {len(region)}"
        )
    starts, lengths = region[:count][::-1], region[count:][::-1]
    for axis, start, length, whole in zip(axes, starts, lengths, extent, strict=False):
        if start + length > whole:
            raise UsageError(f"the region ends at {axis} {start + length}, it has {whole}")
        if start % shrink or ((start + length) % shrink and start + length != whole):
            raise UsageError(
                f"at this scale a region begins and ends at multiples of {shrink}: {axis} "
                f"{start} to {start + length} does not"
            )
    return tuple(slice(s, s + length) for s, length in zip(starts, lengths, strict=True))


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()
