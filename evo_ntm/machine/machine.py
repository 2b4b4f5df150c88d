"""A Neural Turing Machine: think, aim the writers, write, aim the readers, read, answer.

Leading axes are free: one machine over a batch of lanes, or a population of machines in front of
them. Weights are data that enters every call; the machine itself holds none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine import addressing, memory
from evo_ntm.machine.controller import Carry, think
from evo_ntm.machine.state import Soft, State, choose_lanes, first_lanes, join_lanes, lanes_from
from evo_ntm.machine.weights import Weights, plan
from evo_ntm.topology import Topology


class Orders(NamedTuple):
    """What the controller tells the heads in one step, in the letters of the paper."""

    k: Float[Tensor, "*batch H M"]
    beta: Float[Tensor, "*batch H"]
    g: Float[Tensor, "*batch H"]
    s: Float[Tensor, "*batch H S"]
    gamma: Float[Tensor, "*batch H"]
    e: Float[Tensor, "*batch W M"]
    a: Float[Tensor, "*batch W M"]

    def of(self, first: int, end: int) -> "Orders":
        """Give the addressing orders of some of the heads."""
        k, s = (self.k[..., first:end, :], self.s[..., first:end, :])
        beta, g, gamma = (order[..., first:end] for order in (self.beta, self.g, self.gamma))
        return Orders(k, beta, g, s, gamma, self.e, self.a)


class Trace(NamedTuple):
    """Everything that happened in the heads and the memory, step by step."""

    write_weightings: Float[Tensor, "T *batch W N"]
    read_weightings: Float[Tensor, "T *batch R N"]
    reads: Float[Tensor, "T *batch R M"]
    erase: Float[Tensor, "T *batch W M"]
    add: Float[Tensor, "T *batch W M"]
    memory: Float[Tensor, "T *batch N M"]


@dataclass(frozen=True)
class Machine:
    """The equations of one topology. Frozen; `eps` damps the cosine of content addressing."""

    topology: Topology
    eps: float = 1e-6

    def wire_up(self, flat: Float[Tensor, "*population D"]) -> Weights:
        """Lay flat weights, wire after wire, out as the matrices that `run` takes."""
        return plan(self.topology).wire_up(flat)

    def initial_state(self, weights: Weights, *, lanes: int, rows: int) -> State:
        """Begin: memory at zero, every head at row 0, reads and carry at their learned biases."""
        population = weights.reads.shape[:-2]
        heads, width = len(self.topology.heads), self.topology.width
        blank = weights.reads.new_zeros(*population, lanes, width, rows if heads else 0).mT
        weightings = weights.reads.new_zeros(*population, lanes, heads, rows if heads else 0)
        weightings[..., :1] = 1.0
        reads = weights.reads.unsqueeze(-3).expand(*population, lanes, -1, -1)
        carry = tuple(_carry(layer.start, lanes) for layer in weights.layers if layer.start)
        return State(carry, reads, Soft(blank, weightings))

    def run(
        self,
        weights: Weights,
        inputs: Float[Tensor, "T *batch I"],
        state: State,
        *,
        lengths: Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "T *batch O"], State]:
        """Answer a sequence of at least one step, in logits.

        Inputs without the axis of the population are shown to all of it. With `lengths`, one a
        lane, a lane stops after its own number of steps: later answers are 0 and its state stays.
        """
        if lengths is None or min(lengths) == len(inputs):
            answers = []
            for answer, state, _ in self._steps(weights, inputs, state):
                answers.append(answer)
            return torch.stack(answers), state
        return self._run_ragged(weights, inputs, state, lengths)

    def trace(
        self, weights: Weights, inputs: Float[Tensor, "T *batch I"], state: State
    ) -> tuple[Float[Tensor, "T *batch O"], State, Trace]:
        """Answer as `run` does, and tell what heads and memory did on the way."""
        split = [len(self.topology.writers), len(self.topology.readers)]
        steps = list(self._steps(weights, inputs, state))
        seen = []
        for _, after, orders in steps:
            writing, reading = after.store.weightings.split(split, dim=-2)
            seen.append(Trace(writing, reading, after.reads, orders.e, orders.a, after.store.memory))
        answers = torch.stack([answer for answer, _, _ in steps])
        return answers, steps[-1][1], Trace(*map(torch.stack, zip(*seen, strict=True)))

    def _run_ragged(
        self, weights: Weights, inputs: Tensor, state: State, lengths: Sequence[int]
    ) -> tuple[Tensor, State]:
        """Sort the lanes, longest first, so that those still going are always the first ones."""
        lanes = inputs.shape[-2]
        if len(lengths) != lanes or min(lengths) < 1 or max(lengths) > len(inputs):
            raise ValueError(f"expected {lanes} lengths from 1 to {len(inputs)}, got {lengths}")
        order = torch.tensor(sorted(range(lanes), key=lambda lane: -lengths[lane]))
        order = order.to(inputs.device)
        inputs, state = inputs.index_select(-2, order), choose_lanes(state, order)
        answers, finished, begun = [], [], 0
        for end in sorted(set(lengths)):
            going = sum(length >= end for length in lengths)
            finished.append(lanes_from(state, going))
            segment = inputs[begun:end].narrow(-2, 0, going)
            part, state = self.run(weights, segment, first_lanes(state, going))
            answers.append(F.pad(part, (0, 0, 0, lanes - going)))
            begun = end
        answers.append(torch.zeros_like(answers[0][:1]).expand(len(inputs) - begun, *answers[0].shape[1:]))
        back = torch.argsort(order)
        ended = join_lanes([state, *reversed(finished)])
        return torch.cat(answers).index_select(-2, back), choose_lanes(ended, back)

    def _steps(
        self, weights: Weights, inputs: Tensor, state: State
    ) -> Iterator[tuple[Tensor, State, Orders]]:
        for heard in _hear(weights, inputs):
            answer, state, orders = self._step(weights, heard, state)
            yield answer, state, orders

    def _step(self, weights: Weights, heard: Tensor, before: State) -> tuple[Tensor, State, Orders]:
        """Think, aim the writers, write, aim the readers, read, answer."""
        writers, readers = len(self.topology.writers), len(self.topology.readers)
        heeded = _choose(before.reads, self.topology.listened("controller"))
        thought, carry = think(weights.layers, heard, heeded, before.carry)
        orders = self._orders(weights, thought, carry)

        M, reads = before.store.memory, before.reads
        w_writers, w_readers = before.store.weightings.split([writers, readers], dim=-2)
        if writers:
            w_writers = self._aim(M, w_writers, orders.of(0, writers))
            M = memory.write(M, w_writers, orders.e, orders.a)
        if readers:
            w_readers = self._aim(M, w_readers, orders.of(writers, writers + readers))
            reads = memory.read(M, w_readers)

        heeded = _choose(reads, self.topology.listened("output"))
        answer = torch.cat([thought, heeded], dim=-1) @ weights.answer + weights.answer_bias
        after = State(carry, reads, Soft(M, torch.cat([w_writers, w_readers], dim=-2)))
        return answer, after, orders

    def _aim(self, M: Tensor, w: Tensor, orders: Orders) -> Tensor:
        """Point heads anew: figure 2 of the paper."""
        w_content = addressing.content(M, orders.k, orders.beta, eps=self.eps)
        w = addressing.interpolate(w_content, w, orders.g)
        w = addressing.shift(w, orders.s)
        return addressing.sharpen(w, orders.gamma)

    def _orders(self, weights: Weights, thought: Tensor, carry: Carry) -> Orders:
        """Cut what the controller says into orders, and bring each into its range."""
        heads, writers = len(self.topology.heads), len(self.topology.writers)
        M, S = self.topology.width, plan(self.topology).shifts
        if weights.orders.shape[-2] > thought.shape[-1]:
            thought = torch.cat([thought, carry[-1][1]], dim=-1)
        said = thought @ weights.orders + weights.orders_bias
        counts = [heads * M, heads, heads, heads * S, heads, writers * M, writers * M]
        k, beta, g, s, gamma, e, a = said.split(counts, dim=-1)
        return Orders(
            k=_per_head(k, heads, M),
            beta=F.softplus(beta),
            g=torch.sigmoid(g),
            s=torch.softmax(_per_head(s, heads, S), dim=-1),
            gamma=1 + F.softplus(gamma),
            e=torch.sigmoid(_per_head(e, writers, M)),
            a=_per_head(a, writers, M),
        )


def _per_head(said: Tensor, heads: int, numbers: int) -> Tensor:
    return said.reshape(*said.shape[:-1], heads, numbers)


def _choose(reads: Tensor, listened: tuple[bool, ...]) -> Tensor:
    """Put the reads that are listened to end to end."""
    if not all(listened):
        reads = reads[..., [number for number, heard in enumerate(listened) if heard], :]
    return reads.flatten(-2)


def _hear(weights: Weights, inputs: Tensor) -> Tensor:
    """Bring the inputs of all steps to the first layer at once."""
    layer = weights.layers[0]
    if inputs.ndim > 3:
        return inputs @ layer.below + layer.bias
    heard = inputs.flatten(0, 1) @ layer.below + layer.bias
    return heard.unflatten(-2, inputs.shape[:2]).movedim(-3, 0)


def _carry(start: tuple[Tensor, ...], lanes: int) -> tuple[Tensor, Tensor]:
    hidden, cell = (first.expand(*first.shape[:-2], lanes, -1) for first in start)
    return torch.tanh(hidden), cell
