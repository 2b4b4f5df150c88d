"""The machine fused for the CPU: a whole cohort through a whole episode in one call.

Its lanes are sequences: the arithmetic of one individual on one sequence is the same in any
company, on any number of threads and by any instruction set.
"""

import math
from collections.abc import Sequence
from ctypes import POINTER, cast, pointer
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from evo_ntm.errors import MachineError
from evo_ntm.machine.kernels import program
from evo_ntm.machine.kernels.layout import layout, supports
from evo_ntm.machine.machine import Machine, check_inputs, check_lengths, check_rows
from evo_ntm.machine.state import Soft, State, check_state, over_tensors, soft, unwritten
from evo_ntm.machine.weights import Weights, check_weights, plan
from evo_ntm.topology import Tape, Topology
from evo_ntm.topology.graph import STEEPNESS
from evo_ntm.topology.parts import total

MOST_KEPT = 2**27  # floats of a walk: more is for tapes that may grow far, most of which do not


class Laid(NamedTuple):
    """The weights of a population, laid as the program wants them."""

    numbers: Float[Tensor, "*population D"]


@dataclass(frozen=True)
class FusedCPU:
    """The equations of one topology, fused, in float32.

    Autograd does not see through it, but through `gradient.differentiable_episode`. Of the
    instruction sets of this machine, `level` 0 is the best. It adds up in another order than the
    reference does: where terms pass what float32 holds, 3.4e38, as with weights of 1e30 that meet
    a memory of 1e13, one may end in NaN and the other in a number. The order that the reference
    adds in changes with the number of lanes, so there it does not agree with itself either.
    """

    topology: Topology
    eps: float = 1e-6
    level: int = 0

    def wire_up(self, flat: Float[Tensor, "*population D"]) -> Laid:
        """Lay flat weights, wire after wire, out as the program wants them."""
        weights = self._flat(flat)
        places = layout(self.topology)
        laid = weights.new_empty(*weights.shape[:-1], len(places))
        _program().lay(self._call(weights, rows=1), laid)
        return Laid(laid)

    def initial_state(self, weights: Laid, *, lanes: int, rows: int) -> State:
        """Begin: memory at zero, every head at row 0, reads and carry at their learned biases."""
        check_rows(self.topology, rows)
        numbers, heads = self._laid(weights), len(self.topology.heads)
        population = numbers.shape[:-1]
        begun = self._room(population, lanes=1, rows=1)
        none = numbers.new_zeros(0, 1, total(self.topology.inputs))
        self._run(numbers, none, rows=1, ends=begun, laid=True)
        carry = tuple(
            (hidden.expand(*population, lanes, -1), cell.expand(*population, lanes, -1))
            for hidden, cell in begun.carry
        )
        reads = begun.reads.expand(*population, lanes, -1, -1)
        rows, width = (rows if heads else 0), self.topology.width
        store = unwritten(reads, *population, lanes, heads=heads, rows=rows, width=width)
        return State(carry, reads, store)

    def run(
        self,
        weights: Laid,
        inputs: Float[Tensor, "T *shown I"],
        state: State,
        *,
        lengths: Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "T *batch O"], State]:
        """Answer a sequence of at least one step, in logits, as `Machine.run` does."""
        numbers = self._laid(weights)
        check_inputs(self.topology, inputs, numbers.shape[:-1])
        rows = soft(state).memory.shape[-2]
        ends = self._room(numbers.shape[:-1], lanes=inputs.shape[-2], rows=rows)
        check_state(state, like=ends)
        answers = self._run(
            numbers, inputs, rows=rows, lengths=lengths, start=state, ends=ends, laid=True
        )
        return answers, ends

    def episode(
        self,
        flat: Float[Tensor, "*population D"],
        inputs: Float[Tensor, "T *shown I"],
        *,
        rows: int,
        lengths: Sequence[int] | None = None,
    ) -> Float[Tensor, "T *batch O"]:
        """Answer a whole episode, in logits, from the initial state on."""
        check_rows(self.topology, rows)
        weights = self._flat(flat)
        check_inputs(self.topology, inputs, weights.shape[:-1])
        return self._run(weights, inputs, rows=rows, lengths=lengths)

    def gradients(
        self,
        flat: Float[Tensor, "*population D"],
        inputs: Float[Tensor, "T *shown I"],
        answers: Float[Tensor, "T *batch O"],
        *,
        rows: int,
        lengths: Sequence[int] | None = None,
        of_inputs: bool = False,
    ) -> tuple[Float[Tensor, "*population D"], Float[Tensor, "T *batch I"] | None]:
        """Give the gradients of the weights, and of the inputs if wanted, from the answers'.

        It runs the episode again, and keeps for each thread all that happens to 16 lanes: at each
        step 64 bytes for every number of the memory, the weightings and the controller. Raises
        MachineError where it knows no way back, as through a tape.
        """
        if not supports(self.topology):
            raise MachineError(f"expected a machine with a way back through the fused kernel, got "
                               f"{self.topology}: use Machine.episode")  # fmt: skip
        check_rows(self.topology, rows)
        weights = self._flat(flat)
        check_inputs(self.topology, inputs, weights.shape[:-1])
        batch = len(inputs), *weights.shape[:-1], inputs.shape[-2]
        call, _kept = self._heard(weights, inputs, rows=rows, lengths=lengths)
        expected, came = [*batch, total(self.topology.outputs)], list(answers.shape)
        if came != expected:
            raise MachineError(f"expected gradients of answers of shape {expected}, got {came}")
        answers = _plain(answers).mT.contiguous().mT.movedim(0, -2)
        ours, theirs = torch.zeros_like(weights), None
        asked = program.Gradients(outputs=_array(answers), weights=ours.data_ptr())
        if of_inputs:
            theirs = weights.new_zeros(*batch[:-1], inputs.shape[-1], batch[-1]).mT
            asked.inputs = _array(theirs.movedim(0, -2))
        _program().go_back(call, asked, self.level, torch.get_num_threads())
        return ours, theirs

    def _laid(self, weights: Laid) -> Tensor:
        numbers, size = weights.numbers, len(layout(self.topology))
        if numbers.shape[-1] != size:
            raise MachineError(f"expected {size} laid weights for {self.topology}, as wire_up "
                               f"gives, got {numbers.shape[-1]}")  # fmt: skip
        return _plain(numbers).contiguous()

    def _flat(self, flat: Tensor) -> Tensor:
        check_weights(self.topology, flat)
        return _plain(flat).contiguous()

    def _room(self, population: tuple[int, ...], *, lanes: int, rows: int) -> State:
        """Make room for a state, lanes innermost."""
        topology, lstm = self.topology, self.topology.controller.kind == "lstm"

        def empty(*shape: int) -> Tensor:
            return torch.empty(*population, *shape, lanes).movedim(-1, len(population))

        units = topology.controller.units if lstm else ()
        rows = rows if topology.heads else 0
        carry = tuple((empty(count), empty(count)) for count in units)
        reads = empty(len(topology.readers), topology.width)
        return State(
            carry, reads, Soft(empty(rows, topology.width), empty(len(topology.heads), rows))
        )

    def _call(self, weights: Tensor, *, rows: int, laid: bool = False) -> program.Episode:
        """Say what every call says."""
        places = layout(self.topology)
        call = program.Episode(
            topology=pointer(_told(self.topology)),
            population=math.prod(weights.shape[:-1]),
            rows=rows,
            epsilon=self.eps,
            weights=weights.data_ptr(),
            weights_stride=weights.shape[-1],
            laid_size=len(places),
            places=None if laid else places.ctypes.data,
        )
        call.kept = places  # the cache may keep another thread's
        return call

    def _run(
        self,
        weights: Tensor,
        inputs: Tensor,
        *,
        rows: int,
        lengths: Sequence[int] | None = None,
        start: State | None = None,
        ends: State | None = None,
        laid: bool = False,
    ) -> Tensor:
        call, kept = self._heard(weights, inputs, rows=rows, lengths=lengths, laid=laid)
        ended = lengths is not None and min(lengths) < len(inputs)
        room = torch.zeros if ended else torch.empty
        outputs = total(self.topology.outputs)
        answers = room(len(inputs), *weights.shape[:-1], outputs, inputs.shape[-2]).mT
        call.outputs = _array(answers.movedim(0, -2))
        begun = None if start is None else over_tensors(start, _one_population)
        states = [None if state is None else _told_state(state) for state in (begun, ends)]
        call.start, call.ends = (state and pointer(state) for state in states)
        _program(self.level).run(call, self.level, torch.get_num_threads())
        return answers

    def _heard(
        self,
        weights: Tensor,
        inputs: Tensor,
        *,
        rows: int,
        lengths: Sequence[int] | None,
        laid: bool = False,
    ) -> tuple[program.Episode, tuple[Tensor, Tensor]]:
        """Say what is heard, too, and give the tensors that must live as long as the call."""
        steps, lanes = len(inputs), inputs.shape[-2]
        if lengths is None:
            lengths = [steps] * lanes
        else:
            check_lengths(lengths, steps=steps, lanes=lanes)
        population = weights.shape[:-1]
        shown = _plain(inputs).mT.contiguous().mT.movedim(0, -2)
        shown = shown.expand(*population, *shown.shape[-3:])
        stops = torch.tensor(lengths, dtype=torch.int32)
        call = self._call(weights, rows=rows, laid=laid)
        call.lanes, call.steps, call.lengths = lanes, steps, stops.data_ptr()
        call.inputs = _array(shown)
        return call, (shown, stops)


class FusedTape(FusedCPU):
    """A machine with a tape, or a graph; its whole episodes are fused, its steps are torch's."""

    def wire_up(self, flat: Float[Tensor, "*population D"]) -> Weights:  # type: ignore[override]
        """Lay flat weights out as the torch path takes them."""
        return Machine(self.topology).wire_up(flat)

    def initial_state(self, weights: Weights, *, lanes: int, rows: int) -> State:  # type: ignore[override]
        """Begin as `Machine` does."""
        return Machine(self.topology).initial_state(weights, lanes=lanes, rows=rows)

    def run(  # type: ignore[override]
        self,
        weights: Weights,
        inputs: Float[Tensor, "T *shown I"],
        state: State,
        *,
        lengths: Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "T *batch O"], State]:
        """Answer a sequence as `Machine` does."""
        return Machine(self.topology).run(weights, inputs, state, lengths=lengths)

    def walk(
        self, flat: Float[Tensor, "*population D"], *, lanes: int, rows: int, steps: int
    ) -> "FusedWalk | None":
        """Begin a walk of at most so many steps; None where tapes may grow too long for it."""
        check_rows(self.topology, rows)
        laid = super().wire_up(flat).numbers
        lengths = torch.ones(lanes, dtype=torch.int32)
        call = self._call(laid, rows=rows, laid=True)
        call.lanes, call.steps, call.lengths = lanes, steps, lengths.data_ptr()
        floats = _program(self.level).kept(call, self.level)
        if floats * call.population > MOST_KEPT:
            return None
        kept = laid.new_empty(*laid.shape[:-1], floats)
        return FusedWalk(self, laid, kept, rows, steps, lengths)

    def _flat(self, flat: Tensor) -> Tensor:
        plain = super()._flat(flat)
        return plain if self.topology.controller.graph is None else STEEPNESS * plain


class FusedWalk:
    """Machines with tapes on their way, whose cells stay where they are between two steps."""

    def __init__(
        self,
        machine: FusedTape,
        laid: Float[Tensor, "*population D"],
        kept: Float[Tensor, "*population F"],
        rows: int,
        steps: int,
        lengths: Int[Tensor, "lanes"],
    ) -> None:
        self._machine, self._laid, self._kept = machine, laid, kept
        self._rows, self._steps, self._lengths = rows, steps, lengths
        self._begun = False

    def answer(self, seen: Float[Tensor, "*shown I"]) -> Float[Tensor, "*batch O"]:
        """Take a step: answer what is seen, in logits."""
        machine, population = self._machine, self._laid.shape[:-1]
        check_inputs(machine.topology, seen.unsqueeze(0), population)
        lanes, outputs = len(self._lengths), total(machine.topology.outputs)
        if seen.shape[-2] != lanes:
            raise MachineError(f"expected {lanes} lanes, got {seen.shape[-2]}")
        shown = _plain(seen).mT.contiguous().mT.expand(*population, *seen.shape[-2:])
        answers = shown.new_empty(*population, outputs, lanes).mT
        call = machine._call(self._laid, rows=self._rows, laid=True)
        call.lanes, call.steps, call.lengths = lanes, self._steps, self._lengths.data_ptr()
        call.inputs, call.outputs = (_array(each.unsqueeze(-2)) for each in (shown, answers))
        threads = torch.get_num_threads()
        _program(machine.level).walk(call, self._kept, machine.level, threads, begun=self._begun)
        self._begun = True
        return answers

    def keep(self, index: Int[Tensor, "some"]) -> None:
        """Go on with some individuals of a population of one axis."""
        self._laid, self._kept = self._laid[index], self._kept[index]


def available() -> bool:
    """Tell whether the package was installed with the program."""
    return program.load() is not None


def _program(level: int = 0) -> program.Program:
    found = program.load()
    if found is None:
        raise MachineError(program.missing())
    if not 0 <= level < len(found.levels):
        known = ", ".join(f"{number} ({name})" for number, name in enumerate(found.levels))
        raise MachineError(f"expected an instruction set among {known}, got {level}")
    return found


def _plain(x: Tensor) -> Tensor:
    """Take numbers as the program knows them. Raises MachineError where they are others."""
    if x.dtype != torch.float32 or not x.is_cpu:
        raise MachineError(f"expected float32 on the cpu, got {x.dtype} on {x.device}")
    if torch.is_grad_enabled() and x.requires_grad:
        raise MachineError("expected numbers that need no gradient, got some that do")
    return x.detach()


@lru_cache(maxsize=1024)
def _told(topology: Topology) -> program.Topology:
    stages = [head.stages for head in topology.heads]
    heads = [
        program.Head(s.content, s.interpolation, s.shift, s.sharpening, head.shifts)
        for s, head in zip(stages, topology.heads, strict=True)
    ]
    controller, tape = topology.controller, topology.tape or Tape()
    units, drawn = controller.units, controller.graph is not None
    return program.Topology(
        inputs=total(topology.inputs),
        outputs=total(topology.outputs),
        width=topology.width,
        writers=len(topology.writers),
        readers=len(topology.readers),
        shifts=1 if drawn else plan(topology).shifts,
        layers=len(units),
        lstm=controller.kind == "lstm",
        cells=any(head.source == "cell" for head in topology.heads),
        units=units,
        heads=cast((program.Head * len(heads))(*heads), POINTER(program.Head)),
        tape_heads=len(topology.tape_heads),
        overwrite=tape.write == "overwrite",
        fresh_cell=tape.fresh_cell,
        initial=tape.initial,
        least_similarity=tape.least_similarity,
        did_write=tape.did_write,
        graph=drawn,
        nodes=controller.frame.nodes if drawn else 0,
        recurrent=drawn and controller.frame.recurrent,
    )


def _told_state(state: State) -> program.State:
    memory, weightings = soft(state)
    return program.State(
        hidden=tuple(_array(hidden.unsqueeze(-2)) for hidden, _ in state.carry),
        cell=tuple(_array(cell.unsqueeze(-2)) for _, cell in state.carry),
        reads=_array(state.reads),
        memory=_array(memory),
        weightings=_array(weightings),
    )


def _one_population(x: Tensor, trailing: int) -> Tensor:
    """Take numbers as the program knows them, the axes of the population as one."""
    x = _plain(x)
    return x.flatten(0, -trailing - 1) if x.ndim > trailing + 1 else x


def _array(x: Float[Tensor, "*population lanes rows columns"]) -> program.Array:
    """Say where numbers lie. The axes of the population must lie as one."""
    individual = x.stride(-4) if x.ndim > 3 else 0
    return program.Array(x.data_ptr(), individual, *x.stride()[-3:])
