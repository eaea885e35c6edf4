"""What training minimises where pictures are to look right, not only to be near in their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.media.picture.perceptual import published_weights, ssimulacra2_distance
from vqcodec.media.structure import ms_ssim_of_planes

__all__ = ["PictureDistortion"]

_Distance = Callable[[Tensor, Tensor], Tensor]


class PictureDistortion:
    """The mean squared error, 1 - MS-SSIM and `ssimulacra2_distance`, mixed by shares.

    The latter two come in a unit that brings all three to one size at about 0.25 bit per pixel, so
    that the shares, which add up to 1, say which one counts.

    Args:
        shares: of "ms-ssim" and "ssimulacra2", in [0, 1]; what is left to 1 is the squared error's.

    Raises:
        InputError: another name, or shares that are not such numbers.
        MissingDependencyError: a package that measures one of them is not installed.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        if unknown := sorted(set(shares) - set(_DISTANCES)):
            raise InputError(f"pictures have no distortion {unknown}; there are {[*_DISTANCES]}")
        self._of_error = 1 - sum(shares.values())
        # Shares such as 0.9 and 0.1 add up to 1 but for rounding.
        if min([*shares.values(), self._of_error + 1e-9]) < 0:
            raise InputError(f"shares must be at least 0 and at most 1 together, got {shares}")
        self._terms: list[tuple[float, _Distance]] = []
        for name, share in shares.items():
            scale, find = _DISTANCES[name]
            self._terms.append((share / scale, find()))

    def __call__(self, decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
        """A scalar in the unit of `error`, the mean squared error; the gradient reaches `decoded`.

        Args:
            decoded, original: float (B, C, H, W), sRGB in [0, 1]; `decoded` is cut off there.
        """
        distortion = self._of_error * error
        with torch.autocast(original.device.type, enabled=False):
            visible = decoded.float().clamp(0, 1)
            for weight, distance in self._terms:
                distortion = distortion + weight * distance(visible, original)
        return distortion


def _find_ms_ssim() -> _Distance:
    return lambda a, b: 1 - ms_ssim_of_planes(a, b, span=1)


def _find_ssimulacra2() -> _Distance:
    published_weights()
    return ssimulacra2_distance


# What each is over the mean squared error, as they are at 0.25 bit per pixel, and how to get it.
_DISTANCES: dict[str, tuple[float, Callable[[], _Distance]]] = {
    "ms-ssim": (25.0, _find_ms_ssim),
    "ssimulacra2": (6000.0, _find_ssimulacra2),
}
