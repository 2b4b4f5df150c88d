"""What heads did over many sequences at once: where they looked and by which stage they got there.

Rows form a ring. Of every weighting only its focus is kept, and how sharp it is: a memory of any
size takes no room here. Axes: T steps, B sequences, H heads (writers first), W and R of one kind.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.genome import Genome
from evo_ntm.machine import Machine, addressing
from evo_ntm.machine.soft import Aim, Step
from evo_ntm.tasks import Episodes
from evo_ntm.topology import Head, Topology

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

HAIR = 1e-6  # of an overlap
NEAR = 4  # rows of the greatest weights are kept of each look of a reader


class Look(NamedTuple):
    """Where heads of one kind looked in one step, or in all of them.

    `focus` is the row of the greatest weight, `top` that weight, `entropy` in bits. `aimed` is the
    focus before the shift, which is the content's where the gate let more of it through there than
    of what was before (`by_content`). `moved` is how many rows the weighting went, `shifted` how
    many of them by the shift.
    """

    focus: Integers
    top: Numbers
    entropy: Numbers
    gate: Numbers
    aimed: Integers
    by_content: Booleans
    moved: Integers
    shifted: Integers


@dataclass(frozen=True, eq=False)
class Traces:
    """Sequences of a task, and what a machine did on them.

    `going` tells the steps that a sequence has, `wrong` those of the answers with a wrong bit.
    `stored` [T, B, W, M] is the row at a writer's focus after it has written, `effect` [T, B, W]
    the length of what it changed there, `erase` [T, B, W] its mean; `reads` is [T, B, R, M].
    `near` [T, B, R, 4] are the rows of a reader's greatest weights, and `weights` these.
    """

    topology: Topology
    rows: int
    inputs: Numbers
    targets: Numbers
    scored: Booleans
    going: Booleans
    wrong: Booleans
    look: Look
    stored: Numbers
    effect: Numbers
    erase: Numbers
    reads: Numbers
    near: Integers
    weights: Numbers

    @property
    def heads(self) -> tuple[Head, ...]:
        """List the heads, writers first."""
        return self.topology.heads


def trace(genome: Genome, episodes: Episodes, *, rows: int, epsilon: float) -> Traces:
    """Run a genome on sequences and keep what its heads did."""
    machine = Machine(genome.topology, epsilon)
    with torch.inference_mode():
        weights = machine.wire_up(torch.tensor(genome.weights))
        state = machine.initial_state(weights, lanes=len(episodes.lengths), rows=rows)
        steps = machine.steps(weights, episodes.inputs, state)
        answers, looks, *written = zip(*map(_seen, steps), strict=True)
    said, targets = np.stack(answers), _numbers(episodes.targets)
    scored = np.asarray(episodes.scored)
    wrong = ((said > 0) != (targets > 0.5)) | np.isnan(said)
    stored, effect, erase, reads, near, most = map(np.stack, written)
    return Traces(
        topology=genome.topology,
        rows=rows,
        inputs=_numbers(episodes.inputs),
        targets=targets,
        scored=scored,
        going=np.arange(len(said))[:, None] < np.array(episodes.lengths),
        wrong=wrong.any(-1) & scored,
        look=Look(*map(np.stack, zip(*looks, strict=True))),
        stored=stored,
        effect=effect,
        erase=erase,
        reads=reads,
        near=near,
        weights=most,
    )


def travel(before: Numbers, after: Numbers) -> Integers:
    """Tell how many rows weightings [..., N] went around the ring, the shorter way.

    That is the turn after which they overlap most; of several within a hair, which is more than
    rounding makes, the shortest, and up before down.
    """
    count = before.shape[-1]
    spectrum = np.fft.rfft(after) * np.fft.rfft(before).conj()
    overlap = np.fft.irfft(spectrum, n=count)
    turns = np.array(sorted(range(count), key=lambda turn: (min(turn, count - turn), turn)))
    ordered = overlap[..., turns]
    found: Integers = turns[(ordered > ordered.max(-1, keepdims=True) - HAIR).argmax(-1)]
    return np.where(found > count // 2, found - count, found)


def _seen(step: Step) -> tuple[Any, ...]:
    """Keep the answer, where heads looked, and what fields of `Traces` hold from `stored` on."""
    answer, before, after, orders = step
    writing = _look(before.memory, before.norms, before.writing, after.writing, orders.writers)
    reading = _look(after.memory, after.norms, before.reading, after.reading, orders.readers)
    look = Look(*(np.concatenate(both, axis=-1) for both in zip(writing, reading, strict=True)))
    there, stored = (_rows(memory, writing.focus) for memory in (before.memory, after.memory))
    change = writing.top[..., None] * (_numbers(orders.a) - _numbers(orders.e) * there)
    effect, erase = np.linalg.norm(change, axis=-1), _numbers(orders.e).mean(-1)
    weights, near = after.reading.topk(min(NEAR, after.reading.shape[-1]), dim=-1)
    return (_numbers(answer), look, stored, effect, erase, _numbers(after.reads),
            near.numpy(), _numbers(weights))  # fmt: skip


def _look(M: Tensor, norms: Tensor, before: Tensor, after: Tensor, aim: Aim) -> Look:
    sought = addressing.seek(M, aim.pressed, norms) if before.numel() else before
    aimed = addressing.interpolate(sought, before, aim.g)
    was, is_, found, led = map(_numbers, (before, after, sought, aimed))
    gate = _numbers(aim.g)
    if not is_.shape[-1]:
        is_ = was = found = led = np.zeros((*is_.shape[:-1], 1))
    there = led.argmax(-1)

    def at(weighting: Numbers) -> Numbers:
        return np.take_along_axis(weighting, there[..., None], -1)[..., 0]

    return Look(
        focus=is_.argmax(-1),
        top=is_.max(-1),
        entropy=-(is_ * np.log2(np.maximum(is_, 1e-30))).sum(-1),
        gate=gate,
        aimed=there,
        by_content=gate * at(found) > (1 - gate) * at(was),
        moved=travel(was, is_),
        shifted=travel(led, is_),
    )


def _rows(memory: Tensor, focus: Integers) -> Numbers:
    """Take the rows [B, W, M] of a memory [B, N, M]."""
    return np.take_along_axis(_numbers(memory), focus[..., None], -2)


def _numbers(tensor: Tensor) -> Numbers:
    """Take a tensor as numbers, 0 where there is none: a broken machine looks nowhere."""
    return np.nan_to_num(np.asarray(tensor, dtype=np.float64))
