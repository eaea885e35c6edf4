"""A trained model in the form that is shipped: half-precision tensors with stable names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vqcodec.errors import BadModelError
from vqcodec.model.config import ModelConfig
from vqcodec.model.file import Tensors
from vqcodec.model.network import VQVAE
from vqcodec.priors import Prior, prior_class
from vqcodec.transforms.layout import channels_last
from vqcodec_kernels.errors import InvalidInputError

__all__ = [
    "network_from_tensors",
    "network_tensors",
    "prior_tensors",
    "priors_from_tensors",
    "search_masking",
    "search_mu",
]

_PRIOR_MODES = (1, 2)
_MOST_MASKING = 4.0
# What networks divide by.
_POSITIVE = (".scale", ".levels", ".span")


def network_tensors(model: VQVAE) -> Tensors:
    """Give the tensors to ship: weights and codebooks as float16, the few statistics as float32."""
    tensors: Tensors = {}
    for name, tensor in model.transform.state_dict().items():
        exact = name.endswith((".basis", ".mean", *_POSITIVE))
        tensors[name] = _numpy(tensor.float() if exact else tensor.half())
    books = model.quantizer.books()
    tensors["codebooks"] = _numpy(torch.stack([book.vectors for book in books]).half())
    tensors["search.share"] = _numpy(torch.stack([book.share for book in books]))
    # Costs are their logarithms: eleven bits are plenty for what is most of the statistics.
    tensors["search.shares"] = _numpy(model.quantizer.shares.half())
    tensors["search.residual_energy"] = _numpy(model.quantizer.residual_energy)
    return tensors


def network_from_tensors(
    config: ModelConfig, tensors: Mapping[str, np.ndarray], path: Path
) -> VQVAE:
    """Build the model that `network_tensors` described, in float32.

    The architecture is laid out without memory first and compared with what the file holds, so
    that an absurd configuration is refused before anything is allocated for it.

    Raises:
        BadModelError: a tensor is missing, has another shape than the configuration asks for, or
            values that it cannot have.
    """
    with torch.device("meta"):
        model = VQVAE(config)
    for name in ("codebooks", "search.share"):
        if name in tensors and tensors[name].shape[:1] != (config.quantizer.stages,):
            raise BadModelError(
                f"{path}: {name} is {tensors[name].shape}, its configuration says "
                f"{config.quantizer.stages} stages"
            )
    state = {}
    for name, wanted in model.state_dict().items():
        found = _find(name, tensors, path)
        if found.shape != tuple(wanted.shape):
            raise BadModelError(
                f"{path}: {name} is {found.shape}, its configuration says {tuple(wanted.shape)}"
            )
        if name.endswith(_POSITIVE) and not (found > 0).all():
            raise BadModelError(f"{path}: {name} must be positive, is {found.min()}")
        if name.endswith((".share", ".shares", ".residual_energy")) and not (found >= 0).all():
            raise BadModelError(f"{path}: {name} holds negative values")
        state[name] = torch.from_numpy(found.astype(np.float32))
    model.load_state_dict(state, assign=True)
    for parameter in model.parameters():
        parameter.data = channels_last(parameter.data)
    model.requires_grad_(False)
    return model.eval()


def prior_tensors(prior: Prior) -> Tensors:
    """Give a prior's tables under the names they have in a file of weights."""
    return {
        f"prior.{prior.name}.{name}": np.asarray(table) for name, table in prior.tensors().items()
    }


def priors_from_tensors(
    config: ModelConfig, tensors: Mapping[str, np.ndarray], path: Path
) -> dict[int, Prior]:
    """Build the priors that a file of weights holds, by their mode.

    Raises:
        BadModelError: a prior's tables contradict each other, or the configuration.
    """
    wanted = (config.quantizer.codebook_size, config.quantizer.stages)
    priors: dict[int, Prior] = {}
    for mode in _PRIOR_MODES:
        kind = prior_class(mode)
        prefix = f"prior.{kind.name}."
        tables = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        if tables:
            try:
                priors[mode] = kind.from_tensors(tables)
            except InvalidInputError as error:
                raise BadModelError(f"{path}: {error}") from error
            found = (priors[mode].codebook_size, priors[mode].stages)
            if found != wanted:
                raise BadModelError(
                    f"{path}: its {kind.name} prior has {found} codes and stages, not {wanted}"
                )
    return priors


def search_mu(tensors: Mapping[str, np.ndarray], path: Path) -> float:
    """Give the weight of the rate that the encoder of a file of weights searches with, >= 0.

    Raises:
        BadModelError: there is none.
    """
    mu = tensors.get("search.mu")
    if mu is None or mu.shape != () or not mu >= 0:
        raise BadModelError(f"{path}: holds no search.mu of at least 0")
    return float(mu)


def search_masking(tensors: Mapping[str, np.ndarray], path: Path) -> float:
    """Give the power of its energy by which a bit costs more at a position, 0 where none is held.

    Raises:
        BadModelError: it is not a number from 0 to 4.
    """
    masking = tensors.get("search.masking")
    if masking is None:
        return 0.0
    if masking.shape != () or not 0 <= masking <= _MOST_MASKING:
        raise BadModelError(f"{path}: search.masking must be 0 to {_MOST_MASKING}, is {masking}")
    return float(masking)


def _find(name: str, tensors: Mapping[str, np.ndarray], path: Path) -> np.ndarray:
    """Look up a tensor of the model's state by the name that it has in the file."""
    parts = name.split(".")
    try:
        if parts[0] == "transform":
            return tensors[name.removeprefix("transform.")]
        if name == "quantizer.residual_energy":
            return tensors["search.residual_energy"]
        if name == "quantizer.shares":
            return tensors["search.shares"]
        if parts[:2] == ["quantizer", "codebooks"]:
            stage = int(parts[2])
            vectors, share = tensors["codebooks"][stage], tensors["search.share"][stage]
            if share.shape != vectors.shape[:1]:
                raise BadModelError(f"{path}: codebooks and search.share differ in size")
            # The running sum that training goes on from is what made these vectors.
            sums = vectors * share[:, None]
            found: np.ndarray = {"vectors": vectors, "share": share, "sums": sums}[parts[3]]
            return found
        raise KeyError(name)
    except (KeyError, IndexError) as error:
        raise BadModelError(f"{path}: holds no {name}") from error


def _numpy(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().contiguous())
