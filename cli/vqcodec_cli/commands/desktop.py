"""vqcodec desktop: MIME types, thumbnails, shell completion and the man page."""

import argparse
import shutil
import subprocess
from pathlib import Path

from vqcodec_cli import options
from vqcodec_cli.failure import OK, UsageError, complain
from vqcodec_cli.output import STDOUT, check_output, check_stdout, write_file, write_stdout
from vqcodec_cli.terminal import printable, say, say_lines

EXAMPLES = """\
examples:
  vqcodec desktop install                         for this user, below ~/.local
  sudo vqcodec desktop install --prefix /usr/local
  vqcodec desktop show share/man/man1/vqcodec.1 | man -l -"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    install = actions.add_parser("install", help="write all of it below a folder")
    install.set_defaults(action=_install)
    install.add_argument(
        "--prefix",
        metavar="DIR",
        default="~/.local",
        help="folder that has, or gets, a folder share (default: ~/.local)",
    )
    options.add_force(install)
    show = actions.add_parser("show", help="print one of the files, or their names")
    show.set_defaults(action=_show)
    show.add_argument("name", metavar="NAME", nargs="?", help="as without a NAME they are listed")
    thumbnail = actions.add_parser("thumbnail", help="what a file manager calls")
    thumbnail.set_defaults(action=_thumbnail)
    thumbnail.add_argument("input", metavar="FILE", help=".vqc file, or - for stdin")
    thumbnail.add_argument("output", metavar="OUT", help="PNG to write, whatever its name, or -")
    thumbnail.add_argument(
        "--size",
        metavar="N",
        type=options.whole(1, 4096),
        default=256,
        help="it fits into N x N (default: 256)",
    )
    for action in (install, show, thumbnail):
        options.add_loudness(action, default=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; returns the exit code."""
    args.action(args)
    return OK


def _install(args: argparse.Namespace) -> None:
    from vqcodec_cli.desktop import MIME_FILE, PLACES, desktop_files
    from vqcodec_cli.main import whole_parser

    prefix = Path(args.prefix).expanduser()
    files = {prefix / name: text.encode() for name, text in desktop_files(whole_parser()).items()}
    for path, data in files.items():
        # What is there and the same is no obstacle.
        same = path.is_file() and path.read_bytes() == data
        check_output(path, force=args.force or same, makes_folder=True)
    for (path, data), what in zip(files.items(), PLACES.values(), strict=True):
        write_file(path, data, force=True, makes_folder=True)
        say(f"{printable(str(path))}: {what}")
    _update(prefix / MIME_FILE)


def _update(mime_file: Path) -> None:
    """Let the desktop know of new MIME types, where there is one."""
    command = shutil.which("update-mime-database")
    if command is None:
        complain(None, "update-mime-database is not here: MIME types count once it has run")
        return
    folder = mime_file.parents[1]
    done = subprocess.run([command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        complain(str(folder), f"update-mime-database failed: {done.stderr.strip()}")


def _show(args: argparse.Namespace) -> None:
    from vqcodec_cli.desktop import PLACES, desktop_files
    from vqcodec_cli.main import whole_parser

    if args.name is None:
        say_lines("\n".join(f"{name}: {what}" for name, what in PLACES.items()))
        return
    if args.name not in PLACES:
        raise UsageError(f"no file {args.name!a}; there are {', '.join(PLACES)}")
    write_stdout(desktop_files(whole_parser())[args.name].encode())


def _thumbnail(args: argparse.Namespace) -> None:
    from vqcodec_cli.inputs import Source
    from vqcodec_cli.thumbnail import make_thumbnail

    if args.output == STDOUT:
        check_stdout(what="a thumbnail")
        write_stdout(make_thumbnail(Source(args.input), args.size))
        return
    check_output(Path(args.output), force=True)
    # File managers make the file first, and want it filled.
    write_file(Path(args.output), make_thumbnail(Source(args.input), args.size), force=True)
