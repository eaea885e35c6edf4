"""Streams as a dataset of torch: their codes, to train on, or what they decode to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.utils.data import Dataset

from vqcodec.bitstream import MAX_STAGES, limits_of
from vqcodec.choices import check_whole
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.registry import read_any_stream
from vqcodec.recent import recent_codec
from vqcodec.stream_places import Place, find_places

__all__ = ["StreamDataset"]

_KINDS = ("codes", "samples")


class StreamDataset(Dataset[Any]):
    """A map-style dataset of streams, for a `DataLoader` with any workers, by fork or spawn.

    Files are listed when it is made, and read when they are asked for. A process loads each model
    once. Codes are read by integers alone: no network runs.

    Args:
        source: a folder, a file of Parquet, or a list of files; see `find_places`. Streams of
            Parquet are read by row groups: shuffle them when they are written, or keep groups
            small.
        what: "codes", int64 (S, *positions), torch tensors; or "samples", what `Codec.decode`
            gives, an array.
        stages: so many of each stream's codes, in the order of the stages, in less time. A stream
            that has fewer is filled up with code 0, which stands for a vector of zeros. By default
            each has its own number.
        transform: is called with what was read, and gives what the dataset does; for workers by
            spawn it must be one that can be pickled.
        column: of Parquet, as for `find_places`.
        device: where samples are decoded.
        max_samples: refuse signals of more samples; 2^28 by default.

    Raises:
        InputError: no streams are there, or an argument out of its range. When a stream is asked
            for, every error of `vqcodec.decode`, of the same kind; its message begins with the
            name of the file.

    >>> import numpy as np, pathlib, vqcodec
    >>> codec = vqcodec.load("photo", device="cpu")
    >>> data = codec.encode(np.zeros((48, 64, 3), np.uint8))
    >>> _ = pathlib.Path("zeros.vqc").write_bytes(data)
    >>> dataset = StreamDataset(".", stages=8)
    >>> len(dataset), dataset[0].shape
    (1, torch.Size([8, 6, 8]))
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        what: str = "codes",
        stages: int | None = None,
        transform: Callable[[Any], Any] | None = None,
        column: str | None = None,
        device: str = "cpu",
        max_samples: int | None = None,
    ) -> None:
        if what not in _KINDS:
            raise InputError(f"what must be one of {', '.join(_KINDS)}, got {what!r}")
        if stages is not None:
            check_whole("stages", stages, 1, MAX_STAGES)
            if what != "codes":
                raise InputError(f"stages are of codes, not of {what}, got {stages}")
        self._what, self._stages, self._transform = what, stages, transform
        self._device, self._limits = device, limits_of(max_samples)
        self._places = find_places(source, column)

    @property
    def places(self) -> list[Place]:
        """Where each stream lies; `str` of one names it."""
        return list(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Any:
        place = self._places[index]
        data = place.read()
        try:
            _, stream = read_any_stream(data, self._limits)
            codec = recent_codec(stream.header.fingerprint.hex(), device=self._device)
            if self._what == "codes":
                found: Any = torch.from_numpy(codec.decode_codes(stream, stages=self._stages))
            else:
                # Workers are many already.
                found = codec.decode(stream, max_samples=self._limits.max_samples, threads=1)
        except VqcodecError as error:
            raise type(error)(f"{place}: {error}") from error
        if self._stages is not None and len(found) < self._stages:
            missing = self._stages - len(found)
            found = torch.cat([found, found.new_zeros(missing, *found.shape[1:])])
        return found if self._transform is None else self._transform(found)
