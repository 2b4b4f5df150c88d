"""Thought: one step of a feed-forward or an LSTM controller.

Source of the LSTM: Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and
Cummins (2000); layers are stacked, each hearing only the one below, and carry learned first states.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine.weights import Layer

Carry = tuple[tuple[Tensor, Tensor], ...]


def think(
    layers: tuple[Layer, ...],
    heard: Float[Tensor, "*batch GU"],
    reads: Float[Tensor, "*batch RM"],
    carry: Carry,
) -> tuple[Float[Tensor, "*batch U"], Carry]:
    """Pass what was heard and read up through the layers.

    `heard` is the input's share of the first layer's sum, with its bias. An empty carry means a
    dense controller.
    """
    if not carry:
        hidden = torch.tanh(heard + reads @ layers[0].beside)
        for layer in layers[1:]:
            hidden = torch.tanh(hidden @ layer.below + layer.bias)
        return hidden, ()
    after = []
    for number, (layer, (hidden, cell)) in enumerate(zip(layers, carry, strict=True)):
        if number == 0:
            arriving = heard + torch.cat([reads, hidden], dim=-1) @ layer.beside
        else:
            arriving = after[-1][0] @ layer.below + hidden @ layer.beside + layer.bias
        after.append(lstm(arriving, cell))
    return after[-1][0], tuple(after)


def lstm(
    arriving: Float[Tensor, "*batch 4U"], cell: Float[Tensor, "*batch U"]
) -> tuple[Float[Tensor, "*batch U"], Float[Tensor, "*batch U"]]:
    """Open and shut the gates of one layer."""
    i, f, z, o = arriving.chunk(4, dim=-1)
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(z)
    return torch.sigmoid(o) * torch.tanh(cell), cell
