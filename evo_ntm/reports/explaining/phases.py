"""The phases of a task, as its channels show them: input, flags, answers, and how they follow.

Nothing is known of any task here: a flag is a channel of its own that is 0 or 1 and rises while
the vectors are blank, and what is scored is an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evo_ntm.topology import Block

Numbers = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Kind = Literal["input", "flag", "answer", "rest"]

MOST_PHASES = 12
LONGEST_LOOP = 4


@dataclass(frozen=True)
class Channels:
    """Which input channels show vectors, which are flags, and which hold a value beside them."""

    vectors: tuple[int, ...]
    flags: tuple[tuple[int, str], ...]
    values: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Phase:
    """Steps of one kind. A flag `leads` to what comes next; other phases come after a `flag`."""

    kind: Kind
    flag: str = ""
    leads: Kind | None = None


@dataclass(frozen=True)
class Loop:
    """Phases that follow each other several times."""

    phases: tuple["Phase | Loop", ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """All phases of some sequences: where each is, [T, B], and in which order they come.

    `first` tells the steps with which a phase begins, `heard` those of phases in which vectors
    come in.
    """

    channels: Channels
    where: dict[Phase, Booleans]
    first: Booleans
    heard: Booleans
    order: tuple[Phase | Loop, ...]

    def of_kind(self, kind: Kind) -> Booleans:
        """Tell the steps of all phases of a kind."""
        found = np.zeros_like(self.first)
        for phase, mask in self.where.items():
            if phase.kind == kind:
                found |= mask
        return found


def channels(blocks: Sequence[Block], inputs: Numbers, going: Booleans) -> Channels:
    """Tell the input channels [T, B, I] apart."""
    ends = np.cumsum([block.size for block in blocks])
    places = [tuple(range(end - block.size, end)) for block, end in zip(blocks, ends, strict=True)]
    largest = max(range(len(blocks)), key=lambda n: (blocks[n].per_bit, blocks[n].size))
    vectors = places[largest]
    blank = (inputs[..., list(vectors)] == 0).all(-1)
    flags: list[tuple[int, str]] = []
    values: list[tuple[int, str]] = []
    for number, (block, place) in enumerate(zip(blocks, places, strict=True)):
        if number == largest:
            continue
        for channel in place:
            name = block.name or f"channel {channel + 1}"
            seen, raised = inputs[..., channel][going], inputs[..., channel] != 0
            alone = np.isin(seen, (0, 1)).all() and blank[raised & going].all()
            (flags if alone else values).append((channel, name))
    return Channels(vectors, tuple(flags), tuple(values))


def plan(blocks: Sequence[Block], inputs: Numbers, scored: Booleans, going: Booleans) -> Plan:
    """Find the phases of sequences: inputs [T, B, I], steps that are scored, steps that are."""
    told = channels(blocks, inputs, going)
    lanes = [_lane(told, inputs[:, lane], scored[:, lane], going[:, lane])
             for lane in range(inputs.shape[1])]  # fmt: skip
    if len({phase for lane in lanes for phase in lane}) > MOST_PHASES:
        lanes = [[Phase(phase.kind) for phase in lane] for lane in lanes]
    where: dict[Phase, Booleans] = {}
    first = np.zeros_like(scored)
    for number, lane in enumerate(lanes):
        for step, phase in enumerate(lane):
            if phase not in where:
                where[phase] = np.zeros_like(scored)
            where[phase][step, number] = True
            first[step, number] = not step or lane[step - 1] != phase
    runs = [[phase for phase, _ in groupby(lane)] for lane in lanes]
    order = _folded(max(runs, key=len))
    missing = [phase for phase in where if phase not in set(_flat(order))]
    vectors = (inputs[..., list(told.vectors)] != 0).any(-1)
    heard = np.zeros_like(scored)
    for phase, mask in where.items():
        heard |= mask & (phase.kind == "input" or bool(vectors[mask].any()))
    return Plan(told, where, first, heard, (*order, *missing))


def _lane(told: Channels, inputs: Numbers, scored: Booleans, going: Booleans) -> list[Phase]:
    kinds: list[tuple[Kind, str]] = []
    begun = answered = ""
    for step in range(int(going.sum())):
        raised = next((name for channel, name in told.flags if inputs[step, channel]), "")
        if scored[step]:
            kinds.append(("answer", ""))
            answered = "answered"
        elif raised:
            kinds.append(("flag", raised))
            begun = raised
        else:
            kinds.append(("rest", "") if answered else ("input", begun))
    phases = []
    for step, (kind, flag) in enumerate(kinds):
        later = (other for other in kinds[step + 1 :] if other != (kind, flag))
        leads = next(later, ("rest", ""))[0] if kind == "flag" else None
        phases.append(Phase(kind, flag, leads))
    return phases


def _folded(runs: Sequence[Phase | Loop]) -> tuple[Phase | Loop, ...]:
    """Fold what follows itself into loops, the shortest first."""
    for length in range(1, LONGEST_LOOP + 1):
        for start in range(len(runs) - 2 * length + 1):
            once = list(runs[start : start + length])
            times = 1
            while list(runs[start + times * length :][:length]) == once:
                times += 1
            if times > 1:
                rest = runs[start + times * length :]
                return _folded([*runs[:start], Loop(tuple(once)), *rest])
    return tuple(runs)


def _flat(order: Sequence[Phase | Loop]) -> list[Phase]:
    found: list[Phase] = []
    for part in order:
        found += _flat(part.phases) if isinstance(part, Loop) else [part]
    return found
