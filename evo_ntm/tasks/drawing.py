"""Drawing episodes of a task that may be anybody's: what it raises or gives is told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from evo_ntm.errors import TaskError, somebody_elses
from evo_ntm.seeds import Generator
from evo_ntm.tasks.task import Drawn, Episodes, Task
from evo_ntm.topology.parts import total

OURS = __name__.partition(".")[0]


def draw(task: Task, generator: Generator, lanes: int) -> Drawn:
    """Ask a task for the episodes of so many lanes, all from the generator.

    Raises TaskError where it raises, with its line, or where what it gives cannot be scored.
    """
    with answering(task, "episodes"):
        drawn = task.episodes(generator, lanes)
    if isinstance(drawn, Episodes):
        for part, expected, came in _faults(task, drawn, lanes):
            raise TaskError(f"expected {part} of {called(task)} to be {expected}, but came {came}")
    return drawn


@contextmanager
def answering(task: object, what: str) -> Iterator[None]:
    """Let a task of somebody else's raise, for what is our own fault shall look like one."""
    if type(task).__module__.partition(".")[0] == OURS:
        yield
        return
    with somebody_elses(f"{what} of {called(task)}", TaskError):
        yield


def called(task: object) -> str:
    """Name a task as its file does, or by its class."""
    return f"task {getattr(task, 'name', type(task).__name__)!r}"


def _faults(task: Task, episodes: Episodes, lanes: int) -> Iterator[tuple[str, str, object]]:
    """Tell what is wrong with episodes: of which part, what was expected, what came."""
    inputs, targets, scored, lengths = episodes
    steps = len(inputs)
    shapes = {
        "inputs": (inputs, (steps, lanes, total(task.inputs))),
        "targets": (targets, (steps, lanes, total(task.outputs))),
        "scored": (scored, (steps, lanes)),
    }
    for part, (tensor, expected) in shapes.items():
        if tuple(tensor.shape) != expected:
            yield part, f"of shape {list(expected)}", list(tensor.shape)
    if len(lengths) != lanes or not all(1 <= length <= steps for length in lengths):
        yield "lengths", f"{lanes} numbers from 1 to {steps}", list(lengths)
    elif not scored.any():
        yield "scored", "true in some step", "none that is"
    elif not (inputs.isfinite().all() and targets[scored].isfinite().all()):
        yield "inputs and targets", "numbers", "some that are none"
