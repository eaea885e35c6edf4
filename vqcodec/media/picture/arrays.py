"""Pictures from what people hold in memory: arrays, Pillow images, torch tensors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vqcodec.errors import InputError
from vqcodec.media.picture.modes import sixteen_to_eight
from vqcodec.media.picture.reader import picture_from_pillow
from vqcodec.media.picture.signal import Picture

__all__ = ["picture_from"]


def picture_from(image: Any) -> Picture:
    """Return the picture in an array, a Pillow image, a torch tensor or a Picture.

    Arrays: (H, W) or (H, W, 1 to 4), uint8; uint16, rounded to eight bits; or float in [0, 1],
    rounded to the nearest of 255 steps. Tensors: (C, H, W) or (1, C, H, W), uint8 or float in
    [0, 1]. Channels are grey, grey + alpha, RGB, RGBA. Pillow images: as read_picture.
    Raises: InputError, showing the value, for anything else: an empty picture, another dtype or
    shape, NaN, infinity, or a float outside [0, 1].
    """
    if isinstance(image, Picture):
        return image
    if isinstance(image, Image.Image):
        return picture_from_pillow(image)
    if type(image).__module__.partition(".")[0] == "torch":
        return Picture(_quantize_samples(_from_tensor(image)))
    if not isinstance(image, np.ndarray):
        raise InputError(
            "a picture is a numpy array, a Pillow image, a torch tensor or a Picture, "
            f"got {type(image).__name__}"
        )
    array = image[:, :, np.newaxis] if image.ndim == 2 else image
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        raise InputError(f"an array must be (H, W) or (H, W, 1 to 4), got {image.shape}")
    return Picture(_quantize_samples(array))


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


def _quantize_samples(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the samples of an array (H, W, C) in eight bits."""
    if array.size == 0:
        raise InputError(f"the picture is empty: {array.shape = }")
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return sixteen_to_eight(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"samples must be uint8, uint16 or float, got {array.dtype}")
    # Written so that NaN, which compares false with everything, counts as bad.
    bad = ~((array >= 0) & (array <= 1))
    if bad.any():
        row, column, channel = (int(index[0]) for index in np.nonzero(bad))
        value = float(array[row, column, channel])
        hint = ": divide by 255 first?" if 1 < value <= 255 else ""
        raise InputError(
            f"float samples must be in [0, 1], got {value:g} at row {row}, column {column}, "
            f"channel {channel}{hint}"
        )
    return np.floor(array.astype(np.float64) * 255 + 0.5).astype(np.uint8)
