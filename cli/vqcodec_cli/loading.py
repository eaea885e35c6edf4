"""Models that are loaded, with a word on which and how long it took for those who want it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import vqcodec
from vqcodec_cli.failure import note

if TYPE_CHECKING:
    from vqcodec.codec import Codec


def load_noted(model: str | Path, device: str, *, restore: str | None = None) -> "Codec":
    """Load a model, by name or path; `--verbose` says which, where it runs and how long it took."""
    started = time.perf_counter()
    codec = vqcodec.load(model, restore=restore, device=device)
    seconds = time.perf_counter() - started
    card = codec.card
    note(
        None,
        f"model {card.label} ({card.fingerprint}) of {card.path}, on {codec.device}, "
        f"loaded in {seconds:.1f} s",
    )
    return codec
