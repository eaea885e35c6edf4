"""What the command takes from the environment."""

import argparse
import os
from collections.abc import Callable
from typing import TypeVar

from vqcodec_cli.failure import UsageError

T = TypeVar("T")

# Also the table in docs/using.md.
ENVIRONMENT = {
    "VQCODEC_MODELS": "folder that models are added to and looked for in, before the user's own",
    "VQCODEC_DEVICE": "default of --device",
    "VQCODEC_JOBS": "default of --jobs",
    "VQCODEC_THREADS": "default of --threads",
    "VQCODEC_CPU_LEVEL": "instruction set of the kernels, as vqcodec doctor lists them",
    "XDG_DATA_HOME": "the user's own models are in vqcodec/models below it (~/.local/share)",
    "NO_COLOR": "progress without colours",
}


def from_environment(name: str, read: Callable[[str], T], otherwise: T) -> T:
    """The default of an option: what an environment variable says, if there is one.

    Raises:
        UsageError: what it says is none of what the option takes.
    """
    text = os.environ.get(name, "")
    if not text:
        return otherwise
    try:
        return read(text)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"${name}: {error}") from error
