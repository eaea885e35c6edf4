"""Which options of `encode` a medium has; those of another one are refused, and none left aside."""

import argparse

from vqcodec.media.base import Medium
from vqcodec.media.naming import with_article
from vqcodec.media.registry import OPEN_LENGTH, find_coder
from vqcodec_cli.coders import OF_CODERS, check_coder_options
from vqcodec_cli.failure import UsageError
from vqcodec_cli.recording import refuse_recording, refuse_unrecorded

__all__ = ["check_medium_options"]


def check_medium_options(args: argparse.Namespace, medium: Medium) -> None:
    """Refuse what is given and is for other media, before anything is encoded.

    Raises:
        UsageError: naming the option.
    """
    if medium.name in OPEN_LENGTH:
        refuse_unrecorded(args, medium)
        return
    refuse_recording(args, medium)
    coder = find_coder(medium)
    if coder is not None:
        check_coder_options(medium, coder, args)
        return
    for name in OF_CODERS:
        if getattr(args, name) is not None:
            usual = bool(medium.suffixes)
            hint = "use --quality" if usual else "leave out -m for what arrays have, or --quality"
            raise UsageError(
                f"{with_article(medium.name)} has no --{name.replace('_', '-')}: {hint}"
            )
