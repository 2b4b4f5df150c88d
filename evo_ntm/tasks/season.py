"""Seasons: learn once which foods are poisonous, and keep it while other seasons come and go."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.experiment.rewards import SeasonSettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.lives import Fates, Lives, lives, mixed, mixed_fates, some
from evo_ntm.tasks.task import Extent, revised, span
from evo_ntm.topology import Block

SURE = 0.3  # an answer within as much of 0 or 1 is one
NOTHING = -1


@dataclass(frozen=True)
class Season:
    """Eat what is nutritious, and leave what is poisonous.

    Each season of a year has foods of its own, each day of it shows them all in any order, and next
    year they come again. A food is shown for some steps; what is answered on the last but one is
    judged, above 0.7 to eat and below 0.3 to leave it, and on the last it is told whether that was
    right. The first day of each season in the first year, when nobody can know, does not count.
    Source: Lüders et al. (2017), as their program does it.
    """

    settings: SeasonSettings = SeasonSettings()
    name: ClassVar[str] = "season"
    best: ClassVar[float] = 1.0
    choice: ClassVar[bool] = False

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        foods = Block(1, self.settings.bits, per_bit=True, name="foods")
        return foods, Block(2, 1, name="right"), Block(3, 1, name="wrong")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        return (Block(101, 1, name="eat"),)

    def episodes(self, generator: Generator, lanes: int) -> Lives:
        """Draw so many lives, all from the generator."""
        settings = self.settings
        years, seasons, foods = settings.years, settings.seasons, settings.foods
        days = generator.integers(settings.fewest_days, settings.most_days + 1, lanes)
        ranks = _order(generator.random((lanes, seasons, foods)))
        # As many days as a season may have, of which a lane skips those that it does not have.
        shape = lanes, years, seasons, settings.most_days, foods
        food = _order(generator.random(shape)) + foods * np.arange(seasons)[:, None, None]
        poisonous = (ranks < settings.poisonous).reshape(lanes, -1)
        day = np.arange(settings.most_days)
        first = (day == 0)[:, None] & (np.arange(years) == 0)[:, None, None, None]
        counts = np.broadcast_to(~first | settings.first_day, shape)
        lasts = np.broadcast_to((day < days[:, None])[:, None, None, :, None], shape)
        fates = {
            "food": _packed(food, lasts),
            "counts": _packed(counts.astype(np.int64), lasts) == 1,
            "poisonous": torch.from_numpy(poisonous),
            "foods": torch.from_numpy(days * years * seasons * foods),
        }
        lengths = days * years * seasons * foods * settings.steps - 1
        return lives(self, fates, lengths.tolist())

    def live(self, fates: Fates) -> "SeasonLife":
        """Begin the lives that these fates are of."""
        none = torch.zeros_like(fates["foods"])
        return SeasonLife(self, fates, Past(none, none, none, none))

    def extent(self) -> Extent:
        """Tell for how many years it goes, and for how many days a season."""
        settings = self.settings
        days = span(settings.fewest_days, settings.most_days)
        return {"years": settings.years, "days": days}

    def with_settings(self, /, **overrides: object) -> "Season":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))


class Past(NamedTuple):
    """What every lane went through: how many steps, how many answers that count, how many right."""

    steps: Int[Tensor, "*batch"]
    judged: Int[Tensor, "*batch"]
    right: Int[Tensor, "*batch"]
    last: Int[Tensor, "*batch"]
    """Whether the last answer was right, 1, or wrong, -1; 0 where it was not judged."""


@dataclass(frozen=True, eq=False)
class SeasonLife:
    """Where the lanes of a life of seasons stand."""

    task: Season
    fates: Fates
    past: Past

    @property
    def observation(self) -> Float[Tensor, "*batch I"]:
        """Tell what there is to be seen; blank in lanes that are done."""
        settings, (food, _, poisonous) = self.task.settings, self._shown()
        last, told = self.past.last, self.past.last != 0
        if not settings.feedback_always:
            told = torch.where(last > 0, ~poisonous, poisonous) & told
        channels = torch.arange(settings.seasons * settings.foods, device=food.device)
        seen = [food.unsqueeze(-1) == channels, *(
            (told & (last == sign)).unsqueeze(-1) for sign in (1, -1)
        )]  # fmt: skip
        seen = [part.expand(*last.shape, -1) for part in seen]
        return (torch.cat(seen, -1) & ~self.done.unsqueeze(-1)).float()

    @property
    def reward(self) -> Float[Tensor, "*batch"]:
        """Tell what the last answer earned: 1 for one that counts and is right."""
        _, counts, _ = self._shown()
        return ((self.past.last > 0) & counts).float()

    @property
    def done(self) -> Bool[Tensor, "*batch"]:
        """Tell which lanes have ended: with the last answer that is judged."""
        return self.past.steps >= self.fates["foods"] * self.task.settings.steps - 1

    @property
    def score(self) -> Float[Tensor, "*batch"]:
        """Tell which share of all answers that count were right."""
        every = self.fates["counts"].sum(-1)
        return self.past.right / every

    @property
    def marks(self) -> Mapping[str, Tensor]:
        """Tell how many answers were wrong, and how many right."""
        return {"missed": self.past.judged - self.past.right, "reward": self.past.right}

    def react(self, answer: Float[Tensor, "*batch 1"]) -> "SeasonLife":
        """Go on from an answer, given in logits."""
        steps, judged, right, _ = self.past
        (_, counts, poisonous), going = self._shown(), ~self.done
        eaten = torch.sigmoid(answer[..., 0])
        correct = torch.where(poisonous, eaten < SURE, eaten > 1 - SURE)
        due = going & (steps % self.task.settings.steps == self.task.settings.steps - 2)
        verdict = torch.where(correct, 1, -1)
        past = Past(
            steps=steps + going,
            judged=judged + (due & counts),
            right=right + (due & counts & correct),
            last=torch.where(due, verdict, 0),
        )
        return replace(self, past=past)

    def among(self, index: Int[Tensor, "some"]) -> "SeasonLife":
        """Keep some individuals of a population of one axis."""
        return replace(self, past=Past(*some(self.past, index)))

    def restarted(self, lanes: Bool[Tensor, "B"], fates: Fates) -> "SeasonLife":
        """Begin others in some lanes, of which these fates are."""
        both = mixed_fates(lanes, fates, self.fates)
        begun = self.task.live(both).past
        return replace(self, fates=both, past=Past(*mixed(lanes, begun, self.past)))

    def _shown(self) -> tuple[Tensor, Tensor, Tensor]:
        """Tell which food is shown, whether it counts, and whether it is poisonous."""
        fates, steps = self.fates, self.past.steps
        number = (steps // self.task.settings.steps).clamp_max(fates["food"].shape[-1] - 1)
        lane = torch.arange(len(fates["food"]), device=number.device)
        food = fates["food"][lane, number]
        known = food.clamp_min(0)
        return food, fates["counts"][lane, number], fates["poisonous"][lane, known]


def _order(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.argsort(numbers, axis=-1, kind="stable")


def _packed(told: NDArray[np.int64], lasts: NDArray[np.bool_]) -> Int[Tensor, "B foods"]:
    """Move what lasts to the front, in its order, and fill the rest with -1."""
    told = np.where(lasts, told, NOTHING).reshape(len(told), -1)
    order = np.argsort(told == NOTHING, axis=-1, kind="stable")
    return torch.from_numpy(np.take_along_axis(told, order, -1))
