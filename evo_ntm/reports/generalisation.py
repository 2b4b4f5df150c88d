"""How births of a line do on sequences of sizes that they never evolved with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo_ntm.errors import TaskError
from evo_ntm.evolution.evaluate import Trial, answered
from evo_ntm.evolution.fitting import for_the_task
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.model import Settings, most_rows
from evo_ntm.genome import Genome
from evo_ntm.machine import Backend
from evo_ntm.reports.chapters import Curve, Generalisation
from evo_ntm.reports.portraits import Station
from evo_ntm.reports.rescoring import SEED, Spread, purpose
from evo_ntm.reports.sidecar import Sidecar
from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS, KnownTask, Task, draw

SEQUENCES = 32
WITHIN = 5  # sizes within what the line evolved with
MOST_WORK = 70_000_000  # sequences times steps times rows of one size, beyond the exam's

Told = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """What makes sequences of a task larger: its name, and the settings of its two ends.

    What else has a range is at its upper end, and of items as large a share is asked.
    """

    name: str
    low: str
    high: str

    def span(self, settings: Mapping[str, Any]) -> tuple[int, int]:
        """Tell between what sizes sequences are."""
        return int(settings[self.low]), int(settings[self.high])

    def sized(self, task: KnownTask, settings: Mapping[str, Any], size: int) -> KnownTask:
        """Make the task with sequences of one size. Raises TaskError where it cannot be."""
        changes = {self.low: size, self.high: size}
        if {"fewest", "most"} <= settings.keys() and self.high != "most":
            changes |= {"fewest": settings["most"]}
        if "answers" in settings:
            changes |= {"answers": max(1, round(settings["answers"] * size / settings["items"]))}
        return task.with_settings(**changes)


AXES = (
    Axis("length", "shortest", "longest"),
    Axis("items", "fewest", "most"),
    Axis("items", "items", "items"),
    Axis("steps", "steps", "steps"),
)


def axis_of(experiment: Experiment) -> Axis | None:
    """Find what makes sequences larger; None of a task that is not of this package."""
    keys = experiment.with_.model_dump().keys()
    fitting = (axis for axis in AXES if {axis.low, axis.high} <= keys)
    return next(fitting, None) if experiment.task in TASKS else None


def tell_generalisation(
    stations: Sequence[Station],
    experiment: Experiment,
    task: Task,
    backend: Backend,
    sidecar: Sidecar,
    spread: Spread,
) -> Generalisation | None:
    """Ask births ever larger sequences, on as many rows as the exam has for them.

    Sizes go from what the line evolved with to twice the largest of the exam, where that is
    affordable. None where the task is not one of this package, or nobody was kept.
    """
    axis = axis_of(experiment)
    if axis is None or not isinstance(task, KnownTask) or not stations:
        return None
    trials = list(_trials(axis, experiment, task, backend))
    sizes = tuple(size for size, _ in trials)
    asked = [trial for _, trial in trials]
    curves = []
    for name, birth, genome in stations:
        told = _answers(genome, axis, asked, sizes, sidecar, spread)
        shares = tuple(wrong / _bits_asked(trial) for (wrong, _), trial in zip(told, asked,
                       strict=True))  # fmt: skip
        curves.append(Curve(name, birth.number, shares, tuple(bits for _, bits in told)))
    return Generalisation(
        axis=axis.name,
        sizes=sizes,
        rows=tuple(trial.rows for trial in asked),
        sequences=SEQUENCES,
        trained=trained(axis, experiment),
        curves=tuple(curves),
    )


def trained(axis: Axis, experiment: Experiment) -> tuple[int, int]:
    """Tell between what sizes the sequences were that a line evolved with, in all stages."""
    stages = [experiment.settings(stage.with_) for stage in experiment.curriculum]
    spans = [axis.span(stage.model_dump()) for stage in stages or [experiment.with_]]
    return min(low for low, _ in spans), max(high for _, high in spans)


def sizes_of(axis: Axis, experiment: Experiment) -> list[int]:
    """List sizes within what a line evolved with, those of the exam, and doublings up to twice it.

    Where it evolved with one size only, a half and a quarter of it stand for those within.
    """
    low, high = trained(axis, experiment)
    within = np.linspace(low, high, WITHIN).round().astype(int).tolist()
    if low == high:
        within = [max(high // 4, 1), max(high // 2, 1), high]
    examined = [largest for largest, _ in _examined(axis, experiment)]
    furthest = 2 * max(*examined, high)
    doubled = [high << power for power in range(1, 32) if high << power < furthest]
    return sorted({*within, *examined, *doubled, furthest})


def rows_for(size: int, axis: Axis, experiment: Experiment) -> int:
    """Choose memory rows as the smallest part of the exam that is as large has them.

    Beyond the exam rows grow as sizes do; there are never fewer than evolution had at most, but of
    a tape, where what a ring does hangs on its length.
    """
    parts = sorted(_examined(axis, experiment))
    enough = [rows for largest, rows in parts if largest >= size]
    largest, most = parts[-1]
    rows = min(enough) if enough else most * -(-size // largest)
    if experiment.machine.tape_heads:
        return rows
    return most_rows(rows, experiment.rows_of()[1])


def _examined(axis: Axis, experiment: Experiment) -> list[tuple[int, int]]:
    """List the largest size and the rows of every part of the exam."""
    changed: list[Settings] = [experiment.settings(part.with_) for part in experiment.exam.parts]
    return [
        (axis.span(settings.model_dump())[1], part.rows)
        for settings, part in zip(changed, experiment.exam.parts, strict=True)
    ]


def _trials(
    axis: Axis, experiment: Experiment, task: KnownTask, backend: Backend
) -> Iterator[tuple[int, Trial]]:
    """Make the sequences of every size that the task can be of and that is affordable."""
    settings = experiment.with_.model_dump()
    examined = max(largest for largest, _ in _examined(axis, experiment))
    for slot, size in enumerate(sizes_of(axis, experiment)):
        rows = rows_for(size, axis, experiment)
        try:
            sized = axis.sized(task, settings, size)
            episodes = draw(sized, derive(SEED, "generalisation", slot=slot), SEQUENCES)
        except TaskError:
            continue
        if size <= examined or sum(episodes.lengths) * rows <= MOST_WORK:
            yield size, Trial(sized, episodes, rows, experiment.machine.epsilon, backend)


def _answers(
    genome: Genome,
    axis: Axis,
    trials: Sequence[Trial],
    sizes: Sequence[int],
    sidecar: Sidecar,
    spread: Spread,
) -> list[Told]:
    """Give wrong bits and bits a sequence for every size, inf where there is no number."""
    told = [
        f"{axis.name} {size} on {trial.rows}" for size, trial in zip(sizes, trials, strict=True)
    ]
    about = f"generalisation: {', '.join(told)} rows; {purpose('each', trials[0])}"

    def measure() -> list[Told]:
        fitting = for_the_task(genome, trials[0].task)
        jobs = [_job(trial, fitting, fitting.weights[None]) for trial in reversed(trials)]
        return list(spread(_call, jobs))[::-1]

    def read(found: Any) -> list[Told]:
        pairs = [(_number(wrong), _number(bits)) for wrong, bits in found]
        if len(pairs) != len(trials):
            raise ValueError(f"expected {len(trials)} sizes, but came {len(pairs)}")
        return pairs

    return sidecar.recall(about, genome.id, measure, read)


def _job(trial: Trial, genome: Genome, weights: Any) -> Callable[[], Told]:
    def answer() -> Told:
        grades = answered(trial, genome.topology, weights)
        wrong, bits = (float(grade.double().mean()) for grade in (grades.wrong_bits, grades.bits))
        return wrong, bits

    return answer


def _call(job: Callable[[], Told]) -> Told:
    return job()


def _bits_asked(trial: Trial) -> float:
    """Count the bits that a sequence asks for."""
    scored, lanes = int(trial.sequences.scored.sum()), len(trial.episodes.lengths)
    return scored * trial.sequences.targets.shape[-1] / lanes


def _number(told: float | None) -> float:
    return np.inf if told is None else float(told)
