"""Choosing codes for a latent: at a quality, or at a number of bytes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.quality import plan_search
from vqcodec.quantizers.search import beam_codes

__all__ = ["LatentSearch", "fit_quality"]

# One bit is worth this much of the error that the last coded stage leaves, see
# ResidualQuantizer.lagrangian. Chosen on held-out training photographs; more greys texture.
DEFAULT_MU = 0.7
DEFAULT_BEAMS = 4


class LatentSearch:
    """Codes of one latent at any quality; the network that made the latent runs only once.

    Args:
        latent: float32 (D, *positions).
        codebooks: float32 (S, K, D).
        bits: float32 (S, K), cost of each code.
        residual_energy: float32 (S,), mean square per dimension that is left after each stage.
    """

    def __init__(
        self,
        latent: Tensor,
        codebooks: Tensor,
        *,
        bits: Tensor,
        residual_energy: Tensor,
        mu: float = DEFAULT_MU,
        beams: int = DEFAULT_BEAMS,
    ) -> None:
        self._positions = latent.shape[1:]
        self._rows = latent.flatten(1).T.contiguous()
        self._codebooks, self._bits = codebooks, bits
        self._prices = mu * 2 * torch.log(torch.tensor(2.0)) * residual_energy
        self._beams = beams
        self._found: dict[int, tuple[Tensor, Tensor]] = {}

    def at_quality(self, quality: float) -> Tensor:
        """Search at a quality from 0 to 100: codes int64 (S', *positions)."""
        plan = plan_search(quality, len(self._codebooks))
        codes, errors = self._search(plan.stages)
        if plan.last_share < 1 and plan.stages > 1:
            codes = _thin_last_stage(codes, errors, self._bits[plan.stages - 1], plan.last_share)
        return codes.T.reshape(plan.stages, *self._positions)

    def _search(self, stages: int) -> tuple[Tensor, Tensor]:
        if stages not in self._found:
            price = self._prices[stages - 1].expand(stages)
            self._found[stages] = beam_codes(
                self._rows,
                self._codebooks[:stages],
                bits=self._bits[:stages],
                prices=price.to(self._rows),
                beams=self._beams,
            )
        return self._found[stages]


def fit_quality(
    encode: Callable[[float], bytes], target: int, *, tolerance: float = 0.005, tries: int = 12
) -> bytes:
    """Find the highest quality whose stream is not larger than `target` bytes, by bisection.

    Stops when the stream is within `tolerance` of the target, or after so many tries.

    Raises:
        InputError: even quality 0 takes more.
    """
    best = encode(0.0)
    if len(best) > target:
        raise InputError(f"{target} bytes are too few: the smallest stream takes {len(best)}")
    largest = encode(100.0)
    if len(largest) <= target:
        return largest
    low, high = 0.0, 100.0
    for _ in range(tries):
        middle = (low + high) / 2
        stream = encode(middle)
        if len(stream) <= target:
            low, best = middle, max(best, stream, key=len)
        else:
            high = middle
        if target * (1 - tolerance) <= len(best) <= target:
            break
    return best


def _thin_last_stage(codes: Tensor, errors: Tensor, bits: Tensor, share: float) -> Tensor:
    """Zero the last stage of codes (N, S) but at the `share` of rows where a bit buys most."""
    gain = errors[:, -2] - errors[:, -1]
    last = codes[:, -1]
    worth = gain / (bits[last] - bits[0]).clamp_min(0.1)
    kept = max(1, round(share * len(codes)))
    thinned = codes.clone()
    # A stable sort: rows of equal worth are kept first come first served, on every machine.
    order = torch.argsort(worth, descending=True, stable=True)
    thinned[order[kept:], -1] = 0
    return thinned
