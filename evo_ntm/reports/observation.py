"""What a machine does on one sequence, as arrays over time, for figures to be made of."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.errors import ReportError
from evo_ntm.evolution.fitting import for_the_task
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.model import UNBOUNDED, most_rows
from evo_ntm.genome import Genome
from evo_ntm.machine import Machine
from evo_ntm.seeds import derive
from evo_ntm.tasks import KnownTask, Task, draw, grade, make, measures, sequences

Numbers = NDArray[np.float64]
Booleans = NDArray[np.bool_]

LENGTH = 20  # as in figure 6 of Graves et al. (2014)
SPARE = 8  # rows beyond the length, for heads that step too far
MOST_STEPS = 2500
RANGES = (("shortest", "longest"), ("fewest", "most"))


class Way(NamedTuple):
    """The way through a maze, step by step: where, in which run, and what the step earned.

    From the run `moved` on the high reward is at another end.
    """

    maze: str
    x: Numbers
    y: Numbers
    run: NDArray[np.int64]
    reward: Numbers
    moved: int


class Observation(NamedTuple):
    """One sequence: what was asked, and what answers, heads and memory rows had to do with it.

    Time comes first, then heads. `scored` tells the steps that were asked, `wrong` the answers that
    are on the wrong side of a half; `answers` are probabilities, NaN where there is none. Of a life
    nothing is wrong, but each step has `earned` something, and in a maze it went its `way`; where
    its environment `failed`, that ended it.
    """

    inputs: Numbers
    targets: Numbers
    scored: Booleans
    answers: Numbers
    wrong: Booleans
    add: Numbers
    write_weightings: Numbers
    reads: Numbers
    read_weightings: Numbers
    measures: Mapping[str, float]
    earned: Numbers | None = None
    way: Way | None = None
    failed: bool = False

    @property
    def rows(self) -> int:
        """Count the memory rows."""
        return int(self.write_weightings.shape[-1])


def level(several: Sequence[Observation]) -> list[Observation]:
    """Give all as many memory rows as any has: tapes grow as far as each is written."""
    most = max((seen.rows for seen in several), default=0)

    def wide(weightings: Numbers) -> Numbers:
        return np.pad(weightings, ((0, 0), (0, 0), (0, most - weightings.shape[-1])))

    return [
        seen._replace(
            write_weightings=wide(seen.write_weightings), read_weightings=wide(seen.read_weightings)
        )
        for seen in several
    ]


def observe(genome: Genome, task: Task, *, rows: int, epsilon: float, seed: int = 0) -> Observation:
    """Run a genome on one sequence of a task and keep what it did.

    A tied genome is expressed to as many bits as the task has. Raises ReportError where the genome
    is not for the task's channels, or the sequence too long to be shown.
    """
    genome = for_the_task(genome, task)
    if rows < 1 and not (genome.topology.tape_heads and rows == UNBOUNDED):
        raise ReportError(f"expected at least 1 memory row, but came {rows}")
    episodes = sequences(draw(task, derive(seed, "show"), 1), "show one")
    if len(episodes.inputs) > MOST_STEPS:
        raise ReportError(f"expected a sequence of at most {MOST_STEPS} steps to show, "
                          f"but it has {len(episodes.inputs)}")  # fmt: skip
    machine = Machine(genome.topology, epsilon)
    with torch.inference_mode():
        weights = machine.wire_up(torch.tensor(genome.weights))
        state = machine.initial_state(weights, lanes=1, rows=rows)
        logits, _, trace = machine.trace(weights, episodes.inputs, state)
        taken = measures(task, episodes, grade(episodes, logits, task))
    scored = _numbers(episodes.scored) > 0
    targets, said = _numbers(episodes.targets), _numbers(logits)
    wrong = (((said > 0) != (targets > 0.5)) | np.isnan(said)) & scored[:, None]
    return Observation(
        inputs=_numbers(episodes.inputs),
        targets=targets,
        scored=scored,
        answers=_numbers(torch.sigmoid(logits)),
        wrong=wrong,
        add=_numbers(trace.add),
        write_weightings=_numbers(trace.write_weightings),
        reads=_numbers(trace.reads),
        read_weightings=_numbers(trace.read_weightings),
        measures={name: float(value) for name, value in taken.items()},
    )


def _numbers(tensor: Tensor) -> Numbers:
    """Take the only lane, which lies behind time."""
    return np.asarray(tensor.select(1, 0), dtype=np.float64)


def task_to_show(experiment: Experiment, length: int | None = None) -> KnownTask:
    """Make the experiment's task, with sequences of one length.

    Without `length`: tasks whose size is a length alone, as copy, at 20, or as many as the exam has
    where these are fewer; others at the largest of their settings. Raises ReportError where a task
    has no length, TaskError where it cannot have this one.
    """
    settings = experiment.with_.model_dump()
    task = make(experiment.task, experiment.with_)
    largest = {key: settings[most] for least, most in RANGES for key in (least, most)
               if {least, most} <= settings.keys()}  # fmt: skip
    if length is None and largest.keys() == {"shortest", "longest"}:
        length = min(LENGTH, _longest_exam(experiment))
    if length is not None:
        if "longest" not in largest:
            raise ReportError(f"expected no length, as {experiment.task} has none to set, "
                              f"but came {length}")  # fmt: skip
        largest |= {"shortest": length, "longest": length}
    return task.with_settings(**largest)


def rows_to_show(experiment: Experiment, task: KnownTask) -> int:
    """Choose as many memory rows as the largest part of the exam has, or the length needs.

    Of a tape it is as many cells as the first part has.
    """
    length = task.extent().get("length", 0)
    rows = [part.rows for part in experiment.exam.parts]
    if experiment.machine.tape_heads:  # what a ring does hangs on its length
        return rows[0]
    return most_rows(*rows, int(np.max(length)) + SPARE)


def _longest_exam(experiment: Experiment) -> int:
    changed = (experiment.settings(part.with_) for part in experiment.exam.parts)
    return max(int(settings.model_dump()["longest"]) for settings in changed)
