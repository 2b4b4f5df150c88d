"""Births scored again on one paired set of episodes, never by the fitness that they were born with.

That fitness was of its generation's own episodes, and of a lucky one among many. Here every birth
answers the same 64 episodes: those of the last stage of the curriculum, derived from no run's seed,
on as many memory rows as the first part of the exam has, or as evolution had at most where that is
more. What is gained from one birth to another is the mean of the differences, an episode at a time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo_ntm.errors import TaskError
from evo_ntm.evolution.cohort import in_frame
from evo_ntm.evolution.evaluate import Trial, answered, led_through
from evo_ntm.evolution.fitting import for_the_task
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.model import most_rows
from evo_ntm.genome import Genome
from evo_ntm.machine import Backend
from evo_ntm.machine.chunks import chunk_size
from evo_ntm.reports.chapters import Measured, Verdict
from evo_ntm.reports.sidecar import Sidecar
from evo_ntm.seeds import derive
from evo_ntm.tasks import Lives, Task, draw
from evo_ntm.tasks.hosting import changed
from evo_ntm.tasks.lives import MISSED
from evo_ntm.topology import Topology

SEED, PURPOSE = 0, "lineage"  # of no run: the set is common to all
EPISODES = 64
STUDENT = 1.99834054  # two-sided 95 % of Student's law with 63 degrees of freedom
LEAST = 1e-4  # bits; what is less may come of rounding to float32

Bits = NDArray[np.float32]
Spread = Callable[..., Iterable[Any]]


@dataclass(frozen=True, eq=False)
class Marks:
    """What a genome's answers cost in each episode, inf where that was no number, and were wrong.

    `wrong_bits` is the mean over the episodes. Lives cost what they lack of the best, and what they
    missed stands for wrong bits.
    """

    bits: Bits
    wrong_bits: float

    @property
    def cost(self) -> float:
        """Give the mean over the episodes."""
        return float(self.bits.mean(dtype=np.float64))

    def told(self) -> dict[str, Any]:
        """Tell the marks as JSON takes them, every number as short as it can be."""
        return {"bits": [float(str(bits)) for bits in self.bits], "wrong_bits": self.wrong_bits}


class Gain(NamedTuple):
    """What was gained in bits a sequence, and between what it lies with 95 % confidence."""

    gain: float
    low: float
    high: float


class Piece(NamedTuple):
    """Machines of one shape to be run through a trial at once: weights [P, D]."""

    trial: Trial
    topology: Topology
    weights: NDArray[np.float32]


def paired_set(experiment: Experiment, task: Task, backend: Backend) -> Trial:
    """Make the episodes that all births answer, always the same ones. Raises TaskError."""
    stage = changed(task, experiment.curriculum[-1].with_ if experiment.curriculum else {})
    episodes = draw(stage, derive(SEED, PURPOSE), EPISODES)
    return Trial(stage, episodes, paired_rows(experiment), experiment.machine.epsilon, backend)


def paired_rows(experiment: Experiment) -> int:
    """Choose the memory rows of the paired set: those of the exam, or of evolution if more.

    What the ring of a tape does hangs on its length: it is that of the exam.
    """
    examined = experiment.exam.parts[0].rows
    if experiment.machine.tape_heads:
        return examined
    return most_rows(examined, experiment.rows_of()[1])


def purpose(what: str, trial: Trial) -> str:
    """Tell all that a measure of a genome depends on but for the genome and the task."""
    steps, lanes = max(trial.episodes.lengths), len(trial.episodes.lengths)
    arithmetic = ", ".join(f"{name} {told}" for name, told in trial.backend.arithmetic.items())
    return (f"{what}: {lanes} episodes of {steps} steps on {trial.rows} rows, "
            f"epsilon {trial.epsilon!r}; {trial.backend.device}, {arithmetic}")  # fmt: skip


def rescore(
    genomes: Iterable[Genome], trial: Trial, sidecar: Sidecar, spread: Spread
) -> dict[str, Marks]:
    """Give the marks of genomes by their ids; those of which the sidecar knows are not run.

    `spread` is a map over pieces of work. A genome's marks do not depend on who is scored beside
    it, so that it does not matter which were known. A tied genome is expressed to as many bits as
    the task has. Raises GenomeError where a genome is not for the task's channels, TaskError where
    an episode fails.
    """
    about = purpose("paired set", trial)
    asked = {genome.id: genome for genome in genomes}
    known = {each: marks for each in asked if (marks := _read(sidecar.find(about, each), trial))}
    left = [each for each in asked if each not in known]
    fitting = [for_the_task(asked[each], trial.task) for each in left]
    for each, marks in zip(left, _scored(fitting, trial, spread), strict=True):
        sidecar.keep(about, each, marks.told())
        known[each] = marks
    return {each: known[each] for each in asked}


def gain(before: Marks, after: Marks) -> Gain:
    """Tell what a birth gained over another on the same episodes.

    The interval is Student's for the mean of paired differences. Of 64 the mean is nearly normal,
    however skewed they are; nothing is drawn for it, so that it is the same each time, and anybody
    can work it out by hand. Of steps that change nothing, one in twenty is taken for a change.
    """
    if not np.isfinite([before.cost, after.cost]).all():
        if before.cost == after.cost:
            return Gain(0.0, 0.0, 0.0)
        infinite = before.cost - after.cost
        return Gain(infinite, infinite, infinite)
    gains = before.bits.astype(np.float64) - after.bits
    mean = float(gains.mean())
    error = STUDENT * float(gains.std(ddof=1)) / len(gains) ** 0.5
    return Gain(mean, mean - error, mean + error)


def verdict(gained: Gain) -> Verdict:
    """Judge a step: by its interval, and a change that rounding might have made is none."""
    if gained.low > 0 and gained.gain > LEAST:
        return "beneficial"
    if gained.high < 0 and gained.gain < -LEAST:
        return "deleterious"
    return "neutral"


def measured(marks: Marks, before: Marks | None, *, founder: bool = False) -> Measured:
    """Put a birth beside another, its parent most of the time; None where that is not known."""
    if before is None:
        unknown = 0.0 if founder else np.nan
        return Measured(marks.cost, marks.wrong_bits, unknown, unknown, unknown)
    return Measured(marks.cost, marks.wrong_bits, *gain(before, marks))


def _scored(genomes: Sequence[Genome], trial: Trial, spread: Spread) -> list[Marks]:
    """Score genomes in cohorts of one shape."""
    cohorts: dict[object, list[int]] = {}
    for number, genome in enumerate(genomes):
        cohorts.setdefault(genome.topology.shape_key, []).append(number)
    pieces, owners = list[Piece](), list[list[int]]()
    for members in cohorts.values():
        topology = genomes[members[0]].topology
        size = _size(trial, topology)
        for first in range(0, len(members), size):
            some = members[first : first + size]
            # Always as many: how answers are summed depends on how many there are at once.
            filled = [*some, *[some[-1]] * (size - len(some))]
            framed = [in_frame(one.weights[None], one.topology) for one in
                      (genomes[number] for number in filled)]  # fmt: skip
            pieces.append(Piece(trial, topology.framed, np.concatenate(framed)))
            owners.append(some)
    found: dict[int, Marks] = {}
    for some, marks in zip(owners, spread(_marks, pieces), strict=True):
        found.update(zip(some, marks, strict=False))
    return [found[number] for number in range(len(genomes))]


def _size(trial: Trial, topology: Topology) -> int:
    """Count the machines of a piece; that depends on nothing but shapes."""
    steps, lanes = max(trial.episodes.lengths), len(trial.episodes.lengths)
    fused = trial.backend.fuses(topology, trial.rows)
    return chunk_size(topology, lanes=lanes, rows=trial.rows, steps=steps, fused=fused)


def _marks(piece: Piece) -> list[Marks]:
    """Mark sequences by bits and wrong bits, lives by what they lack and what they missed."""
    if isinstance(piece.trial.episodes, Lives):
        led = led_through(*piece)
        if led.reasons:  # of a failure nothing is learned about a machine, and it would be kept
            raise TaskError(led.reasons[0])
        told = led.best - led.score, led.marks[MISSED]
    else:
        grades = answered(*piece)
        told = grades.bits, grades.wrong_bits
    bits, wrong = (marks.cpu().numpy().astype(np.float32) for marks in told)
    bits = np.where(np.isfinite(bits), bits, np.float32(np.inf))
    means = wrong.mean(-1, dtype=np.float64)
    return [Marks(own, float(mean)) for own, mean in zip(bits, means, strict=True)]


def _read(told: Any | None, trial: Trial) -> Marks | None:
    """Read marks back, None where they make no sense."""
    try:
        bits = [np.inf if bits is None else float(bits) for bits in told["bits"]]  # type: ignore[index]
        marks = Marks(np.array(bits, dtype=np.float32), float(told["wrong_bits"]))  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        return None
    return marks if len(bits) == len(trial.episodes.lengths) else None
