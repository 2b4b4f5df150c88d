"""What a head does where it looks: equations 2 to 4 of Graves, Wayne and Danihelka (2014)."""

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine.lanes import dot, product


def read(
    M: Float[Tensor, "*batch N M"], w: Float[Tensor, "*batch H N"]
) -> Float[Tensor, "*batch H M"]:
    """Blend the rows by their weights."""
    return dot(w.unsqueeze(-1), M.unsqueeze(-3), -2)  # eq. 2


def write(
    M: Float[Tensor, "*batch N M"],
    w: Float[Tensor, "*batch H N"],
    e: Float[Tensor, "*batch H M"],
    a: Float[Tensor, "*batch H M"],
    *,
    out: Float[Tensor, "*batch N M"] | None = None,
) -> Float[Tensor, "*batch N M"]:
    """Erase with every head, then add with every head; `out` may be M itself."""
    w, e, a = w.unsqueeze(-1), e.unsqueeze(-2), a.unsqueeze(-2)
    for w_i, e_i in zip(w.unbind(-3), e.unbind(-3), strict=True):
        M = torch.addcmul(M, w_i, product(e_i, M), value=-1, out=out)  # eq. 3
    for w_i, a_i in zip(w.unbind(-3), a.unbind(-3), strict=True):
        M = torch.addcmul(M, w_i, a_i, out=out)  # eq. 4
    return M
