"""What training minimises."""

from __future__ import annotations

from torch import Tensor

from vqcodec.media.workshop import Distortion
from vqcodec.model.network import Reconstruction
from vqcodec.transforms.base import Transform

__all__ = ["Objective"]

# A latent of twice its unit energy costs 2.4 % of the distortion; within 10 % the pin is not felt.
_PIN_WEIGHT = 0.05


class Objective:
    """Distortion + commitment + a pin on the scale of the latent.

    Nothing in a straight-through VQ-VAE holds the scale of its latent, and a Lagrangian in latent
    units would fade as the scale drifts; the pin keeps the mean square at 1.

    Args:
        distortion: how far decoded samples are from their originals, as the medium has it.
        commitment: weight of the latent's distance to its values.
    """

    def __init__(self, distortion: Distortion, *, commitment: float) -> None:
        self._distortion = distortion
        self._commitment = commitment

    def __call__(
        self, samples: Tensor, output: Reconstruction, transform: Transform
    ) -> tuple[Tensor, Tensor]:
        """Give the loss and the transform's error, two scalars.

        Args:
            samples: float (B, C, *extent), what `output` is a reconstruction of.
            transform: what made it; its unit brings the commitment to the unit of the distortion.
        """
        error = transform.error(output.samples, samples)
        distortion = self._distortion(output.samples, samples, error)
        commitment = self._commitment * transform.unit * output.quantized.commitment
        energy = output.latent.square().mean().clamp_min(1e-12)
        pin = _PIN_WEIGHT * error.detach() * energy.log().square()
        return distortion + commitment + pin, error.detach()
