"""The state of a machine between two steps: a value that is passed on, never changed."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from evo_ntm.errors import MachineError
from evo_ntm.machine.lanes import join, take


class Soft(NamedTuple):
    """What soft addressing keeps: the memory, and where every head looked last, writers first."""

    memory: Float[Tensor, "*batch N M"]
    weightings: Float[Tensor, "*batch H N"]


class Tape(NamedTuple):
    """What hard addressing keeps: cells from the left end on, how many there are, where heads are.

    Of several lanes the longest tape fills `cells`; what is behind the end of another is blank. At
    `most` cells a tape closes to a ring.
    """

    cells: Float[Tensor, "*batch N M"]
    extent: Int[Tensor, "*batch"]
    head: Int[Tensor, "*batch H"]
    most: Int[Tensor, "*batch"]


Store = Soft | Tape
BEHIND: dict[type[Store], tuple[int, ...]] = {Soft: (2, 2), Tape: (2, 0, 1, 0)}
"""How many axes each tensor of a store has behind those of the batch."""


class State(NamedTuple):
    """The controller's carry (hidden and cell of each LSTM layer), the last reads, the store."""

    carry: tuple[tuple[Float[Tensor, "*batch U"], Float[Tensor, "*batch U"]], ...]
    reads: Float[Tensor, "*batch R M"]
    store: Store


def tensors(state: State) -> list[Tensor]:
    """List every tensor of a state."""
    return [*(part for layer in state.carry for part in layer), state.reads, *state.store]


def unwritten(like: Tensor, *batch: int, heads: int, rows: int, width: int) -> Soft:
    """Begin with zeros in the memory and every head at row 0; takes no room, whatever the batch."""
    blank = like.new_zeros(()).expand(*batch, rows, width)
    first = (torch.arange(rows, device=like.device) == 0).to(like)
    return Soft(blank, first.expand(*batch, heads, rows))


def soft(state: State) -> Soft:
    """Take the store of a machine that looks everywhere a little. Raises MachineError."""
    if not isinstance(state.store, Soft):
        raise MachineError(f"expected a state of memory and weightings, got {type(state.store)}")
    return state.store


def check_state(state: State, like: State) -> None:
    """Refuse a state of other shapes. Raises MachineError."""
    expected, came = ([list(part.shape) for part in tensors(s)] for s in (like, state))
    if came != expected:
        raise MachineError(f"expected a state of shapes {expected}, got {came}")


def over_tensors(state: State, change: Callable[[Tensor, int], Tensor]) -> State:
    """Apply a change, told how many axes come after those of the population, to every tensor."""
    carry = tuple((change(hidden, 2), change(cell, 2)) for hidden, cell in state.carry)
    kind = type(state.store)
    store = (change(part, 1 + n) for part, n in zip(state.store, BEHIND[kind], strict=True))
    return State(carry, change(state.reads, 3), kind(*store))


def choose_individuals(state: State, index: Tensor) -> State:
    """Keep some individuals of a population of one axis."""
    return over_tensors(state, lambda tensor, after: take(tensor, index, -1 - after))


def over_lanes(change: Callable[..., Tensor], *states: State) -> State:
    """Apply a change, told which axis counts the lanes, to every tensor of the states."""
    carry = tuple(
        (change(*hidden, axis=-2), change(*cell, axis=-2))
        for hidden, cell in (zip(*layers, strict=True) for layers in _transpose(states))
    )
    reads = change(*(state.reads for state in states), axis=-3)
    kind = type(states[0].store)
    kept = zip(*(state.store for state in states), strict=True)
    store = (change(*part, axis=-1 - n) for part, n in zip(kept, BEHIND[kind], strict=True))
    return State(carry, reads, kind(*store))


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
    return over_lanes(lambda *tensors, axis: join(tensors, axis), *_level(states))


def _level(states: list[State]) -> list[State]:
    """Make all tapes as long as the longest."""
    tapes = [state.store for state in states if isinstance(state.store, Tape)]
    longest = max((tape.cells.shape[-2] for tape in tapes), default=0)
    return [_lengthened(state, longest) for state in states]


def _lengthened(state: State, longest: int) -> State:
    store = state.store
    if not isinstance(store, Tape) or store.cells.shape[-2] == longest:
        return state
    blank = longest - store.cells.shape[-2]
    # Stored with lanes innermost, as the others are.
    cells = store.cells.movedim((-2, -1), (0, 1))
    cells = F.pad(cells, [0, 0] * (cells.ndim - 1) + [0, blank])
    return state._replace(store=store._replace(cells=cells.movedim((0, 1), (-2, -1))))
