"""The frames of a group, one after another, of its own bytes alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import CorruptError
from vqcodec.media.video.group import Group
from vqcodec.media.video.model import VideoModel
from vqcodec.media.video.playing import Playing
from vqcodec_kernels.entropy.changes import Change, ChangeDecoder
from vqcodec_kernels.errors import CorruptPayloadError

__all__ = ["decode_codes", "decode_group"]

Codes = NDArray[np.int64]


def decode_group(
    group: Group,
    model: VideoModel,
    height: int,
    width: int,
    *,
    wanted: Collection[int] | None = None,
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The frames of a group, or those that are wanted, each with its number within it.

    Frames are red, green and blue, uint8 (3, height, width), in memory one at a time.

    Raises: CorruptError for payloads that no encoder writes, when their frames are drawn.
    """
    playing = Playing(model.pictures, height, width)
    books = model.scaled(group.scale)
    for number, coded in enumerate(decode_codes(group, model, playing.grid)):
        if isinstance(coded, Change):
            predicted = playing.predict(coded.moving, coded.motion)
            playing.advance(predicted, books, coded)
        else:
            playing.begin(model.pictures.values(coded))
        if wanted is None or number in wanted:
            yield number, playing.show()


def decode_codes(
    group: Group, model: VideoModel, grid: tuple[int, int], *, backend: str | None = None
) -> Iterator[Codes | Change]:
    """The codes of a group: those of the key frame, (S, *grid), then the changes of each frame.

    Integers alone. backend: of the changes, see `ChangeDecoder`.
    Raises: CorruptError for payloads that no encoder writes.
    """
    yield model.pictures.unpack(group.key, group.stages, grid)
    if group.count == 1:
        return
    try:
        decoder = ChangeDecoder(
            group.changes,
            *grid,
            stages=model.stages,
            codebook_size=model.codebook_size,
            start=model.start,
            backend=backend,
        )
        for _ in range(1, group.count):
            yield decoder.next()
        decoder.finish()
    except CorruptPayloadError as error:
        raise CorruptError(f"the changes of a group: {error}") from error
