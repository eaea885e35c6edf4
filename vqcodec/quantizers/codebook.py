"""One codebook that learns by exponential moving averages."""

from __future__ import annotations

import torch
from torch import Tensor

from vqcodec.processes import from_first_process, mean_over_processes
from vqcodec.quantizers.base import Float32Module
from vqcodec_kernels import code_statistics, nearest_code

__all__ = ["Codebook", "cost_in_bits"]


def cost_in_bits(share: Tensor, *, floor: float) -> Tensor:
    """Give the cost of codes by their shares (..., K), in bits.

    floor: part of the shares that is spread evenly, so that an unused code stays affordable.
    """
    floored = share + floor / share.shape[-1]
    return -(floored / floored.sum(-1, keepdim=True)).log2()


class Codebook(Float32Module):
    """K vectors, each the mean of what is assigned to it (van den Oord et al. 2017, appendix A.1).

    Code 0 is the zero vector and never moves: a residual that is not worth coding costs next to
    nothing, and no other code may settle beside it because it has the head start of its frequency.

    Attributes:
        vectors: float32 (K, D).
        share: float32 (K,), running share of the rows that choose each code.
        sums: float32 (K, D), running sum of those rows over the number of all rows.
        restarts: how many dead codes have been moved since the codebook was made.
        frozen: whether vectors stay as they are; shares go on being counted.
    """

    vectors: Tensor
    share: Tensor
    sums: Tensor

    def __init__(self, size: int, dim: int, *, decay: float = 0.98) -> None:
        super().__init__()
        self.decay = decay
        self.restarts = 0
        self.frozen = False
        self.register_buffer("vectors", torch.zeros(size, dim, dtype=torch.float32))
        self.register_buffer("share", torch.full((size,), 1 / size, dtype=torch.float32))
        self.register_buffer("sums", torch.zeros(size, dim, dtype=torch.float32))

    @property
    def size(self) -> int:
        """Number of codes K."""
        return len(self.vectors)

    def bits(self) -> Tensor:
        """Cost of each code under the running frequencies, float32 (K,), in bits."""
        return cost_in_bits(self.share, floor=1e-3)

    @torch.no_grad()
    def start(self, rows: Tensor, *, iterations: int = 10) -> None:
        """Lloyd's k-means on `rows` (N, D), from distinct rows drawn at random."""
        picks = torch.randperm(len(rows), device=rows.device)[: self.size - 1]
        self.vectors[1 : 1 + len(picks)] = rows[picks]
        for _ in range(iterations):
            counts, sums = code_statistics(rows, nearest_code(rows, self.vectors), self.size)
            used = counts > 0
            used[0] = False
            self.vectors[used] = sums[used] / counts[used, None]
        self.share.copy_(counts.float() / len(rows))
        self.sums.copy_(sums / len(rows))
        for statistics in (self.vectors, self.share, self.sums):
            statistics.copy_(from_first_process(statistics))

    @torch.no_grad()
    def update(self, rows: Tensor, codes: Tensor) -> Tensor:
        """Move every code but 0 towards the mean of the rows (N, D) that chose it, unless frozen.

        Returns the share of the rows that chose each code, float32 (K,), over all processes.
        """
        counts, sums = code_statistics(rows, codes, self.size)
        share = mean_over_processes(counts.float() / len(rows))
        self.share.lerp_(share, 1 - self.decay)
        if self.frozen:
            # The averages that belong to these vectors: whoever goes on from here starts there.
            self.sums.copy_(self.vectors * self.share[:, None])
            return share
        self.sums.lerp_(mean_over_processes(sums / len(rows)), 1 - self.decay)
        self.vectors[1:] = self.sums[1:] / self.share[1:, None].clamp_min(1e-9)
        return share

    @torch.no_grad()
    def restart(self, rows: Tensor, codes: Tensor, *, threshold: float = 0.03) -> None:
        """Move codes that are hardly used halfway between random rows (N, D) and their codes (N,).

        A code is dead below `threshold` times the uniform share. Codes lie nearer to zero than the
        rows that choose them: on a row itself it would be chosen by hardly another and die again.
        Its running averages start anew with it, or the next update would pull it back to where it
        died. Frozen codes stay.
        """
        if self.frozen:
            return
        dead = torch.nonzero(self.share[1:] < threshold / self.size).flatten() + 1
        dead = dead[: len(rows)]
        picks = torch.randperm(len(rows), device=rows.device)[: len(dead)]
        # Every process has the same averages, so the same codes are dead on all of them.
        places = from_first_process((rows[picks] + self.vectors[codes[picks]]) / 2)
        self.vectors[dead] = places
        self.share[dead] = 4 * threshold / self.size
        self.sums[dead] = places * self.share[dead, None]
        self.restarts += len(dead)
