"""vqcodec models: which models are here, what one of them is, and how another gets here."""

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqcodec.errors import InputError, UnknownModelError
from vqcodec_cli import options
from vqcodec_cli.failure import OK, UsageError
from vqcodec_cli.inputs import STDIN, open_stdin
from vqcodec_cli.output import need_stdout
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import printable, say_json, say_lines

if TYPE_CHECKING:
    from vqcodec.model.companion import CompanionCard
    from vqcodec.model.file import ModelCard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    actions = parser.add_subparsers(metavar="ACTION")
    parser.set_defaults(action=_list)
    listing = actions.add_parser("list", help="the models that are here (the default)")
    listing.set_defaults(action=_list)
    show = actions.add_parser("show", help="what a model is and where it came from")
    show.add_argument("name", metavar="NAME", help="photo, photo-1, a fingerprint; or a restorer")
    show.set_defaults(action=_show)
    add = actions.add_parser("add", help="make a file of weights available under its name")
    add.add_argument(
        "source",
        metavar="FILE",
        help="weights, as vqcodec train writes them: a file, a URL, or - for stdin",
    )
    add.add_argument(
        "--fingerprint",
        type=_fingerprint,
        metavar="HEX",
        help="add it only if this is its fingerprint, 16 hexadecimal digits",
    )
    add.set_defaults(action=_add)
    remove = actions.add_parser("remove", help="delete a model that was added")
    remove.add_argument("name", metavar="NAME", help="xray, xray-1, a fingerprint; or a restorer")
    remove.set_defaults(action=_remove)
    options.add_json(parser, each="for each model")
    for action in (listing, show, add, remove):
        # Only where they are given: what was said before the action holds, too.
        options.add_json(action, each="for each model", default=argparse.SUPPRESS)
        options.add_loudness(action, default=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; returns the exit code."""
    need_stdout()
    args.action(args)
    return OK


def _list(args: argparse.Namespace) -> None:
    from vqcodec.model.catalog import list_models
    from vqcodec.model.companion import KINDS, list_companions

    for card in list_models():
        label = printable(card.label)
        _print(card, args.json, f"{label:<16} {card.fingerprint}  {printable(str(card.path))}")
    for kind in KINDS:
        for companion in list_companions(kind):
            _print_companion(companion, args.json, _line(companion))


def _show(args: argparse.Namespace) -> None:
    from vqcodec.model.catalog import find_model
    from vqcodec.model.companion import find_companions

    try:
        card = find_model(args.name)
    except UnknownModelError:
        companions = find_companions(args.name)
        if not companions:
            raise
        for found in companions:
            facts = {"path": str(found.path), "model": found.model, **found.metadata}
            _print_companion(found, args.json, _rows(f"{found.kind} {found.name}", facts))
        return
    rows = {"path": str(card.path), "fingerprint": card.fingerprint, **_details(card)}
    _print(card, args.json, _rows(card.label, rows))


def _rows(title: str, facts: Mapping[str, Any]) -> str:
    width = max(len(key) for key in facts)
    lines = [printable(f"  {key:<{width}}  {_said(value)}") for key, value in facts.items()]
    return "\n".join([printable(title), *lines])


def _add(args: argparse.Namespace) -> None:
    from vqcodec.media.registry import find_medium
    from vqcodec.model.catalog import add_model, list_models
    from vqcodec.model.companion import add_companion, companion_kind
    from vqcodec.model.file import read_card

    with _brought(args) as path:
        if (kind := companion_kind(path)) is not None:
            if args.fingerprint is not None:
                raise UsageError(f"a {kind} has no fingerprint of its own, got --fingerprint")
            added = add_companion(path, kind)
            _print_companion(added, args.json, f"added {_line(added)}")
            return
        config = read_card(path).config
        # One that borrows its networks is judged with them, as it is added.
        if config.synthesis.kind != "borrowed":
            find_medium(config.medium.kind).check_model(config)
        before = {known.path for known in list_models()}
        card = add_model(path)
    done = "had already" if card.path in before else "added"
    text = f"{done} {card.label} ({card.fingerprint}) as {card.path}"
    _print(card, args.json, printable(text))


@contextmanager
def _brought(args: argparse.Namespace) -> Iterator[Path]:
    """The file that is to be added, with a bar as long as it comes from elsewhere."""
    from vqcodec.model.brought import brought_model
    from vqcodec.model.companion import companion_kind

    source = open_stdin() if args.source == STDIN else args.source
    with ExitStack() as stack:
        with DelayedProgress("fetching", total=None) as bar:
            path = stack.enter_context(
                brought_model(
                    source,
                    fingerprint=args.fingerprint,
                    progress=lambda done, size: bar.update(
                        done, f"{done / 1e6:,.1f} MB", total=size
                    ),
                    also=lambda path: companion_kind(path) is not None,
                )
            )
        yield path


def _fingerprint(text: str) -> str:
    from vqcodec.model.brought import check_fingerprint

    try:
        check_fingerprint(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _remove(args: argparse.Namespace) -> None:
    from vqcodec.model.catalog import remove_model
    from vqcodec.model.companion import find_companions, remove_companion

    try:
        card = remove_model(args.name)
    except UnknownModelError:
        if not find_companions(args.name):
            raise
        removed = remove_companion(args.name)
        _print_companion(removed, args.json, f"removed {_line(removed)}")
        return
    _print(card, args.json, printable(f"removed {card.label} ({card.fingerprint}), {card.path}"))


def _print(card: "ModelCard", as_json: bool, text: str) -> None:
    if as_json:
        say_json(
            {
                "name": card.name,
                "generation": card.generation,
                "path": str(card.path),
                "fingerprint": card.fingerprint,
                **_details(card),
            }
        )
    else:
        say_lines(text)


def _line(card: "CompanionCard") -> str:
    return printable(f"{card.kind} {card.name} of {card.model}  {card.path}")


def _print_companion(card: "CompanionCard", as_json: bool, text: str) -> None:
    if as_json:
        facts = {"name": card.name, "kind": card.kind, "model": card.model, "path": str(card.path)}
        say_json(card.metadata | facts)
    else:
        say_lines(text)


def _details(card: "ModelCard") -> dict[str, Any]:
    config = json.loads(card.config.to_text())
    return {"config": config | {"analysis": card.config.analysis.as_dict()}, **card.metadata}


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
