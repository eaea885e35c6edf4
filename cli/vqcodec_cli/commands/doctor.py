"""vqcodec doctor: what is installed here, and whether it works."""

import argparse

from vqcodec_cli import options
from vqcodec_cli.environment import ENVIRONMENT
from vqcodec_cli.failure import IO, OK, complain
from vqcodec_cli.output import need_stdout
from vqcodec_cli.terminal import say_json, say_lines

EXAMPLES = """\
exit code 0 if vqcodec can work here, 4 if something that it always needs does not

examples:
  vqcodec doctor            for a report of a defect, or to see which extras are missing
  vqcodec doctor --json     the same for machines"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    options.add_json(parser, each="that says it all")


def run(args: argparse.Namespace) -> int:
    """Look at everything, and say it; returns the exit code."""
    from vqcodec_cli.checkup import as_text, examine

    need_stdout()
    report = examine(ENVIRONMENT)
    if args.json:
        say_json(report)
    else:
        say_lines(as_text(report))
    for problem in report["problems"]:
        complain(None, problem)
    return IO if report["problems"] else OK
