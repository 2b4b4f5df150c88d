"""A task as an environment: it shows something, hears an answer, and shows the next thing.

Nothing is mutated: a reaction is a new session, and an old one can be gone on from again.
"""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from evo_ntm.errors import TaskError
from evo_ntm.seeds import derive
from evo_ntm.tasks.drawing import draw, draw_lives
from evo_ntm.tasks.grading import grade
from evo_ntm.tasks.lives import Life
from evo_ntm.tasks.task import Episodes, RewardTask, SequenceTask, sequences


@runtime_checkable
class Session(Protocol):
    """Where every lane of an environment stands."""

    @property
    def observation(self) -> Float[Tensor, "*batch I"]:
        """Tell what there is to be seen; blank in lanes that are done."""

    @property
    def reward(self) -> Float[Tensor, "*batch"]:
        """Tell what the last answer earned."""

    @property
    def done(self) -> Bool[Tensor, "*batch"]:
        """Tell which lanes have ended."""

    def react(self, answer: Float[Tensor, "*batch O"]) -> "Session":
        """Go on from an answer, given in logits."""


@runtime_checkable
class Environment(Protocol):
    """Whatever sessions can be begun in."""

    def begin(self, seed: int, lanes: int) -> Session:
        """Begin so many lanes, all from the seed."""


@dataclass(frozen=True, eq=False)
class SequenceSession:
    """Where the lanes of a sequence task stand: all at the same step."""

    episodes: Episodes
    step: int
    reward: Float[Tensor, "*population B"]

    @property
    def observation(self) -> Float[Tensor, "B I"]:
        """Tell what there is to be seen; blank in lanes that are done."""
        if self.step == len(self.episodes.inputs):
            return torch.zeros_like(self.episodes.inputs[0])
        return self.episodes.inputs[self.step]

    @property
    def done(self) -> Bool[Tensor, "B"]:
        """Tell which sequences have ended."""
        return torch.tensor(self.episodes.lengths) <= self.step

    def react(self, answer: Float[Tensor, "*population B O"]) -> "SequenceSession":
        """Go on from an answer, given in logits; it earns minus its cross-entropy in bits.

        Raises TaskError when every sequence has ended.
        """
        inputs, targets, scored, lengths = self.episodes
        if self.step == len(inputs):
            raise TaskError(f"all sequences ended after {len(inputs)} steps, but an answer came")
        now = slice(self.step, self.step + 1)
        asked = Episodes(inputs[now], targets[now], scored[now], (1,) * len(lengths))
        return replace(self, step=self.step + 1, reward=-grade(asked, answer[None]).bits)


@dataclass(frozen=True)
class SequenceEnvironment:
    """A sequence task, met step by step. Its rewards add up to minus the bits of its grades."""

    task: SequenceTask

    def begin(self, seed: int, lanes: int) -> SequenceSession:
        """Begin so many sequences, all from the seed."""
        drawn = draw(self.task, derive(seed, "episodes"), lanes)
        episodes = sequences(drawn, "answer them")
        return SequenceSession(episodes, 0, torch.zeros(lanes))


@dataclass(frozen=True)
class RewardEnvironment:
    """A task that rewards what is done. Its rewards add up to the `reward` of its lives."""

    task: RewardTask

    def begin(self, seed: int, lanes: int) -> Life:
        """Begin so many lives, all from the seed."""
        share = draw_lives(self.task, derive(seed, "episodes"), lanes)
        return share.world.live(share.fates)
