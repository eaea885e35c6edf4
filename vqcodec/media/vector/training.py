"""Codebooks of vectors: stage after stage by k-means, then all of them together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.media.vector.budget import Plan
from vqcodec.media.vector.codebook import Codebook, pack_codebook
from vqcodec_kernels.search import ops

__all__ = ["Effort", "Projection", "choose_codes", "project", "train"]

Tick = Callable[[], None]

_LLOYD_STEPS = 8
# Of what is left over of a vector, as a code to begin with: at full length the shortest few codes
# would be the nearest of all, as most are at right angles to each other.
_SHRUNK = 0.3
_SOLVER_STEPS = 10
_SOLVED, _ROUNDING, _TINY = 1e-10, 1e-12, 1e-20
_LARGEST_ENTRY = 127
_SEED = 7


@dataclass(frozen=True)
class Effort:
    """rounds: how often codes and tables are chosen in turn. beams: then; final: for good.

    sweeps: how often, for good, every code is chosen once more when all others are known.
    """

    rounds: int
    beams: int
    final: int
    sweeps: int


@dataclass(frozen=True, eq=False)
class Projection:
    """Vectors to the components that tables are of: mean + components @ basis * worth * scale.

    mean: float32 (D,). basis: int8 (d, D). worth: of 1 in the basis. scale: of 1 of a component.
    matrix: float32 (D, d), the inverse of the basis.
    """

    mean: NDArray[np.float32]
    basis: NDArray[np.int8]
    worth: float
    matrix: NDArray[np.float32]
    scale: float

    def of(self, rows: NDArray[np.float32]) -> Tensor:
        """Components of vectors, (n, D) to (n, d)."""
        centred = (rows - self.mean) / np.float32(self.worth * self.scale)
        return torch.from_numpy(centred @ self.matrix)


def project(
    mean: NDArray[np.float64], axes: NDArray[np.float64], spectrum: NDArray[np.float64]
) -> Projection:
    """Round principal axes (d, D) to bytes; the inverse is that of what was rounded."""
    largest = float(np.abs(axes).max(initial=1e-9))
    worth = 2.0 ** math.ceil(math.log2(largest / _LARGEST_ENTRY))
    basis = np.rint(axes / worth).astype(np.int8)
    scale = math.sqrt(float(spectrum.mean())) or 1.0
    return _projection(mean.astype(np.float32), basis, worth, scale)


def undo(book: Codebook) -> Projection:
    """To the components of a codebook that is there already, of whose tables 1 is worth 1."""
    return _projection(book.mean, book.basis, book.unit, 1.0)


def _projection(
    mean: NDArray[np.float32], basis: NDArray[np.int8], worth: float, scale: float
) -> Projection:
    inverse = np.linalg.pinv(basis.astype(np.float64))
    return Projection(mean, basis, worth, np.ascontiguousarray(inverse, np.float32), scale)


def train(
    rows: NDArray[np.float32], projection: Projection, plan: Plan, effort: Effort, tick: Tick
) -> Codebook:
    """A codebook of vectors like these, float32 (n, D).

    tick: is told of each of `stages + rounds + 1` steps.
    """
    components = projection.of(rows)
    generator = torch.Generator().manual_seed(_SEED)
    tables = _stage_by_stage(components, plan, generator, tick)
    for _ in range(effort.rounds):
        codes, _ = ops.beam_codes(components, tables, beams=effort.beams)
        tables = _solved(components, tables, codes, general=plan.table_bytes is None)
        tick()
    book = _rounded(tables, projection, plan)
    tick()
    return book


def choose_codes(components: Tensor, tables: Tensor, *, beams: int, sweeps: int) -> Tensor:
    """Codes int64 (n, S) of components (n, d) among tables (S, K, d), near to the best.

    A beam search, then sweeps in which each stage's code is the nearest to what all others leave.
    """
    codes, _ = ops.beam_codes(components, tables, beams=beams)
    for _ in range(sweeps):
        left = components - _sum(tables, codes)
        for stage, table in enumerate(tables):
            left += table[codes[:, stage]]
            codes[:, stage] = ops.nearest_code(left, table)
            left -= table[codes[:, stage]]
    return codes


def _stage_by_stage(
    components: Tensor, plan: Plan, generator: torch.Generator, tick: Tick
) -> Tensor:
    """Tables (S, K, d) of k-means, each of what the ones before it leave."""
    left, tables = components.clone(), []
    for _ in range(plan.stages):
        table = _drawn(left, plan.size, generator)
        for _ in range(_LLOYD_STEPS):
            chosen = ops.nearest_code(left, table)
            counts, sums = ops.code_statistics(left, chosen, plan.size)
            used = counts > 0
            table[used] = sums[used] / counts[used, None]
            table[~used] = _drawn(left, int((~used).sum()), generator)
        left -= table[ops.nearest_code(left, table)]
        tables.append(table)
        tick()
    return torch.stack(tables)


def _drawn(left: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Codes (count, d) to begin with."""
    return _SHRUNK * left[torch.randint(len(left), (count,), generator=generator)]


def _solved(components: Tensor, tables: Tensor, codes: Tensor, *, general: bool) -> Tensor:
    """Tables that bring the sums of given codes nearest to the components, by least squares.

    As in additive quantization (Babenko and Lempitsky 2014), by conjugate gradients on the normal
    equations, preconditioned by how often each code is used, from the tables that there are.
    general: with a ridge, for vectors that are not among these; its weight is what is left of a
    vector by the square of an entry, which is best where both are Gaussian.
    """
    _, size, dim = tables.shape
    together = _together(codes, size)
    if general:
        left = (components - _sum(tables, codes)).square().sum(dim=1).mean()
        entry = tables.square().sum(dim=2).mean()
        together.diagonal().add_(float(left / entry.clamp(min=_TINY)))
    counts = together.diagonal().unsqueeze(1)
    inverse = 1 / counts.clamp(min=1)
    wanted = torch.cat([_added(components, chosen, size) for chosen in codes.T])
    found = tables.reshape(-1, dim).clone()
    residual = wanted - together @ found
    direction = residual * inverse
    power = (residual * direction).sum(dim=0)
    # What is solved already, to the last bits of what is wanted, stays as it is: what is left there
    # is rounding, and where codes are never told apart nothing holds entries that follow it.
    rounding = _ROUNDING * (wanted.square() * inverse).sum(dim=0)
    least = torch.maximum(power * _SOLVED, rounding) + _TINY
    for _ in range(_SOLVER_STEPS):
        image = together @ direction
        step = torch.where(power > least, power / (direction * image).sum(dim=0), 0)
        found += step * direction
        residual -= step * image
        ahead = residual * inverse
        before, power = power, (residual * ahead).sum(dim=0)
        direction = ahead + torch.where(before > least, power / before, 0) * direction
    return found.reshape(tables.shape)


def _together(codes: Tensor, size: int) -> Tensor:
    """How often two codes stand in one vector, float32 (S * K, S * K), of codes (n, S)."""
    stages = codes.shape[1]
    out = torch.empty(stages, size, stages, size)
    for first in range(stages):
        for second in range(first, stages):
            pairs = codes[:, first] * size + codes[:, second]
            counts = torch.bincount(pairs, minlength=size * size).reshape(size, size).float()
            out[first, :, second] = counts
            out[second, :, first] = counts.T
    return out.reshape(stages * size, stages * size)


def _added(components: Tensor, chosen: Tensor, size: int) -> Tensor:
    """The sums (K, d) of the components that chose each code."""
    return torch.zeros(size, components.shape[1]).index_add_(0, chosen, components)


def _sum(tables: Tensor, codes: Tensor) -> Tensor:
    """The sums (n, d) of the entries of codes (n, S)."""
    stages, size, dim = tables.shape
    places = codes + torch.arange(stages) * size
    return torch.nn.functional.embedding_bag(places, tables.reshape(-1, dim), mode="sum")


def _rounded(tables: Tensor, projection: Projection, plan: Plan) -> Codebook:
    """The codebook of tables in the finest steps that bytes and the plan hold."""
    least = max(float(tables.abs().max()) / _LARGEST_ENTRY, 1e-9)
    if plan.table_bytes is None:
        return _in_steps(tables, projection, least)
    wanted = len(pack_codebook(_in_steps(tables * 0, projection, 1.0))) + plan.table_bytes
    low, high = least, 2.0 * float(tables.abs().max()) + least
    if len(pack_codebook(_in_steps(tables, projection, low))) <= wanted:
        return _in_steps(tables, projection, low)
    for _ in range(10):
        middle = math.sqrt(low * high)
        fits = len(pack_codebook(_in_steps(tables, projection, middle))) <= wanted
        low, high = (low, middle) if fits else (middle, high)
    return _in_steps(tables, projection, high)


def _in_steps(tables: Tensor, projection: Projection, step: float) -> Codebook:
    """Tables as whole numbers of steps; all codes are as likely as each other."""
    entries = torch.round(tables / step).clamp(-_LARGEST_ENTRY, _LARGEST_ENTRY)
    stages, size, _ = tables.shape
    share, more = divmod(1 << 16, size)
    row = np.full(size, share, np.int64)
    row[:more] += 1
    return Codebook(
        mean=projection.mean,
        basis=projection.basis,
        tables=entries.to(torch.int8).numpy(),
        frequencies=np.tile(np.minimum(row, 65535).astype(np.uint16), (stages, 1)),
        unit=step * projection.scale * projection.worth,
    )
