"""How samples lie in memory, and how patches of them become channels: on one, two or three axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["channels_last", "from_patches", "pad_to_strides", "to_patches"]

_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def channels_last(x: Tensor) -> Tensor:
    """The same (B, C, *axes), laid out as convolutions on the CPU are fastest.

    Tensors on one axis are left as they are: torch has no such layout for them.
    """
    layout = _FORMATS.get(x.dim())
    return x if layout is None else x.contiguous(memory_format=layout)


def pad_to_strides(x: Tensor, stride: Sequence[int]) -> Tensor:
    """Repeat the last samples of (B, C, *axes) along each axis up to a whole number of strides.

    >>> pad_to_strides(torch.tensor([[[1.0, 2.0, 3.0]]]), [2])
    tensor([[[1., 2., 3., 3.]]])
    """
    pads = [-length % step for length, step in zip(x.shape[2:], stride, strict=True)]
    if not any(pads):
        return x
    around = [amount for pad in reversed(pads) for amount in (0, pad)]
    return functional.pad(x, around, mode="replicate")


def to_patches(x: Tensor, stride: Sequence[int]) -> Tensor:
    """Turn each patch of `stride` samples into one position: (B, C, *axes) -> (B, C', *positions).

    C' is C times the samples of a patch, channels first, then the patch in row-major order: in the
    plane what `pixel_unshuffle` gives. The axes are whole numbers of strides.

    >>> to_patches(torch.arange(6.0).reshape(1, 1, 6), [3])
    tensor([[[0., 3.],
             [1., 4.],
             [2., 5.]]])
    """
    axes = len(stride)
    parts = [
        n for size, step in zip(x.shape[2:], stride, strict=True) for n in (size // step, step)
    ]
    # (B, C, n1, s1, n2, s2) -> (B, n1, n2, C, s1, s2): channels last in memory, in one copy.
    positions, samples = range(2, 2 + 2 * axes, 2), range(3, 3 + 2 * axes, 2)
    patches = x.reshape(*x.shape[:2], *parts).permute(0, *positions, 1, *samples)
    return patches.reshape(len(x), *parts[::2], x.shape[1] * math.prod(stride)).movedim(-1, 1)


def from_patches(x: Tensor, stride: Sequence[int]) -> Tensor:
    """Undo `to_patches`: (B, C', *positions) -> (B, C, *axes).

    >>> from_patches(torch.tensor([[[0.0, 3.0], [1.0, 4.0]]]), [2])
    tensor([[[0., 1., 3., 4.]]])
    """
    axes = len(stride)
    channels = x.shape[1] // math.prod(stride)
    patches = x.reshape(len(x), channels, *stride, *x.shape[2:])
    # (B, C, s1, s2, n1, n2) -> (B, C, n1, s1, n2, s2).
    order = [place for axis in range(axes) for place in (2 + axes + axis, 2 + axis)]
    shape = [size * step for size, step in zip(x.shape[2:], stride, strict=True)]
    return patches.permute(0, 1, *order).reshape(len(x), channels, *shape)
