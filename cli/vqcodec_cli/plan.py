"""Which output each input gets, settled and checked before any work begins."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vqcodec_cli.failure import RefusedError, UsageError
from vqcodec_cli.inputs import Source
from vqcodec_cli.output import (
    STDOUT,
    check_folder,
    check_output,
    check_stdout,
    write_file,
    write_stdout,
)


@dataclass(frozen=True)
class Job:
    """One input and the name of its output (`-` is standard output)."""

    source: Source
    target: str
    force: bool

    @property
    def name(self) -> str:
        """What the user calls the input."""
        return self.source.name

    def check(self) -> None:
        """Refuse a job whose output could not be written; see `check_output`."""
        if self.target == STDOUT:
            return
        folder = self._path().parent
        if self.source.root is None or folder.exists():
            check_output(self._path(), force=self.force)
            return
        # Folders that keep a tree's shape are made when there is something to put into them.
        while not os.path.lexists(folder):
            folder = folder.parent
        check_folder(folder)

    def write(self, data: bytes) -> None:
        """Write the output, whole or not at all."""
        if self.target == STDOUT:
            write_stdout(data)
            return
        if self.source.root is not None:
            self._path().parent.mkdir(parents=True, exist_ok=True)
        write_file(self._path(), data, force=self.force)

    def _path(self) -> Path:
        return Path(self.target)


def plan_jobs(
    sources: Sequence[Source],
    output: str | None,
    *,
    suffix: Callable[[Source], str],
    force: bool,
    as_json: bool = False,
) -> list[Job]:
    """Name the output of every input.

    Without `output` it is the input's name with its `suffix`, beside the input (`a.png.png` for
    `a.png`), and standard output for standard input. With an `output`, a single input goes to that
    file, or into that folder if it is one; several go into the folder, keeping the shape of the
    tree that they come from. Only an input whose output has no name yet is asked for its suffix.

    Raises:
        UsageError: two inputs would share an output; an output is one of the inputs; several
            inputs are to go to standard output, or standard output is a terminal or, `as_json`,
            is for the records.
        OSError: the output folder is missing.
    """
    jobs = [Job(s, _target(s, output, suffix, len(sources)), force) for s in sources]
    if any(job.target == STDOUT for job in jobs):
        if len(jobs) > 1:
            raise UsageError("several inputs cannot share standard output; give -o FOLDER")
        if as_json:
            raise UsageError("--json and the output cannot share standard output; give -o FILE")
        check_stdout(what="binary data")
    _refuse_clashes(jobs)
    return jobs


def _target(source: Source, output: str | None, suffix: Callable[[Source], str], count: int) -> str:
    if output is None:
        if source.is_stdin:
            return STDOUT
        path, end = Path(source.name), suffix(source)
        # An input that has the suffix already keeps it, so that the output is another file: a
        # picture given to decode is told that it is no stream, not that it would be overwritten.
        return str(path.with_suffix((path.suffix if path.suffix == end else "") + end))
    if output == STDOUT:
        return STDOUT
    alone = count == 1 and source.root is None
    if alone and not os.path.isdir(output) and not output.endswith(("/", os.sep)):
        return output
    if not os.path.isdir(output):
        raise RefusedError(0, "no such folder", output)
    name = Path("stdin") if source.is_stdin else source.place()
    return str(Path(output) / name.with_suffix(suffix(source)))


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    inputs = {identity for job in jobs if (identity := _identity(job.source.name)) is not None}
    seen: dict[str, str] = {}
    for job in jobs:
        if job.target == STDOUT:
            continue
        if _identity(job.target) in inputs:
            raise UsageError(f"output {job.target} is an input")
        place = os.path.normcase(os.path.realpath(job.target))
        if place in seen:
            raise UsageError(f"{seen[place]} and {job.source.name} would both go to {job.target}")
        seen[place] = job.source.name


def _identity(name: str) -> tuple[int, int] | None:
    """The file behind a name, whatever it is called: two hard links are one file."""
    try:
        status = os.stat(name)
    except OSError:
        return None
    return status.st_dev, status.st_ino
