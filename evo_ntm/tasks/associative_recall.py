"""Associative recall: show a list of items, then one of them again, and ask for the next."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from evo_ntm.experiment.tasks import AssociativeRecallSettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.task import Episodes, Extent, revised, span
from evo_ntm.tasks.timeline import compose, show, signal, steps
from evo_ntm.topology import Block


@dataclass(frozen=True)
class AssociativeRecall:
    """Recall the item that followed the one shown again.

    For each item its flag and its vectors; then the query flag, the vectors of any item but the
    last, the query flag, and as many blanks as an item has vectors.
    Source: Graves et al. (2014), section 4.3.
    """

    settings: AssociativeRecallSettings = AssociativeRecallSettings()
    name: ClassVar[str] = "associative_recall"

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        bits = Block(1, self.settings.bits, per_bit=True, name="bits")
        return bits, Block(2, 1, name="item flag"), Block(3, 1, name="query flag")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        return (Block(101, self.settings.bits, per_bit=True, name="bits"),)

    def episodes(self, generator: Generator, lanes: int) -> Episodes:
        """Make the sequences of so many lanes, all from the generator."""
        settings = self.settings
        items = generator.integers(settings.fewest, settings.most + 1, lanes)
        queried = np.floor(generator.random(lanes) * (items - 1)).astype(np.int64)
        table = generator.bits((items.max() * settings.vectors, lanes, settings.bits))

        group = settings.vectors + 1  # a flag and the vectors behind it
        ends = (items + 2) * group
        step = steps(ends)
        # Groups are numbered on beyond the items: the query, then the answer.
        number, place = step // group, step % group
        flag, vector = place == 0, place - 1
        listing, querying, answering = number < items, number == items, number == items + 1

        item = np.where(listing, number, queried + answering)
        row = item * settings.vectors + vector
        due = answering & ~flag
        shown = show(table, row, (listing | querying) & ~flag)
        flags = [signal(flag & listing), signal(flag & (querying | answering))]
        return compose([shown, *flags], [show(table, row, due)], due, ends)

    def extent(self) -> Extent:
        """Tell how many items are shown before the query."""
        return {"items": span(self.settings.fewest, self.settings.most)}

    def with_settings(self, /, **overrides: object) -> "AssociativeRecall":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))
