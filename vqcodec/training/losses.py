"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor

from vqcodec.errors import MissingDependencyError
from vqcodec.model import Reconstruction

__all__ = ["Objective"]

# A latent of twice its unit energy costs 2.4 % of the distortion; within 10 % the pin is not felt.
_PIN_WEIGHT = 0.05
# 1 - MS-SSIM over the mean squared error, both as they are at about 0.25 bit per pixel.
_STRUCTURE_SCALE = 25.0


class Objective:
    """Distortion + commitment + a pin on the scale of the latent.

    Distortion is the mean squared error of pixels in [0, 1], or a mix with MS-SSIM:
    `(1 - ms_ssim_weight) * MSE + ms_ssim_weight * (1 - MS-SSIM) / 25`; the divisor brings both to
    one size at about 0.25 bit per pixel, so that the weight says which one counts.

    Nothing in a straight-through VQ-VAE holds the scale of its latent, and a Lagrangian in latent
    units would fade as the scale drifts; the pin keeps the mean square at 1.
    """

    def __init__(self, *, commitment: float = 0.25, ms_ssim_weight: float = 0.0) -> None:
        self.commitment = commitment
        self.ms_ssim_weight = ms_ssim_weight

    def __call__(
        self, pixels: Tensor, output: Reconstruction, commitment_unit: float
    ) -> tuple[Tensor, Tensor]:
        """Give the loss and the mean squared error, two scalars.

        `commitment_unit` is the mean squared pixel error that a mean squared latent error of 1
        causes (`VQVAE.latent_unit`): it brings the commitment to the unit of the distortion.
        """
        error = (output.pixels - pixels).square().mean()
        distortion = error
        if self.ms_ssim_weight:
            structure = (1 - _ms_ssim(output.pixels.clamp(0, 1), pixels)) / _STRUCTURE_SCALE
            distortion = (1 - self.ms_ssim_weight) * error + self.ms_ssim_weight * structure
        commitment = self.commitment * commitment_unit * output.quantized.commitment
        energy = output.latent.square().mean().clamp_min(1e-12)
        pin = _PIN_WEIGHT * error.detach() * energy.log().square()
        return distortion + commitment + pin, error.detach()


def _ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    try:
        from pytorch_msssim import ms_ssim
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "training for MS-SSIM needs pytorch-msssim: pip install 'vqcodec[train]'"
        ) from error
    with torch.autocast(a.device.type, enabled=False):
        similarity: Tensor = ms_ssim(a.float(), b.float(), data_range=1.0)
    return similarity
