"""From easy to hard: the stages of a task, and what opens the next one."""

from collections.abc import Mapping
from dataclasses import dataclass

from evo_ntm.errors import TaskError, nearest
from evo_ntm.seeds import Generator
from evo_ntm.tasks.drawing import draw
from evo_ntm.tasks.lanes import join
from evo_ntm.tasks.task import Drawn, Task


@dataclass(frozen=True)
class Gate:
    """A held-out measure of a stage, and what it must fall to before the next one opens."""

    measure: str
    threshold: float

    def opens(self, measures: Mapping[str, float]) -> bool:
        """Tell whether the measure has fallen to the threshold; NaN has not. Raises TaskError."""
        if self.measure not in measures:
            known = nearest(self.measure, measures)
            raise TaskError(f"a stage has no measure {self.measure!r} to end at: {known}")
        return measures[self.measure] <= self.threshold


@dataclass(frozen=True)
class Curriculum:
    """The stages of a task, easiest first, with gates behind each but the last.

    All stages have the same channels: one machine goes through them all. The next stage opens
    when every gate behind the current one is open. Nothing is shown of a stage `apart` before it
    opens, as it needs more memory than those before. Nothing is shown of the others while a stage
    `alone` is the top one.
    """

    stages: tuple[Task, ...]
    gates: tuple[tuple[Gate, ...], ...] = ()
    apart: frozenset[int] = frozenset()
    alone: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if len(self.gates) != len(self.stages) - 1 or not all(self.gates):
            raise TaskError(
                "a curriculum has stages, with gates behind each but the last, but was given "
                f"{len(self.stages)} stages and gates {[len(gates) for gates in self.gates]}"
            )
        first = self.stages[0]
        for number, stage in enumerate(self.stages[1:], start=2):
            if (stage.inputs, stage.outputs) != (first.inputs, first.outputs):
                raise TaskError(
                    "all stages of a curriculum have the same channels, but stage 1 has "
                    f"{_channels(first)} and stage {number} has {_channels(stage)}"
                )

    def opens(self, stage: int, measures: Mapping[str, float]) -> bool:
        """Tell whether the measures of a stage (from 0) open the next one. Raises TaskError."""
        after = self.gates[stage : stage + 1]
        return any(all(gate.opens(measures) for gate in gates) for gates in after)

    def lanes(self, stage: int, count: int) -> tuple[int, ...]:
        """Share lanes out among the stages, when `stage` (from 0) is the top one so far.

        It gets more than half of them; every earlier stage, and the next one if that is not apart,
        get the same smaller share, the nearest first where there are too few lanes for all.
        """
        if stage in self.alone:
            return tuple(count if number == stage else 0 for number in range(len(self.stages)))
        others = [stage + step for step in (-1, 1, *range(-2, -stage - 1, -1))]
        shown = range(min(len(self.stages), stage + (1 if stage + 1 in self.apart else 2)))
        others = [other for other in others if other in shown]
        share = max(1, count // (2 * (len(others) + 1)))
        shares = [0] * len(self.stages)
        for other in others[: (count - 1) // 2 // share]:
            shares[other] = share
        shares[stage] = count - sum(shares)
        return tuple(shares)

    def episodes(self, generator: Generator, stage: int, lanes: int) -> Drawn:
        """Make the episodes of so many lanes, easy ones first, all from the generator."""
        shares = zip(self.stages, self.lanes(stage, lanes), strict=True)
        return join([draw(task, generator, share) for task, share in shares if share])


def _channels(task: Task) -> str:
    sizes = ("+".join(str(block.size) for block in side) for side in (task.inputs, task.outputs))
    return "{} in and {} out".format(*sizes)
