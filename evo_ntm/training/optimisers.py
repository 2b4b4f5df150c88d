"""Optimisers as pure functions: a gradient and what came before it in, a change and moments out.

Every operation is one elementwise operation of torch in the precision of the gradient, so that the
same gradients give the same changes, bit for bit, on every device.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

BLOCK = 1024

Flat = Float[Tensor, "*population D"]
Moments = Mapping[str, Tensor]
"""What an optimiser remembers of earlier gradients, by name. Never changed in place."""


class Optimiser(Protocol):
    """How gradients become changes of what they were taken of."""

    def begin(self, parameters: Flat) -> Moments:
        """Remember nothing yet."""

    def change(
        self, gradient: Flat, moments: Moments, *, rate: float, step: int
    ) -> tuple[Flat, Moments]:
        """Give what is to be added to the parameters, and what is to be remembered of it.

        `rate` is the learning rate of this step, and `step` counts from 0.
        """


@dataclass(frozen=True)
class RMSProp:
    """RMSProp as Graves (2013, arXiv:1308.0850) wrote it: centred, with momentum.

    `epsilon` stands within the root; torch's own stands outside of it.
    """

    decay: float = 0.95
    momentum: float = 0.9
    epsilon: float = 1e-4

    def begin(self, parameters: Flat) -> Moments:
        """Remember nothing yet."""
        return {name: torch.zeros_like(parameters) for name in ("square", "mean", "change")}

    def change(
        self, gradient: Flat, moments: Moments, *, rate: float, step: int
    ) -> tuple[Flat, Moments]:
        """Give the next change, and the averages that it was scaled by."""
        square = self.decay * moments["square"] + (1 - self.decay) * (gradient * gradient)  # eq. 38
        mean = self.decay * moments["mean"] + (1 - self.decay) * gradient  # eq. 39
        # A variance is below 0 by rounding only, but then by more than epsilon makes up for.
        variance = (square - mean * mean).clamp(min=0)
        scaled = gradient / torch.sqrt(variance + self.epsilon)
        change = self.momentum * moments["change"] - rate * scaled  # eq. 40
        return change, {"square": square, "mean": mean, "change": change}


@dataclass(frozen=True)
class Adam:
    """Adam. Source: Kingma & Ba (2015), algorithm 1."""

    momentum: float = 0.9
    decay: float = 0.999
    epsilon: float = 1e-8

    def begin(self, parameters: Flat) -> Moments:
        """Remember nothing yet."""
        return {name: torch.zeros_like(parameters) for name in ("mean", "square")}

    def change(
        self, gradient: Flat, moments: Moments, *, rate: float, step: int
    ) -> tuple[Flat, Moments]:
        """Give the next change, and the averages that it was made of, both still biased."""
        mean = self.momentum * moments["mean"] + (1 - self.momentum) * gradient
        square = self.decay * moments["square"] + (1 - self.decay) * (gradient * gradient)
        unbiased_mean = mean / (1 - self.momentum ** (step + 1))
        unbiased_square = square / (1 - self.decay ** (step + 1))
        change = -rate * unbiased_mean / (torch.sqrt(unbiased_square) + self.epsilon)
        return change, {"mean": mean, "square": square}


def clip_elements(gradient: Flat, limit: float) -> Flat:
    """Clip every component to the range from -limit to limit, as Graves et al. (2014) do."""
    return gradient.clamp(-limit, limit)


def clip_norm(gradient: Flat, limit: float) -> Flat:
    """Shorten gradients whose Euclidean norm is above the limit to it (Pascanu et al., 2013).

    The norm is taken in double precision, so that none overflows.
    """
    length = norm(gradient).unsqueeze(-1)
    return gradient * (limit / length.clamp(min=limit)).to(gradient.dtype)


def norm(gradient: Flat) -> Float[Tensor, "*population"]:
    """Measure how long gradients are, in double precision.

    Squares are added up in blocks: torch adds up a long row otherwise on other numbers of threads.
    """
    wide = gradient.double()
    squares = F.pad(wide * wide, (0, -wide.shape[-1] % BLOCK))
    return torch.sqrt(squares.reshape(*wide.shape[:-1], -1, BLOCK).sum(-1).sum(-1))
