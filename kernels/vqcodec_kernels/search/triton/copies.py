# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""Copies of codes, found by a table of hashes; one that is missed costs time and nothing else."""

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

__all__ = ["Twins", "find_copies", "hash_values", "no_twins", "note_places"]


class Twins(NamedTuple):
    """To find copies by: slots int32 (B, K), each code's place in a table, and the table.

    table: int32 (B, places), the lowest code of each place; K where there is none.
    """

    slots: Tensor
    table: Tensor


def no_twins(batches: int, size: int, device: torch.device) -> tuple[int, Twins]:
    """The number of places of an empty table for codebooks (batches, size, D), and the table."""
    places = 4 * triton.next_power_of_2(size)
    return places, Twins(
        torch.empty((batches, size), dtype=torch.int32, device=device),
        torch.full((batches, places), size, dtype=torch.int32, device=device),
    )


@triton.jit
def hash_values(hashed, values, columns):
    """Hashes (codes,) int64 of what came before and of values (codes, columns)."""
    # Adding zero makes one of both zeros. All numbers stay within 63 bits.
    mixed = (values + 0.0).to(tl.int32, bitcast=True) * (2 * columns + 0x9E3B)[None, :]
    mixed = tl.sum((mixed ^ (mixed >> 15)).to(tl.int64) & 0x7FFFFFFF, axis=1)
    hashed = ((hashed ^ mixed) & 0x7FFFFFFF) * 0x2C1B3C6D
    return (hashed ^ (hashed >> 17)) & 0x7FFFFFFF


@triton.jit
def note_places(codebooks, twins, batch, codes, hashed, K, PLACES):
    """Write down the place of each code, and there the lowest code that is not forbidden."""
    live = codes < K
    slots = (hashed & (PLACES - 1)).to(tl.int32)
    tl.store(twins.slots + batch * K + codes, slots, mask=live)
    # A code that is forbidden is no reason to drop its copies.
    if codebooks.bias is not None:
        live &= tl.load(codebooks.bias + batch * K + codes, mask=live, other=0.0) < float("inf")
    tl.atomic_min(twins.table + batch * PLACES + slots, codes.to(tl.int32), mask=live)


@triton.jit
def find_copies(codebooks, twins, batch, codes, K, D, PLACES, BLOCK_D: tl.constexpr):
    """Whether each code is forbidden, or a copy of an earlier one that is no dearer."""
    live = codes < K
    slots = tl.load(twins.slots + batch * K + codes, mask=live, other=0)
    first = tl.load(twins.table + batch * PLACES + slots, mask=live, other=0).to(tl.int64)
    same = live & (first < codes)
    for start in range(0, D, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        mask = same[:, None] & (columns < D)[None, :]
        source = codebooks.vectors + batch * K * D + columns[None, :]
        values = tl.load(source + codes[:, None] * D, mask=mask, other=0.0)
        others = tl.load(source + first[:, None] * D, mask=mask, other=0.0)
        same &= tl.max((values != others).to(tl.int32), axis=1) == 0
    if codebooks.bias is not None:
        biases = codebooks.bias + batch * K
        bias = tl.load(biases + codes, mask=live, other=0.0)
        same &= tl.load(biases + first, mask=same, other=0.0) <= bias
        same |= live & (bias == float("inf"))
    return same
