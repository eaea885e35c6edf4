"""The vqcodec command: reads the command line, runs one command, ends with its exit code.

Commands are imported only when they are asked for, and torch only when a signal has to pass
through a network, so that help, info and every refusal answer at once. argparse rather than a
framework for the same reason: it starts in a fifth of the time.
"""

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import NoReturn

import vqcodec
from vqcodec_cli import failure, options
from vqcodec_cli.endings import die_by, unwind_on_endings
from vqcodec_cli.environment import ENVIRONMENT
from vqcodec_cli.terminal import Loudness, loudness

COMMANDS = {
    "encode": "pictures and sounds into .vqc files",
    "decode": ".vqc files back into pictures and sounds",
    "info": "what a .vqc file holds",
    "verify": "check that .vqc files are whole and undamaged",
    "models": "list, show, add and remove models",
    "sample": "signals that a model takes to be likely",
    "train": "train a model on a folder of files",
    "train-prior": "train a prior that draws new signals of a model",
    "eval": "rate and distortion beside other codecs",
    "doctor": "say what is installed here and works, as for a report of a defect",
    "desktop": "MIME types, thumbnails, completion in the shell and a man page",
    "compare": "one file beside other codecs, as a page to look at",
}

EPILOG = """\
exit codes: 0 ok, 1 bad data, 2 usage, 3 model, 4 input/output
help on a command: vqcodec COMMAND --help
environment:
""" + "\n".join(f"  {name:<18} {what}" for name, what in ENVIRONMENT.items())


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line and go the way of all others."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise failure.UsageError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Without `arguments` it runs as the process's own command: it takes `sys.argv`, and SIGINT,
    SIGTERM, SIGHUP and SIGPIPE end the process by that signal once temporary files are removed.
    """
    if arguments is not None:
        return run(arguments)
    unwind_on_endings()
    threading.excepthook = _keep_refusals
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        die_by(signal.SIGINT)
    except failure.Terminated as ending:
        die_by(ending.number)
    except BrokenPipeError:
        die_by(signal.SIGPIPE)
    return code


def run(arguments: Sequence[str]) -> int:
    """Run a command line inside this process; see `main`."""
    with ExitStack() as stack:
        try:
            asked = parse(arguments)
            stack.enter_context(loudness(_loudness_of(asked)))
            _check_working_folder()
            code: int = asked.run(asked)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            raise
        except SystemExit as done:  # how argparse ends --help
            return int(done.code or failure.OK)
        except failure.EXPECTED as error:
            # An error with a file's name is about that file, not about the whole command line.
            subject = error.filename if isinstance(error, OSError) else None
            subject = None if subject is None else os.fsdecode(subject)
            failure.complain(subject, failure.reason(error, subject))
            _abandon_stdout(error)
            return failure.exit_code(error)
        return code


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line; `run` among them is the function that does the work."""
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    parser = whole_parser([chosen])
    if not arguments:
        parser.print_help()
        raise failure.UsageError("no command given")
    return parser.parse_args(arguments)


def whole_parser(filled: Iterable[str | None] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """What reads a command line.

    filled: the commands whose options are declared, which takes the import of their modules.
    """
    filled = set(filled)
    parser = _Parser(
        prog="vqcodec",
        description="A learned lossy codec: pictures and sounds in small files for any machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name in filled:
            module = importlib.import_module(f"vqcodec_cli.commands.{name.replace('-', '_')}")
            module.add_arguments(command)
            options.add_loudness(command)
            command.set_defaults(run=module.run)
    return parser


def _loudness_of(asked: argparse.Namespace) -> Loudness:
    if asked.quiet and getattr(asked, "json", False):
        raise failure.UsageError("--quiet prints nothing, --json prints records: give one of them")
    if asked.quiet:
        return Loudness.QUIET
    return Loudness.VERBOSE if asked.verbose else Loudness.NORMAL


class _PrintVersion(argparse.Action):
    def __call__(self, *_: object) -> NoReturn:
        print(f"vqcodec {vqcodec.__version__}")
        raise SystemExit(failure.OK)


def _keep_refusals(failed: threading.ExceptHookArgs) -> None:
    # The thread that writes training logs hands on what the system refuses it, and is then loud.
    if not issubclass(failed.exc_type, OSError):
        threading.__excepthook__(failed)


def _check_working_folder() -> None:
    # Libraries that torch loads end the process, or fail in words of their own, without one.
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise failure.RefusedError("the working folder is not there any more") from error


def _abandon_stdout(error: BaseException) -> None:
    # What could not be flushed would fail once more, loudly, when the interpreter ends.
    if isinstance(error, OSError) and sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
