"""The continuous T-maze: run after run, find the end with the high reward, and find it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import permutations
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from evo_ntm.experiment.rewards import TMazeSettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks import compiled
from evo_ntm.tasks.lives import Fates, Lives, lives, mixed, mixed_fates, some
from evo_ntm.tasks.maze import Maze, compass, maze
from evo_ntm.tasks.task import Extent, revised
from evo_ntm.topology import Block

SPEED = 0.1  # tiles a step
MOST_STEPS = 99  # of a run
STEPS_PER_TILE = 20  # of those that were come to
HIGH, LOW = 1.0, 0.1
CLOCKWISE, COUNTERCLOCKWISE = 0, 2


@dataclass(frozen=True)
class TMaze:
    """Run through a maze again and again to the end with the high reward.

    A run ends at an end of the maze, at a wall, after 99 steps or 20 for every tile come to; the
    step after it begins the next. Once, about the middle, the high reward moves to another end. An
    answer is the largest of three: turn clockwise, go straight on, turn counterclockwise. Seen are
    three distances to walls, the reward, and, if wanted, whether the way forks here.
    Source: Greve, Jacobsen and Risi (2016), as their program does it.
    """

    settings: TMazeSettings = TMazeSettings()
    name: ClassVar[str] = "t_maze"
    best: ClassVar[float] = 1.0
    choice: ClassVar[bool] = True

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        seen = Block(1, 3, name="rangefinders"), Block(2, 1, name="reward")
        return (*seen, Block(3, 1, name="fork")) if self.settings.turn_signal else seen

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        return (Block(101, 3, name="turns"),)

    @property
    def runs(self) -> int:
        """Count the runs of a life."""
        return self.settings.trials * maze(self.settings.maze).goals

    def episodes(self, generator: Generator, lanes: int) -> Lives:
        """Draw so many lives; lane after lane takes the next pair of ends, or any."""
        goals = maze(self.settings.maze).goals
        pairs = torch.tensor(list(permutations(range(goals), 2)))
        number = np.arange(lanes) % len(pairs)
        if self.settings.pairs == "any":
            number = generator.integers(0, len(pairs), lanes)
        pair = pairs[torch.from_numpy(number)]
        spread = int(0.6 * self.settings.trials * (goals // 2))
        moved = self.runs // 2 - spread // 2 + generator.integers(0, spread + 1, lanes)
        fates = {"first": pair[:, 0], "second": pair[:, 1], "moved": torch.from_numpy(moved)}
        most = self.runs * MOST_STEPS + self.runs - 1
        return lives(self, fates, (most,) * lanes)

    def live(self, fates: Fates) -> "TMazeLife":
        """Begin the lives that these fates are of."""
        return TMazeLife(self, fates, _begun(self, fates))

    def extent(self) -> Extent:
        """Tell how many runs a life has."""
        return {"runs": self.runs}

    def with_settings(self, /, **overrides: object) -> "TMaze":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))


class Stand(NamedTuple):
    """Where every lane stands: in the maze, in its run, in its life."""

    x: Float[Tensor, "*batch"]
    y: Float[Tensor, "*batch"]
    heading: Int[Tensor, "*batch"]
    """How often it turned, counterclockwise, from north."""
    step: Int[Tensor, "*batch"]
    visited: Int[Tensor, "*batch"]
    """The tiles come to in this run, a bit each."""
    tiles: Int[Tensor, "*batch"]
    """How many these are."""
    over: Bool[Tensor, "*batch"]
    """Whether the run has ended, so that the next step begins another."""
    run: Int[Tensor, "*batch"]
    possible: Int[Tensor, "*batch"]
    """Where the high reward may be for all that can be known, a bit for each end."""
    sound: Int[Tensor, "*batch"]
    earned: Float[Tensor, "*batch"]
    reward: Float[Tensor, "*batch"]


@dataclass(frozen=True, eq=False)
class TMazeLife:
    """Where the lanes of a T-maze stand."""

    task: TMaze
    fates: Fates
    stand: Stand = field(repr=False)

    @property
    def observation(self) -> Float[Tensor, "*batch I"]:
        """Tell what there is to be seen; blank in lanes that are done."""
        if program := self._program():
            return program.observe(_compiled(self.task), self.fates, self.stand)
        stand, plan = self.stand, self._maze
        rays = self._compass[1:, :, stand.heading + MOST_STEPS]
        tile = plan.tile(stand.x, stand.y)
        end = plan.ends[tile]
        seen = [*plan.sight(stand.x, stand.y, rays), _worth(end, end == self._high(stand.run))]
        if self.task.settings.turn_signal:
            seen.append(plan.forks[tile].double())
        return torch.where(self.done, 0.0, torch.stack(seen)).float().movedim(0, -1)

    @property
    def reward(self) -> Float[Tensor, "*batch"]:
        """Tell what the last answer earned."""
        return self.stand.reward

    @property
    def done(self) -> Bool[Tensor, "*batch"]:
        """Tell which lanes have ended."""
        return self.stand.over & (self.stand.run == self.task.runs - 1)

    @property
    def score(self) -> Float[Tensor, "*batch"]:
        """Tell what each life is worth so far, by the scorer that is set; 1 is the best."""
        if self.task.settings.scorer == "logic":
            return self.stand.sound / self.task.runs
        return self.stand.earned / self.task.runs

    @property
    def marks(self) -> Mapping[str, Tensor]:
        """Tell how many runs were not sound, and what was earned, 1 or 0.1 at an end."""
        ended = self.stand.run + self.stand.over
        return {"missed": ended - self.stand.sound, "reward": self.stand.earned}

    def react(self, answer: Float[Tensor, "*batch 3"]) -> "TMazeLife":
        """Go on from an answer, given in logits."""
        if answer.dtype == torch.float32 and (program := self._program()):
            after = program.react(_compiled(self.task), self.fates, self.stand, answer)
            return replace(self, stand=Stand(*after))
        before, plan, done = self.stand, self._maze, self.done
        again = before.over
        # As in the source sigmoids of 64 bits: where two are 1, which is soon, the first decides.
        chosen = torch.sigmoid(answer.double()).argmax(-1)
        heading = torch.where(again, 0, before.heading + chosen - 1)
        ahead = SPEED * self._compass[0][:, heading + MOST_STEPS]
        x, y = (torch.where(again, begin, place + step) for begin, place, step in zip(
            plan.start, (before.x, before.y), ahead, strict=True))  # fmt: skip
        tile = plan.tile(x, y)
        new = ((before.visited >> tile) & 1) == 0
        visited = torch.where(again, 0, before.visited | (1 << tile))
        tiles = torch.where(again, 0, before.tiles + new)
        step = torch.where(again, 0, before.step + 1)
        run = before.run + again
        end, wall = plan.ends[tile], plan.walls[tile]
        late = (step >= MOST_STEPS) | (step >= STEPS_PER_TILE * tiles)
        over = ~again & ((end >= 0) | wall | late)
        counts = over & ~done

        high = (end >= 0) & (end == self._high(run))
        sound, possible = judge(before.possible, end, high, plan.goals)
        reward = _worth(end, high) * counts
        stand = Stand(
            x=x, y=y, heading=heading, step=step, visited=visited, tiles=tiles,
            over=over, run=run,
            possible=torch.where(counts, possible, before.possible),
            sound=before.sound + (counts & sound),
            earned=before.earned + reward, reward=reward,
        )  # fmt: skip
        return replace(self, stand=_unless(done, stand, before))

    def among(self, index: Int[Tensor, "some"]) -> "TMazeLife":
        """Keep some individuals of a population of one axis."""
        return replace(self, stand=Stand(*some(self.stand, index)))

    def restarted(self, lanes: Bool[Tensor, "B"], fates: Fates) -> "TMazeLife":
        """Begin others in some lanes, of which these fates are."""
        both = mixed_fates(lanes, fates, self.fates)
        begun = self.task.live(both).stand
        return replace(self, fates=both, stand=Stand(*mixed(lanes, begun, self.stand)))

    def _program(self) -> compiled.Program | None:
        return compiled.load() if self.stand.x.is_cpu else None

    @property
    def _maze(self) -> Maze:
        return maze(self.task.settings.maze, str(self.fates["first"].device))

    @property
    def _compass(self) -> Float[Tensor, "4 2 headings"]:
        return compass(self.task.settings.turn, MOST_STEPS, str(self.fates["first"].device))

    def _high(self, run: Int[Tensor, "*batch"]) -> Int[Tensor, "*batch"]:
        """Say at which end the high reward is in a run."""
        return torch.where(run >= self.fates["moved"], self.fates["second"], self.fates["first"])


def judge(
    possible: Int[Tensor, "*before"],
    end: Int[Tensor, "*batch"],
    high: Bool[Tensor, "*batch"],
    ends: int,
) -> tuple[Bool[Tensor, "*batch"], Int[Tensor, "*batch"]]:
    """Tell whether the end of a run was a sound choice, and where the high reward may be then.

    Sound is where the high reward may be. What is found is known; what is missed is elsewhere, and
    what was known and is missed may be anywhere else. A run that came to no end tells nothing.
    """
    came = 1 << end.clamp_min(0)
    arrived = end >= 0
    sound = arrived & ((possible & came) != 0)
    missed = arrived & ~high & sound
    left = torch.where(possible == came, (1 << ends) - 1, possible) & ~came
    found = torch.where(arrived & high, came, possible)
    return sound, torch.where(missed, left, found)


def _worth(end: Int[Tensor, "*batch"], high: Bool[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Say what it earns to be there, if that is an end at all."""
    return (end >= 0) * (LOW + (HIGH - LOW) * high.double())


@lru_cache
def _compiled(task: TMaze) -> compiled.Maze:
    """Tell of a maze as the compiled program wants it."""
    plan = maze(task.settings.maze)
    tensors = plan.walls, plan.forks, plan.ends, compass(task.settings.turn, MOST_STEPS), plan.edges
    channels = sum(block.size for block in task.inputs)
    return compiled.Maze(plan.start, plan.width, plan.goals, task.runs, channels, tensors)


def _begun(task: TMaze, fates: Fates) -> Stand:
    """Stand at the beginning of the first run."""
    first, plan = fates["first"], maze(task.settings.maze)
    none, zero = torch.zeros_like(first), torch.zeros_like(first, dtype=torch.float64)
    x, y = (torch.full_like(zero, place) for place in plan.start)
    anywhere = torch.full_like(first, (1 << plan.goals) - 1)
    return Stand(
        x=x, y=y, heading=none, step=none, visited=none, tiles=none,
        over=none.bool(), run=none,
        possible=anywhere, sound=none, earned=zero, reward=zero,
    )  # fmt: skip


def _unless(done: Tensor, after: Stand, before: Stand) -> Stand:
    """Leave lanes that are done where they are."""
    moved = ("x", "y", "heading", "step", "visited", "tiles", "over", "run")
    kept = {name: torch.where(done, getattr(before, name), getattr(after, name)) for name in moved}
    return after._replace(**kept)
