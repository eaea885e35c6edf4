"""Residual vector quantization: each stage codes what the stages before it left over."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vqcodec.processes import mean_over_processes, on_any_process
from vqcodec.quantizers.base import Float32Module, Quantized
from vqcodec.quantizers.codebook import Codebook, cost_in_bits
from vqcodec_kernels import beam_codes, nearest_code, residual_codes
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["ResidualQuantizer", "usage_of"]

# Once codebooks settle: averages over four times as many steps, for codes that are seldom chosen.
_SETTLED_DECAY = 0.995

# Share of the running shares that is spread over all codes: one that a price has silenced costs
# two bytes, not the world, and comes back when it is worth that.
_FLOOR = 0.01


class ResidualQuantizer(Float32Module):
    """S codebooks in a row (Juang and Gray 1982; SoundStream, Zeghidour et al. 2021).

    Works on latents (B, D, *positions) with one or two position axes, in float32 whatever the
    autocast state and stays so when the model is cast: half precision turns near ties into wrong
    codes and starves the averages.

    Attributes:
        residual_energy: float32 (S,), running mean square that is left after each stage when the
            search looks at distortion alone, per latent dimension.
        shares: float32 (S, S, K); shares[n - 1, s] are the running shares of the codes of stage s
            when n stages are searched at a price. The dearer a bit, the more often a stage keeps
            silent, so every number of stages has costs of its own.
    """

    residual_energy: Tensor
    shares: Tensor

    def __init__(self, dim: int, *, stages: int, codebook_size: int, decay: float = 0.98) -> None:
        super().__init__()
        self.codebooks = nn.ModuleList(
            Codebook(codebook_size, dim, decay=decay) for _ in range(stages)
        )
        self.register_buffer("residual_energy", torch.zeros(stages, dtype=torch.float32))
        uniform = torch.full(
            (stages, stages, codebook_size), 1 / codebook_size, dtype=torch.float32
        )
        self.register_buffer("shares", uniform)

    def lagrangian(self, mu: float, stages: int | None = None) -> float:
        """Squared distance that one bit is worth, in latent units.

        At high rate the squared error of a D-dimensional quantizer falls by 2 ln 2 / D of itself
        per bit; mu = 1 trades at that slope for the error that the last of `stages` leaves.
        """
        left = self.residual_energy[len(self.codebooks) - 1 if stages is None else stages - 1]
        return mu * 2 * math.log(2) * float(left)

    def bits(self, stages: int) -> Tensor:
        """Cost of every code when `stages` stages are searched at a price, float32 (stages, K)."""
        return cost_in_bits(self.shares[stages - 1, :stages], floor=_FLOOR)

    @property
    def frozen(self) -> bool:
        """Whether vectors stay as they are."""
        return all(book.frozen for book in self.books())

    def freeze(self) -> None:
        """Leave all vectors as they are from now on: codes keep their meaning."""
        for book in self.books():
            book.frozen = True

    def settle(self) -> None:
        """Average over more steps from now on: the latent hardly moves any more."""
        for book in self.books():
            book.decay = _SETTLED_DECAY

    @torch.no_grad()
    def start(self, latent: Tensor) -> None:
        """Fit every stage in turn by k-means on latents (B, D, *positions)."""
        residual = _rows(latent.float())
        for stage, codebook in enumerate(self.books()):
            codebook.start(residual)
            residual = residual - codebook.vectors[nearest_code(residual, codebook.vectors)]
            self.residual_energy[stage] = mean_over_processes(residual.square().mean())
            self.shares[:, stage] = codebook.share

    def forward(
        self,
        latent: Tensor,
        *,
        mu: float = 0.0,
        restart: bool = False,
        stages: int | None = None,
        beams: int = 1,
    ) -> Quantized:
        """Quantize with gradients passing straight through; learn when in training mode.

        Args:
            latent: float (B, D, *positions); in training neither empty nor NaN nor infinite.
            mu: weight of the rate in the search (see `lagrangian`); 0 looks at distortion alone.
            restart: move dead codes onto residuals of this batch.
            stages: how many stages to use; all by default.
            beams: candidates that the search keeps for each position; 1 is stage by stage.
        """
        with torch.no_grad(), torch.autocast(latent.device.type, enabled=False):
            rows = _rows(latent.detach().float())
            unfit = ~rows.isfinite().all() | (len(rows) == 0)
            if self.training and on_any_process(unfit):
                # Before the first average: a process that stopped there alone would be waited for.
                raise InvalidInputError(
                    "the latent must be finite and not empty on every process, got "
                    f"{tuple(latent.shape)} here"
                )
            books = self.books()[:stages]
            costs = self.bits(len(books)) if mu else torch.stack([book.bits() for book in books])
            biases = costs * self.lagrangian(mu, stages) if mu else None
            codes = _search(rows, torch.stack([book.vectors for book in books]), biases, beams)
            residual, bits = rows, rows.new_zeros(())
            for stage, (codebook, chosen) in enumerate(zip(books, codes.unbind(1), strict=True)):
                bits = bits + _mean(costs[stage, chosen])
                left = residual - codebook.vectors[chosen]
                if self.training:
                    share = self._learn(stage, residual, chosen, left, mu=mu, restart=restart)
                    if mu:
                        self.shares[len(books) - 1, stage].lerp_(share, 1 - codebook.decay)
                residual = left
            values = _unrows(rows - residual, latent)
        commitment = _mean((latent.float() - values).square())
        straight = latent + (values - latent).detach()
        return Quantized(straight, _codes(codes, latent), commitment, bits)

    def _learn(
        self, stage: int, rows: Tensor, codes: Tensor, left: Tensor, *, mu: float, restart: bool
    ) -> Tensor:
        """Learn from a stage's rows; return the share of each code among them."""
        codebook = self.books()[stage]
        share = codebook.update(rows, codes)
        if restart:
            codebook.restart(rows, codes)
        if mu == 0:
            # Measured only without a Lagrangian: a price that grew with the error it causes would
            # drive itself up until every code is zero.
            energy = mean_over_processes(left.square().mean())
            self.residual_energy[stage].lerp_(energy, 1 - codebook.decay)
        return share

    def reconstruct(self, codes: Tensor) -> Tensor:
        """Sum the vectors of codes (B, S', *positions), S' <= S -> float32 (B, D, *positions)."""
        books = self.books()[: codes.shape[1]]
        values = sum(book.vectors[codes[:, stage]] for stage, book in enumerate(books))
        if not isinstance(values, Tensor):
            dim = self.books()[0].vectors.shape[1]
            values = self.residual_energy.new_zeros(len(codes), *codes.shape[2:], dim)
        return values.movedim(-1, 1)

    def usage(self) -> list[tuple[int, float]]:
        """Per stage: how many codes are alive, and the perplexity of the running frequencies."""
        return [usage_of(codebook.share) for codebook in self.books()]

    def books(self) -> list[Codebook]:
        """The codebooks, first stage first."""
        return list(self.codebooks)  # type: ignore[arg-type]


def usage_of(frequencies: Tensor) -> tuple[int, float]:
    """How many of K codes are alive (3 % of the uniform share or more), and their perplexity.

    frequencies: (K,), not negative; only their proportions count.
    """
    share = frequencies / frequencies.sum().clamp_min(1e-12)
    entropy = -(share * share.clamp_min(1e-12).log()).sum()
    return int((share > 0.03 / len(share)).sum()), float(entropy.exp())


def _search(rows: Tensor, codebooks: Tensor, biases: Tensor | None, beams: int) -> Tensor:
    """Codes int64 (N, S) of rows (N, D)."""
    if beams == 1:
        return residual_codes(rows, codebooks, biases)
    return beam_codes(rows.contiguous(), codebooks, biases, beams=beams)[0]


def _mean(values: Tensor) -> Tensor:
    """The mean, and 0 for that of nothing."""
    return values.mean() if values.numel() else values.sum()


def _rows(latent: Tensor) -> Tensor:
    """(B, D, *positions) -> (B * positions, D)."""
    return latent.movedim(1, -1).reshape(-1, latent.shape[1])


def _unrows(rows: Tensor, like: Tensor) -> Tensor:
    """(B * positions, D) -> the shape of `like`."""
    return rows.reshape(len(like), *like.shape[2:], rows.shape[1]).movedim(-1, 1)


def _codes(rows: Tensor, like: Tensor) -> Tensor:
    """(B * positions, S) -> (B, S, *positions)."""
    return rows.reshape(len(like), *like.shape[2:], rows.shape[1]).movedim(-1, 1)
