"""The torch path in a CUDA graph: for machines whose memory is too large to be fused.

A GPU answers a small operation sooner than Python asks for it; a graph asks for all operations of
an episode at once. It is bound to shapes and places, so there is one for each shape of episode,
over weights and inputs of its own, into which those of a call are copied. The last few are kept.
"""

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import torch
from torch import Tensor

from evo_ntm.machine.machine import Machine, check_lengths
from evo_ntm.machine.weights import Weights
from evo_ntm.topology import Topology

MOST_GRAPHS = 4
_one_at_a_time = Lock()


class Graph:
    """All operations of an episode of one shape, without lengths."""

    def __init__(self, machine: Machine, flat: Tensor, inputs: Tensor, rows: int) -> None:
        self._weights, self._inputs = machine.wire_up(flat), inputs

        def answer() -> Tensor:
            state = machine.initial_state(self._weights, lanes=inputs.shape[-2], rows=rows)
            return machine.run(self._weights, inputs, state)[0]

        aside = torch.cuda.Stream(inputs.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            answer()  # libraries make room for themselves at first, which no graph may hold
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._answers = answer()

    def answer(self, weights: Weights, inputs: Tensor) -> Tensor:
        """Answer an episode of this shape."""
        for place, came in zip(_matrices(self._weights), _matrices(weights), strict=True):
            place.copy_(came)
        self._inputs.copy_(inputs)
        self._graph.replay()
        return self._answers.clone()


def episode(
    machine: Machine,
    flat: Tensor,
    inputs: Tensor,
    *,
    rows: int,
    lengths: Sequence[int] | None = None,
) -> Tensor:
    """Answer a whole episode as `Machine.episode` does; on a GPU, from a graph."""
    if not inputs.is_cuda:
        return machine.episode(flat, inputs, rows=rows, lengths=lengths)
    steps, lanes = len(inputs), inputs.shape[-2]
    shapes = flat.shape, inputs.shape
    with (
        _one_at_a_time,
        torch.cuda.device(inputs.device),
        torch.inference_mode(False),  # or the graph's own tensors could not be filled outside
        torch.no_grad(),
    ):
        graph = _capture(machine.topology, machine.eps, inputs.device, shapes, rows)
        answers = graph.answer(machine.wire_up(flat), inputs)
        if lengths is None:
            return answers
        check_lengths(lengths, steps=steps, lanes=lanes)
        ends = torch.tensor(lengths, device=inputs.device)
        going = torch.arange(steps, device=inputs.device).unsqueeze(-1) < ends
        going = going.view(steps, *[1] * (answers.ndim - 3), lanes, 1)
        return answers.where(going, 0.0)  # what comes later changes nothing before


@lru_cache(maxsize=MOST_GRAPHS)
def _capture(
    topology: Topology,
    eps: float,
    device: torch.device,
    shapes: tuple[torch.Size, torch.Size],
    rows: int,
) -> Graph:
    flat, inputs = (torch.zeros(shape, device=device) for shape in shapes)
    return Graph(Machine(topology, eps), flat, inputs, rows)


def _matrices(weights: Weights) -> list[Tensor]:
    layers = [tensor for *four, start in weights.layers for tensor in (*four, *start)]
    return [*layers, *weights[1:]]
