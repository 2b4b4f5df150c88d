"""Lives: what befalls the lanes of a task that rewards what is done, and how they are led.

All that is random in a life is drawn before it begins. Nothing is mutated: a reaction is a new
session. A machine is scored by leading many lives at once, a step at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Fates = Mapping[str, Tensor]
"""What befalls each lane, by name, each of shape [B, ...] and as large in every draw of a task."""

MISSED, REWARD = "missed", "reward"


@runtime_checkable
class Life(Protocol):
    """Where every lane stands in the world of a task that rewards.

    Axes of a population come before that of the lanes once answers have them.
    """

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
    def marks(self) -> Mapping[str, Tensor]:
        """Tell how much each life `missed` so far, and the `reward` of all its steps."""

    def react(self, answer: Float[Tensor, "*batch O"]) -> "Life":
        """Go on from an answer, given in logits."""

    def among(self, index: Int[Tensor, "some"]) -> "Life":
        """Keep some individuals of a population of one axis."""


@runtime_checkable
class Restarts(Life, Protocol):
    """Lives that begin anew lane by lane."""

    def restarted(self, lanes: Bool[Tensor, "B"], fates: Fates) -> "Restarts":
        """Begin others in some lanes, of which these fates are."""


@runtime_checkable
class Foreseen(Life, Protocol):
    """Lives in which no answer changes what is seen, so that all can be answered at once."""

    @property
    def ahead(self) -> Float[Tensor, "T B I"]:
        """Tell all that will be seen."""

    def answered(self, answers: Float[Tensor, "T *batch O"]) -> "Life":
        """Go on to the end, from all answers at once, given in logits."""


@runtime_checkable
class World(Protocol):
    """Whatever lives are led in."""

    @property
    def best(self) -> float:
        """Say what the best life is worth."""

    def live(self, fates: Fates) -> Life:
        """Begin the lives that these fates are of."""


class Share(NamedTuple):
    """Lives of one world: what befalls them, and for how many steps each may last."""

    world: World
    fates: Fates
    lengths: tuple[int, ...]
    reasons: tuple[str, ...] = ()
    """Why some of them ended before they began."""


@dataclass(frozen=True, eq=False)
class Lives:
    """Lives to be led, one a lane. Those of several worlds lie in shares, one after another."""

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


def lives(world: World, fates: Fates, lengths: Sequence[int], reasons: Sequence[str] = ()) -> Lives:
    """Put the lives of one world together."""
    return Lives((Share(world, fates, tuple(lengths), tuple(reasons)),))


def mixed(
    lanes: Bool[Tensor, "B"], new: tuple[Tensor, ...], old: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Take some lanes from one state and the others from another."""

    def of(one: Tensor) -> Tensor:
        return lanes.view(-1, *[1] * (one.ndim - 1))

    return tuple(torch.where(of(one), one, other) for one, other in zip(new, old, strict=True))


def mixed_fates(lanes: Bool[Tensor, "B"], new: Fates, old: Fates) -> Fates:
    """Take what befalls some lanes from one draw and the others from another."""
    return dict(zip(new, mixed(lanes, tuple(new.values()), tuple(old.values())), strict=True))


def some(state: tuple[Tensor, ...], index: Int[Tensor, "some"]) -> tuple[Tensor, ...]:
    """Take some individuals of every tensor that has an axis of the population."""
    return tuple(part[index] if part.ndim > 1 else part for part in state)
