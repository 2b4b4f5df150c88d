"""Lives: what befalls the lanes of a task that rewards what is done, and how they are led.

All that is random in a life is drawn before it begins. Nothing is mutated: a reaction is a new
session. A machine is scored by leading many lives at once, a step at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from evo_ntm.seeds import Generator, derive
from evo_ntm.tasks.task import Extent
from evo_ntm.topology import Block

Fates = Mapping[str, Tensor]
"""What befalls each lane, by name, each of shape [B, ...] and as large in every draw of a task."""


@runtime_checkable
class Life(Protocol):
    """Where every lane stands, whatever lies before it; the session of a task that rewards."""

    @property
    def observation(self) -> Float[Tensor, "*batch I"]:
        """Tell what there is to be seen; blank in lanes that are done."""

    @property
    def reward(self) -> Float[Tensor, "*batch"]:
        """Tell what the last answer earned."""

    @property
    def done(self) -> Bool[Tensor, "*batch"]:
        """Tell which lanes have ended."""

    @property
    def score(self) -> Float[Tensor, "*batch"]:
        """Tell what each life is worth so far."""

    @property
    def marks(self) -> Mapping[str, Float[Tensor, "*batch"]]:
        """Tell what each life did so far: what it `missed`, the `reward` of all its steps."""

    def react(self, answer: Float[Tensor, "*batch O"]) -> "Life":
        """Go on from an answer, given in logits."""


@runtime_checkable
class RewardTask(Protocol):
    """A task that rewards what is done; what is seen next may depend on it."""

    @property
    def name(self) -> str:
        """Name the task as task files do."""

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""

    @property
    def best(self) -> float:
        """Say what the best life is worth."""

    def episodes(self, generator: Generator, lanes: int) -> "Lives":
        """Draw what befalls so many lanes, all from the generator."""

    def live(self, fates: Fates) -> Life:
        """Begin the lives that these fates are of."""

    def extent(self) -> Extent:
        """Tell how large the lives are, under the words of an exam's rows."""

    def with_settings(self, **overrides: object) -> "RewardTask":
        """Make the same task with some settings changed. Raises TaskError."""


class Share(NamedTuple):
    """Lives of one task: what befalls them, and for how many steps each may last."""

    task: RewardTask
    fates: Fates
    lengths: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Lives:
    """Lives to be led, one a lane. Those of several tasks lie in shares, one after another."""

    shares: tuple[Share, ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tell of each lane for how many steps it may last."""
        return tuple(length for share in self.shares for length in share.lengths)

    def to(self, device: torch.device | str) -> "Lives":
        """Move what befalls them to a device."""
        return Lives(tuple(
            share._replace(fates={name: drawn.to(device) for name, drawn in share.fates.items()})
            for share in self.shares
        ))  # fmt: skip


def lives(task: RewardTask, fates: Fates, lengths: Sequence[int]) -> Lives:
    """Put the lives of one task together."""
    return Lives((Share(task, fates, tuple(lengths)),))


def join(several: Sequence[Lives]) -> Lives:
    """Put lives side by side, those of equal tasks in one share."""
    joined: list[Share] = []
    for share in (share for each in several for share in each.shares):
        if joined and joined[-1].task == share.task:
            task, fates, lengths = joined.pop()
            both = {name: torch.cat([fates[name], share.fates[name]]) for name in fates}
            share = Share(task, both, lengths + share.lengths)
        joined.append(share)
    return Lives(tuple(joined))


@dataclass(frozen=True)
class RewardEnvironment:
    """A task that rewards, met step by step."""

    task: RewardTask

    def begin(self, seed: int, lanes: int) -> Life:
        """Begin so many lives, all from the seed."""
        (share,) = self.task.episodes(derive(seed, "episodes"), lanes).shares
        return self.task.live(share.fates)


def measures(task: RewardTask, life: Life) -> dict[str, Tensor]:
    """Average what lives did over the lanes, each of shape [*population].

    The `shortfall` is what their score lacks of the best.
    """
    told = {name: mark.to(life.score).mean(-1) for name, mark in life.marks.items()}
    return {**told, "shortfall": task.best - life.score.mean(-1)}
