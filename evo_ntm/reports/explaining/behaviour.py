"""What each head does in each phase, measured: how it moves, what it writes, what it reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evo_ntm.reports.explaining.moves import Moves, moves
from evo_ntm.reports.explaining.phases import Phase
from evo_ntm.reports.explaining.provenance import NEVER, SHARP
from evo_ntm.reports.explaining.readout import Readout, explained, readout
from evo_ntm.reports.explaining.scene import Scene, wide_blocks
from evo_ntm.topology import Head

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

MOST_DELAY = 2
BETTER = 0.02  # more of the bits must be told for a longer delay
FAINT = 0.02  # of the writes that count are next to none
CONSTANT = 0.95
SELDOM = 0.5  # used, or only the writes that are used are told of


@dataclass(frozen=True)
class Writing:
    """What a writer does to the rows it looks at.

    `held` is how much of a vector can be read out of the row afterwards: of the input of `delay`
    steps before or, where none comes in, of the output. `used` is the share of its writes that a
    reader looks at when answers are due; `erase` its mean, and `slight` tells that it changes next
    to nothing.
    """

    held: Readout | None
    delay: int
    used: float
    erase: float
    slight: bool


@dataclass(frozen=True)
class Reading:
    """What a reader finds in the rows it looks at, of those that were written.

    `written` is the share of looks at such rows, `onwards` and `back` those whose row was written
    right after, or right before, that of the look before; jumps are not counted. Of the looks that
    are `lead` steps before an answer, `asked` is the share at the row of the vector that its
    `block` asks for, and `answer` how much of that can be read out of what was read. `begins` says
    whether the phase's first look is at the row that was written first, or last.
    """

    written: float
    onwards: float
    back: float
    asked: float
    lead: int
    block: str
    answer: Readout | None
    begins: str


@dataclass(frozen=True)
class Behaviour:
    """What one head does in one phase; `begins` is its move on the phase's first step.

    `top`, `entropy` and `gate` are means, `by_content` the share of steps in which content decided.
    Vectors come in where it is `heard`, and a reader may read for an answer where one is `due`.
    Of a writer whose writes are seldom used, only moves to those that are used are told.
    `row` is the row where it stays, if it is one in all
    sequences, and `decided` the share of the spread of its rows that goes with a value beside the
    vectors, by the name of its channel.
    """

    head: Head
    phase: Phase
    steps: int
    begins: Moves | None
    moves: Moves
    top: float
    entropy: float
    gate: float
    by_content: float
    heard: bool
    due: bool
    row: int | None
    decided: tuple[str, float] | None
    writing: Writing | None
    reading: Reading | None


def behaviours(scene: Scene) -> tuple[Behaviour, ...]:
    """Measure what every head does in every phase, phase by phase."""
    heads = range(len(scene.traces.heads))
    return tuple(_behaviour(scene, head, phase) for phase in scene.plan.where for head in heads)


def _behaviour(scene: Scene, number: int, phase: Phase) -> Behaviour:
    traces, where = scene.traces, scene.plan.where[phase]
    head, look = traces.heads[number], traces.look
    first = where & scene.plan.first
    begins, later = moves(scene, number, first), moves(scene, number, where & ~first)
    every = moves(scene, number, where)
    apart = begins is not None and later is not None and not begins.as_usual(later)
    told = later if apart and later is not None else every
    assert told is not None
    writing = _writing(scene, number, where) if head.kind == "writer" else None
    if writing is not None and 0 < writing.used < SELDOM and not scene.plan.heard[where].any():
        apart, told = False, moves(scene, number, where & scene.used()[..., number]) or told
    rows, counts = np.unique(look.focus[..., number][where], return_counts=True)
    constant = counts.max() >= CONSTANT * where.sum()
    writers = len(traces.topology.writers)
    return Behaviour(
        head=head,
        phase=phase,
        steps=int(where.sum()),
        begins=begins if apart else None,
        moves=told,
        top=float(look.top[..., number][where].mean()),
        entropy=float(look.entropy[..., number][where].mean()),
        gate=float(look.gate[..., number][where].mean()),
        by_content=float(look.by_content[..., number][where].mean()),
        heard=bool((where & scene.plan.heard).any()),
        due=head.kind == "reader" and bool((where & scene.due(number - writers)).any()),
        row=int(rows[counts.argmax()]) if constant else None,
        decided=_decided(scene, number, where),
        writing=writing,
        reading=_reading(scene, number - writers, where) if head.kind == "reader" else None,
    )


def _decided(scene: Scene, number: int, where: Booleans) -> tuple[str, float] | None:
    """Find the value that decides on the row, of those that are shown beside the vectors."""
    best: tuple[str, float] | None = None
    sharp = where & (scene.traces.look.top[..., number] >= SHARP)
    for channel, name in scene.plan.channels.values:
        value = scene.traces.inputs[..., channel][sharp]
        if value.any():
            share = explained(value, scene.traces.look.focus[..., number][sharp], scene.traces.rows)
            best = max(best or (name, 0.0), (name, share), key=lambda told: told[1])
    return best


def _writing(scene: Scene, writer: int, where: Booleans) -> Writing:
    traces, used = scene.traces, scene.used()[..., writer]
    vectors, there = scene.vectors, scene.plan.heard
    counts = where
    if not there[where].any():
        _, place = wide_blocks(traces.topology.outputs)[0]
        vectors, there, counts = traces.targets[..., place], traces.scored, where & used
    best: tuple[Readout, int] | None = None
    for delay in range(MOST_DELAY + 1):
        told = _held(traces.stored[..., writer, :], vectors, there, counts, delay)
        if told is not None and (best is None or told.right > best[0].right + BETTER):
            best = told, delay
    return Writing(
        held=best[0] if best else None,
        delay=best[1] if best else 0,
        used=float(used[where].mean()),
        erase=float(traces.erase[..., writer][where].mean()),
        slight=bool(scene.provenance.counts[..., writer][where].mean() < FAINT),
    )


def _held(
    stored: Numbers, vectors: Numbers, there: Booleans, where: Booleans, delay: int
) -> Readout | None:
    """Read the vectors that were there some steps before out of what was stored."""
    step, lane = np.nonzero(where)
    early = step - delay
    known = (early >= 0) & there[np.maximum(early, 0), lane]
    step, early, lane = step[known], early[known], lane[known]
    return readout(stored[step, lane], vectors[early, lane] > 0.5, lane % 2 == 1)


def _reading(scene: Scene, reader: int, where: Booleans) -> Reading:
    traces, number = scene.traces, len(scene.traces.topology.writers) + reader
    since, due = scene.provenance.focus[..., number], where & scene.due(reader)
    known, sharp = since != NEVER, traces.look.top[..., number] >= SHARP
    lead, block = scene.leads[reader]
    before = np.concatenate([np.full_like(since[:1], NEVER), since[:-1]])
    both = (due if due.any() else where) & ~scene.plan.first & known & (before != NEVER)
    both &= ~traces.look.by_content[..., number]
    went = (scene.turn(since) - scene.turn(before))[both]
    asked = scene.asked(np.where(sharp, since, NEVER), block, lead)
    lane = np.nonzero(due)[1]
    reads, answers = traces.reads[..., reader, :][due], scene.answers(reader)[due] > 0.5
    return Reading(
        written=float((known & sharp)[where].mean()),
        onwards=float((went == 1).mean()) if went.size else 0.0,
        back=float((went == -1).mean()) if went.size else 0.0,
        asked=float(asked[due].mean()) if due.any() else 0.0,
        lead=lead,
        block=wide_blocks(traces.topology.outputs)[block][0],
        answer=readout(reads, answers, lane % 2 == 1),
        begins=_begins(scene, since, where & scene.plan.first),
    )


def _begins(scene: Scene, since: Integers, where: Booleans) -> str:
    """Name the row that is looked at first."""
    turn, last = scene.turn(since), scene.plan.heard.sum(0)
    known = where & (since != NEVER)
    for name, there in {"first": turn == 1, "last": turn == last}.items():
        if where.any() and (there & known)[where].sum() >= CONSTANT * where.sum():
            return name
    return ""
