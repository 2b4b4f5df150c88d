"""The exam and the validation set: fixed episodes, the same for every run and every machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evo_ntm.evolution.evaluate import Map, Scores, Trial, score_weights
from evo_ntm.experiment.exam import Part
from evo_ntm.genome import Genome
from evo_ntm.seeds import derive
from evo_ntm.tasks import KnownTask

SEED = 0  # of no run: exams are common to all
LANES_AT_ONCE = 64

Extent = Mapping[str, int | Sequence[int]]


@dataclass(frozen=True)
class ExamRow:
    """How a genome did in one part: the means over its sequences, and whether that passes.

    `extent` says how large the questions were; `passed` is None where a part is only reported.
    """

    name: str
    extent: Extent
    rows: int
    sequences: int
    wrong_bits: float
    bits: float
    measures: Mapping[str, float]
    passed: bool | None


@dataclass(frozen=True)
class Questions:
    """The episodes of one part, in shares that several workers may take."""

    part: Part
    task: KnownTask
    trials: tuple[Trial, ...]

    def answer(self, genome: Genome, spread: Map) -> ExamRow:
        """Let a genome answer; a tied one is first expressed to as many bits as are asked."""
        bits = next((block.size for block in self.task.inputs if block.per_bit), None)
        if genome.encoding == "tied" and bits is not None and bits != genome.topology.bits:
            genome = genome.with_bits(bits)
        scored = list(spread(_answered, [(trial, genome) for trial in self.trials]))
        counts = [len(trial.episodes.lengths) for trial in self.trials]
        taken = {
            name: sum(float(s.measures[name][0]) * n for s, n in zip(scored, counts, strict=True))
            / sum(counts)
            for name in scored[0].measures
        }
        own = {name: value for name, value in taken.items() if name not in ("bits", "wrong_bits")}
        limits = self.part.at_most
        passed = None if limits is None else all(taken[name] <= limits[name] for name in limits)
        return ExamRow(self.part.name, self.task.extent(), self.trials[0].rows, sum(counts),
                       taken["wrong_bits"], taken["bits"], own, passed)  # fmt: skip


def _answered(job: tuple[Trial, Genome]) -> Scores:
    trial, genome = job
    return score_weights(trial, genome.topology, genome.weights[None])


def prepare(
    parts: Sequence[Part], task: KnownTask, purpose: str, *, epsilon: float, device: str
) -> tuple[Questions, ...]:
    """Make the episodes of every part, always the same ones for the same purpose and part."""
    return tuple(_prepared(part, task, purpose, epsilon, device) for part in parts)


def _prepared(part: Part, task: KnownTask, purpose: str, epsilon: float, device: str) -> Questions:
    asked = task.with_settings(**part.with_)
    shares = [
        min(LANES_AT_ONCE, part.sequences - begun)
        for begun in range(0, part.sequences, LANES_AT_ONCE)
    ]
    trials = tuple(
        Trial(asked, asked.episodes(derive(SEED, f"{purpose}: {part.name}", slot=slot), lanes),
              part.rows, epsilon, device)
        for slot, lanes in enumerate(shares)
    )  # fmt: skip
    return Questions(part, asked, trials)


def passed(rows: Sequence[ExamRow]) -> bool | None:
    """Tell whether all parts passed that can; None where every part is only reported."""
    decided = [row.passed for row in rows if row.passed is not None]
    return all(decided) if decided else None
