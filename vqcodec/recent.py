"""Models that stay loaded from one call to the next, and decoding with the one a stream names."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from vqcodec.bitstream import Buffer, limits_of
from vqcodec.codec import Codec, load
from vqcodec.content import FileLike
from vqcodec.device import find_device
from vqcodec.media.registry import find_coder, open_any_stream
from vqcodec.model.catalog import locate_model

__all__ = ["decode", "recent_codec"]

# How many models stay loaded, each in some ten times the memory of its file.
_MOST = 4

_codecs: OrderedDict[Hashable, Codec] = OrderedDict()
_lock = threading.Lock()


def decode(
    data: Buffer | FileLike,
    *,
    device: str | torch.device = "auto",
    region: Sequence[slice] | None = None,
    scale: float = 1,
    rate: int | str | None = None,
    bits: int | None = None,
    partial: bool = False,
    max_samples: int | None = None,
    threads: int | None = None,
) -> NDArray[Any]:
    """Decode a stream of any medium with the model it names; see `Codec.decode`.

    The last few models stay loaded for the next call.

    Raises:
        InputError: as `Codec.decode`.
        FormatError: the stream is damaged, cut, too large, or no stream at all.
        UnknownModelError: the model that it names is not installed.

    >>> import numpy as np
    >>> decode(load("photo").encode(np.zeros((48, 64), np.uint8))).shape
    (48, 64)
    """
    limits, part = limits_of(max_samples), region is not None
    with open_any_stream(data, limits, partial=partial, part=part) as (medium, stream):
        coder = find_coder(medium)
        if coder is not None:
            return medium.unwrap(coder.decode(stream, region=region, threads=threads))
        codec = recent_codec(stream.header.fingerprint.hex(), device=device)
        options: dict[str, Any] = {"max_samples": max_samples, "threads": threads}
        return codec.decode(stream, region=region, scale=scale, rate=rate, bits=bits, **options)


def recent_codec(
    name_or_path: str | Path = "photo", *, device: str | torch.device = "auto"
) -> Codec:
    """The codec that `load` gives, or the one that it gave lately for the same file and device.

    The file is looked for each time, and read again once it was changed. Any thread may ask; a
    model that several ask for at once is loaded once.

    Raises:
        ModelError, BackendError: as `load`.

    >>> recent_codec("photo", device="cpu") is recent_codec("photo-1", device="cpu")
    True
    """
    path = locate_model(name_or_path)
    status = path.stat()
    stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    key = (path.absolute(), stamp, str(find_device(device)))
    with _lock:
        if key not in _codecs:
            _codecs[key] = load(path, device=device)
            while len(_codecs) > _MOST:
                _codecs.popitem(last=False)
        _codecs.move_to_end(key)
        return _codecs[key]


def _start_anew() -> None:
    """Wait for no thread that loads a model in the process that this one was forked from."""
    global _lock
    _lock = threading.Lock()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
