"""Leading axes: the last of them may have a codebook each, all others share it."""

from torch import Tensor

__all__ = ["group_rows", "ungroup_rows"]


def group_rows(values: Tensor, batch: int, *, kept: int = 2) -> Tensor:
    """Put the rows of one codebook behind each other: (*E, *B, N, ...) to (*B, E N, ...).

    batch: how many axes B has. kept: how many stand behind them, N among these.

    >>> import torch
    >>> group_rows(torch.zeros(5, 2, 3, 8), batch=1).shape
    torch.Size([2, 15, 8])
    """
    extra = values.dim() - kept - batch
    if extra == 0:
        return values
    moved = values.movedim(tuple(range(extra)), tuple(range(batch, batch + extra)))
    return moved.flatten(batch, batch + extra)


def ungroup_rows(values: Tensor, rows: tuple[int, ...], batch: int) -> Tensor:
    """The way back: (*B, E N, ...) to (*rows, ...), rows being (*E, *B, N); contiguous.

    >>> import torch
    >>> ungroup_rows(torch.zeros(2, 15, 8), (5, 2, 3), batch=1).shape
    torch.Size([5, 2, 3, 8])
    """
    extra = len(rows) - 1 - batch
    if extra == 0:
        return values
    shape = (*rows[extra:-1], *rows[:extra], rows[-1], *values.shape[batch + 1 :])
    parts = values.reshape(shape)
    return parts.movedim(tuple(range(batch, batch + extra)), tuple(range(extra))).contiguous()
