"""The torch path in a CUDA graph: for machines too large to be fused, and for their gradients.

A GPU answers a small operation sooner than Python asks for it; a graph asks for all operations of
an episode at once. It is bound to shapes and places, so there is one for each shape of episode,
over weights and inputs of its own, into which those of a call are copied. The last few are kept.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar

import torch
from torch import Tensor

from evo_ntm.errors import MachineError
from evo_ntm.machine.machine import Machine, check_lengths, until
from evo_ntm.machine.weights import Layer, Weights
from evo_ntm.topology import Topology

MOST_GRAPHS = 4
Found = TypeVar("Found")
_one_at_a_time = Lock()


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
    if lengths is not None:
        check_lengths(lengths, steps=len(inputs), lanes=inputs.shape[-2])
    with torch.inference_mode(False), torch.no_grad():
        weights = _matrices(machine.wire_up(flat))
    (answers,) = _replayed(machine, rows, [inputs, *weights], None)
    return answers if lengths is None else until(answers, lengths)


def differentiable_episode(
    machine: Machine, flat: Tensor, inputs: Tensor, *, rows: int, lengths: Sequence[int] | None
) -> Tensor:
    """Answer a whole episode on a GPU with gradients, forward and back each from a graph.

    Between them nothing is kept: the graph of the way back begins with the episode again.
    """
    if lengths is not None:
        check_lengths(lengths, steps=len(inputs), lanes=inputs.shape[-2])
    answers: Tensor = _Episode.apply(  # type: ignore[no-untyped-call]
        machine, rows, inputs, *_matrices(machine.wire_up(flat))
    )
    return answers if lengths is None else until(answers, lengths)


def refuse_second_gradients() -> None:
    """Raise MachineError where gradients are to be differentiated again."""
    if torch.is_grad_enabled():
        raise MachineError("expected to be differentiated once, got create_graph=True; "
                           "for gradients of gradients use Machine.episode")  # fmt: skip


class _Episode(torch.autograd.Function):
    """An episode of inputs and of the matrices that weights are laid out as."""

    @staticmethod
    def forward(ctx: Any, machine: Machine, rows: int, inputs: Tensor, *matrices: Tensor) -> Tensor:  # noqa: ANN401
        """Answer."""
        ctx.save_for_backward(inputs, *matrices)
        ctx.machine, ctx.rows = machine, rows
        return _replayed(machine, rows, [inputs, *matrices], None)[0]

    @staticmethod
    def backward(ctx: Any, answers: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """Go back."""
        refuse_second_gradients()
        found = _replayed(ctx.machine, ctx.rows, list(ctx.saved_tensors), answers)
        return None, None, *found


def _replayed(
    machine: Machine, rows: int, given: list[Tensor], cotangent: Tensor | None
) -> list[Tensor]:
    """Find the graph, make it if it is not there, and let it act on what is given."""
    # In inference mode a graph's own tensors could not be filled from outside it.
    with _one_at_a_time, torch.cuda.device(given[0].device), torch.inference_mode(False):
        shapes = tuple(x.shape for x in given)
        device, back = given[0].device, cotangent is not None
        graph = _recorded(machine.topology, machine.eps, device, shapes, rows, back)
        return graph.replay(given if cotangent is None else [*given, cotangent])


class Graph:
    """All operations of an episode of one shape, and of the way back where it is asked for."""

    def __init__(self, machine: Machine, given: list[Tensor], rows: int, *, back: bool) -> None:
        inputs, *matrices = given
        weights = _weights(machine, iter(matrices))
        cotangent: Tensor | None = None

        def answer() -> Tensor:
            state = machine.initial_state(weights, lanes=inputs.shape[-2], rows=rows)
            return machine.run(weights, inputs, state)[0]

        def act() -> list[Tensor]:
            with torch.set_grad_enabled(back):
                answers = answer()
                if cotangent is None:
                    return [answers]
                return list(torch.autograd.grad(answers, given, cotangent, materialize_grads=True))

        if back:
            for tensor in given:
                tensor.requires_grad_()
            with torch.no_grad():
                cotangent = torch.zeros_like(answer())
        self._given = [*given, *([] if cotangent is None else [cotangent])]
        self._graph, self._found = _captured(act, inputs.device)

    def replay(self, given: list[Tensor]) -> list[Tensor]:
        """Do it for these tensors."""
        with torch.no_grad():
            for place, came in zip(self._given, given, strict=True):
                place.copy_(came)
            self._graph.replay()
            return [found.clone() for found in self._found]


@lru_cache(maxsize=MOST_GRAPHS)
def _recorded(
    topology: Topology,
    eps: float,
    device: torch.device,
    shapes: tuple[torch.Size, ...],
    rows: int,
    back: bool,
) -> Graph:
    given = [torch.zeros(shape, device=device) for shape in shapes]
    return Graph(Machine(topology, eps), given, rows, back=back)


def _captured(act: Callable[[], Found], device: torch.device) -> tuple[torch.cuda.CUDAGraph, Found]:
    """Record what an action asks of the device, after a first time aside."""
    aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        act()  # libraries make room for themselves at first, which no graph may hold
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        found = act()
    return graph, found


def _weights(machine: Machine, matrices: Iterator[Tensor]) -> Weights:
    """Put matrices, as `_matrices` lists them, back in their places."""
    lstm = machine.topology.controller.kind == "lstm"
    layers = []
    for _ in machine.topology.controller.layers:
        below, reads, before, bias = (next(matrices) for _ in range(4))
        start = tuple(next(matrices) for _ in range(2 * lstm))
        layers.append(Layer(below, reads, before, bias, start))
    return Weights(tuple(layers), *matrices)


def _matrices(weights: Weights) -> list[Tensor]:
    layers = [tensor for *four, start in weights.layers for tensor in (*four, *start)]
    return [*layers, *weights[1:]]
