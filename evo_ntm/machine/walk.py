"""Machines step by step, where what is seen next depends on what was answered."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from evo_ntm.machine.backends import Runs
from evo_ntm.machine.kernels.cpu import FusedTape
from evo_ntm.machine.state import choose_individuals


@runtime_checkable
class Walk(Protocol):
    """A population on its way, which knows what each has in mind and in memory."""

    def answer(self, seen: Float[Tensor, "*shown I"]) -> Float[Tensor, "*batch O"]:
        """Take a step: answer what is seen, in logits."""

    def keep(self, index: Int[Tensor, "some"]) -> None:
        """Go on with some individuals of a population of one axis."""


class PlainWalk:
    """Walks by whatever runs the machine, a step at a time."""

    def __init__(
        self, machine: Runs, flat: Float[Tensor, "*P D"], *, lanes: int, rows: int
    ) -> None:
        self._machine, self._flat = machine, flat
        self._weights: Any = machine.wire_up(flat)
        self._state = machine.initial_state(self._weights, lanes=lanes, rows=rows)

    def answer(self, seen: Float[Tensor, "*shown I"]) -> Float[Tensor, "*batch O"]:
        """Take a step."""
        answers, self._state = self._machine.run(self._weights, seen.unsqueeze(0), self._state)
        return answers[0]

    def keep(self, index: Int[Tensor, "some"]) -> None:
        """Go on with some individuals."""
        self._flat, self._state = self._flat[index], choose_individuals(self._state, index)
        self._weights = self._machine.wire_up(self._flat)


def walk(machine: Runs, flat: Float[Tensor, "*P D"], *, lanes: int, rows: int, steps: int) -> Walk:
    """Begin a walk of at most so many steps."""
    fused = None
    if isinstance(machine, FusedTape):
        fused = machine.walk(flat, lanes=lanes, rows=rows, steps=steps)
    return fused or PlainWalk(machine, flat, lanes=lanes, rows=rows)
