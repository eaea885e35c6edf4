"""From a trained network to the file that is shipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.checkpoint import ModelCard, compute_fingerprint, write_model
from vqcodec.codec import Codec
from vqcodec.model import VQVAE
from vqcodec.priors import MixingPrior, Prior, StaticPrior
from vqcodec.quantizers.order import tree_order
from vqcodec.weights import network_tensors, prior_tensors

__all__ = ["export_model", "sort_codebooks"]


@torch.no_grad()
def sort_codebooks(model: VQVAE) -> None:
    """Renumber the codes of every stage along a tree of principal splits; code 0 stays 0."""
    for book in model.quantizer.books():
        order = torch.from_numpy(tree_order(book.vectors.cpu().numpy())).to(book.vectors.device)
        for statistics in (book.vectors, book.share, book.sums):
            statistics.copy_(statistics[order])


def export_model(
    model: VQVAE,
    path: Path,
    *,
    name: str,
    pictures: Iterable[Tensor],
    mu: float,
    metadata: Mapping[str, Any],
    report: Callable[[int], None] | None = None,
) -> ModelCard:
    """Sort the codebooks, fit the priors on what the encoder will choose, and write the file.

    Args:
        model: trained; its codebooks are renumbered in place.
        pictures: training pictures, float (C, H, W) in [0, 1], to fit the priors on.
        mu: weight of the rate in the encoder's search.
        metadata: facts for people, JSON.
        report: called with the number of pictures that the priors have seen.
    """
    sort_codebooks(model)
    config = model.config
    tensors = network_tensors(model)
    tensors["search.mu"] = np.array(mu, np.float32)
    bare = ModelCard(name, path, compute_fingerprint(config, tensors), config)
    codec = Codec(bare, tensors, device="cpu")
    maps: list[NDArray[np.int64]] = []
    for picture in pictures:
        maps.append(codec.search(picture).all_stages().cpu().numpy())
        if report is not None:
            report(len(maps))
    size = config.quantizer.codebook_size
    vectors = tensors["codebooks"].astype(np.float32)
    priors: tuple[Prior, ...] = (
        StaticPrior.fit(maps, codebook_size=size),
        MixingPrior.fit(maps, codebook_size=size, vectors=vectors),
    )
    for prior in priors:
        tensors |= prior_tensors(prior)
    return write_model(path, name, config, tensors, metadata)
