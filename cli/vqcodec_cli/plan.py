"""Which output each input gets, settled and checked before any work begins."""

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from vqcodec_cli.failure import RefusedError, UsageError, complain
from vqcodec_cli.inputs import Source
from vqcodec_cli.media import looks_like_file
from vqcodec_cli.output import (
    STDOUT,
    check_output,
    check_stdout,
    open_file,
    write_stdout,
)


@dataclass(frozen=True)
class Job:
    """One input and the name of its output (`-` is standard output).

    `makes_folder` says whether the folders above the output are made when there is something to
    put into them, `keep_times` whether the output gets the times of the input.
    """

    source: Source
    target: str
    force: bool
    makes_folder: bool = False
    keep_times: bool = False

    @property
    def name(self) -> str:
        """What the user calls the input."""
        return self.source.name

    def is_done(self) -> bool:
        """Whether the output is there already: it appears whole or not at all."""
        return self.target != STDOUT and os.path.isfile(self.target)

    def check(self) -> None:
        """Refuse a job whose output could not be written; see `check_output`."""
        if self.target != STDOUT:
            path = Path(self.target)
            check_output(path, force=self.force, makes_folder=self.makes_folder)

    def write(self, data: bytes) -> None:
        """Write the output, whole or not at all."""
        with self.opened() as file:
            file.write(data)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open the output, which appears whole, once the block has ended well, or not at all."""
        if self.target == STDOUT:
            buffer = BytesIO()
            yield buffer
            write_stdout(buffer.getvalue())
            return
        times = None
        if self.keep_times:
            status = os.stat(self.source.name)
            times = status.st_atime_ns, status.st_mtime_ns
        options = {"force": self.force, "makes_folder": self.makes_folder}
        with open_file(Path(self.target), **options, times=times) as file:
            yield file


def plan_jobs(
    sources: Sequence[Source],
    output: str | None,
    *,
    suffix: Callable[[Source], str],
    force: bool,
    as_json: bool = False,
    keep_suffix: bool | None = None,
    keep_times: bool = False,
) -> list[Job]:
    """Name the output of every input.

    Without `output` it is the input's name with its `suffix`, beside the input (`a.png.png` for
    `a.png`), and standard output for standard input. With an `output`, a single input goes to that
    file, or into that folder if it is one or its name ends with a slash; several, and those of a
    folder or pattern, go into the folder, keeping the shape of the tree that they come from. A
    folder that is not there is made; what looks like a file becomes one only with a slash. Only an
    input whose output has no name yet is asked for its suffix.

    Args:
        keep_suffix: add the suffix to the input's own instead of replacing it; None where the
            command does not offer that.
        keep_times: give outputs the times of their inputs.

    Raises:
        UsageError: two inputs would share an output; an output is one of the inputs; several
            inputs are to go to standard output or to a file, or standard output is a terminal or,
            `as_json`, is for the records; standard input and output have no times to keep.
        OSError: what should be the output folder is something else.
    """
    into = output is not None and output != STDOUT and _is_folder(output, sources)
    if into and output is not None:
        sources = _outside(sources, output)
    jobs = []
    for source in sources:
        target = _target(source, output, into, suffix, keep_suffix=bool(keep_suffix))
        in_tree = source.root is not None and target != STDOUT
        jobs.append(Job(source, target, force, into or in_tree, keep_times))
    if any(job.target == STDOUT for job in jobs):
        if len(jobs) > 1:
            raise UsageError("several inputs cannot share standard output; give -o FOLDER")
        if as_json:
            raise UsageError("--json and the output cannot share standard output; give -o FILE")
        check_stdout(what="binary data")
    lacks_times = (j.source.is_stdin or j.source.is_remote or j.target == STDOUT for j in jobs)
    if keep_times and any(lacks_times):
        raise UsageError("--keep-times needs files: pipes and URLs have no times")
    _refuse_clashes(jobs, offers_suffix=keep_suffix is False)
    return jobs


def _is_folder(output: str, sources: Sequence[Source]) -> bool:
    """Whether an output is a folder, there or to be made; refuses one that cannot be."""
    if os.path.isdir(output):
        return True
    alone = len(sources) == 1 and sources[0].root is None
    if alone and not output.endswith(("/", os.sep)):
        return False
    if os.path.lexists(output):
        raise RefusedError(0, "is not a folder", output)
    if looks_like_file(output):
        raise UsageError(
            f"several inputs go into a folder, and {output} looks like a file: give -o {output}/ "
            "to make a folder of that name"
        )
    return True


def _outside(sources: Sequence[Source], output: str) -> Sequence[Source]:
    """The inputs but for those of a folder which already lie in the output folder inside it."""
    folder = Path(os.path.realpath(output))

    @functools.cache
    def is_output(parent: str, root: Path) -> bool:
        top = Path(os.path.realpath(root))
        return top in folder.parents and Path(os.path.realpath(parent)).is_relative_to(folder)

    kept = [
        source
        for source in sources
        if source.root is None or not is_output(os.path.dirname(source.name), source.root)
    ]
    if not kept:
        raise RefusedError(0, "is the output folder, and there is no other input", output)
    if len(kept) < len(sources):
        left = len(sources) - len(kept)
        complain(output, f"is the output folder: {left} of its files are no input")
    return kept


def _target(
    source: Source,
    output: str | None,
    into: bool,
    suffix: Callable[[Source], str],
    *,
    keep_suffix: bool,
) -> str:
    if output is None:
        if source.is_stdin:
            return STDOUT
        # What comes from elsewhere goes here.
        path, end = source.place() if source.is_remote else Path(source.name), suffix(source)
        # An input that has the suffix already keeps it, so that the output is another file: a
        # picture given to decode is told that it is no stream, not that it would be overwritten.
        kept = path.suffix if keep_suffix or path.suffix == end else ""
        return str(path.with_suffix(kept + end))
    if not into:
        return output
    name = Path("stdin") if source.is_stdin else source.place()
    kept = name.suffix if keep_suffix else ""
    return str(Path(output) / name.with_suffix(kept + suffix(source)))


def _refuse_clashes(jobs: Sequence[Job], *, offers_suffix: bool) -> None:
    inputs = {identity for job in jobs if (identity := _identity(job.source.name)) is not None}
    seen: dict[str, str] = {}
    for job in jobs:
        if job.target == STDOUT:
            continue
        if _identity(job.target) in inputs:
            raise UsageError(f"output {job.target} is an input")
        place = os.path.normcase(os.path.realpath(job.target))
        if place in seen:
            one, other = seen[place], job.source.name
            apart = offers_suffix and os.path.splitext(one)[1] != os.path.splitext(other)[1]
            hint = "; --keep-suffix keeps them apart" if apart else ""
            raise UsageError(f"{one} and {other} would both go to {job.target}{hint}")
        seen[place] = job.source.name


def _identity(name: str) -> tuple[int, int] | None:
    """The file behind a name, whatever it is called: two hard links are one file."""
    try:
        status = os.stat(name)
    except OSError:
        return None
    return status.st_dev, status.st_ino
