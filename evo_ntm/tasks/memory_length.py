"""Memory length: bits are shown once, and much later one of them is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from evo_ntm.experiment.rewards import MemoryLengthSettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.lives import Fates, Lives, lives, mixed, mixed_fates, some
from evo_ntm.tasks.task import Extent, revised, span
from evo_ntm.topology import Block


@dataclass(frozen=True)
class MemoryLength:
    """Say what a bit was that was shown so many steps ago.

    The first step shows the bits, as -1 and 1; the last asks for one of them, and what is answered
    there earns 1 if right and -1 if wrong. All steps tell which share of the time is left. An
    answer is the larger of two: 0, 1.
    Source: Osband et al. (2020), Memory Length. There the bit that is asked for is told by its
    number, the bits are seen in two steps, and the time left with the question is a step, not 0.
    """

    settings: MemoryLengthSettings = MemoryLengthSettings()
    name: ClassVar[str] = "memory_length"
    best: ClassVar[float] = 1.0
    choice: ClassVar[bool] = True

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        bits = self.settings.bits
        return Block(1, 1, name="time"), Block(2, bits, name="asked"), Block(3, bits, name="bits")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        return (Block(101, 2, name="zero or one"),)

    def episodes(self, generator: Generator, lanes: int) -> Lives:
        """Draw so many lives, all from the generator."""
        settings = self.settings
        length = generator.integers(settings.shortest, settings.longest + 1, lanes)
        asked = generator.integers(0, settings.bits, lanes)
        bits = generator.bits((lanes, settings.bits)).astype(int)
        told = {"length": length, "asked": asked, "bits": bits}
        fates = {name: torch.from_numpy(drawn) for name, drawn in told.items()}
        return lives(self, fates, (length + 1).tolist())

    def live(self, fates: Fates) -> "MemoryLengthLife":
        """Begin the lives that these fates are of."""
        none = torch.zeros_like(fates["length"])
        return MemoryLengthLife(self, fates, Past(none, none, none))

    def extent(self) -> Extent:
        """Tell how many steps there are until a bit is asked for."""
        return {"length": span(self.settings.shortest, self.settings.longest)}

    def with_settings(self, /, **overrides: object) -> "MemoryLength":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))


class Past(NamedTuple):
    """What every lane went through: how many steps, and what it earned, in all and by the last."""

    steps: Int[Tensor, "*batch"]
    earned: Int[Tensor, "*batch"]
    last: Int[Tensor, "*batch"]


@dataclass(frozen=True, eq=False)
class MemoryLengthLife:
    """Where the lanes stand between the bits and the question."""

    task: MemoryLength
    fates: Fates
    past: Past

    @property
    def observation(self) -> Float[Tensor, "*batch I"]:
        """Tell what there is to be seen; blank in lanes that are done."""
        steps, length, bits = self.past.steps, self.fates["length"], self.fates["bits"]
        left = (1 - steps / length).unsqueeze(-1)
        numbers = torch.arange(bits.shape[-1], device=bits.device)
        asked = (numbers == self.fates["asked"].unsqueeze(-1)) & (steps == length).unsqueeze(-1)
        shown = torch.where((steps == 0).unsqueeze(-1), 2 * bits - 1, 0)
        seen = torch.cat([left, asked.to(left), shown.to(left)], -1)
        return torch.where(self.done.unsqueeze(-1), 0.0, seen)

    @property
    def reward(self) -> Float[Tensor, "*batch"]:
        """Tell what the last answer earned."""
        return self.past.last.float()

    @property
    def done(self) -> Bool[Tensor, "*batch"]:
        """Tell which lanes have ended."""
        return self.past.steps > self.fates["length"]

    @property
    def score(self) -> Float[Tensor, "*batch"]:
        """Give 1 for a right answer, else 0."""
        return (self.past.earned > 0).float()

    @property
    def marks(self) -> Mapping[str, Tensor]:
        """Tell whether the answer was wrong, and what it earned."""
        return {"missed": self.past.earned < 0, "reward": self.past.earned}

    def react(self, answer: Float[Tensor, "*batch 2"]) -> "MemoryLengthLife":
        """Go on from an answer, given in logits."""
        fates, (steps, earned, _) = self.fates, self.past
        right = fates["bits"].gather(-1, fates["asked"].unsqueeze(-1))[..., 0]
        verdict = torch.where(answer.argmax(-1) == right, 1, -1)
        last = torch.where(steps == fates["length"], verdict, 0)
        return replace(self, past=Past(steps + ~self.done, earned + last, last))

    @property
    def ahead(self) -> Float[Tensor, "T B I"]:
        """Tell all that will be seen, whatever is answered."""
        steps = torch.arange(int(self.fates["length"].max()) + 1, device=self.past.steps.device)
        none = torch.zeros_like(self.fates["length"])
        return replace(self, past=Past(steps.unsqueeze(-1) + none, none, none)).observation

    def answered(self, answers: Float[Tensor, "T *batch 2"]) -> "MemoryLengthLife":
        """Go on to the end, from all answers at once, given in logits."""
        lane = torch.arange(answers.shape[-2], device=answers.device)
        asked = answers[self.fates["length"], ..., lane, :].movedim(0, -2)
        there = self.past._replace(steps=self.fates["length"])
        return replace(self, past=there).react(asked)

    def among(self, index: Int[Tensor, "some"]) -> "MemoryLengthLife":
        """Keep some individuals of a population of one axis."""
        return replace(self, past=Past(*some(self.past, index)))

    def restarted(self, lanes: Bool[Tensor, "B"], fates: Fates) -> "MemoryLengthLife":
        """Begin others in some lanes, of which these fates are."""
        both = mixed_fates(lanes, fates, self.fates)
        begun = self.task.live(both).past
        return replace(self, fates=both, past=Past(*mixed(lanes, begun, self.past)))
