"""What every transform is: samples to a latent of few numbers for each position, and back."""

from __future__ import annotations

from torch import Tensor, nn

from vqcodec.grid import Region, stretch

__all__ = ["Transform"]


class Transform(nn.Module):
    """Samples (B, C, *extent) <-> latent float32 (B, D, *positions).

    Samples are float, of a few units at most (most media: [0, 1]). The extent is a whole
    number of strides. Subclasses set the attributes and fit what has a closed form in `start`.

    Attributes:
        analysis, synthesis: the two networks; a file of weights holds their tensors under these
            names, and the fingerprint covers the second one alone.
        stride: samples that a position stands for, along each axis.
        analysis_reach, synthesis_reach: how many positions away an input of the network can still
            change an output; None if all depend on all.
        analysis_ahead, synthesis_ahead: the same of what lies behind an output, along each axis.
        looks: whether the error of samples says how to move a latent, see `error_slope`.
        fine_means: whether a signal at a fraction of its size is made of all stages of codes, and
            not of the first ones, as eyes and ears are content with.

    >>> import torch
    >>> from vqcodec.transforms.dense import DenseTransform
    >>> transform = DenseTransform(
    ...     1, extent=(30,), count=5, latent_dim=3, analysis_hidden=8, synthesis_hidden=8
    ... )
    >>> transform.start(torch.rand(16, 1, 30))
    >>> latent = transform.analyse(torch.rand(2, 1, 30))
    >>> latent.shape, transform.synthesise(latent).shape
    (torch.Size([2, 3, 5]), torch.Size([2, 1, 30]))
    """

    analysis: nn.Module
    synthesis: nn.Module
    stride: tuple[int, ...]
    analysis_reach: int | None
    synthesis_reach: int | None
    looks: bool = True
    fine_means: bool = False

    @property
    def analysis_ahead(self) -> int | None:
        """Positions ahead that count for the latent; as far as the reach if nothing is said."""
        return self.analysis_reach

    @property
    def synthesis_ahead(self) -> int | None:
        """Positions ahead that count for the samples."""
        return self.synthesis_reach

    @property
    def unit(self) -> float:
        """The `error` that a mean squared latent error of 1 causes, nearly."""
        raise NotImplementedError

    def error(self, decoded: Tensor, samples: Tensor) -> Tensor:
        """How far decoded samples are from theirs, a scalar: here the mean squared error."""
        return (decoded - samples).square().mean()

    def start(self, samples: Tensor) -> None:
        """Fit what has a closed form on training samples, before the first step.

        From then on the latent has about unit mean square.
        """
        raise NotImplementedError

    def measure(self, samples: Tensor) -> None:
        """Fit what depends on the unit of the samples alone, also for networks learned on others.

        Raises:
            InputError: samples that no unit fits.
        """

    def use_half(self) -> None:
        """Compute in half precision what hardly shows it, for inference on a CPU that has it."""

    def analyse(self, samples: Tensor, *, piece: Region | None = None) -> Tensor:
        """Run the analysis network.

        piece: the positions whose latent is wanted, all for None; a local network may spend less on
            those around them.
        """
        latent: Tensor = self.analysis(samples)
        return latent if piece is None else latent[:, :, *piece]

    def synthesise(self, latent: Tensor, *, piece: Region | None = None) -> Tensor:
        """Run the synthesis network; samples are near their range and not clamped.

        piece: the positions whose samples are wanted, all for None.
        """
        samples: Tensor = self.synthesis(latent)
        return samples if piece is None else samples[:, :, *stretch(piece, self.stride)]
