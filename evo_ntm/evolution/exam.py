"""The exam and the validation set: fixed episodes, the same for every run and every machine."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf, nan

from evo_ntm.errors import TaskError, nearest
from evo_ntm.evolution.cohort import Cohort
from evo_ntm.evolution.evaluate import Chunk, Map, Scores, Trial, score_chunk
from evo_ntm.evolution.fitting import express
from evo_ntm.experiment.exam import Part
from evo_ntm.genome import Genome
from evo_ntm.machine import Backend
from evo_ntm.seeds import derive
from evo_ntm.tasks import Drawn, Episodes, KnownTask, Task, constant_cost, draw, join
from evo_ntm.tasks.hosting import answering, changed
from evo_ntm.tasks.lives import MISSED

SEED = 0  # of no run: exams are common to all
LANES_AT_ONCE = 64
SHARES_AT_ONCE = 8  # by torch, whose steps take as long for few lanes as for many

Extent = Mapping[str, int | Sequence[int]]


@dataclass(frozen=True)
class ExamRow:
    """How a genome did in one part: the means over its sequences, and whether that passes.

    `extent` says how large the questions were; `passed` is None where a part is only reported. Of
    the measures, `chance` is what the best constant answer costs, in bits a sequence. A task that
    rewards what is done has no bits: these are NaN.
    """

    name: str
    extent: Extent
    rows: int
    sequences: int
    wrong_bits: float
    bits: float
    measures: Mapping[str, float]
    passed: bool | None

    @property
    def rewards(self) -> bool:
        """Tell whether lives were asked for, which have no bits."""
        return MISSED in self.measures

    @property
    def wrong(self) -> float:
        """Count what was wrong in a sequence, or missed in a life."""
        return self.measures.get(MISSED, self.wrong_bits)


@dataclass(frozen=True)
class Questions:
    """The episodes of one part, in shares that several workers may take."""

    part: Part
    trials: tuple[Trial, ...]
    chance: float | None

    def row(self, taken: Mapping[str, float]) -> ExamRow:
        """Tell in a row what was measured."""
        own = {name: value for name, value in taken.items() if name not in ("bits", "wrong_bits")}
        chance = {} if self.chance is None else {"chance": self.chance}
        limits = self.part.at_most
        return ExamRow(
            name=self.part.name,
            extent=self.task.extent() if isinstance(self.task, KnownTask) else {},
            rows=self.part.rows,
            sequences=self.part.sequences,
            wrong_bits=taken.get("wrong_bits", nan),
            bits=taken.get("bits", nan),
            measures={**own, **chance},
            passed=None if limits is None else all(taken[name] <= limits[name] for name in limits),
        )

    @property
    def decides(self) -> bool:
        """Tell whether this part is passed or not, and not only reported."""
        return self.part.at_most is not None

    @property
    def task(self) -> Task:
        """Give the task as it is asked here."""
        return self.trials[0].task


def ask(parts: Sequence[Questions], genome: Genome, spread: Map) -> tuple[ExamRow, ...]:
    """Let a genome answer the questions of all parts, a row each."""
    posed = [_posed(part.trials, express(genome, part.task)) for part in parts]
    scored = iter(_scored(list(chain.from_iterable(posed)), spread))
    return tuple(part.row(_averaged(part.trials, [next(scored) for _ in part.trials]))
                 for part in parts)  # fmt: skip


def answer(trials: Sequence[Trial], genome: Genome, spread: Map) -> dict[str, float]:
    """Give the measures of one genome, averaged over the sequences of all trials."""
    return _averaged(trials, _scored(_posed(trials, genome), spread))


def _posed(trials: Sequence[Trial], genome: Genome) -> list[Chunk]:
    cohort = Cohort(genome.topology, (genome.weights[None],))
    return [Chunk(trial, cohort, 0, 1) for trial in trials]


def _scored(chunks: Sequence[Chunk], spread: Map) -> list[Scores]:
    """Score every chunk; those of most steps are begun first, so that no worker ends up alone."""
    order = sorted(range(len(chunks)), key=lambda n: -max(chunks[n].trial.episodes.lengths))
    scored = dict(zip(order, spread(score_chunk, [chunks[n] for n in order]), strict=True))
    return [scored[n] for n in range(len(chunks))]


def _averaged(trials: Sequence[Trial], scored: Sequence[Scores]) -> dict[str, float]:
    counts = [len(trial.episodes.lengths) for trial in trials]
    return {
        name: sum(float(s.measures[name][0]) * n for s, n in zip(scored, counts, strict=True))
        / sum(counts)
        for name in scored[0].measures
    }


def prepare(
    parts: Sequence[Part], task: Task, purpose: str, *, epsilon: float, backend: Backend
) -> tuple[Questions, ...]:
    """Make the episodes of every part, always the same ones for the same purpose and part.

    Raises TaskError where the task cannot be as a part asks, or has no such measure.
    """
    return tuple(_prepared(part, task, purpose, epsilon, backend) for part in parts)


def _prepared(part: Part, task: Task, purpose: str, epsilon: float, backend: Backend) -> Questions:
    asked = changed(task, part.with_)
    _same_channels(asked, task, f"{purpose} {part.name!r}")
    shares = [
        draw(
            asked,
            derive(SEED, f"{purpose}: {part.name}", slot=slot),
            min(LANES_AT_ONCE, part.sequences - begun),
        )
        for slot, begun in enumerate(range(0, part.sequences, LANES_AT_ONCE))
    ]
    some = 1 if backend.fused else SHARES_AT_ONCE
    trials = tuple(
        Trial(asked, join(shares[first : first + some]), part.rows, epsilon, backend)
        for first in range(0, len(shares), some)
    )
    check_measures(part.at_most or {}, trials[0], f"{purpose} {part.name!r}")
    return Questions(part, trials, _chance([trial.episodes for trial in trials]))


def _chance(several: Sequence[Drawn]) -> float | None:
    """Tell what the best constant answers cost a sequence; None of lives."""
    asked = [drawn for drawn in several if isinstance(drawn, Episodes)]
    counts = [len(episodes.lengths) for episodes in asked]
    costs = [constant_cost(episodes) * n for episodes, n in zip(asked, counts, strict=True)]
    return sum(costs) / sum(counts) if asked else None


def _same_channels(asked: Task, task: Task, where: str) -> None:
    """Refuse a part in which other channels are used. Raises TaskError.

    Bits that are treated alike may be more or fewer there.
    """
    for side in ("inputs", "outputs"):
        here, there = ([(block.birth, block.size if not block.per_bit else None)
                        for block in getattr(each, side)] for each in (task, asked))  # fmt: skip
        if here != there:
            count, came = (sum(block.size for block in getattr(each, side))
                           for each in (task, asked))  # fmt: skip
            raise TaskError(f"{where}: expected the {side} of the task, {count} of them, but came "
                            f"others, {came}")  # fmt: skip


def check_measures(asked: Collection[str], trial: Trial, where: str) -> None:
    """Refuse a measure that a task does not have. Raises TaskError."""
    with answering(trial.task, "measures"):
        known = trial.measures()
    unknown = set(asked) - known
    if unknown:
        name = min(unknown)
        raise TaskError(f"{where}: expected a measure of the task, but came {name!r}: "
                        f"{nearest(name, known)}")  # fmt: skip


def passed(rows: Sequence[ExamRow]) -> bool | None:
    """Tell whether all parts passed that can; None where every part is only reported."""
    decided = [row.passed for row in rows if row.passed is not None]
    return all(decided) if decided else None


def read_rows(told: str) -> tuple[ExamRow, ...]:
    """Read how an exam went back from JSON, where null stands for what was not finite."""

    def number(value: float | None) -> float:
        return inf if value is None else value

    return tuple(
        ExamRow(**{
            **row,
            "wrong_bits": number(row["wrong_bits"]),
            "bits": number(row["bits"]),
            "measures": {name: number(value) for name, value in row["measures"].items()},
        })
        for row in json.loads(told)
    )  # fmt: skip
