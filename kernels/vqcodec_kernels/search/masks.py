"""Rows that a mask leaves out: they are searched as zeros and then taken out of what was found."""

from torch import Tensor

__all__ = ["hide_codes", "hide_counts", "hide_found", "hide_rows"]


def hide_rows(x: Tensor, mask: Tensor) -> Tensor:
    """x (..., N, D) with zeros where the mask (..., N) is False, whatever stood there."""
    return x.masked_fill(~mask.unsqueeze(-1), 0)


def hide_codes(codes: Tensor, mask: Tensor) -> Tensor:
    """Codes (..., N) with 0 where the mask is False; a row of zeros adds nothing to its sum."""
    return codes.masked_fill(~mask, 0)


def hide_counts(counts: Tensor, codes: Tensor, mask: Tensor) -> Tensor:
    """Counts (..., K) without the rows (..., N) that the mask leaves out."""
    return counts.scatter_add(-1, codes, -(~mask).long())


def hide_found(found: tuple[Tensor, ...], mask: Tensor) -> tuple[Tensor, ...]:
    """Values 0, error 0 and code -1 where the mask is False, and counts without these rows."""
    values, error, codes, counts = found
    return (
        hide_rows(values, mask),
        error.masked_fill(~mask, 0),
        codes.masked_fill(~mask, -1),
        hide_counts(counts, codes, mask),
    )
