"""Heads that look everywhere a little: aim the writers, write, aim the readers, read.

Figure 2 of Graves, Wayne and Danihelka (2014).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine import addressing, memory
from evo_ntm.machine.controller import Carry, arrive
from evo_ntm.machine.lanes import innermost, join, softmax
from evo_ntm.machine.state import Soft, State
from evo_ntm.machine.weights import Weights, plan
from evo_ntm.topology import Topology
from evo_ntm.topology.parts import total


class Aim(NamedTuple):
    """Where heads shall look: keys as long as their strength, gates, shifts, sharpenings."""

    pressed: Float[Tensor, "*batch H M"]
    g: Float[Tensor, "*batch H"]
    s: Float[Tensor, "*batch H S"]
    gamma: Float[Tensor, "*batch H"]


class Orders(NamedTuple):
    """What the controller tells the heads in one step."""

    writers: Aim
    readers: Aim
    e: Float[Tensor, "*batch W M"]
    a: Float[Tensor, "*batch W M"]


class Moment(NamedTuple):
    """A state, its heads apart, with the norms of the memory's rows, which two steps share."""

    carry: Carry
    reads: Float[Tensor, "*batch R M"]
    memory: Float[Tensor, "*batch N M"]
    norms: Float[Tensor, "*batch N"]
    writing: Float[Tensor, "*batch W N"]
    reading: Float[Tensor, "*batch R N"]

    def state(self) -> State:
        """Give what is worth keeping between two runs."""
        store = Soft(self.memory, join([self.writing, self.reading], -2))
        return State(self.carry, self.reads, store)


class Step(NamedTuple):
    """One step: what was answered, how things stood before and after, what heads were told.

    How things stand, and what heads are told, is as their kind has it.
    """

    answer: Float[Tensor, "*batch O"]
    before: Any
    after: Any
    orders: Any


class Trace(NamedTuple):
    """Everything that happened in the heads and the memory, step by step.

    Of a tape the rows are its cells, each head is a writer and a reader, and looks at one cell.
    """

    write_weightings: Float[Tensor, "T *batch W N"]
    read_weightings: Float[Tensor, "T *batch R N"]
    reads: Float[Tensor, "T *batch R M"]
    erase: Float[Tensor, "T *batch W M"]
    add: Float[Tensor, "T *batch W M"]
    memory: Float[Tensor, "T *batch N M"]


@dataclass(frozen=True)
class SoftHeads:
    """The readers and writers of one topology; `eps` damps the cosine of content addressing."""

    topology: Topology
    eps: float

    def begin(self, like: Tensor, batch: tuple[int, ...], rows: int) -> Soft:
        """Begin with an empty memory and every head at row 0."""
        heads, width = len(self.topology.heads), self.topology.width
        rows = rows if heads else 0
        blank = like.new_zeros(rows, width, *batch)
        weightings = like.new_zeros(heads, rows, *batch)
        weightings[:, :1] = 1.0
        return Soft(blank.movedim((0, 1), (-2, -1)), weightings.movedim((0, 1), (-2, -1)))

    def open(self, state: State, steps: int, *, overwrite: bool) -> Moment:
        """Take a state apart."""
        assert isinstance(state.store, Soft)
        memory, weightings = state.store
        heads = [len(self.topology.writers), len(self.topology.readers)]
        apart = weightings.split_with_sizes(heads, -2)
        norms = addressing.norm(memory, self.eps)
        memory = memory.clone() if overwrite else memory
        return Moment(state.carry, state.reads, memory, norms, *apart)

    def act(
        self, weights: Weights, said: Tensor, carry: Carry, before: Moment, *, overwrite: bool
    ) -> Step:
        """Aim the writers, write, aim the readers, read, answer."""
        orders, answer = self._speak(said)
        _, reads, M, norms, writing, reading = before
        if self.topology.writers:
            writing = self._aim(M, norms, writing, orders.writers)
            M = memory.write(M, writing, orders.e, orders.a, out=M if overwrite else None)
            norms = addressing.norm(M, self.eps)
        if self.topology.readers:
            reading = self._aim(M, norms, reading, orders.readers)
            reads = memory.read(M, reading)
            answer = arrive(answer, reads.flatten(-2), weights.reads)
        else:
            answer = answer.clone()  # or this part of what was said would keep the whole alive
        return Step(answer, before, Moment(carry, reads, M, norms, writing, reading), orders)

    def trace(self, step: Step) -> Trace:
        """Keep what is told of a step."""
        moment, orders = step.after, step.orders
        weightings = moment.writing, moment.reading
        return Trace(*weightings, moment.reads, orders.e, orders.a, moment.memory)

    def traced(self, seen: Trace, last: Moment) -> Trace:
        """Tell of all steps."""
        return seen

    def _aim(self, M: Tensor, norms: Tensor, w: Tensor, aim: Aim) -> Tensor:
        """Point heads anew: figure 2 of the paper."""
        w_content = addressing.seek(M, aim.pressed, norms)
        w = addressing.interpolate(w_content, w, aim.g)
        w = addressing.shift(w, aim.s)
        return addressing.sharpen(w, aim.gamma)

    def _speak(self, said: Tensor) -> tuple[Orders, Tensor]:
        """Tell every head its orders, each number in its range, and begin the answer."""
        W, R = len(self.topology.writers), len(self.topology.readers)
        H, M = W + R, self.topology.width
        S = plan(self.topology).shifts if H else 1
        sizes = [H * M, H * S, W * M, 2 * H, H + W * M, total(self.topology.outputs)]
        k, s, a, positive, between, answer = innermost(said).split_with_sizes(sizes, -1)
        k, s = torch.unflatten(k, -1, (H, M)), softmax(torch.unflatten(s, -1, (H, S)))
        beta, gamma = F.softplus(positive).split_with_sizes([H, H], -1)
        g_w, g_r, e = torch.sigmoid(between).split_with_sizes([W, R, W * M], -1)
        k_w, k_r = addressing.press(k, beta, self.eps).split_with_sizes([W, R], -2)
        s_w, s_r = s.split_with_sizes([W, R], -2)
        gamma_w, gamma_r = (1 + gamma).split_with_sizes([W, R], -1)
        e, a = torch.unflatten(e, -1, (W, M)), torch.unflatten(a, -1, (W, M))
        return Orders(Aim(k_w, g_w, s_w, gamma_w), Aim(k_r, g_r, s_r, gamma_r), e, a), answer
