"""A trained network carried over into a deeper one that computes the same."""

from __future__ import annotations

import torch

from vqcodec.errors import BadModelError
from vqcodec.model.config import ModelConfig
from vqcodec.model.network import VQVAE
from vqcodec.parts import Part
from vqcodec.transforms.blocks import ResidualBlock

__all__ = ["copy_weights"]


@torch.no_grad()
def copy_weights(source: VQVAE, target: VQVAE) -> bool:
    """Copy the weights of `source`; blocks that only `target` has become the identity.

    A residual block whose last convolution is zero passes its input on (Net2Net, Chen et al. 2016,
    for residual networks), so the deeper model starts exactly as good as the one it grew from.
    Codebooks of another number or size are left as they are in `target`.

    Returns:
        whether the codebooks were copied too.

    Raises:
        BadModelError: the transforms differ in more than depth, or `target` is the shallower.
    """
    _check(source.config, target.config)
    same_codebooks = source.config.quantizer == target.config.quantizer
    state = {
        name: tensor
        for name, tensor in source.state_dict().items()
        if same_codebooks or not name.startswith("quantizer.")
    }
    missing, _ = target.load_state_dict(state, strict=False)
    for name in missing:
        if name.startswith("quantizer."):
            continue
        path, _, tensor = name.rpartition(".")
        parent, _, layer = path.rpartition(".")
        assert isinstance(target.get_submodule(parent), ResidualBlock)
        if layer == "second":
            target.get_submodule(path).get_parameter(tensor).zero_()
    return same_codebooks


def _check(source: ModelConfig, target: ModelConfig) -> None:
    if source.medium != target.medium:
        raise BadModelError(
            f"the weights to start from are of another medium: {source.medium.as_dict()}, not "
            f"{target.medium.as_dict()}"
        )
    for ours, theirs in ((source.analysis, target.analysis), (source.synthesis, target.synthesis)):
        if not _grows_into(ours, theirs):
            raise BadModelError(
                f"the weights to start from differ in more than depth: {ours.as_dict()} cannot "
                f"grow into {theirs.as_dict()}"
            )


def _grows_into(source: Part, target: Part) -> bool:
    """Whether the target is the source with as many blocks or more."""
    ours, theirs = source.as_dict(), target.as_dict()
    least, depth = ours.pop("depth", 0), theirs.pop("depth", 0)
    return ours == theirs and bool(least <= depth)
