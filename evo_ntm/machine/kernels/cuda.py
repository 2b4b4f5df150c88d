"""The machine fused for CUDA, in Triton: a population through a whole episode in one launch.

Each instance of the program runs a few lanes of one individual, and memory and weightings stay in
its registers from the first step to the last. Where they are more than those can hold
(`FusedCUDA.fits`), the torch path answers instead, an episode of it captured as a CUDA graph
(`graphs`). How a machine is cut into lanes and threads follows from its topology and rows
alone, so the arithmetic of one individual on one sequence is the same in any company.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.errors import MachineError
from evo_ntm.machine.kernels import graphs
from evo_ntm.machine.kernels.cuda_layout import WARP, arrange, sizes, tiles
from evo_ntm.machine.machine import (
    Machine,
    check_inputs,
    check_lengths,
    check_rows,
)
from evo_ntm.machine.state import Soft, State, check_state, soft, unwritten
from evo_ntm.machine.weights import check_weights
from evo_ntm.topology import Topology
from evo_ntm.topology.parts import total


class Laid(NamedTuple):
    """The weights of a population: as they came, and laid as the program wants them."""

    flat: Float[Tensor, "*population D"]
    numbers: Float[Tensor, "*population L"]


class Recording(NamedTuple):
    """What all lanes of an episode held at first and after each step, until they ended.

    A page is a lane's space, but for its ring of rows; the last lanes only fill an instance up.
    There is a single memory if nobody writes.
    """

    pages: Float[Tensor, "T *filled L"]
    memory: Float[Tensor, "_ *batch M N"]
    weightings: Float[Tensor, "T *batch H N"]


@dataclass(frozen=True)
class FusedCUDA:
    """The equations of one topology, fused, in float32.

    Autograd does not see through it, but through `gradient.differentiable_episode`.
    """

    topology: Topology
    eps: float = 1e-6

    def fits(self, rows: int) -> bool:
        """Tell whether memory and weightings fit on the chip; else the torch path answers."""
        return tiles(self.topology, rows) is not None

    def wire_up(self, flat: Float[Tensor, "*population D"]) -> Laid:
        """Lay flat weights, wire after wire, out as the program wants them."""
        flat = plain(flat)
        check_weights(self.topology, flat)
        return Laid(flat, lay(flat, _tables(self.topology, flat.device)[0]))

    def initial_state(self, weights: Laid, *, lanes: int, rows: int) -> State:
        """Begin: memory at zero, every head at row 0, reads and carry at their learned biases."""
        check_rows(self.topology, rows)
        reads, *layers = self._starts(weights, lanes)
        population, heads = weights.numbers.shape[:-1], len(self.topology.heads)
        rows, width = (rows if heads else 0), self.topology.width
        store = unwritten(reads, *population, lanes, heads=heads, rows=rows, width=width)
        return self._state(reads, layers, store)

    def run(
        self,
        weights: Laid,
        inputs: Float[Tensor, "T *shown I"],
        state: State,
        *,
        lengths: Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "T *batch O"], State]:
        """Answer a sequence of at least one step, in logits, as `Machine.run` does."""
        check_inputs(self.topology, inputs, weights.numbers.shape[:-1])
        rows = soft(state).memory.shape[-2]
        begun = self.initial_state(weights, lanes=inputs.shape[-2], rows=max(rows, 1))
        check_state(state, like=begun)
        if not self.fits(rows):
            machine = Machine(self.topology, self.eps)
            return machine.run(machine.wire_up(weights.flat), inputs, state, lengths=lengths)
        begins = [state.reads.flatten(-2), *(part for layer in state.carry for part in layer)]
        memory, weightings = soft(state)
        store = Soft(plain(memory).mT.contiguous(), plain(weightings).contiguous())
        answers, (reads, *layers), ended = self._run(weights, inputs, begins, rows, lengths, store)
        return answers, self._state(reads, layers, Soft(ended.memory.mT, ended.weightings))

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
        check_inputs(self.topology, inputs, flat.shape[:-1])
        if not self.fits(rows):
            machine = Machine(self.topology, self.eps)
            return graphs.episode(machine, plain(flat), plain(inputs), rows=rows, lengths=lengths)
        weights = self.wire_up(flat)
        return self._run(weights, inputs, self._starts(weights, inputs.shape[-2]), rows, lengths)[0]

    def record(
        self,
        flat: Float[Tensor, "*population D"],
        inputs: Float[Tensor, "T *shown I"],
        *,
        rows: int,
        lengths: Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "T *batch O"], Recording]:
        """Answer a whole episode that fits on the chip, and keep all that happened in it."""
        check_rows(self.topology, rows)
        check_inputs(self.topology, inputs, flat.shape[:-1])
        weights, (steps, lanes) = self.wire_up(flat), (len(inputs), inputs.shape[-2])
        topology, tile = self.topology, tiles(self.topology, rows)
        assert tile is not None
        population, heads = flat.shape[:-1], len(topology.heads)
        filled, rows_there = -(-lanes // tile.lanes) * tile.lanes, rows if heads else 0
        memories = 1 + steps * bool(topology.writers)
        recording = Recording(
            inputs.new_zeros(steps + 1, *population, filled, arrange(topology).ring_at),
            inputs.new_empty(memories, *population, lanes, topology.width, rows_there),
            inputs.new_empty(steps + 1, *population, lanes, heads, rows_there),
        )
        starts = self._starts(weights, lanes)
        return self._run(weights, inputs, starts, rows, lengths, recording=recording)[0], recording

    def _starts(self, weights: Laid, lanes: int) -> list[Tensor]:
        """Give the learned reads, then hidden units and cells by layer, for each lane."""
        places = arrange(self.topology)
        sizes = [size for _, size in places.kept]
        starts = weights.numbers[..., places.starts_at :].unsqueeze(-2)
        reads, *layers = starts.expand(*starts.shape[:-2], lanes, -1).split_with_sizes(sizes, -1)
        return [reads, *(torch.tanh(x) if i % 2 == 0 else x for i, x in enumerate(layers))]

    def _state(self, reads: Tensor, layers: list[Tensor], store: Soft) -> State:
        shape = len(self.topology.readers), self.topology.width
        carry = tuple(zip(layers[::2], layers[1::2], strict=True))
        return State(carry, reads.view(*reads.shape[:-1], *shape), store)

    def _run(
        self,
        weights: Laid,
        inputs: Tensor,
        begins: list[Tensor],
        rows: int,
        lengths: Sequence[int] | None,
        store: Soft | None = None,
        recording: Recording | None = None,
    ) -> tuple[Tensor, list[Tensor], Soft]:
        """Launch the program; from a blank store on, nobody asks how it ends."""
        from evo_ntm.machine.kernels import cuda_program  # which imports triton

        topology, population = self.topology, weights.numbers.shape[:-1]
        places, tile = arrange(topology), tiles(topology, rows)
        assert tile is not None
        inputs, steps, lanes = plain(inputs).contiguous(), len(inputs), inputs.shape[-2]
        lengths = [steps] * lanes if lengths is None else lengths
        check_lengths(lengths, steps=steps, lanes=lanes)
        ends = torch.tensor(lengths, dtype=torch.int32, device=inputs.device)
        individuals, groups = math.prod(population), -(-lanes // tile.lanes)
        lane_space = places.ring_at + rows * bool(topology.heads)
        space = inputs.new_zeros(*population, groups * tile.lanes, lane_space)
        kept = [space[..., :lanes, at : at + size] for at, size in places.kept]
        for place, begin in zip(kept, begins, strict=True):
            place.copy_(plain(begin))
        answers = inputs.new_zeros(steps, *population, lanes, total(topology.outputs))
        blank = Soft(space, space)  # never looked at
        ended = blank if store is None else Soft(*map(torch.empty_like, store))
        pages, *stores = recording or (space, *ended)
        page_step, memory_step, weightings_step = (
            x[0].numel() if recording and len(x) > 1 else 0 for x in (pages, *stores)
        )
        with on_device_of(inputs):
            cuda_program.episode[(individuals * groups,)](
                weights.numbers, inputs, answers, space, ends,
                _tables(topology, inputs.device)[1], *(store or blank), *stores, pages, self.eps,
                individual_weights=weights.numbers.shape[-1], lane_space=lane_space,
                lanes=lanes, channels=inputs.shape[-1], outputs=answers.shape[-1], rows=rows,
                telling_at=places.telling_at, answering_at=places.answering_at,
                input_step=inputs[0].numel(), answer_step=answers[0].numel(),
                input_individual=lanes * inputs.shape[-1] if inputs.ndim > 3 else 0,
                memory_step=memory_step, weightings_step=weightings_step, page_step=page_step,
                **sizes(topology), LANES=tile.lanes, ROWS=tile.rows, WIDTH=tile.width,
                HEADS=tile.heads, COLUMNS=WARP * tile.warps, FRESH=store is None,
                KEEP=bool(store or recording), RECORD=recording is not None,
                num_warps=tile.warps, num_stages=1,
            )  # fmt: skip
        return answers, [place.clone() for place in kept], ended


def missing() -> str | None:
    """Say what the program lacks to run, None where nothing is."""
    if not torch.cuda.is_available():
        return ("torch finds no GPU; it needs one, its driver and a CUDA build of torch "
                "(https://pytorch.org/get-started)")  # fmt: skip
    if find_spec("triton") is None:
        return "triton is not installed; CUDA builds of torch bring it: pip install triton"
    return None


def version() -> str:
    """Say which triton compiles the program: another's arithmetic may round differently."""
    return metadata.version("triton")


@lru_cache(maxsize=256)
def _tables(topology: Topology, device: torch.device) -> tuple[Tensor, Tensor]:
    """Bring which weight lies where, and where each layer is, to a device."""
    places = arrange(topology)
    with torch.inference_mode(False):
        index = torch.from_numpy(places.index).to(device)
        return index, torch.tensor(places.layers, dtype=torch.int32, device=device)


def lay(flat: Tensor, index: Tensor) -> Tensor:
    """Choose, of flat weights and the constants that follow them, what an index says."""
    constants = flat.new_tensor([0.0, -math.inf, math.inf]).expand(*flat.shape[:-1], 3)
    return torch.cat([flat, constants], dim=-1).index_select(-1, index)


def on_device_of(x: Tensor) -> AbstractContextManager[object]:
    """Launch programs where these numbers are."""
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()


def _interpreted() -> bool:
    """Tell whether triton only plays the program through, on the CPU."""
    import triton

    return bool(triton.knobs.runtime.interpret)


def plain(x: Tensor) -> Tensor:
    """Take numbers as the program knows them. Raises MachineError where they are others."""
    if x.dtype != torch.float32 or not (x.is_cuda or _interpreted()):
        raise MachineError(f"expected float32 on a cuda device, got {x.dtype} on {x.device}")
    if torch.is_grad_enabled() and x.requires_grad:
        raise MachineError("expected numbers that need no gradient, got some that do")
    return x.detach()
