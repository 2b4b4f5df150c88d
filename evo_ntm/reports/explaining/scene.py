"""All that is known of some sequences: what heads did, in which phases, with whose vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evo_ntm.reports.explaining.phases import Plan, plan
from evo_ntm.reports.explaining.provenance import NEVER, SHARP, Provenance, provenance
from evo_ntm.reports.explaining.readout import readout
from evo_ntm.reports.explaining.traces import Traces
from evo_ntm.tasks import Task
from evo_ntm.topology import Block

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

MOST_LEAD = 2
SOME = 0.5
NOTICED = 0.1  # of the weight on a row, or it is not looked at
LATER = 0.02  # more of the bits must be told for a step more between look and answer


@dataclass(frozen=True, eq=False)
class Scene:
    """What heads did, in which phases, and where what they found came from.

    `leads` says of each reader how many steps before an answer it looks at the row of the vector
    asked for, and which block of answers that is.
    """

    traces: Traces
    plan: Plan
    provenance: Provenance
    leads: tuple[tuple[int, int], ...]

    @property
    def names(self) -> set[str]:
        """Name the heads."""
        return {head.name for head in self.traces.heads}

    @property
    def thing(self) -> str:
        """Name what comes in."""
        return "vector" if len(self.plan.channels.vectors) > 1 else "bit"

    @property
    def vectors(self) -> Numbers:
        """Give the vectors that come in, [T, B, C]."""
        return self.traces.inputs[..., list(self.plan.channels.vectors)]

    def before(self, head: int) -> Integers:
        """Tell which row a head looked at before each step, [T, B]."""
        focus = self.traces.look.focus[..., head]
        return np.concatenate([np.zeros_like(focus[:1]), focus[:-1]])

    def shown(self, since: Integers) -> Booleans:
        """Tell where the vector of an earlier step [T, B] is the one now shown, and not blank."""
        blank: Booleans = (self.vectors == 0).all(-1)
        return _alike(self.vectors, self.vectors, since) & ~blank

    def recalled(self, since: Integers) -> Booleans:
        """Tell where the vector of an earlier step [T, B] is the last that was shown before now."""
        steps = np.arange(len(since))[:, None]
        latest = np.maximum.accumulate(np.where(self.plan.heard, steps, 0), axis=0)
        last = self.vectors[latest, np.arange(since.shape[1])]
        earlier: Booleans = since < latest
        return _alike(self.vectors, last, since) & earlier

    def unheard(self, head: int) -> Booleans:
        """Tell where the row that a head looked at before, [T, B], was written without an input."""
        since = self.provenance.focus[..., head]
        before = np.concatenate([np.full_like(since[:1], NEVER), since[:-1]])
        heard = np.take_along_axis(self.plan.heard, np.maximum(before, 0), axis=0)
        written: Booleans = before != NEVER
        return written & ~heard

    def asked(self, since: Integers, block: int, lead: int = 0) -> Booleans:
        """Tell where the vector of an earlier step [T, B] is asked for after `lead` steps."""
        return _asked(self.traces, self.vectors, since, block, lead)

    def answers(self, reader: int) -> Numbers:
        """Give what is asked for after the `lead` of a reader, [T, B, C]."""
        lead, block = self.leads[reader]
        _, place = wide_blocks(self.traces.topology.outputs)[block]
        return np.roll(self.traces.targets[..., place], -lead, axis=0)

    def due(self, reader: int) -> Booleans:
        """Tell the steps, [T, B], after whose `lead` an answer is due."""
        return _ahead(self.traces.scored, self.leads[reader][0])

    def used(self) -> Booleans:
        """Tell which writes, [T, B, W], a reader looks at when answers are due, or in its time."""
        writers, origin = len(self.traces.topology.writers), self.provenance
        used = np.zeros((*self.traces.scored.shape, writers), dtype=bool)
        for reader in range(len(self.traces.topology.readers)):
            since, author = origin.near[..., reader, :], origin.author[..., reader, :]
            looks = (self.traces.weights[..., reader, :] >= NOTICED) & (since != NEVER)
            step, lane, place = np.nonzero(looks & self.due(reader)[..., None])
            used[since[step, lane, place], lane, author[step, lane, place]] = True
        return used

    def turn(self, since: Integers) -> Integers:
        """Number steps [T, B] among those at which vectors come in, from 1."""
        turn: Integers = np.cumsum(self.plan.heard, axis=0)
        return np.take_along_axis(turn, np.maximum(since, 0), axis=0)


def scene(traces: Traces, task: Task) -> Scene:
    """Put together what can be known of some sequences."""
    found = plan(task.inputs, traces.inputs, traces.scored, traces.going)
    origin, writers = provenance(traces, found), len(traces.topology.writers)
    vectors = traces.inputs[..., list(found.channels.vectors)]
    looks = np.where(traces.look.top >= SHARP, origin.focus, NEVER)
    leads = tuple(_lead(traces, vectors, looks[..., writers + reader], reader)
                  for reader in range(len(traces.topology.readers)))  # fmt: skip
    return Scene(traces, found, origin, leads)


def wide_blocks(blocks: Sequence[Block]) -> list[tuple[str, slice]]:
    """List the blocks of answers that are as wide as the widest: names and places."""
    ends, widest = np.cumsum([block.size for block in blocks]), max(b.size for b in blocks)
    return [(block.name, slice(int(end) - block.size, int(end)))
            for block, end in zip(blocks, ends, strict=True) if block.size == widest]  # fmt: skip


def _lead(traces: Traces, vectors: Numbers, since: Integers, reader: int) -> tuple[int, int]:
    """Find how long before an answer, and of which block, its vector is looked at most often.

    Where it seldom is, or is a single bit, that is where most of it can be read out of the reads.
    """
    best: tuple[float, float, tuple[int, int]] = 0.0, 0.0, (0, 0)
    for lead in range(MOST_LEAD + 1):
        due = _ahead(traces.scored, lead)
        for block in range(len(wide_blocks(traces.topology.outputs)) if due.any() else 0):
            share = float(_asked(traces, vectors, since, block, lead)[due].mean())
            told = 0.0
            if share < SOME and best[0] < SOME:
                _, place = wide_blocks(traces.topology.outputs)[block]
                answers = np.roll(traces.targets[..., place], -lead, axis=0)[due] > 0.5
                held_out = np.nonzero(due)[1] % 2 == 1
                found = readout(traces.reads[..., reader, :][due], answers, held_out)
                told = found.right - LATER * lead if found else 0.0
            best = max(best, (share if share >= SOME else 0.0, told, (lead, block)),
                       key=lambda each: each[:2])  # fmt: skip
    return best[2]


def _asked(traces: Traces, vectors: Numbers, since: Integers, block: int, lead: int) -> Booleans:
    """Tell where the vector of a step is asked for later; a single bit says too little."""
    _, place = wide_blocks(traces.topology.outputs)[block]
    targets = traces.targets[..., place]
    if targets.shape[-1] != vectors.shape[-1] or vectors.shape[-1] == 1:
        return np.zeros_like(traces.scored)
    return _alike(vectors, np.roll(targets, -lead, axis=0), since) & _ahead(traces.scored, lead)


def _ahead(steps: Booleans, lead: int) -> Booleans:
    later = np.zeros_like(steps)
    later[: len(steps) - lead] = steps[lead:]
    return later


def _alike(vectors: Numbers, others: Numbers, since: Integers) -> Booleans:
    lane = np.arange(since.shape[1])
    known: Booleans = since != NEVER
    same: Booleans = (vectors[np.maximum(since, 0), lane] == others).all(-1)
    return known & same
