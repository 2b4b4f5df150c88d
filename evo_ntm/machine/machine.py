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

from evo_ntm.errors import MachineError
from evo_ntm.machine import addressing, memory
from evo_ntm.machine.controller import Carry, arrive, think
from evo_ntm.machine.lanes import innermost, join, softmax
from evo_ntm.machine.state import Soft, State, choose_lanes, first_lanes, join_lanes, lanes_from
from evo_ntm.machine.weights import Weights, plan
from evo_ntm.topology import Topology
from evo_ntm.topology.parts import total

STEPS_AT_ONCE = 16
MOST_ROWS = 2**31 - 1


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
        return State(
            self.carry, self.reads, Soft(self.memory, join([self.writing, self.reading], -2))
        )


class Step(NamedTuple):
    """One step: what was answered, how things stood before and after, what heads were told."""

    answer: Float[Tensor, "*batch O"]
    before: Moment
    after: Moment
    orders: Orders


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
        heads, width = len(self.topology.heads), self.topology.width
        check_rows(self.topology, rows)
        rows, start = (rows if heads else 0), weights.start
        batch = *start.shape[:-2], lanes
        blank = start.new_zeros(rows, width, *batch)
        weightings = start.new_zeros(heads, rows, *batch)
        weightings[:, :1] = 1.0
        reads = start.movedim((-2, -1), (0, 1)).unsqueeze(-1).expand(-1, -1, *batch).contiguous()
        carry = tuple(_carry(layer.start, lanes) for layer in weights.layers if layer.start)
        reads, blank, weightings = (
            stored.movedim((0, 1), (-2, -1)) for stored in (reads, blank, weightings)
        )
        return State(carry, reads, Soft(blank, weightings))

    def run(
        self,
        weights: Weights,
        inputs: Float[Tensor, "T *shown I"],
        state: State,
        *,
        lengths: Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "T *batch O"], State]:
        """Answer a sequence of at least one step, in logits.

        Inputs without the axis of the population are shown to all of it. With `lengths`, one a
        lane, a lane stops after its own number of steps: later answers are 0 and its state stays.
        """
        check_inputs(self.topology, inputs, weights.start.shape[:-2])
        if lengths is not None:
            check_lengths(lengths, steps=len(inputs), lanes=inputs.shape[-2])
            if min(lengths) < len(inputs):
                return self._run_ragged(weights, inputs, state, lengths)
        answers, moment = [], self._moment(state)
        overwrite = torch.is_inference_mode_enabled()
        if overwrite:
            moment = moment._replace(memory=moment.memory.clone())
        for heard in _hear(weights, inputs):
            answer, moment, _ = self._step(weights, heard, moment, overwrite)
            answers.append(answer)
        return torch.stack(answers), moment.state()

    def episode(
        self,
        flat: Float[Tensor, "*population D"],
        inputs: Float[Tensor, "T *shown I"],
        *,
        rows: int,
        lengths: Sequence[int] | None = None,
    ) -> Float[Tensor, "T *batch O"]:
        """Answer a whole episode, in logits, from the initial state on."""
        weights = self.wire_up(flat)
        state = self.initial_state(weights, lanes=inputs.shape[-2], rows=rows)
        return self.run(weights, inputs, state, lengths=lengths)[0]

    def trace(
        self, weights: Weights, inputs: Float[Tensor, "T *shown I"], state: State
    ) -> tuple[Float[Tensor, "T *batch O"], State, Trace]:
        """Answer as `run` does, and tell what heads and memory did on the way."""
        answers, seen = [], []
        for answer, _, moment, orders in self.steps(weights, inputs, state):
            answers.append(answer)
            weightings = moment.writing, moment.reading
            seen.append(Trace(*weightings, moment.reads, orders.e, orders.a, moment.memory))
        told = Trace(*map(torch.stack, zip(*seen, strict=True)))
        return torch.stack(answers), moment.state(), told

    def steps(
        self, weights: Weights, inputs: Float[Tensor, "T *shown I"], state: State
    ) -> Iterator[Step]:
        """Answer as `run` does, and tell all of every step, keeping no more than two of them."""
        moment = self._moment(state)
        for heard in _hear(weights, inputs):
            before = moment
            answer, moment, orders = self._step(weights, heard, before)
            yield Step(answer, before, moment, orders)

    def _run_ragged(
        self, weights: Weights, inputs: Tensor, state: State, lengths: Sequence[int]
    ) -> tuple[Tensor, State]:
        """Sort the lanes, longest first, so that those still going are always the first ones."""
        lanes = len(lengths)
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
        silence = answers[0].new_zeros(len(inputs) - begun, *answers[0].shape[1:])
        back = torch.argsort(order)
        ended = join_lanes([state, *reversed(finished)])
        return torch.cat([*answers, silence]).index_select(-2, back), choose_lanes(ended, back)

    def _moment(self, state: State) -> Moment:
        memory, weightings = state.store
        heads = [len(self.topology.writers), len(self.topology.readers)]
        apart = weightings.split_with_sizes(heads, -2)
        norms = addressing.norm(memory, self.eps)
        return Moment(state.carry, state.reads, memory, norms, *apart)

    def _step(
        self, weights: Weights, heard: Tensor, before: Moment, overwrite: bool = False
    ) -> tuple[Tensor, Moment, Orders]:
        """Think, aim the writers, write, aim the readers, read, answer."""
        thought, carry = think(weights.layers, heard, before.reads.flatten(-2), before.carry)
        orders, answer = self._speak(weights, thought, carry)

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
        return answer, Moment(carry, reads, M, norms, writing, reading), orders

    def _aim(self, M: Tensor, norms: Tensor, w: Tensor, aim: Aim) -> Tensor:
        """Point heads anew: figure 2 of the paper."""
        w_content = addressing.seek(M, aim.pressed, norms)
        w = addressing.interpolate(w_content, w, aim.g)
        w = addressing.shift(w, aim.s)
        return addressing.sharpen(w, aim.gamma)

    def _speak(self, weights: Weights, thought: Tensor, carry: Carry) -> tuple[Orders, Tensor]:
        """Tell every head its orders, each number in its range, and begin the answer."""
        W, R = len(self.topology.writers), len(self.topology.readers)
        H, M, S = W + R, self.topology.width, plan(self.topology).shifts
        said = arrive(weights.bias, thought, weights.thought)
        if weights.cell.shape[-2]:
            said = arrive(said, carry[-1][1], weights.cell)
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


def check_rows(topology: Topology, rows: int) -> None:
    """Refuse a memory without rows where there are heads, or of absurdly many.

    Raises MachineError.
    """
    if not isinstance(rows, int) or rows > MOST_ROWS:
        raise MachineError(f"expected a whole number of rows up to {MOST_ROWS}, got {rows}")
    if topology.heads and rows < 1:
        raise MachineError(f"expected at least 1 row of memory, got {rows}")


def check_inputs(topology: Topology, inputs: Tensor, population: Sequence[int]) -> None:
    """Refuse inputs of another shape: [steps, lanes, channels], or one such for each individual.

    Raises MachineError.
    """
    channels = total(topology.inputs)
    if inputs.ndim < 3:
        raise MachineError(f"expected inputs [steps, lanes, channels], got {list(inputs.shape)}")
    if not len(inputs):
        raise MachineError("expected inputs of at least one step, got none")
    if not inputs.shape[-2]:
        raise MachineError("expected inputs of at least one lane, got none")
    if inputs.shape[-1] != channels:
        raise MachineError(f"expected inputs of {channels} channels, got {inputs.shape[-1]}")
    shown = list(inputs.shape[1:-2])
    if shown and shown != list(population):
        raise MachineError(f"expected inputs for a population of {list(population)}, got {shown}")


def check_lengths(lengths: Sequence[int], *, steps: int, lanes: int) -> None:
    """Refuse lengths that are not one a lane, each within the steps. Raises MachineError."""
    whole = all(isinstance(length, int) and 1 <= length <= steps for length in lengths)
    if len(lengths) != lanes or not whole:
        raise MachineError(
            f"expected {lanes} lengths, one a lane, each from 1 to {steps}, got {list(lengths)}"
        )


def _hear(weights: Weights, inputs: Tensor) -> Iterator[Tensor]:
    """Bring the inputs of many steps to the first layer at once."""
    layer = weights.layers[0]
    for block in torch.split(inputs, STEPS_AT_ONCE):
        steps = block.movedim(0, -3)
        heard = layer.below.mT @ steps.flatten(-3, -2).mT + layer.bias.mT
        yield from torch.unflatten(heard, -1, steps.shape[-3:-1]).movedim(-2, 0).mT


def _carry(start: tuple[Tensor, ...], lanes: int) -> tuple[Tensor, Tensor]:
    hidden, cell = (first.expand(*first.shape[:-2], lanes, -1) for first in start)
    return torch.tanh(hidden), cell
