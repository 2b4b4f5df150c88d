"""Sums along an axis that keep the lanes innermost in storage.

Thousands of lanes do the same operations on a handful of numbers each. An operation is fast over
long rows of neighbouring numbers, so lanes lie side by side, whatever the shape says: a memory
`[*batch, N, M]` is stored as `[N, M, *batch]`. Elementwise operations keep such an order; torch's
sums, softmaxes and concatenations do not, so they are taken here, over a view in stored order.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=4096)
def _orders(strides: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Order the axes as they are stored, outermost first; and say how to go back."""
    stored = sorted(range(len(strides)), key=lambda axis: -strides[axis])
    return tuple(stored), tuple(sorted(range(len(strides)), key=stored.__getitem__))


def innermost(x: Tensor) -> Tensor:
    """Store the last axis outermost, and so the lanes innermost."""
    return x.movedim(-1, 0).contiguous().movedim(0, -1)


def total(x: Tensor, axis: int) -> Tensor:
    """Sum along an axis, counted from the end."""
    stored, back = _orders(x.stride())
    along = stored.index(x.ndim + axis)
    return x.permute(stored).sum(along, keepdim=True).permute(back).squeeze(axis)


def softmax(x: Tensor) -> Tensor:
    """Take the softmax along the last axis."""
    stored, back = _orders(x.stride())
    return torch.softmax(x.permute(stored), stored.index(x.ndim - 1)).permute(back)


def join(parts: Sequence[Tensor], axis: int) -> Tensor:
    """Put tensors that are stored alike one after another along an axis, counted from the end."""
    stored, back = _orders(parts[0].stride())
    along = stored.index(parts[0].ndim + axis)
    return torch.cat([part.permute(stored) for part in parts], along).permute(back)


def roll(x: Tensor, offset: int) -> Tensor:
    """Move the last axis on by an offset, what falls off coming back in at the other end."""
    begin = -offset % x.shape[-1]
    return join([x[..., begin:], x[..., :begin]], -1) if begin else x
