"""Files that tell a desktop and a shell of vqcodec, each made from what vqcodec itself goes by.

MIME types, magic and thumbnails come from the magic and the media of the format, completion and
the man page from the parser of the command line.
"""

import argparse
import mimetypes
from collections.abc import Iterator

from vqcodec.bitstream.magic import MAGIC
from vqcodec.errors import MissingDependencyError
from vqcodec.media.base import Medium
from vqcodec.media.registry import list_media
from vqcodec_cli.inputs import STREAM_SUFFIXES

__all__ = ["PLACES", "desktop_files", "mime_type"]

MAGIC_FILE = "share/vqcodec/magic"
MIME_FILE = "share/mime/packages/vqcodec.xml"
# Below a prefix such as ~/.local or /usr/local: where the desktops and shells look.
PLACES = {
    MIME_FILE: "MIME types",
    "share/thumbnailers/vqcodec.thumbnailer": "thumbnails in file managers",
    MAGIC_FILE: "magic for file(1)",
    "share/bash-completion/completions/vqcodec": "completion in bash",
    "share/zsh/site-functions/_vqcodec": "completion in zsh",
    "share/fish/vendor_completions.d/vqcodec.fish": "completion in fish",
    "share/man/man1/vqcodec.1": "man page",
}

# The header's byte whose low half is the number of the medium.
_MEDIUM_BYTE = len(MAGIC) + 1
# Arguments that name a file or a folder, by what the help calls them.
_FILES = {"INPUT", "FILE", "OUT", "ORIGINAL", "MODEL"}
_FOLDERS = {"FOLDER", "DIR"}


def desktop_files(parser: argparse.ArgumentParser) -> dict[str, str]:
    """What is in each file of `PLACES`.

    parser: of the whole command line.

    Raises:
        MissingDependencyError: the packages that make completion and man page are not installed.
    """
    texts = [_mime(), _thumbnailer(), _magic(), *_completions(parser), _man(parser)]
    return dict(zip(PLACES, texts, strict=True))


def mime_type(medium: Medium) -> str:
    """The MIME type of streams of a medium, of the same family as the files that it reads.

    >>> from vqcodec.media.registry import find_medium
    >>> mime_type(find_medium("picture"))
    'image/x-vqcodec'
    """
    known = (mimetypes.guess_type(f"a{suffix}")[0] for suffix in medium.suffixes)
    family = next((kind.partition("/")[0] for kind in known if kind), "application")
    return f"{family}/x-vqcodec"


def _mime() -> str:
    """For shared-mime-info: all types have the suffix, and the byte of the medium tells which."""
    value = "".join(f"\\x{byte:02x}" for byte in MAGIC)
    types = "".join(
        f"""\
  <mime-type type="{mime_type(medium)}">
    <comment>vqcodec {medium.name}</comment>
    <glob pattern="*{STREAM_SUFFIXES[0]}"/>
    <magic priority="80">
      <match type="string" offset="0" value="{value}">
        <match type="byte" offset="{_MEDIUM_BYTE}" mask="0x0f" value="{medium.number}"/>
      </match>
    </magic>
  </mime-type>
"""
        for medium in list_media()
    )
    space = "http://www.freedesktop.org/standards/shared-mime-info"
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<mime-info xmlns="{space}">'
    return f"{head}\n{types}</mime-info>\n"


def _thumbnailer() -> str:
    types = "".join(f"{mime_type(medium)};" for medium in list_media() if ".png" in medium.formats)
    return (
        "[Thumbnailer Entry]\n"
        "TryExec=vqcodec\n"
        "Exec=vqcodec desktop thumbnail %i %o --size %s\n"
        f"MimeType={types}\n"
    )


def _magic() -> str:
    value = "".join(f"\\x{byte:02x}" for byte in MAGIC)
    lines = [f"0\tstring\t{value}\tvqcodec"]
    for medium in list_media():
        lines += [
            f">{_MEDIUM_BYTE}\tbyte&0x0f\t{medium.number}\t{medium.name}",
            f"!:mime\t{mime_type(medium)}",
        ]
    lines.append(f">{len(MAGIC)}\tbyte\tx\t\\b, version %d")
    return "\n".join(lines) + "\n"


def _completions(parser: argparse.ArgumentParser) -> Iterator[str]:
    """For bash, zsh and fish, by shtab."""
    try:
        import shtab
    except ImportError as error:
        raise _missing("shtab") from error
    models = shtab.cmd("vqcodec models 2>/dev/null | cut -d' ' -f1")
    for action in _actions(parser):
        if action.metavar == "MODEL":
            action.complete = models  # type: ignore[attr-defined]
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    for shell in ("bash", "zsh", "fish"):
        yield shtab.complete(parser, shell=shell)


def _man(parser: argparse.ArgumentParser) -> str:
    """The man page, by argparse-manpage."""
    try:
        from argparse_manpage.manpage import Manpage
    except ImportError as error:
        raise _missing("argparse-manpage") from error
    page = Manpage(parser)
    page.description = "signals in small, checked files that decode to the same codes anywhere"
    page.manual = "User Commands"
    return str(page)


def _missing(package: str) -> MissingDependencyError:
    return MissingDependencyError(
        f"completion and man page need {package}: pip install 'vqcodec[desktop]'"
    )


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of a parser and of the parsers of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
