"""Choosing codes for a latent at a quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vqcodec.choices import check_whole
from vqcodec.device import own_modes
from vqcodec.errors import kernels_refuse
from vqcodec.rate.masking import price_weights
from vqcodec.rate.quality import SearchPlan, plan_search
from vqcodec_kernels import beam_codes

__all__ = ["LatentSearch", "Look", "refines"]

Look = Callable[[Tensor], tuple[float, Tensor]]

# Candidates kept per position, for efforts 1 to 9.
_BEAMS = (1, 2, 2, 3, 4, 6, 8, 12, 16)
# How often the latent is moved towards what decodes better, and how far: as a part of the step
# that would put a linear synthesis right.
_STEPS = (0, 0, 0, 0, 0, 0, 0, 2, 3)
_STEP_SIZE = 0.15
# Part of its price that a bit counts for when refined codes are compared: from quality to quality
# the decoded error falls by less per bit than within the search.
_BIT_WORTH = 0.4
# How often the costs are fitted to the signal's own codes, which are then searched again.
_ROUNDS = (0, 0, 0, 0, 1, 1, 2, 2, 2)
# How many positions of the training data the trained costs count for beside the signal's own.
_TRAINED_POSITIONS = 256.0


def refines(effort: int) -> bool:
    """Whether this effort, 1 to 9, looks at what its codes decode to. Raises InputError for others.

    >>> refines(5), refines(9)
    (False, True)
    """
    check_whole("effort", effort, 1, len(_BEAMS))
    return _STEPS[effort - 1] > 0


class LatentSearch:
    """Codes of one latent at any quality; the network that made the latent runs only once.

    Args:
        latent: float32 (D, *positions).
        codebooks: float32 (S, K, D).
        bits: for 1 to S stages, the cost of each code when so many are searched, float32 (n, K).
        residual_energy: float32 (S,), mean square per dimension that is left after each stage.
        mu: weight of the rate; 1 trades at the slope of a quantizer at high rate for the error
            that the last coded stage leaves (`ResidualQuantizer.lagrangian`). More helps squared
            error and greys texture.
        masking: how much more a bit costs at loud positions, see `price_weights`.
        effort: 1 (fast) to 9 (good).
        look: decodes codes (S', *positions) and gives their squared error and half its slope by
            the latent, (D, *positions), both in latent units. The efforts from 8 on use it, and do
            without if there is none.

    Raises:
        InputError: effort is not 1 to 9.
    """

    def __init__(
        self,
        latent: Tensor,
        codebooks: Tensor,
        *,
        bits: Sequence[Tensor],
        residual_energy: Tensor,
        mu: float,
        masking: float = 0.0,
        effort: int = 5,
        look: Look | None = None,
    ) -> None:
        check_whole("effort", effort, 1, len(_BEAMS))
        self._positions = latent.shape[1:]
        self._rows = latent.flatten(1).T.contiguous()
        self._codebooks, self._bits = codebooks, bits
        self._energies, self._mu = residual_energy.cummin(0).values.tolist(), mu
        self._weights = price_weights(self._rows, usual=self._energies[0], masking=masking)
        # Positions of one weight are searched together.
        self._places = {
            weight: (self._weights == weight).nonzero()[:, 0]
            for weight in torch.unique(self._weights).tolist()
        }
        self._beams = _BEAMS[effort - 1]
        self._rounds = _ROUNDS[effort - 1]
        self._steps = _STEPS[effort - 1]
        self._look = look if self._steps else None

    @kernels_refuse()
    def at_quality(self, quality: float, *, draft: bool = False) -> Tensor:
        """Search at a quality from 0 to 100: codes int64 (S', *positions).

        A draft is not refined: much sooner there at the highest efforts, and nearly as large.
        """
        plan = plan_search(quality, self._energies, self._mu)
        with own_modes(self._rows.device):
            codes = self._search(self._rows, plan)
            if draft or self._look is None:
                return codes
            return self._refine(codes, plan, self._look)

    def _refine(self, codes: Tensor, plan: SearchPlan, look: Look) -> Tensor:
        """Move the latent against the slope of the decoded error; keep the best codes on the way.

        The steps pass straight through the quantizer (Campos et al. 2019 on other codecs).
        """
        rows, found = self._rows, []
        for step in range(self._steps + 1):
            error, slope = look(codes)
            cost = error + _BIT_WORTH * plan.price * self._spent(codes, plan)
            found.append((cost, codes))
            if step < self._steps:
                rows = rows - _STEP_SIZE * slope.flatten(1).T
                codes = self._search(rows.contiguous(), plan)
        return min(found, key=lambda candidate: candidate[0])[1]

    def _spent(self, codes: Tensor, plan: SearchPlan) -> float:
        rows = codes.flatten(1)
        return float(_own_bits(rows.T, self._bits_of(plan)).gather(1, rows).sum())

    def _search(self, rows: Tensor, plan: SearchPlan) -> Tensor:
        books = self._codebooks[: plan.stages]
        bits = self._bits_of(plan)
        for _ in range(self._rounds):
            # How often codes are chosen shows with half the beams as well.
            codes, _ = self._beam_codes(rows, books, bits * plan.price, (1 + self._beams) // 2)
            bits = _own_bits(codes, bits)
        codes, errors = self._beam_codes(rows, books, bits * plan.price, self._beams)
        if plan.last_share < 1:
            errors = errors / self._weights[:, None]
            codes = _thin_last_stage(codes, errors, bits[-1], plan.last_share)
        return codes.T.reshape(plan.stages, *self._positions)

    def _beam_codes(
        self, rows: Tensor, books: Tensor, costs: Tensor, beams: int
    ) -> tuple[Tensor, Tensor]:
        """Codes (N, S') and errors (N, S'), each position at its own price."""
        if len(self._places) == 1:
            (weight,) = self._places
            return beam_codes(rows, books, weight * costs, beams=beams)
        parts = [
            beam_codes(rows[place], books, weight * costs, beams=beams)
            for weight, place in self._places.items()
        ]
        order = torch.cat(list(self._places.values())).argsort()
        codes, errors = (torch.cat(part)[order] for part in zip(*parts, strict=True))
        return codes, errors

    def _bits_of(self, plan: SearchPlan) -> Tensor:
        bits = self._bits[plan.stages - 1]
        if plan.last_share == 1:
            return bits
        # On the way from one number of stages to the next, so that nothing moves in steps.
        before = torch.cat([self._bits[plan.stages - 2], bits[-1:]])
        return before.lerp(bits, plan.last_share)


def _own_bits(codes: Tensor, bits: Tensor) -> Tensor:
    """Costs (S, K) of codes by their own frequencies (N, S), blended with trained costs (S, K)."""
    counts = torch.stack([torch.bincount(c, minlength=bits.shape[1]) for c in codes.unbind(1)])
    share = (counts + _TRAINED_POSITIONS * 2.0**-bits) / (len(codes) + _TRAINED_POSITIONS)
    return -share.log2()


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
