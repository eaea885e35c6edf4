"""Sounds from what people hold in memory: arrays and torch tensors, with their rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.sound.blocks import SoundBlocks
from vqcodec.media.sound.signal import Sound

__all__ = ["sound_from"]

_INTEGERS = {np.dtype(np.int16): 2.0**15, np.dtype(np.int32): 2.0**31}


def sound_from(thing: Any) -> Sound | SoundBlocks:
    """The sound in a `Sound`, a `SoundBlocks`, or samples and their rate, in either order.

    Samples are an array (T,) or (T, 1 or 2) or a torch tensor (T,) or (1 or 2, T), float with full
    scale 1, int16 or int32.
    Raises: InputError, showing the value, for anything else.

    >>> sound_from((np.zeros(480, np.int16), 24000)).extent
    (480,)
    """
    if isinstance(thing, Sound | SoundBlocks):
        return thing
    if isinstance(thing, tuple | list) and len(thing) == 2:
        samples, rate = thing if hasattr(thing[0], "dtype") else thing[::-1]
        if hasattr(samples, "dtype") and isinstance(rate, int | np.integer):
            return Sound(_floats(_array(samples)), rate=int(rate))
    if hasattr(thing, "dtype"):
        raise InputError(
            "samples alone do not say their rate: give (samples, rate) or a vqcodec.Sound, "
            f"got {thing.dtype} {tuple(thing.shape)}"
        )
    raise InputError(f"a sound is (samples, rate) or a vqcodec.Sound, got {type(thing).__name__}")


def _array(samples: Any) -> NDArray[Any]:
    """Samples as an array (T, C)."""
    if hasattr(samples, "detach"):
        tensor = samples.detach().cpu()
        tensor = tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor
        samples = tensor.numpy()
        samples = samples.T if samples.ndim == 2 else samples
    array = np.asarray(samples)
    array = array[:, np.newaxis] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1] not in (1, 2):
        raise InputError(f"samples are (T,) or (T, 1 or 2), tensors (1 or 2, T), got {array.shape}")
    return array


def _floats(array: NDArray[Any]) -> NDArray[np.float32]:
    if array.dtype in _INTEGERS:
        return (array / _INTEGERS[array.dtype]).astype(np.float32)
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"samples must be float, int16 or int32, got {array.dtype}")
    with np.errstate(over="ignore"):
        return np.array(array, np.float32, order="C")
