"""Where a head looks: equations 5 to 9 of Graves, Wayne and Danihelka (2014).

| letter  | word       | made by      | range       |
|---------|------------|--------------|-------------|
| `k`     | key        | identity     | any         |
| `beta`  | strength   | softplus     | (0, inf)    |
| `g`     | gate       | sigmoid      | (0, 1)      |
| `s`     | shift      | softmax      | (0, 1), sum 1 |
| `gamma` | sharpening | 1 + softplus | (1, inf)    |
| `w`     | weighting  | these        | (0, 1), sum 1 (eq. 1) |

The leading axes are anybody's: one machine, a batch, a population of batches.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine.lanes import around, dot, softmax


def norm(u: Float[Tensor, "*batch M"], eps: float) -> Float[Tensor, "*batch"]:
    """Measure vectors; `eps` is the least that any measures, and silent columns add nothing."""
    return (dot(u, u, -1) + eps * eps).sqrt()


def content(
    M: Float[Tensor, "*batch N M"],
    k: Float[Tensor, "*batch H M"],
    beta: Float[Tensor, "*batch H"],
    *,
    eps: float = 1e-6,
) -> Float[Tensor, "*batch H N"]:
    """Look for the rows most like the key.

    `eps` damps the cosine, so that value and gradient are finite at zero rows and keys and a
    blank row does not score like a full one.
    """
    return seek(M, press(k, beta, eps), norm(M, eps))


def press(
    k: Float[Tensor, "*batch H M"], beta: Float[Tensor, "*batch H"], eps: float
) -> Float[Tensor, "*batch H M"]:
    """Make keys as long as their strength: what equations 5 and 6 have that no row changes."""
    return k * (beta / norm(k, eps)).unsqueeze(-1)


def seek(
    M: Float[Tensor, "*batch N M"],
    pressed: Float[Tensor, "*batch H M"],
    lengths: Float[Tensor, "*batch N"],
) -> Float[Tensor, "*batch H N"]:
    """Look for the rows most like the key, given their lengths."""
    beta_K = dot(pressed.unsqueeze(-2), M.unsqueeze(-3), -1) / lengths.unsqueeze(-2)  # eq. 6
    return softmax(beta_K)  # eq. 5


def interpolate(
    w_content: Float[Tensor, "*batch H N"],
    w_previous: Float[Tensor, "*batch H N"],
    g: Float[Tensor, "*batch H"],
) -> Float[Tensor, "*batch H N"]:
    """Choose between what was looked for and where the head was."""
    return torch.lerp(w_previous, w_content, g.unsqueeze(-1))  # eq. 7


def shift(
    w: Float[Tensor, "*batch H N"], s: Float[Tensor, "*batch H S"]
) -> Float[Tensor, "*batch H N"]:
    """Turn the weighting around the ring of rows; the middle of `s` stands for staying."""
    N, S = w.shape[-1], s.shape[-1]
    ring, (s_0, *more) = around(w, S // 2), s.unsqueeze(-1).unbind(-2)
    turned = s_0 * ring[..., S - 1 : S - 1 + N]
    for j, s_j in enumerate(more, start=1):
        turned = torch.addcmul(turned, s_j, ring[..., S - 1 - j : S - 1 - j + N])  # eq. 8
    return turned


def sharpen(
    w: Float[Tensor, "*batch H N"], gamma: Float[Tensor, "*batch H"]
) -> Float[Tensor, "*batch H N"]:
    """Draw the weighting together, by logarithms: w ** gamma is all zeros for large gamma."""
    tiny = torch.finfo(w.dtype).tiny
    return softmax(gamma.unsqueeze(-1) * w.clamp_min(tiny).log())  # eq. 9
