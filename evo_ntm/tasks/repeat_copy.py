"""Repeat copy: ask for the vectors several times over, and for a marker at the end."""

from dataclasses import dataclass, replace
from typing import ClassVar

from evo_ntm.experiment.tasks import RepeatCopySettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.task import Episodes, Extent, revised, span
from evo_ntm.tasks.timeline import compose, random_vectors, show, signal, steps
from evo_ntm.topology import Block

# The mean and the deviation of 1 … 10 repeats, whatever range is set: a count must look
# the same in every stage of a curriculum and in every exam.
MEAN_REPEATS = 5.5
DEVIATION_OF_REPEATS = 2.872


@dataclass(frozen=True)
class RepeatCopy:
    """Copy vectors of random bits as often as told, then mark the end.

    L vectors, the end flag with the count R beside it, L·R + 1 blanks; all of them are scored,
    the marker's channel too.
    Source: Graves et al. (2014), section 4.2.
    """

    settings: RepeatCopySettings = RepeatCopySettings()
    name: ClassVar[str] = "repeat_copy"

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        bits = Block(1, self.settings.bits, per_bit=True, name="bits")
        return bits, Block(2, 1, name="end flag"), Block(3, 1, name="count")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        bits = Block(101, self.settings.bits, per_bit=True, name="bits")
        return bits, Block(102, 1, name="end marker")

    def episodes(self, generator: Generator, lanes: int) -> Episodes:
        """Make the sequences of so many lanes, all from the generator."""
        settings = self.settings
        lengths = generator.integers(settings.shortest, settings.longest + 1, lanes)
        repeats = generator.integers(settings.fewest, settings.most + 1, lanes)
        shape = int(lengths.max()), lanes, settings.bits
        vectors = random_vectors(generator, shape, uneven=settings.uneven)
        asked = lengths * repeats
        ends = lengths + 1 + asked + 1
        step = steps(ends)
        flagged, blank = step == lengths, step - lengths - 1
        copying, marking = (blank >= 0) & (blank < asked), blank == asked
        count = signal(flagged, (repeats - MEAN_REPEATS) / DEVIATION_OF_REPEATS)
        shown = [show(vectors, step, step < lengths), signal(flagged), count]
        answers = [show(vectors, blank % lengths, copying), signal(marking)]
        return compose(shown, answers, copying | marking, ends)

    def extent(self) -> Extent:
        """Tell how many vectors there are, and how often they are to be repeated."""
        settings = self.settings
        return {
            "length": span(settings.shortest, settings.longest),
            "repeats": span(settings.fewest, settings.most),
        }

    def with_settings(self, /, **overrides: object) -> "RepeatCopy":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))
