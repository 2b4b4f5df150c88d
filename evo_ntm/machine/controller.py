"""Thought: one step of a feed-forward or an LSTM controller.

Source of the LSTM: Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and
Cummins (2000); layers are stacked, each hearing only the one below, and carry learned first states.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine.weights import Layer

MANY_LANES = 16  # with fewer, a product is several times faster if they are not its columns
Carry = tuple[tuple[Tensor, Tensor], ...]


def arrive(
    there: Float[Tensor, "... K"],
    sent: Float[Tensor, "*batch J"],
    wires: Float[Tensor, "*population J K"],
) -> Float[Tensor, "*batch K"]:
    """Add what arrives over wires to what is there, a bias or a sum."""
    if not sent.shape[-1]:
        return there
    if sent.ndim != 3:
        return there + sent @ wires
    if sent.shape[-2] < MANY_LANES:
        return torch.baddbmm(there, sent, wires)
    return torch.baddbmm(there.mT, wires.mT, sent.mT).mT


def think(
    layers: tuple[Layer, ...],
    heard: Float[Tensor, "*batch K"],
    reads: Float[Tensor, "*batch RM"],
    carry: Carry,
) -> tuple[Float[Tensor, "*batch U"], Carry]:
    """Pass what was heard and read up through the layers.

    `heard` is the input's share of the first layer's sum, with its bias. An empty carry means a
    dense controller.
    """
    first, *above = layers
    arriving = arrive(heard, reads, first.reads)
    if not carry:
        hidden = torch.tanh(arriving)
        for layer in above:
            hidden = torch.tanh(arrive(layer.bias, hidden, layer.below))
        return hidden, ()
    after = [lstm(first, arriving, *carry[0])]
    for layer, before in zip(above, carry[1:], strict=True):
        after.append(lstm(layer, arrive(layer.bias, after[-1][0], layer.below), *before))
    return after[-1][0], tuple(after)


def lstm(
    layer: Layer,
    arriving: Float[Tensor, "*batch K"],
    hidden: Float[Tensor, "*batch U"],
    cell: Float[Tensor, "*batch U"],
) -> tuple[Float[Tensor, "*batch U"], Float[Tensor, "*batch U"]]:
    """Open and shut the gates of one layer."""
    i, f, z, o = arrive(arriving, hidden, layer.before).chunk(4, dim=-1)
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(z)
    return torch.sigmoid(o) * torch.tanh(cell), cell
