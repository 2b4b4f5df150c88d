"""A Neural Turing Machine: think, and let the heads do as they are told: write, read, answer.

Leading axes are free: one machine over a batch of lanes, or a population of machines in front of
them. Weights are data that enters every call; the machine itself holds none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from evo_ntm.errors import MachineError
from evo_ntm.machine import graph
from evo_ntm.machine.controller import Carry, arrive, think
from evo_ntm.machine.relaxed import RelaxedTapeHeads
from evo_ntm.machine.soft import SoftHeads, Step, Trace
from evo_ntm.machine.state import State, Store, choose_lanes, first_lanes, join_lanes, lanes_from
from evo_ntm.machine.tape import TapeHeads
from evo_ntm.machine.weights import Weights, plan
from evo_ntm.topology import Topology
from evo_ntm.topology.parts import total

STEPS_AT_ONCE = 16
MOST_ROWS = 2**31 - 1


@runtime_checkable
class Heads(Protocol):
    """What heads do in a step: all that depends on the kind of addressing."""

    def begin(self, like: Tensor, batch: tuple[int, ...], rows: int) -> Store:
        """Begin with an empty memory of so many rows."""

    def open(self, state: State, steps: int, *, overwrite: bool) -> Any:  # noqa: ANN401
        """Make what is handed from step to step of a state, for so many steps."""

    def act(
        self,
        weights: Weights,
        said: Tensor,
        carry: Carry,
        before: Any,
        *,
        overwrite: bool,  # noqa: ANN401
    ) -> Step:
        """Do as the controller said, and answer."""

    def trace(self, step: Step) -> Trace:
        """Keep what is told of a step."""

    def traced(self, seen: Trace, last: Any) -> Trace:  # noqa: ANN401
        """Tell of all steps."""


@dataclass(frozen=True)
class Machine:
    """The equations of one topology. Frozen; `eps` damps the cosine of content addressing."""

    topology: Topology
    eps: float = 1e-6

    def _heads(self, weights: Weights) -> Heads:
        if self.topology.tape_heads:
            return RelaxedTapeHeads(self.topology) if _learns(weights) else TapeHeads(self.topology)
        return SoftHeads(self.topology, self.eps)

    def wire_up(self, flat: Float[Tensor, "*population D"]) -> Weights:
        """Lay flat weights, wire after wire, out as the matrices that `run` takes."""
        if self.topology.controller.graph is not None:
            return graph.wire_up(self.topology, flat)
        return plan(self.topology).wire_up(flat)

    def initial_state(self, weights: Weights, *, lanes: int, rows: int) -> State:
        """Begin: memory empty, every head at row 0, reads and carry at their learned biases.

        Rows are those of the memory; of a tape, the most cells, where 0 stands for any number.
        """
        check_rows(self.topology, rows)
        start = weights.start
        batch = *start.shape[:-2], lanes
        reads = start.movedim((-2, -1), (0, 1)).unsqueeze(-1).expand(-1, -1, *batch).contiguous()
        carry = tuple(_carry(layer.start, lanes) for layer in weights.layers if layer.start)
        if self.topology.controller.graph is not None:
            carry = graph.silence(self.topology, weights, lanes)
        return State(
            carry, reads.movedim((0, 1), (-2, -1)), self._heads(weights).begin(start, batch, rows)
        )

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
        Where the heads of a tape are has a slope only until the call, or any lane, ends.
        """
        check_inputs(self.topology, inputs, weights.start.shape[:-2])
        if lengths is not None:
            check_lengths(lengths, steps=len(inputs), lanes=inputs.shape[-2])
            if min(lengths) < len(inputs):
                return self._run_ragged(weights, inputs, state, lengths)
        overwrite = torch.is_inference_mode_enabled()
        heads, answers = self._heads(weights), []
        moment = heads.open(state, len(inputs), overwrite=overwrite)
        for heard in _hear(weights, inputs):
            said, carry = self._think(weights, heard, moment.reads, moment.carry)
            answer, _, moment, _ = heads.act(weights, said, carry, moment, overwrite=overwrite)
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
        if lengths is not None:
            check_lengths(lengths, steps=len(inputs), lanes=inputs.shape[-2])
            if self.topology.tape_heads and _learns(weights):
                # Between two runs the slope of where heads are would be lost.
                return until(self.run(weights, inputs, state)[0], lengths)
            if min(lengths) < len(inputs):
                return self._run_ragged(weights, inputs, state, lengths, ends=False)[0]
        return self.run(weights, inputs, state)[0]

    def trace(
        self, weights: Weights, inputs: Float[Tensor, "T *shown I"], state: State
    ) -> tuple[Float[Tensor, "T *batch O"], State, Trace]:
        """Answer as `run` does, and tell what heads and memory did on the way."""
        answers, seen, heads = [], [], self._heads(weights)
        for step in self.steps(weights, inputs, state):
            answers.append(step.answer)
            seen.append(heads.trace(step))
        told = Trace(*map(torch.stack, zip(*seen, strict=True)))
        return torch.stack(answers), step.after.state(), heads.traced(told, step.after)

    def steps(
        self, weights: Weights, inputs: Float[Tensor, "T *shown I"], state: State
    ) -> Iterator[Step]:
        """Answer as `run` does, and tell all of every step, keeping no more than two of them."""
        heads = self._heads(weights)
        moment = heads.open(state, len(inputs), overwrite=False)
        for heard in _hear(weights, inputs):
            said, carry = self._think(weights, heard, moment.reads, moment.carry)
            step = heads.act(weights, said, carry, moment, overwrite=False)
            moment = step.after
            yield step

    def _think(
        self, weights: Weights, heard: Tensor, reads: Tensor, carry: Carry
    ) -> tuple[Tensor, Carry]:
        """Say what heads and output are told, each as a plain sum; and what is kept in mind."""
        if not weights.layers:
            said = arrive(heard, reads.flatten(-2), weights.recalled)
            if self.topology.controller.graph is None:
                return said, ()
            nodes, frame = (weights.among, weights.spoken), self.topology.controller.frame
            if frame.recurrent:
                return graph.remember(said, carry, *nodes)
            return graph.settle(said, *nodes, levels=frame.levels), ()
        thought, carry = think(weights.layers, heard, reads.flatten(-2), carry)
        said = arrive(weights.bias, thought, weights.thought)
        if weights.cell.shape[-2]:
            said = arrive(said, carry[-1][1], weights.cell)
        return said, carry

    def _run_ragged(
        self,
        weights: Weights,
        inputs: Tensor,
        state: State,
        lengths: Sequence[int],
        *,
        ends: bool = True,
    ) -> tuple[Tensor, State]:
        """Sort the lanes, longest first, so that those still going are always the first ones.

        Without `ends` they all begin alike, and how each ended is not kept: that copies memories.
        """
        lanes = len(lengths)
        order = torch.tensor(sorted(range(lanes), key=lambda lane: -lengths[lane]))
        order = order.to(inputs.device)
        inputs = inputs.index_select(-2, order)
        state = choose_lanes(state, order) if ends else state
        answers, finished, begun = [], [], 0
        for end in sorted(set(lengths)):
            going = sum(length >= end for length in lengths)
            if ends:
                finished.append(lanes_from(state, going))
            segment = inputs[begun:end].narrow(-2, 0, going)
            part, state = self.run(weights, segment, first_lanes(state, going))
            answers.append(F.pad(part, (0, 0, 0, lanes - going)))
            begun = end
        silence = answers[0].new_zeros(len(inputs) - begun, *answers[0].shape[1:])
        back = torch.argsort(order)
        if ends:
            state = choose_lanes(join_lanes([state, *reversed(finished)]), back)
        return torch.cat([*answers, silence]).index_select(-2, back), state


def check_rows(topology: Topology, rows: int) -> None:
    """Refuse a memory without rows where there are heads, or of absurdly many.

    Raises MachineError.
    """
    if not isinstance(rows, int) or rows > MOST_ROWS:
        raise MachineError(f"expected a whole number of rows up to {MOST_ROWS}, got {rows}")
    if topology.tape_heads and rows < 0:
        raise MachineError(f"expected a number of cells, or 0 for any number, got {rows}")
    if topology.heads and not topology.tape_heads and rows < 1:
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
    """Bring the inputs of many steps to whoever hears them first at once."""
    below, bias = weights.thought, weights.bias
    if weights.layers:
        below, bias = weights.layers[0].below, weights.layers[0].bias
    for block in torch.split(inputs, STEPS_AT_ONCE):
        steps = block.movedim(0, -3)
        heard = below.mT @ steps.flatten(-3, -2).mT + bias.mT
        yield from torch.unflatten(heard, -1, steps.shape[-3:-1]).movedim(-2, 0).mT


def until(answers: Tensor, lengths: Sequence[int]) -> Tensor:
    """Answer 0 after a lane's end; what comes later changes nothing before."""
    steps = torch.arange(len(answers), device=answers.device).unsqueeze(-1)
    going = steps < torch.tensor(lengths, device=answers.device)
    return answers.where(going.view(len(answers), *[1] * (answers.ndim - 3), -1, 1), 0.0)


def _learns(weights: Weights) -> bool:
    return torch.is_grad_enabled() and weights.bias.requires_grad


def _carry(start: tuple[Tensor, ...], lanes: int) -> tuple[Tensor, Tensor]:
    hidden, cell = (first.expand(*first.shape[:-2], lanes, -1) for first in start)
    return torch.tanh(hidden), cell
