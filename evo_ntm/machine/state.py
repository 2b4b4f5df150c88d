"""The state of a machine between two steps: a value that is passed on, never changed."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.errors import MachineError
from evo_ntm.machine.lanes import join, take


class Soft(NamedTuple):
    """What soft addressing keeps: the memory, and where every head looked last, writers first."""

    memory: Float[Tensor, "*batch N M"]
    weightings: Float[Tensor, "*batch H N"]


class State(NamedTuple):
    """The controller's carry (hidden and cell of each LSTM layer), the last reads, the store."""

    carry: tuple[tuple[Float[Tensor, "*batch U"], Float[Tensor, "*batch U"]], ...]
    reads: Float[Tensor, "*batch R M"]
    store: Soft


def tensors(state: State) -> list[Tensor]:
    """List every tensor of a state."""
    return [*(part for layer in state.carry for part in layer), state.reads, *state.store]


def unwritten(like: Tensor, *batch: int, heads: int, rows: int, width: int) -> Soft:
    """Begin with zeros in the memory and every head at row 0; takes no room, whatever the batch."""
    blank = like.new_zeros(()).expand(*batch, rows, width)
    first = (torch.arange(rows, device=like.device) == 0).to(like)
    return Soft(blank, first.expand(*batch, heads, rows))


def check_state(state: State, like: State) -> None:
    """Refuse a state of other shapes. Raises MachineError."""
    expected, came = ([list(part.shape) for part in tensors(s)] for s in (like, state))
    if came != expected:
        raise MachineError(f"expected a state of shapes {expected}, got {came}")


def over_tensors(state: State, change: Callable[[Tensor, int], Tensor]) -> State:
    """Apply a change, told how many axes come after those of the population, to every tensor."""
    carry = tuple((change(hidden, 2), change(cell, 2)) for hidden, cell in state.carry)
    store = Soft(*(change(part, 3) for part in state.store))
    return State(carry, change(state.reads, 3), store)


def over_lanes(change: Callable[..., Tensor], *states: State) -> State:
    """Apply a change, told which axis counts the lanes, to every tensor of the states."""
    carry = tuple(
        (change(*hidden, axis=-2), change(*cell, axis=-2))
        for hidden, cell in (zip(*layers, strict=True) for layers in _transpose(states))
    )
    reads = change(*(state.reads for state in states), axis=-3)
    stores = zip(*(state.store for state in states), strict=True)
    return State(carry, reads, Soft(*(change(*tensors, axis=-3) for tensors in stores)))


def _transpose(states: tuple[State, ...]) -> list[tuple[tuple[Tensor, Tensor], ...]]:
    return list(zip(*(state.carry for state in states), strict=True))


def first_lanes(state: State, count: int) -> State:
    """Keep the first lanes."""
    return over_lanes(lambda tensor, axis: tensor.narrow(axis, 0, count), state)


def lanes_from(state: State, first: int) -> State:
    """Keep the lanes from one on."""
    return over_lanes(
        lambda tensor, axis: tensor.narrow(axis, first, tensor.shape[axis] - first), state
    )


def choose_lanes(state: State, index: Tensor) -> State:
    """Take lanes by index, in its order."""
    return over_lanes(lambda tensor, axis: take(tensor, index, axis), state)


def join_lanes(states: list[State]) -> State:
    """Put the lanes of several states one after another."""
    return over_lanes(lambda *tensors, axis: join(tensors, axis), *states)
