"""What founder, an ancestor halfway and subject do on one and the same sequence."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evo_ntm.experiment import Experiment
from evo_ntm.experiment.model import most_rows
from evo_ntm.genome import Genome
from evo_ntm.reports.chapters import Portrait
from evo_ntm.reports.line import Birth
from evo_ntm.reports.observation import SPARE, observe, task_to_show
from evo_ntm.reports.rescoring import Marks, Spread
from evo_ntm.tasks import TASKS, KnownTask, Task


class Station(NamedTuple):
    """A birth of a line that stands for its time."""

    name: str
    birth: Birth
    genome: Genome


def stations(line: Sequence[Birth], marks: Mapping[str, Marks], last: str) -> list[Station]:
    """Choose the first of a line, the one that costs most nearly halfway, and the last, as `last`.

    Only those whose genomes were kept can be chosen, and halfway only who was scored again.
    """
    kept = [(birth, birth.genome) for birth in line if birth.genome is not None]
    if not kept:
        return []
    first = "founder" if not kept[0][0].parents else "earliest kept"
    ends = [Station(first, *kept[0]), Station(last, *kept[-1])][2 - len(kept[:2]) :]
    between = [pair for pair in kept[1:-1] if pair[0].id in marks]
    costs = [marks[end.birth.id].cost for end in ends if end.birth.id in marks]
    if len(costs) < 2 or not between:
        return ends
    halfway = sum(costs) / 2
    middle = min(between, key=lambda pair: abs(marks[pair[0].id].cost - halfway))
    return [ends[0], Station("halfway", *middle), ends[1]]


def tell_portraits(
    stations: Sequence[Station],
    experiment: Experiment,
    task: Task,
    *,
    rows: int,
    seed: int = 0,
    spread: Spread = map,
) -> tuple[Portrait, ...]:
    """Show what the births of all stations do on one sequence, that of `evo-ntm show`.

    The memory has so many rows, or as many as the sequence needs. Raises ReportError where the
    sequence is too long to be shown.
    """
    shown = task_to_show(experiment) if experiment.task in TASKS else task
    length = shown.extent().get("length", 0) if isinstance(shown, KnownTask) else 0
    enough = most_rows(rows, int(np.max(length)) + SPARE)
    epsilon = experiment.machine.epsilon

    def portray(station: Station) -> Portrait:
        name, birth, genome = station
        seen = observe(genome, shown, rows=enough, epsilon=epsilon, seed=seed)
        return Portrait(name, birth.number, birth.generation, birth.topology, seen)

    return tuple(spread(portray, stations))
