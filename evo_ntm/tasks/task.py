"""What a task is: an environment. A sequence task is one that never looks at the answers."""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from evo_ntm.seeds import Generator
from evo_ntm.topology import Block


class Episodes(NamedTuple):
    """Sequences to be answered, one a lane: inputs, targets, the steps that count, their lengths."""

    inputs: Float[Tensor, "T B I"]
    targets: Float[Tensor, "T B O"]
    scored: Bool[Tensor, "T B"]
    lengths: tuple[int, ...]


class Grades(NamedTuple):
    """How each sequence was answered: its cross-entropy in bits and its count of wrong bits."""

    bits: Float[Tensor, "*population B"]
    wrong_bits: Float[Tensor, "*population B"]


@runtime_checkable
class Task(Protocol):
    """A sequence task: channels, and episodes made from a stream of random numbers."""

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks; a block of exchangeable bits is `per_bit`."""

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""

    def episodes(self, generator: Generator, lanes: int) -> Episodes:
        """Make the sequences of so many lanes, all from the generator."""
