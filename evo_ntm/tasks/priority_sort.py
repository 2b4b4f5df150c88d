"""Priority sort: show vectors with priorities, and ask for the highest of them in order."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from evo_ntm.experiment.tasks import PrioritySortSettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.task import Episodes, Extent, revised
from evo_ntm.tasks.timeline import compose, show, signal, steps
from evo_ntm.topology import Block


@dataclass(frozen=True)
class PrioritySort:
    """Sort vectors of random bits by priority, the highest first.

    The vectors with their priorities beside them, the end flag, a blank for each answer. Those of a
    share of the sequences may come in order, which is to copy them: who sorts has to keep vectors
    apart first. Source: Graves et al. (2014), section 4.5.
    """

    settings: PrioritySortSettings = PrioritySortSettings()
    name: ClassVar[str] = "priority_sort"

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        bits = Block(1, self.settings.bits, per_bit=True, name="bits")
        return bits, Block(2, 1, name="priority"), Block(3, 1, name="end flag")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        return (Block(101, self.settings.bits, per_bit=True, name="bits"),)

    def episodes(self, generator: Generator, lanes: int) -> Episodes:
        """Make the sequences of so many lanes, all from the generator."""
        items, answers = self.settings.items, self.settings.answers
        # Rounded before they are sorted: the order is that of the priorities as shown.
        priorities = (2 * generator.random((items, lanes)) - 1).astype(np.float32)
        if self.settings.in_order:
            ordered = generator.random(lanes) < self.settings.in_order
            priorities = np.where(ordered, -np.sort(-priorities, axis=0), priorities)
        vectors = generator.bits((items, lanes, self.settings.bits))
        order = np.argsort(-priorities, axis=0, kind="stable")[:answers]

        ends = np.full(lanes, items + 1 + answers)
        step = steps(ends)
        listing, answer = np.tile(step < items, lanes), step - items - 1
        due = np.tile(answer >= 0, lanes)
        shown = [
            show(vectors, step, listing),
            show(priorities[..., None], step, listing),
            signal(np.tile(step == items, lanes)),
        ]
        chosen = order[np.clip(answer[:, 0], 0, answers - 1)]
        return compose(shown, [show(vectors, chosen, due)], due, ends)

    def extent(self) -> Extent:
        """Tell how many vectors come in."""
        return {"items": self.settings.items}

    def with_settings(self, /, **overrides: object) -> "PrioritySort":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))
