"""Copy: show some vectors, then ask for them again."""

from dataclasses import dataclass, replace
from typing import ClassVar

from evo_ntm.experiment.tasks import CopySettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.task import Episodes, Extent, revised, span
from evo_ntm.tasks.timeline import compose, random_vectors, show, signal, steps
from evo_ntm.topology import Block


@dataclass(frozen=True)
class Copy:
    """Copy vectors of random bits.

    L vectors, the end flag, L blanks; the first answer is due on the step after the flag.
    Source: Graves et al. (2014), section 4.1.
    """

    settings: CopySettings = CopySettings()
    name: ClassVar[str] = "copy"

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        bits = Block(1, self.settings.bits, per_bit=True, name="bits")
        return bits, Block(2, 1, name="end flag")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        return (Block(101, self.settings.bits, per_bit=True, name="bits"),)

    def episodes(self, generator: Generator, lanes: int) -> Episodes:
        """Make the sequences of so many lanes, all from the generator."""
        settings = self.settings
        lengths = generator.integers(settings.shortest, settings.longest + 1, lanes)
        shape = int(lengths.max()), lanes, settings.bits
        vectors = random_vectors(generator, shape, uneven=settings.uneven)
        step = steps(2 * lengths + 1)
        answer = step - lengths - 1
        due = (answer >= 0) & (answer < lengths)
        shown = [show(vectors, step, step < lengths), signal(step == lengths)]
        return compose(shown, [show(vectors, answer, due)], due, 2 * lengths + 1)

    def extent(self) -> Extent:
        """Tell how many vectors there are."""
        return {"length": span(self.settings.shortest, self.settings.longest)}

    def with_settings(self, /, **overrides: object) -> "Copy":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))
