"""What there is to be learned: tasks, made of settings and a stream of random numbers."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evo_ntm.errors import TaskError, in_words, nearest, somebody_elses
from evo_ntm.experiment.model import Settings
from evo_ntm.experiment.tasks import GROUP
from evo_ntm.tasks.associative_recall import AssociativeRecall
from evo_ntm.tasks.copy import Copy
from evo_ntm.tasks.curriculum import Curriculum, Gate
from evo_ntm.tasks.drawing import draw
from evo_ntm.tasks.entm_copy import EntmCopy
from evo_ntm.tasks.environment import (
    Environment,
    RewardEnvironment,
    SequenceEnvironment,
    Session,
)
from evo_ntm.tasks.grading import constant_cost, costs, grade, measures
from evo_ntm.tasks.gymnasium import Gymnasium
from evo_ntm.tasks.hosting import changed
from evo_ntm.tasks.lanes import join, join_sequences, pick
from evo_ntm.tasks.lives import Life, Lives
from evo_ntm.tasks.memory_length import MemoryLength
from evo_ntm.tasks.mirror_copy import MirrorCopy
from evo_ntm.tasks.ngrams import NGrams
from evo_ntm.tasks.priority_sort import PrioritySort
from evo_ntm.tasks.repeat_copy import RepeatCopy
from evo_ntm.tasks.season import Season
from evo_ntm.tasks.t_maze import TMaze
from evo_ntm.tasks.task import (
    Drawn,
    Episodes,
    Grades,
    KnownTask,
    Measured,
    RewardTask,
    SequenceTask,
    Task,
    Worthy,
    sequences,
)

__all__ = [
    "REWARD_TASKS",
    "TASKS",
    "Curriculum",
    "Drawn",
    "Environment",
    "Episodes",
    "Gate",
    "Grades",
    "KnownTask",
    "Life",
    "Lives",
    "Measured",
    "RewardEnvironment",
    "RewardTask",
    "SequenceEnvironment",
    "SequenceTask",
    "Session",
    "Task",
    "Worthy",
    "constant_cost",
    "costs",
    "draw",
    "grade",
    "join",
    "join_sequences",
    "known_tasks",
    "make",
    "measures",
    "pick",
    "sequences",
]

TASKS: dict[str, type[Any]] = {
    "copy": Copy,
    "mirror_copy": MirrorCopy,
    "repeat_copy": RepeatCopy,
    "associative_recall": AssociativeRecall,
    "ngrams": NGrams,
    "priority_sort": PrioritySort,
    "entm_copy": EntmCopy,
}
REWARD_TASKS: dict[str, type[Any]] = {
    "t_maze": TMaze,
    "season": Season,
    "memory_length": MemoryLength,
    "gymnasium": Gymnasium,
}


def known_tasks() -> dict[str, type[Any]]:
    """List all tasks by name: the project's own, then those of installed packages.

    A package offers a KnownTask under the entry points `evo_ntm.tasks`. Raises TaskError.
    """
    tasks = TASKS | REWARD_TASKS
    for point in entry_points(group=GROUP):
        if point.name in tasks:
            raise TaskError(
                f"tasks have different names, but {point.value} (entry point of {GROUP}) "
                f"takes that of {point.name!r}"
            )
        tasks[point.name] = _loaded(point)
    return tasks


def make(name: str, settings: Settings | Mapping[str, object] | None = None) -> KnownTask:
    """Make a task from its name and its settings; those not given are the paper's.

    Raises TaskError.
    """
    if not isinstance(name, str):
        raise TaskError(f"expected the name of a task, but came {in_words(name)}")
    kind = (TASKS | REWARD_TASKS).get(name)
    if kind is None:  # only then, and only that, so that a broken package harms itself alone
        points = {point.name: point for point in entry_points(group=GROUP)}
        if name not in points:
            known = {*TASKS, *REWARD_TASKS, *points}
            raise TaskError(f"expected the name of a task, but came {name!r}: "
                            f"{nearest(name, known)}; one's own is told in Python as task=, or "
                            f"by a package among the entry points {GROUP}")  # fmt: skip
        kind = _loaded(points[name])
        with somebody_elses(f"task {name!r} to be made", TaskError):
            task = kind()
    else:
        task = kind()
    if not isinstance(task, KnownTask):
        raise TaskError(f"task {name!r} must have all that a KnownTask has, but {kind} has not")
    given = settings.model_dump() if isinstance(settings, Settings) else settings or {}
    if not (isinstance(given, Mapping) and all(isinstance(key, str) for key in given)):
        raise TaskError(f"expected settings of task {name!r} by name, but came "
                        f"{in_words(given)}")  # fmt: skip
    made: KnownTask = changed(task, given)
    return made


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as reason:  # whatever somebody else's module may raise
        raise TaskError(f"task {point.name!r} ({point.value}) cannot load: {reason}") from None
