"""Sums along an axis that keep the lanes innermost in storage.

Thousands of lanes do the same operations on a handful of numbers each. An operation is fast over
long rows of neighbouring numbers, so lanes lie side by side, whatever the shape says: a memory
`[*batch, N, M]` is stored as `[N, M, *batch]`. Elementwise operations keep such an order; torch's
sums, softmaxes and concatenations do not, so they are taken here, over a view in stored order.
"""

import math
import threading
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

MOST_PLACES = 256
MOST_NUMBERS = 2**24  # for each thread to keep: 64 MiB


@lru_cache(maxsize=4096)
def _orders(strides: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Order the axes as they are stored, outermost first; and say how to go back."""
    stored = sorted(range(len(strides)), key=lambda axis: -strides[axis])
    return tuple(stored), tuple(sorted(range(len(strides)), key=stored.__getitem__))


def innermost(x: Tensor) -> Tensor:
    """Store the last axis outermost, and so the lanes innermost."""
    if not x.is_contiguous():
        return x.movedim(-1, 0).contiguous().movedim(0, -1)
    columns = x.reshape(-1, x.shape[-1]).T.contiguous()  # two axes are turned faster than three
    return columns.view(-1, *x.shape[:-1]).movedim(0, -1)


class _Workspace(threading.local):
    """Where one thread puts products that are used up at once."""

    def __init__(self) -> None:
        self.numbers = torch.empty(0)
        self.places: dict[tuple[object, ...], Tensor] = {}

    def place(self, x: Tensor, y: Tensor) -> Tensor:
        """Find the place of a product."""
        key = x.shape, x.stride(), y.shape, y.stride(), x.dtype
        place = self.places.get(key)
        return self._new_place(key, x, y) if place is None else place

    def _new_place(self, key: tuple[object, ...], x: Tensor, y: Tensor) -> Tensor:
        shape = [max(sizes) for sizes in zip(x.shape, y.shape, strict=True)]
        stored, back = _orders(tuple(map(max, x.stride(), y.stride())))
        numbers = self._reserve(math.prod(shape), x.dtype)
        place = numbers.view([shape[axis] for axis in stored]).permute(back)
        if len(numbers) <= MOST_NUMBERS:
            self.places[key] = place
        return place

    def _reserve(self, count: int, dtype: torch.dtype) -> Tensor:
        if count > MOST_NUMBERS:
            return torch.empty(count, dtype=dtype)
        grows = self.numbers.numel() < count or self.numbers.dtype != dtype
        if grows or len(self.places) == MOST_PLACES:
            self.places.clear()
        if grows:
            with torch.inference_mode(False):
                self.numbers = torch.empty(count, dtype=dtype)
        return self.numbers[:count]


workspace = _Workspace()


def product(x: Tensor, y: Tensor) -> Tensor:
    """Multiply; in inference mode on the CPU the result is lost when this thread multiplies again.

    To be given fresh pages by the operating system can take ten times as long as to multiply.
    """
    if not (torch.is_inference_mode_enabled() and x.is_cpu):
        return x * y
    return torch.mul(x, y, out=workspace.place(x, y))


def dot(x: Tensor, y: Tensor, axis: int) -> Tensor:
    """Sum the products along an axis, counted from the end."""
    terms = product(x, y)
    stored, back = _orders(terms.stride())
    along = stored.index(terms.ndim + axis)
    return terms.permute(stored).sum(along, keepdim=True).permute(back).squeeze(axis)


def softmax(x: Tensor) -> Tensor:
    """Take the softmax along the last axis."""
    stored, back = _orders(x.stride())
    return torch.softmax(x.permute(stored), stored.index(x.ndim - 1)).permute(back)


def join(parts: Sequence[Tensor], axis: int) -> Tensor:
    """Put tensors that are stored alike one after another along an axis, counted from the end."""
    stored, back = _orders(parts[0].stride())
    along = stored.index(parts[0].ndim + axis)
    return torch.cat([part.permute(stored) for part in parts], along).permute(back)


def take(x: Tensor, index: Tensor, axis: int) -> Tensor:
    """Choose by index along an axis, counted from the end."""
    stored, back = _orders(x.stride())
    return x.permute(stored).index_select(stored.index(x.ndim + axis), index).permute(back)


def around(x: Tensor, reach: int) -> Tensor:
    """Close the last axis to a ring: the other end goes on beyond either end."""
    if reach > x.shape[-1]:
        return around(around(x, x.shape[-1]), reach - x.shape[-1])
    return join([x[..., x.shape[-1] - reach :], x, x[..., :reach]], -1)
