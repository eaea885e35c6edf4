"""A trained network carried over into a deeper one that computes the same."""

from __future__ import annotations

import dataclasses

import torch

from vqcodec.errors import BadModelError
from vqcodec.model.config import ModelConfig
from vqcodec.model.network import VQVAE
from vqcodec.transforms.blocks import ResidualBlock

__all__ = ["copy_weights"]

_GROWS = ("analysis_depth", "synthesis_depth")


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
    depths = {name: getattr(target.transform, name) for name in _GROWS}
    grown = dataclasses.replace(source.transform, **depths)
    if grown != target.transform or any(getattr(source.transform, n) > depths[n] for n in _GROWS):
        raise BadModelError(
            f"the weights to start from differ in more than depth: {source.to_json()} "
            f"cannot grow into {target.to_json()}"
        )
