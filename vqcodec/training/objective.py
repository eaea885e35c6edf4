"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor

from vqcodec.errors import MissingDependencyError
from vqcodec.media.picture.perceptual import ssimulacra2_distance
from vqcodec.model.network import Reconstruction

__all__ = ["Objective"]

# A latent of twice its unit energy costs 2.4 % of the distortion; within 10 % the pin is not felt.
_PIN_WEIGHT = 0.05
# What the other measures are over the mean squared error, all as they are at 0.25 bit per pixel.
_MS_SSIM_SCALE = 25.0
_SSIMULACRA2_SCALE = 6000.0


class Objective:
    """Distortion + commitment + a pin on the scale of the latent.

    Distortion is the mean squared error of pixels in [0, 1], or a mix of it, 1 - MS-SSIM and
    `ssimulacra2_distance`, the latter two in a unit that brings all three to one size at about 0.25
    bit per pixel, so that the weights, which add up to 1, say which one counts.

    Nothing in a straight-through VQ-VAE holds the scale of its latent, and a Lagrangian in latent
    units would fade as the scale drifts; the pin keeps the mean square at 1.
    """

    def __init__(
        self,
        *,
        commitment: float = 0.25,
        ms_ssim_weight: float = 0.0,
        ssimulacra2_weight: float = 0.0,
    ) -> None:
        self.commitment = commitment
        self.ms_ssim_weight = ms_ssim_weight
        self.ssimulacra2_weight = ssimulacra2_weight

    def __call__(
        self, pixels: Tensor, output: Reconstruction, commitment_unit: float
    ) -> tuple[Tensor, Tensor]:
        """Give the loss and the mean squared error, two scalars.

        `commitment_unit` is the mean squared pixel error that a mean squared latent error of 1
        causes (`VQVAE.latent_unit`): it brings the commitment to the unit of the distortion.
        """
        error = (output.pixels - pixels).square().mean()
        distortion = self._distortion(output.pixels, pixels, error)
        commitment = self.commitment * commitment_unit * output.quantized.commitment
        energy = output.latent.square().mean().clamp_min(1e-12)
        pin = _PIN_WEIGHT * error.detach() * energy.log().square()
        return distortion + commitment + pin, error.detach()

    def _distortion(self, decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
        distortion = (1 - self.ms_ssim_weight - self.ssimulacra2_weight) * error
        with torch.autocast(original.device.type, enabled=False):
            visible = decoded.float().clamp(0, 1)
            if self.ms_ssim_weight:
                weight = self.ms_ssim_weight / _MS_SSIM_SCALE
                distortion = distortion + weight * (1 - _ms_ssim(visible, original))
            if self.ssimulacra2_weight:
                weight = self.ssimulacra2_weight / _SSIMULACRA2_SCALE
                distortion = distortion + weight * ssimulacra2_distance(visible, original)
        return distortion


def _ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    try:
        from pytorch_msssim import ms_ssim
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "training for MS-SSIM needs pytorch-msssim: pip install 'vqcodec[train]'"
        ) from error
    similarity: Tensor = ms_ssim(a, b, data_range=1.0)
    return similarity
