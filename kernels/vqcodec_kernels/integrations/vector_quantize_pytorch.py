"""The search of the package vector-quantize-pytorch (P. Wang), done by our kernels.

The package builds a float32 matrix of all distances and a one-hot matrix of the same shape, and
multiplies by it. Here the codes, their vectors and the sums of a moving average come from
`quantize_vectors` and `code_statistics`, and neither matrix exists.
"""

import importlib.metadata
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from vector_quantize_pytorch import ResidualVQ, VectorQuantize
from vector_quantize_pytorch.vector_quantize_pytorch import (
    Codebook,
    accum_grad_,
    ema_inplace,
    gumbel_sample,
    l2norm,
    logger,
)

from vqcodec_kernels.errors import BackendError, InvalidInputError
from vqcodec_kernels.search.ops import code_statistics, nearest_code, quantize_vectors

__all__ = ["use_kernels"]

# What is done here was compared with these releases: other ones may have moved what it builds on.
_TESTED = "1.32."

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def use_kernels(module: AnyModule) -> AnyModule:
    """Let every `VectorQuantize` in a module search with our kernels; returns the same module.

    Works on a VectorQuantize, a ResidualVQ, or a model with some inside. Parameters, buffers,
    state dict, arguments and results stay those of the package. What changes: codes are exact, the
    lowest index at ties, while the package's own float32 distances, which it clamps at 1e-4, may
    choose another code where two are about as near; moving averages add up in float64, rounded
    once; NaN and infinity raise InvalidInputError. With cosine similarity the code has the largest
    dot product to within 2^-24. `_codebook(x)` has None in place of the distances.
    Raises: InvalidInputError: there is no VectorQuantize; or an option needs the distances, or is
    not known here (stochastic_sample_codes, straight_through, commitment_use_cross_entropy_loss,
    codebook_diversity_loss_weight, affine_param, implicit_neural_codebook, a gumbel_sample of
    one's own), and nothing is changed; or, later, a call needs them (indices,
    codebook_transform_fn). BackendError: the package is not of a release 1.32.

    >>> vq = use_kernels(VectorQuantize(dim=8, codebook_size=16, heads=2, codebook_dim=8))
    >>> quantized, codes, loss = vq(torch.randn(3, 5, 8))
    >>> quantized.shape, codes.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 2]))
    """
    version = importlib.metadata.version("vector-quantize-pytorch")
    if not version.startswith(_TESTED):
        raise BackendError(f"vector-quantize-pytorch must be {_TESTED}*, got {version}")
    quantizers = [part for part in module.modules() if isinstance(part, VectorQuantize)]
    if not quantizers:
        raise InvalidInputError(f"there is no VectorQuantize in {type(module).__name__}")
    for part in module.modules():
        _check_options(part)
    for quantizer in quantizers:
        quantizer._codebook.__class__ = _KernelCodebook
        if _check_call not in quantizer._forward_pre_hooks.values():
            quantizer.register_forward_pre_hook(_check_call, with_kwargs=True)
    return module


def _check_options(part: nn.Module) -> None:
    if isinstance(part, ResidualVQ) and part.implicit_neural_codebook:
        _refuse("implicit_neural_codebook", True)
    if not isinstance(part, VectorQuantize):
        return
    codebook = part._codebook
    if type(codebook) not in (Codebook, _KernelCodebook):
        raise InvalidInputError(f"a codebook must be the package's, got {type(codebook).__name__}")
    sample = codebook.gumbel_sample
    options = sample.keywords if isinstance(sample, partial) else {}
    if (sample.func if isinstance(sample, partial) else sample) is not gumbel_sample:
        _refuse("gumbel_sample", sample)
    for name, value in {
        "stochastic_sample_codes": options.get("stochastic", False),
        "straight_through": options.get("straight_through", False),
        "commitment_use_cross_entropy_loss": part.commitment_use_cross_entropy_loss,
        "codebook_diversity_loss_weight": part.codebook_diversity_loss_weight,
        "affine_param": codebook.affine_param,
    }.items():
        if value:
            _refuse(name, value)


def _check_call(_part: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    # This argument makes VectorQuantize itself ask for the distances; the codebook never sees it.
    indices = arguments[1] if len(arguments) > 1 else named.get("indices")
    if indices is not None:
        _refuse("indices", tuple(indices.shape))


def _refuse(name: str, value: object) -> None:
    raise InvalidInputError(f"{name}={value} cannot be had with kernels that make no distances")


class _KernelCodebook(Codebook):  # type: ignore[misc]
    """The package's codebook; what it passes on as one-hot vectors are codes here."""

    @torch.autocast("cuda", enabled=False)  # type: ignore[untyped-decorator]
    def forward(
        self,
        x: Tensor,
        sample_codebook_temp: float | None = None,
        mask: Tensor | None = None,
        freeze_codebook: bool = False,
        codebook_transform_fn: Callable[..., Tensor] | None = None,
        ema_update_weight: Tensor | Callable[..., Tensor] | None = None,
        accum_ema_update: bool = False,
        ema_update: bool | None = None,
        topk: int | None = None,
        update_usage: bool = True,
    ) -> tuple[Tensor, Tensor, None]:
        """Vectors and codes of x (..., D), or (H, ..., D) for H codebooks, and no distances."""
        if codebook_transform_fn is not None:
            _refuse("codebook_transform_fn", codebook_transform_fn)
        rows = x.float().reshape(self.num_codebooks, -1, x.shape[-1])
        if mask is not None:
            mask = _repeat_mask(mask, rows)
            # Padding may hold anything, and its codes are of no consequence.
            rows = rows.where(mask.unsqueeze(-1), rows.nan_to_num(0.0, 0.0, 0.0))
        self.init_embed_(rows, mask=mask)
        embed = self.embed if self.learnable_codebook else self.embed.detach()
        embed = embed.to(rows.dtype)
        if self.vq_bridge is not None:
            embed = self.vq_bridge(embed)
        values, codes = self._search(rows, embed, topk)
        if self.training and update_usage and not freeze_codebook and topk is None:
            self.update_codebook(
                rows,
                codes,
                mask=mask,
                ema_update_weight=ema_update_weight,
                accum_ema_update=accum_ema_update,
                ema_update=ema_update,
            )
        shape = x.shape[:-1] if topk is None else (*x.shape[:-1], topk)
        return values.reshape(*shape, x.shape[-1]), codes.reshape(shape), None

    def update_indices(
        self,
        x: Tensor,
        embed_ind: Tensor,
        mask: Tensor | None = None,
        ema_update_weight: Tensor | Callable[..., Tensor] | None = None,
        accum_ema_update: bool = False,
        ema_update: bool | None = None,
    ) -> None:
        """Update by codes that are known; -1 counts as 0 unless the mask leaves it out."""
        rows = x.float().reshape(self.num_codebooks, -1, x.shape[-1])
        self.update_codebook(
            rows,
            embed_ind.reshape(rows.shape[:-1]).clamp(min=0),
            mask=None if mask is None else _repeat_mask(mask, rows),
            ema_update_weight=ema_update_weight,
            accum_ema_update=accum_ema_update,
            ema_update=ema_update,
        )

    update_ema_indices = update_indices

    def track_cluster_size_and_embed_avg(
        self,
        flatten: Tensor,
        codes: Tensor,
        mask: Tensor | None = None,
        ema_update_weight: Tensor | Callable[..., Tensor] | None = None,
        accum_ema_update: bool = False,
    ) -> None:
        """Move the two averages towards the counts and sums of rows (H, N, D) by codes (H, N)."""
        counts, sums = self._statistics(flatten, codes, mask)
        self.all_reduce_fn(counts)
        self.all_reduce_fn(sums)
        if callable(ema_update_weight):
            ema_update_weight = ema_update_weight(sums, counts)
        if accum_ema_update:
            accum_grad_(self.cluster_size, counts)
            accum_grad_(self.embed_avg, sums)
        else:
            ema_inplace(self.cluster_size, counts, self.decay, ema_update_weight)
            ema_inplace(self.embed_avg, sums, self.decay, ema_update_weight)

    def init_embed_(self, data: Tensor, mask: Tensor | None = None) -> None:
        """Start from k-means over rows (H, N, D), where that was asked for and is not done."""
        if self.initted:
            return
        if mask is not None:
            data = data[mask].reshape(len(data), -1, data.shape[-1])
        if data.shape[1] < self.codebook_size:
            logger.warning(
                f"k-means init received {data.shape[1]} vectors for a codebook of "
                f"{self.codebook_size} - duplicates will be sampled"
            )
        embed, counts = self._kmeans(data.detach())
        self.embed_avg.data.copy_(embed * counts.unsqueeze(-1))
        self.cluster_size.data.copy_(counts)
        self.update_ema()
        self.initted.data.fill_(True)

    def _kmeans(self, data: Tensor) -> tuple[Tensor, Tensor]:
        """Means (H, K, D) and counts (H, K) after the iterations, from samples of the data."""
        means = self.sample_fn(data, self.codebook_size)
        counts = data.new_zeros(means.shape[:-1])
        for _ in range(self.kmeans_iters):
            counts, sums = self._statistics(data, self._search(data, means, None)[1], None)
            self.kmeans_all_reduce_fn(counts)
            moved = sums / counts.clamp(min=1).unsqueeze(-1)
            self.kmeans_all_reduce_fn(moved)
            if self.use_cosine_sim:
                moved = l2norm(moved)
            means = torch.where(counts.unsqueeze(-1) == 0, means, moved)
        return means, counts

    def _search(self, rows: Tensor, embed: Tensor, topk: int | None) -> tuple[Tensor, Tensor]:
        """The nearest of embed (H, K, D) for rows (H, N, D), or those of the largest product."""
        # ||x - c||^2 - ||c||^2 orders codes as -x.c does, and not all have length 1: what is not
        # used for long shrinks.
        bias = -embed.detach().double().square().sum(-1).float() if self.use_cosine_sim else None
        if topk is None:
            found = quantize_vectors(rows.detach(), embed, bias)
            return found.values, found.codes
        codes = nearest_code(rows.detach(), embed.detach(), bias, k=topk)
        picks = codes.flatten(1).unsqueeze(-1).expand(-1, -1, embed.shape[-1])
        return embed.gather(1, picks), codes

    def _statistics(
        self, rows: Tensor, codes: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Counts (H, K), as floats, and sums (H, K, D) of the rows that the mask leaves."""
        counts, sums = code_statistics(rows.detach(), codes, self.codebook_size, mask=mask)
        return counts.to(rows.dtype), sums


def _repeat_mask(mask: Tensor, rows: Tensor) -> Tensor:
    """A mask (B, N) for rows (H, B' N, D): heads that share a codebook are part of B'."""
    heads = rows.shape[1] // mask.numel()
    return mask.unsqueeze(1).expand(-1, heads, -1).reshape(-1).expand(len(rows), -1)
