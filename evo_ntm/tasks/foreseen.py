"""Lives in which nothing that is done changes what is seen: whole episodes are known ahead.

An environment is played once for each of its actions. What every answer would have earned is then
known, and whole populations are led through at once, without the environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.errors import TaskError
from evo_ntm.tasks import spaces
from evo_ntm.tasks.lives import MISSED, REWARD, Fates, World

HAIR = 1e-6  # that rewards may lack by being added up


class Play(NamedTuple):
    """What was seen before each step of an episode, and what the step earned."""

    seen: NDArray[np.float32]
    earned: NDArray[np.float64]


@dataclass(frozen=True)
class Player:
    """Plays episodes of one environment. Raises ValueError where it shows or earns no number."""

    environment: Any
    observations: Any
    actions: Any
    steps: int
    size: int
    """How many numbers are seen at once."""

    def play(self, seed: int, *, first: int, stride: int = 0) -> Play:
        """Play with the action that is `first`, and on every step with one so many further."""
        shown, _ = self.environment.reset(seed=seed)
        seen: list[NDArray[np.float32]] = []
        earned: list[float] = []
        over = False
        while not over:
            seen.append(spaces.observed(self.observations, shown, self.size))
            action = (first + stride * len(earned)) % int(self.actions.n)
            shown, reward, ended, cut, _ = self.environment.step(self.actions.start + action)
            earned.append(spaces.finite(np.float64(reward), "reward"))
            over = spaces.over(ended, cut) or len(earned) >= self.steps
        return Play(np.stack(seen), np.array(earned))

    def foresee(self, seed: int, name: str) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Tell what is seen [steps, I] and what each action earns [steps, A].

        Raises TaskError where an answer changes more than what that answer earns.
        """
        count = int(self.actions.n)
        plays = [self.play(seed, first=action) for action in range(count)]
        seen, table = plays[0].seen, [play.earned for play in plays]
        mixed = self.play(seed, first=0, stride=1)
        for play in (*plays, mixed):
            if not np.array_equal(play.seen, seen):
                raise _moved(name, seed, "to show the same, whatever is answered")
        earned = np.stack(table, -1)
        steps = np.arange(len(seen))
        if not np.array_equal(earned[steps, steps % count], mixed.earned):
            raise _moved(name, seed, "to reward the last answer alone")
        return seen, earned


def _moved(name: str, seed: int, expected: str) -> TaskError:
    return TaskError(f"expected {name} {expected}, as `foreseen` says, but with the seed {seed} "
                     "it does not")  # fmt: skip


@dataclass(frozen=True, eq=False)
class ForeseenLife:
    """Where every lane stands in episodes that are known ahead.

    What befalls a lane is what it will `see` [steps, I], what each action will `earn` [steps, A],
    its `length`, and whether the environment `failed`, which then counts as the worst.
    """

    world: World
    fates: Fates
    moment: int
    earned: Float[Tensor, "*batch"]
    last: Float[Tensor, "*batch"]

    @property
    def ahead(self) -> Float[Tensor, "T B I"]:
        """Tell all that will be seen."""
        longest = int(self.fates["length"].max())
        return self.fates["see"][:, :longest].movedim(0, 1)

    @property
    def observation(self) -> Float[Tensor, "B I"]:
        """Tell what there is to be seen; blank in lanes that are done."""
        see = self.fates["see"]
        if self.moment == see.shape[1]:
            return torch.zeros_like(see[:, 0])
        return torch.where(self.done.unsqueeze(-1), 0.0, see[:, self.moment])

    @property
    def reward(self) -> Float[Tensor, "*batch"]:
        """Tell what the last answer earned."""
        return self.last

    @property
    def done(self) -> Bool[Tensor, "B"]:
        """Tell which lanes have ended."""
        return self.moment >= self.fates["length"]

    @property
    def score(self) -> Float[Tensor, "*batch"]:
        """Give the return; of an episode that failed the worst."""
        return self.earned

    @property
    def marks(self) -> Mapping[str, Tensor]:
        """Tell which returns were less than the best, and the returns."""
        return {MISSED: self.earned < self.world.best - HAIR, REWARD: self.earned}

    def react(self, answer: Float[Tensor, "*batch O"]) -> "ForeseenLife":
        """Go on from an answer, given in logits."""
        if self.moment == self.fates["see"].shape[1]:
            return replace(self, last=torch.zeros_like(self.earned))
        earn = self.fates["earn"][:, self.moment]
        last = _chosen(earn.view(*[1] * (answer.ndim - 2), *earn.shape), answer)
        return replace(self, moment=self.moment + 1, earned=self.earned + last, last=last)

    def answered(self, answers: Float[Tensor, "T *batch O"]) -> "ForeseenLife":
        """Go on to the end, from all answers at once."""
        earn = self.fates["earn"][:, : len(answers)].movedim(0, 1)
        alike = earn.view(len(earn), *[1] * (answers.ndim - 3), *earn.shape[1:])
        steps = _chosen(alike, answers)
        return replace(self, moment=len(earn), earned=self.earned + steps.sum(0), last=steps[-1])

    def among(self, index: Int[Tensor, "some"]) -> "ForeseenLife":
        """Keep some individuals of a population of one axis."""
        return replace(self, earned=self.earned[index], last=self.last[index])


def begun(world: World, fates: Fates) -> ForeseenLife:
    """Begin the episodes that these fates are of."""
    none = torch.zeros_like(fates["earn"][:, 0, 0])
    return ForeseenLife(world, fates, 0, none, none)


def _chosen(earn: Float[Tensor, "*alike A"], answers: Float[Tensor, "*batch A"]) -> Tensor:
    """Tell what the largest of each answer earns."""
    return torch.take_along_dim(earn, answers.argmax(-1, keepdim=True), -1).squeeze(-1)
