"""An episode with gradients on a GPU: there and back in the fused programs, as one function.

The way there leaves a recording. The way back goes through it step by step (`cuda_backward`) and
leaves the gradients of all that arrived anywhere; those of weights are products of these with what
was sent, summed over steps and lanes by torch, in an order that follows from the shapes alone.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine.kernels.cuda import FusedCUDA, Recording, lay, on_device_of, plain
from evo_ntm.machine.kernels.cuda_layout import WARP, arrange, arrange_back, sizes, tiles
from evo_ntm.machine.kernels.graphs import refuse_second_gradients
from evo_ntm.machine.machine import check_inputs
from evo_ntm.machine.weights import plan
from evo_ntm.topology import Topology
from evo_ntm.topology.parts import total

MOST_RECORDED = 4 * 2**30  # bytes
MOST_COLUMNS = 128  # as many threads for a sender's or so; the others share the receivers


def fits(topology: Topology, rows: int) -> bool:
    """Tell whether memory, weightings and their gradients fit on the chip."""
    return tiles(topology, rows, memories=2) is not None


def recorded(topology: Topology, *, rows: int, steps: int) -> int:
    """Count the bytes of a lane's recording: 4 for each number of memory, weightings and space.

    For 128 rows of 20 and an LSTM of 100 units that is 14 KB a step.
    """
    heads = len(topology.heads)
    rows, memories = rows * bool(heads), 1 + steps * bool(topology.writers)
    page = arrange(topology).ring_at + heads * rows
    return 4 * ((steps + 1) * page + memories * topology.width * rows)


def differentiable_episode(
    machine: FusedCUDA,
    flat: Float[Tensor, "*population D"],
    inputs: Float[Tensor, "T *shown I"],
    *,
    rows: int,
    lengths: Sequence[int] | None,
) -> Float[Tensor, "T *batch O"]:
    """Answer a whole episode that `fits`, with gradients.

    Its recording is kept from there to back where that takes no more than MOST_RECORDED bytes;
    otherwise the way back goes there again, with so many lanes at a time that it does.
    """
    check_inputs(machine.topology, inputs, flat.shape[:-1])
    told = machine, flat, inputs, rows, lengths
    answers: Tensor = _Episode.apply(*told)  # type: ignore[no-untyped-call]
    return answers


class _Episode(torch.autograd.Function):
    """An episode of weights and inputs."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        machine: FusedCUDA,
        flat: Tensor,
        inputs: Tensor,
        rows: int,
        lengths: Sequence[int] | None,
    ) -> Tensor:
        """Answer."""
        ctx.machine, ctx.rows, ctx.lengths = machine, rows, lengths
        lane = recorded(machine.topology, rows=rows, steps=len(inputs))
        ctx.lanes_at_once = max(1, MOST_RECORDED // (lane * math.prod(flat.shape[:-1])))
        if inputs.shape[-2] > ctx.lanes_at_once:
            ctx.save_for_backward(flat, inputs)
            return machine.episode(flat, inputs, rows=rows, lengths=lengths)
        answers, recording = machine.record(flat, inputs, rows=rows, lengths=lengths)
        ctx.save_for_backward(flat, inputs, *recording)
        return answers

    @staticmethod
    def backward(ctx: Any, answers: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """Go back; what is shown to a population hears from all of it."""
        refuse_second_gradients()
        machine, (flat, inputs, *kept) = ctx.machine, ctx.saved_tensors
        of_flat, of_inputs = ctx.needs_input_grad[1:3]
        ours, theirs = torch.zeros_like(flat), []
        for first in range(0, inputs.shape[-2], ctx.lanes_at_once):
            some = slice(first, first + ctx.lanes_at_once)
            lengths = ctx.lengths and ctx.lengths[some]
            if not kept:
                shown = inputs[..., some, :]
                _, recording = machine.record(flat, shown, rows=ctx.rows, lengths=lengths)
            else:
                recording = Recording(*kept)
            back = go_back(machine, flat, recording, answers[..., some, :], lengths=lengths)
            if of_flat:
                ours += of_weights(machine.topology, recording, back)
            if of_inputs:
                theirs.append(of_heard(machine, flat, back))
        heard = torch.cat(theirs, -2) if of_inputs else None
        if heard is not None and heard.shape != inputs.shape:
            heard = heard.flatten(1, -3).sum(1)
        return None, ours if of_flat else None, heard, None, None


class Back(NamedTuple):
    """What came back to all that arrived anywhere, and to what each lane held at first."""

    pulls: Float[Tensor, "T *batch L"]
    first: Float[Tensor, "*batch L"]


def go_back(
    machine: FusedCUDA,
    flat: Float[Tensor, "*population D"],
    recording: Recording,
    answers: Float[Tensor, "T *batch O"],
    *,
    lengths: Sequence[int] | None,
) -> Back:
    """Launch the program: from the gradients of answers back to where the episode began."""
    from evo_ntm.machine.kernels import cuda_backward  # which imports triton

    topology, (pages, memory, weightings) = machine.topology, recording
    steps, (lanes, _, rows) = len(answers), weightings.shape[-3:]
    back, tile = arrange_back(topology), tiles(topology, rows, memories=2)
    assert tile is not None
    index, _, layers = _tables(topology, flat.device)
    numbers = lay(plain(flat), index)
    pulls = torch.zeros_like(pages[1:])
    space = pages.new_zeros(*pages.shape[1:-1], pages.shape[-1] + 2 * rows)
    ends = torch.tensor(lengths or [steps] * lanes, dtype=torch.int32, device=flat.device)
    columns = min(MOST_COLUMNS, WARP * tile.warps)
    with on_device_of(flat):
        cuda_backward.way_back[(math.prod(flat.shape[:-1]) * -(-lanes // tile.lanes),)](
            numbers, plain(answers).contiguous(), pages, memory, weightings, pulls, space, ends,
            layers, machine.eps, individual_weights=numbers.shape[-1],
            lane_space=space.shape[-1], filled=pages.shape[-2], lanes=lanes,
            outputs=answers.shape[-1], rows=rows, telling_at=back.telling_at,
            answering_at=back.answering_at, answer_step=answers[0].numel(),
            memory_step=memory[0].numel() if len(memory) > 1 else 0,
            weightings_step=weightings[0].numel(), page_step=pages[0].numel(), **sizes(topology),
            LANES=tile.lanes, ROWS=tile.rows, WIDTH=tile.width,
            HEADS=tile.heads if topology.readers else 0, COLUMNS=columns,
            PARTS=WARP * tile.warps // columns, num_warps=tile.warps, num_stages=1,
        )  # fmt: skip
    return Back(pulls[..., :lanes, :], space[..., :lanes, :])


def of_weights(
    topology: Topology, recording: Recording, back: Back
) -> Float[Tensor, "*population D"]:
    """Sum, over steps and lanes, what was sent times what came back for it."""
    pages = recording.pages[..., : back.first.shape[-2], :]
    laid = torch.cat(list(_of_laid(topology, pages[:-1], pages[1:], back)), -1)
    return laid.index_select(-1, _tables(topology, laid.device)[1])


def of_heard(
    machine: FusedCUDA, flat: Float[Tensor, "*population D"], back: Back
) -> Float[Tensor, "T *batch I"]:
    """Bring to the inputs what came back to the first layer."""
    places = arrange(machine.topology)
    came = back.pulls[..., places.arriving(places.layers[0])]
    channels, count = places.reads_at, came.shape[-1]
    laid = machine.wire_up(flat).numbers[..., count : count * (1 + channels)]
    return came @ laid.view(*laid.shape[:-1], channels, count).mT


def _of_laid(topology: Topology, before: Tensor, after: Tensor, back: Back) -> Iterator[Tensor]:
    """Give the gradients of laid weights, in their order."""
    places = arrange(topology)
    for layer in places.layers:
        # those below have sent in the same step, reads and the layer itself in the one before
        above = layer.hidden_at if layer.sent_at else places.reads_at
        end = layer.sent_at + layer.senders
        sent = torch.cat([after[..., layer.sent_at : above], before[..., above:end]], -1)
        yield from _products(sent, back.pulls[..., places.arriving(layer)])
    top = after[..., places.top_at : places.top_at + places.top]
    yield from _products(top, back.pulls[..., places.told_at : places.ring_at])
    read = after[..., places.reads_at : places.reads_at + places.reads]
    answered_at = places.ring_at - total(topology.outputs)
    _, wires = _products(read, back.pulls[..., answered_at : places.ring_at])
    yield wires
    for number, (at, size) in enumerate(places.kept):
        first = back.first[..., at : at + size]
        if number % 2:  # first hidden units are the tanh of their weights
            first = first * (1 - before[0, ..., at : at + size].square())
        yield first.sum(-2)


def _products(sent: Tensor, came: Tensor) -> tuple[Tensor, Tensor]:
    """Give the gradients of biases, and of wires, a sender after another."""
    sent, came = (x.movedim(0, -2).flatten(-3, -2) for x in (sent, came))
    return came.sum(-2), (sent.mT @ came).flatten(-2)


@lru_cache(maxsize=256)
def _tables(topology: Topology, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Bring to a device which weight lies where, where on the way there each is, and the layers."""
    back, index = arrange_back(topology), arrange(topology).index
    laid = np.flatnonzero(index < plan(topology).size)
    where = np.empty_like(laid)
    where[index[laid]] = laid
    with torch.inference_mode(False):
        here, there = (torch.from_numpy(places).to(device) for places in (back.places, where))
        return here, there, torch.tensor(back.layers, dtype=torch.int32, device=device)
