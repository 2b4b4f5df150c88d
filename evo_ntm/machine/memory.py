"""What a head does where it looks: equations 2 to 4 of Graves, Wayne and Danihelka (2014).

Memory lies column by column: its rows, of which there are many, are innermost in storage,
and `write` keeps them so. That halves the time of a step; the logical shape is `[N, M]` all the same.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def read(
    M: Float[Tensor, "*batch N M"], w: Float[Tensor, "*batch H N"]
) -> Float[Tensor, "*batch H M"]:
    """Blend the rows by their weights."""
    return w @ M  # eq. 2


def write(
    M: Float[Tensor, "*batch N M"],
    w: Float[Tensor, "*batch H N"],
    e: Float[Tensor, "*batch H M"],
    a: Float[Tensor, "*batch H M"],
) -> Float[Tensor, "*batch N M"]:
    """Erase with every head, then add with every head."""
    w, e, a = w.unsqueeze(-2), e.unsqueeze(-1), a.unsqueeze(-1)
    kept = torch.prod(1 - e * w, dim=-3).mT
    return M * kept + (a * w).sum(dim=-3).mT  # eq. 3, 4
