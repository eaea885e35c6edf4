"""Pictures from what people hold in memory: arrays, Pillow images, torch tensors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vqcodec.errors import InputError
from vqcodec.media.picture.reader import picture_from_pillow
from vqcodec.media.picture.signal import Picture

__all__ = ["picture_from"]

_OVERSHOOT = 1e-3


def picture_from(image: Any) -> Picture:
    """Return the picture in an array, a Pillow image, a torch tensor or a Picture.

    Arrays: (H, W) or (H, W, 1 to 4), uint8; uint16, of which all bits count; or float in [0, 1],
    rounded to the nearest of 255 steps; up to 0.001 beyond, as resizing leaves it, is clamped.
    Tensors: (C, H, W) or (1, C, H, W), of the same kinds. Channels are grey, grey + alpha,
    RGB, RGBA. Pillow images: as read_picture, and of an animation the frame that it stands at.
    Raises: InputError, showing the value, for anything else: an empty picture, another dtype or
    shape, NaN, infinity, or a float further outside of [0, 1].
    """
    if isinstance(image, Picture):
        return image
    if isinstance(image, Image.Image):
        return picture_from_pillow(image)
    if _is_tensor(image):
        return Picture(_quantize_samples(_from_tensor(image)))
    if not isinstance(image, np.ndarray):
        raise InputError(
            "a picture is a numpy array, a Pillow image, a torch tensor or a Picture, "
            f"got {type(image).__name__}"
        )
    array = np.asarray(image)
    array = array[:, :, np.newaxis] if array.ndim == 2 else array
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        raise InputError(f"an array must be (H, W) or (H, W, 1 to 4), got {image.shape}")
    return Picture(_quantize_samples(array))


def _is_tensor(thing: Any) -> bool:
    """Whether a thing is a torch tensor or of a class derived from it; torch is not loaded."""
    return any(
        base.__name__ == "Tensor" and base.__module__.partition(".")[0] == "torch"
        for base in type(thing).__mro__
    )


def _from_tensor(tensor: Any) -> NDArray[Any]:
    """Return a torch tensor as an array (H, W, C)."""
    shape = tuple(tensor.shape)
    channels_first = shape[1:] if len(shape) == 4 and shape[0] == 1 else shape
    if len(channels_first) != 3 or not 1 <= channels_first[0] <= 4:
        raise InputError(f"a tensor must be (C, H, W) or (1, C, H, W), C = 1 to 4, got {shape}")
    tensor = tensor.detach().cpu().reshape(channels_first)
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    array: NDArray[Any] = tensor.numpy()
    return array.transpose(1, 2, 0)


def _quantize_samples(array: NDArray[Any]) -> NDArray[Any]:
    """Return the samples of an array (H, W, C), floats in eight bits."""
    if array.size == 0:
        raise InputError(f"the picture is empty: {array.shape = }")
    if array.dtype == np.uint8:
        return array
    # Of either byte order.
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return array.astype(np.uint16, copy=False)
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"samples must be uint8, uint16 or float, got {array.dtype}")
    # Written so that NaN, which compares false with everything, counts as bad.
    bad = ~((array >= -_OVERSHOOT) & (array <= 1 + _OVERSHOOT))
    if bad.any():
        row, column, channel = (int(index[0]) for index in np.nonzero(bad))
        value = float(array[row, column, channel])
        hint = ": divide by 255 first?" if 1 < value <= 255 else ""
        raise InputError(
            f"float samples must be in [0, 1], got {value:.9g} at row {row}, column {column}, "
            f"channel {channel}{hint}"
        )
    samples = np.clip(array.astype(np.float64), 0, 1)
    return np.floor(samples * 255 + 0.5).astype(np.uint8)
