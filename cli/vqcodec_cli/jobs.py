"""Many jobs: which are done already, who does the rest, and what is written down about them."""

import argparse
import functools
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from vqcodec_cli.batch import Outcome, Work, run_batch
from vqcodec_cli.failure import UsageError
from vqcodec_cli.manifest import Manifest
from vqcodec_cli.output import STDOUT
from vqcodec_cli.plan import Job
from vqcodec_cli.terminal import printable


def run_jobs(
    jobs: Sequence[Job],
    work: Work[Job],
    args: argparse.Namespace,
    *,
    label: str,
    preview: Work[Job],
) -> int:
    """Do the work of all jobs as the options say (`options.add_many`); returns the exit code.

    preview: is done instead where nothing is to be written.
    """
    if args.force and args.skip_existing:
        raise UsageError("-f overwrites what --skip-existing leaves out: give one of them")
    manifest = _manifest(jobs, args)
    earlier = manifest.earlier() if manifest is not None and args.skip_existing else {}
    known = {
        number: _skipped(job, earlier, hashes=manifest is not None)
        for number, job in enumerate(jobs)
        if args.skip_existing and job.is_done()
    }
    if args.dry_run:
        return run_batch(jobs, preview, label="looking", as_json=args.json, known=known)
    processes = processes_for(jobs, args)
    spread = None
    if processes > 1:
        from vqcodec_cli.processes import in_processes

        spread = functools.partial(in_processes, count=processes)

    def keep(number: int, outcome: Outcome) -> None:
        if manifest is not None:
            manifest.add(number, {"output": jobs[number].target, **outcome.record})

    with manifest.written() if manifest is not None else nullcontext():
        return run_batch(
            jobs,
            work,
            label=label,
            as_json=args.json,
            quiet=jobs[0].target == STDOUT,
            known=known,
            spread=spread,
            keep=keep,
        )


def processes_for(jobs: Sequence[Job], args: argparse.Namespace) -> int:
    """How many processes share the jobs."""
    count: int = min(args.jobs, len(jobs))
    return count


def threads_each(asked: int | None, *, processes: int) -> int | None:
    """Threads for one of several processes: as asked, or its share of those that torch has.

    None is as many as torch has.
    """
    if asked is not None or processes == 1:
        return asked
    import torch

    return max(1, torch.get_num_threads() // processes)


def facts_of(path: str) -> dict[str, Any]:
    """What a manifest says of an output: its size, and its SHA-256 in hexadecimal digits."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": os.path.getsize(path), "sha256": digest}


def _manifest(jobs: Sequence[Job], args: argparse.Namespace) -> Manifest | None:
    if args.manifest is None:
        return None
    place = os.path.realpath(args.manifest)
    if any(place in (os.path.realpath(job.target), os.path.realpath(job.name)) for job in jobs):
        raise UsageError(f"the manifest {args.manifest} is an input or output")
    return Manifest(args.manifest, replaces=args.force or args.skip_existing)


def _skipped(job: Job, earlier: Mapping[str, Mapping[str, Any]], *, hashes: bool) -> Outcome:
    """The outcome of a job that is done already, as an earlier run wrote it down, if it did."""
    record: dict[str, Any] = {"input": job.name, "output": job.target}
    if hashes:
        row = earlier.get(job.target, {})
        if row.get("bytes") == os.path.getsize(job.target):
            record |= {name: value for name, value in row.items() if value is not None}
        else:
            record |= facts_of(job.target)
    return Outcome({**record, "skipped": True}, f"{printable(job.target)}: exists already, skipped")
