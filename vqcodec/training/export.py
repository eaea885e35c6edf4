"""From a trained network to the file that is shipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.model.file import ModelCard, Tensors, compute_fingerprint, write_model
from vqcodec.model.network import VQVAE
from vqcodec.model.tensors import network_tensors, prior_tensors
from vqcodec.priors import MixingPrior, Prior, StaticPrior
from vqcodec.tokenizer import Tokenizer
from vqcodec.training.costs import fit_shares, measure_usage
from vqcodec.training.order import tree_order

__all__ = ["NETWORK_SAMPLES", "export_model", "sort_codebooks"]

# Positions that the network of the prior looks at, for each stage: more are of little use.
NETWORK_SAMPLES = 6_000_000

# Positions that the costs of the codes are fitted on.
_SEARCHED_ROWS = 100_000


@torch.no_grad()
def sort_codebooks(model: VQVAE) -> None:
    """Renumber the codes of every stage along a tree of principal splits; code 0 stays 0."""
    for stage, book in enumerate(model.quantizer.books()):
        order = torch.from_numpy(tree_order(book.vectors.cpu().numpy())).to(book.vectors.device)
        for statistics in (book.vectors, book.share, book.sums):
            statistics.copy_(statistics[order])
        model.quantizer.shares[:, stage] = model.quantizer.shares[:, stage, order]


def export_model(
    model: VQVAE,
    path: Path,
    *,
    name: str,
    signals: Iterable[Tensor],
    mu: float,
    masking: float = 0.0,
    metadata: Mapping[str, Any],
    network_samples: int = NETWORK_SAMPLES,
    report: Callable[[str, float], None] = lambda what, share: None,
) -> ModelCard:
    """Sort the codebooks, fit costs and priors to what the encoder will choose, write the file.

    Frozen codebooks are not sorted.

    Args:
        model: trained; its codebooks are renumbered in place.
        signals: training data to fit the priors on, float32 (C, *extent), of any extents.
        mu: weight of the rate in the encoder's search.
        masking: how much more a bit costs there at loud positions, see `price_weights`.
        metadata: facts for people, JSON; the use of the codebooks is added.
        network_samples: positions that the network of the adaptive prior looks at, for each stage;
            with 0 it is one that knows nothing.
        report: called now and then with what is being done, in words, and the share of it done.
    """
    if not model.quantizer.frozen:
        sort_codebooks(model)
    latents = []
    tokenizer = _as_shipped(model, path, name=name, mu=mu, masking=masking)
    for samples in signals:
        latents.append(tokenizer.analyse(samples[None])[0])
        report(f"analysing signal {len(latents)}", 0.0)
    rows = _sample_rows(latents)
    fit_shares(
        model.quantizer, rows, mu=mu, report=partial(report, "fitting the costs of the codes")
    )
    grids = []
    tokenizer = _as_shipped(model, path, name=name, mu=mu, masking=masking)
    for latent, quality in zip(latents, _qualities(len(latents)), strict=True):
        grids.append(tokenizer.search(latent).at_quality(quality).cpu().numpy())
        report("searching the codes of the signals", len(grids) / len(latents))
    tensors = _encoder_tensors(model, mu, masking)
    for prior in _fit_priors(
        grids,
        tensors["codebooks"],
        samples=network_samples,
        report=partial(report, "fitting the entropy coder"),
    ):
        tensors |= prior_tensors(prior)
    usage = [
        {"alive": alive, "perplexity": round(perplexity, 1)}
        for alive, perplexity in measure_usage(model.quantizer, rows)
    ]
    return write_model(path, name, model.config, tensors, {**metadata, "usage": usage})


def _encoder_tensors(model: VQVAE, mu: float, masking: float) -> Tensors:
    search = {"search.mu": np.array(mu, np.float32)}
    # Most models have none, and files of before it came stay what they are.
    if masking:
        search["search.masking"] = np.array(masking, np.float32)
    return network_tensors(model) | search


def _as_shipped(model: VQVAE, path: Path, *, name: str, mu: float, masking: float) -> Tokenizer:
    """The model in the precision that is shipped, and with the costs that it has now."""
    tensors = _encoder_tensors(model, mu, masking)
    card = ModelCard(name, path, compute_fingerprint(model.config.to_text(), tensors), model.config)
    return Tokenizer(card, tensors, device="cpu")


def _fit_priors(
    grids: Sequence[NDArray[np.int64]],
    codebooks: NDArray[np.float16],
    *,
    samples: int,
    report: Callable[[float], None],
) -> tuple[Prior, Prior]:
    report(0.0)
    size = codebooks.shape[1]
    adaptive = MixingPrior.fit(
        grids,
        codebook_size=size,
        vectors=codebooks.astype(np.float32) if samples else None,
        samples=samples,
        report=report,
    )
    return StaticPrior.fit(grids, codebook_size=size), adaptive


def _sample_rows(latents: Sequence[Tensor]) -> Tensor:
    """Latent vectors (N, D) of positions spread evenly over all signals."""
    rows = torch.cat([latent.flatten(1).T for latent in latents])
    return rows[:: max(1, len(rows) // _SEARCHED_ROWS)].contiguous()


def _qualities(count: int) -> list[float]:
    """Qualities for so many signals: the first one 100, so that every stage is seen; then evenly.

    Steps of the golden ratio: any few signals in a row are of all kinds of quality. Above 85 files
    are large and codes unlike the others; the network of the prior does better without them.
    """
    golden = (5**0.5 - 1) / 2
    return [100.0, *(85 * (index * golden % 1) for index in range(1, count))]
