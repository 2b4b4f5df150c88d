"""The copy of the Evolving Neural Turing Machine: two signals, and only close answers count."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.experiment.tasks import EntmCopySettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.task import Episodes, Extent, revised, span
from evo_ntm.tasks.timeline import compose, show, signal, steps
from evo_ntm.topology import Block

CLOSE = 0.25


@dataclass(frozen=True)
class EntmCopy:
    """Copy vectors of random bits that came between two signals; an answer must be close.

    The start signal, L vectors, the delimiter, L blanks; the first answer is due on the step after
    the delimiter, when a machine that reads a step late can have it. A number that is off by a
    quarter or more is worth nothing, one that is off by less as much as is left of the quarter.
    Source: Greve, Jacobsen and Risi (2016), as their program scores (`strict-close`).
    """

    settings: EntmCopySettings = EntmCopySettings()
    name: ClassVar[str] = "entm_copy"

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        bits = Block(3, self.settings.bits, per_bit=True, name="bits")
        return Block(1, 1, name="start"), Block(2, 1, name="delimiter"), bits

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        return (Block(101, self.settings.bits, per_bit=True, name="bits"),)

    def episodes(self, generator: Generator, lanes: int) -> Episodes:
        """Make the sequences of so many lanes, all from the generator."""
        settings = self.settings
        lengths = generator.integers(settings.shortest, settings.longest + 1, lanes)
        vectors = generator.bits((int(lengths.max()), lanes, settings.bits))
        ends = 2 * lengths + 2
        step = steps(ends)
        vector, answer = step - 1, step - lengths - 2
        listing = (vector >= 0) & (vector < lengths)
        due = (answer >= 0) & (answer < lengths)
        signals = [signal(step == 0 * lengths), signal(step == lengths + 1)]
        shown = [*signals, show(vectors, vector, listing)]
        return compose(shown, [show(vectors, answer, due)], due, ends)

    def worth(
        self, episodes: Episodes, logits: Float[Tensor, "T *population B O"]
    ) -> Float[Tensor, "*population B"]:
        """Say what answers are worth, from 0 to 1 a sequence: the mean over its numbers."""
        wide = (slice(None), *[None] * (logits.ndim - 3))  # room for the axes of the population
        off = (torch.sigmoid(logits) - episodes.targets.to(logits)[wide]).abs()
        worth = (1 - off.clamp_max(CLOSE) / CLOSE).mean(-1)
        asked = episodes.scored[wide]
        return torch.where(asked, worth, 0.0).sum(0) / asked.sum(0)

    def extent(self) -> Extent:
        """Tell how many vectors there are."""
        return {"length": span(self.settings.shortest, self.settings.longest)}

    def with_settings(self, /, **overrides: object) -> "EntmCopy":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))
