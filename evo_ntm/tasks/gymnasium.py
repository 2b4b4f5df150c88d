"""Any environment of Gymnasium as a task: one for every life, all beside each other."""

import json
import sys
import weakref
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.errors import TaskError, in_one_line, in_words
from evo_ntm.experiment.rewards import GymnasiumSettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks import foreseen, spaces
from evo_ntm.tasks.foreseen import HAIR, Player
from evo_ntm.tasks.lives import Fates, Life, Lives, lives
from evo_ntm.tasks.task import Extent, revised
from evo_ntm.topology import Block

SEEDS = 2**31 - 1
MOST_REASONS = 3
EXTRAS = {"popgym"}
FAULTS = Exception, SystemExit
"""Whatever somebody else's environment may raise, but for Ctrl-C."""


@contextmanager
def aside() -> Iterator[None]:
    """Let what an environment prints go where progress is told, and not among the results."""
    with redirect_stdout(sys.stderr):
        yield


@dataclass(frozen=True)
class Gymnasium:
    """Act in any environment of Gymnasium, for as high a return as can be.

    Whatever an environment shows is laid out in numbers, choices one-hot; an action is the largest
    of several numbers, or numbers between bounds. An episode in which the environment fails, or
    shows or earns what is no number, ends and counts as the worst.
    """

    settings: GymnasiumSettings = GymnasiumSettings(options={})
    name: ClassVar[str] = "gymnasium"

    def __post_init__(self) -> None:
        """Look at the environment. Raises TaskError where a machine cannot act in it."""
        _ = self.inputs, self.outputs
        if self.settings.foreseen and not spaces.is_choice(actions := self.spaces[1]):
            raise TaskError(f"expected actions of Discrete of what is foreseen, but those of "
                            f"{self.settings.id} are {actions}")  # fmt: skip

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        observations, _ = self.spaces
        return (Block(1, spaces.senses(observations, self.settings.id), name="observation"),)

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        _, actions = self.spaces
        return (Block(101, spaces.answers(actions, self.settings.id), name="action"),)

    @property
    def choice(self) -> bool:
        """Tell whether an action is one of several."""
        return spaces.is_choice(self.spaces[1])

    @property
    def spaces(self) -> tuple[Any, Any]:
        """Give what is seen and what may be done."""
        return _spaces(self.settings.id, _told(self.settings))

    @property
    def travels(self) -> bool:
        """Tell whether another process knows the environment, too: if a module is named for it."""
        return ":" in self.settings.id

    @property
    def best(self) -> float:
        """Say which return lacks nothing."""
        return self.settings.best

    def episodes(self, generator: Generator, lanes: int) -> Lives:
        """Draw a seed for each of so many episodes; those that are foreseen are played now."""
        drawn = generator.integers(0, SEEDS, lanes)
        if self.settings.foreseen:
            fates, reasons = _foreseen(self, drawn)
            return lives(self, fates, fates["length"].tolist(), reasons)
        return lives(self, {"seed": torch.from_numpy(drawn)}, (self.settings.steps,) * lanes)

    def live(self, fates: Fates) -> Life:
        """Begin the episodes of these seeds."""
        if self.settings.foreseen:
            return foreseen.begun(self, fates)
        return begun(self, fates["seed"].cpu().numpy())

    def extent(self) -> Extent:
        """Tell for how many steps an episode may last."""
        return {"steps": self.settings.steps}

    def with_settings(self, /, **overrides: object) -> "Gymnasium":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))


class Troupe:
    """Environments that are played in; whoever wants others later may have them."""

    def __init__(self, task: Gymnasium, shape: tuple[int, ...]) -> None:
        key = task.settings.id, _told(task.settings)
        self.environments: NDArray[np.object_] = np.empty(shape, dtype=object)
        self.moment = 0
        for place in np.ndindex(shape):
            self.environments[place] = _idle(key) or make(task.settings)
        weakref.finalize(self, _release, key, self.environments)


@dataclass(frozen=True, eq=False)
class GymnasiumLife:
    """Where every lane's environment stands.

    An environment cannot be gone back to: only the last session may go on.
    """

    task: Gymnasium
    seeds: NDArray[np.int64]
    troupe: Troupe
    who: NDArray[np.int64]
    """Which individual of the troupe each individual is, where there is a population."""
    moment: int
    observed: NDArray[np.float32]
    earned: NDArray[np.float64]
    last: NDArray[np.float64]
    over: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    reasons: tuple[str, ...] = ()
    """Why episodes failed, of the first few that did."""

    @property
    def observation(self) -> Float[Tensor, "*batch I"]:
        """Tell what there is to be seen; blank in lanes that are done."""
        return torch.from_numpy(np.where(self.over[..., None], np.float32(0), self.observed))

    @property
    def reward(self) -> Float[Tensor, "*batch"]:
        """Tell what the last answer earned."""
        return torch.from_numpy(self.last)

    @property
    def done(self) -> Bool[Tensor, "*batch"]:
        """Tell which lanes have ended."""
        return torch.from_numpy(self.over)

    @property
    def score(self) -> Float[Tensor, "*batch"]:
        """Give the return; of an episode that failed the worst."""
        return torch.from_numpy(np.where(self.failed, self.task.settings.worst, self.earned))

    @property
    def marks(self) -> Mapping[str, Tensor]:
        """Tell which returns were less than the best, and the returns."""
        return {"missed": self.score < self.task.best - HAIR, "reward": self.score}

    def react(self, answer: Float[Tensor, "*batch O"]) -> "GymnasiumLife":
        """Go on from an answer, given in logits. Raises TaskError where others have gone on."""
        if self.moment != self.troupe.moment:
            raise TaskError("expected the last session, as an environment of Gymnasium cannot go "
                            "back, but came an earlier one")  # fmt: skip
        logits = answer.double().cpu().numpy()
        batch = logits.shape[:-1]
        life = self if self.over.shape == batch else _peopled(self, batch)
        return _stepped(life, logits)

    def among(self, index: Int[Tensor, "some"]) -> "GymnasiumLife":
        """Keep some individuals of a population of one axis."""
        some = index.cpu().numpy()
        kept = {name: getattr(self, name)[some]
                for name in ("who", "observed", "earned", "last", "over", "failed")}  # fmt: skip
        return replace(self, **kept)


@aside()
def make(settings: GymnasiumSettings) -> Any:
    """Make an environment. Raises TaskError where that cannot be done."""
    library = spaces.gymnasium()
    try:
        return library.make(settings.id, disable_env_checker=True, **dict(settings.options))
    except FAULTS as reason:
        told = _said(reason) or type(reason).__name__
        module = settings.id.partition(":")[0]
        if isinstance(reason, ModuleNotFoundError) and module in EXTRAS:
            told = f"the package {module} is not installed: pip install 'evo-ntm[{module}]'"
        raise TaskError("with.id: expected an environment that gymnasium.make makes, but "
                        f"{settings.id!r} is none: {told}") from None  # fmt: skip


@aside()
def begun(task: Gymnasium, seeds: NDArray[np.int64], batch: tuple[int, ...] = ()) -> GymnasiumLife:
    """Begin an episode for every seed, for each of a population if there is one."""
    shape = (*batch, len(seeds))
    troupe = Troupe(task, shape)
    size = sum(block.size for block in task.inputs)
    life = GymnasiumLife(
        task, seeds, troupe, np.arange(batch[0] if batch else 1), 0,
        np.zeros((*shape, size), dtype=np.float32), np.zeros(shape), np.zeros(shape),
        np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool),
    )  # fmt: skip
    reasons: list[str] = []
    for place in np.ndindex(shape):
        try:
            environment: Any = troupe.environments[place]
            first, _ = environment.reset(seed=int(seeds[place[-1]]))
            life.observed[place] = spaces.observed(task.spaces[0], first, size)
        except FAULTS as reason:
            _fail(life, troupe.environments, place, place, reason, reasons)
    _refuse_failed(life.failed, task.settings.id, reasons)
    return replace(life, reasons=tuple(reasons))


def _peopled(life: GymnasiumLife, batch: tuple[int, ...]) -> GymnasiumLife:
    """Begin the same episodes for a population."""
    if life.moment or len(batch) != 2:
        raise TaskError("expected answers for [individuals, lanes], or as many as before, "
                        f"but came answers for {list(batch)}")  # fmt: skip
    return begun(life.task, life.seeds, batch[:-1])


@aside()
def _stepped(life: GymnasiumLife, logits: NDArray[np.float64]) -> GymnasiumLife:
    """Let every environment that goes on hear its answer."""
    task, alone = life.task, life.over.ndim == 1
    moment = life.moment + 1
    life.troupe.moment = moment
    copied = {name: getattr(life, name).copy()
              for name in ("observed", "earned", "over", "failed")}  # fmt: skip
    after = replace(life, moment=moment, last=np.zeros(life.over.shape), **copied)
    reasons = list(life.reasons)
    observations, actions = task.spaces
    environments = life.troupe.environments
    who = life.who.tolist()
    largest = spaces.largest(actions, logits)
    for place in map(tuple, np.argwhere(~life.over).tolist()):
        there = place if alone else (who[place[0]], *place[1:])
        try:
            action = spaces.told(actions, logits[place]) if largest is None else largest[place]
            seen, reward, ended, cut, _ = environments[there].step(action)
            after.observed[place] = spaces.observed(observations, seen, after.observed.shape[-1])
            after.last[place] = spaces.finite(np.float64(reward), "reward")
            after.earned[place] = spaces.finite(
                float(after.earned[place]) + float(after.last[place]), "return"
            )
            after.over[place] = spaces.over(ended, cut) or moment >= task.settings.steps
        except FAULTS as reason:
            _fail(after, environments, place, there, reason, reasons)
    return replace(after, reasons=tuple(reasons))


@aside()
def _foreseen(task: Gymnasium, seeds: NDArray[np.int64]) -> tuple[dict[str, Tensor], list[str]]:
    """Play every episode with each action, and put down what is seen and what each would earn.

    Also tells why episodes failed, of the first few that did.
    """
    (observations, actions), settings = task.spaces, task.settings
    shape = len(seeds), settings.steps
    see = np.zeros((*shape, sum(block.size for block in task.inputs)), dtype=np.float32)
    earn = np.zeros((*shape, int(actions.n)))
    length, failed = np.ones(len(seeds), dtype=np.int64), np.zeros(len(seeds), dtype=bool)
    troupe, reasons = Troupe(task, (1,)), list[str]()
    for lane, seed in enumerate(seeds.tolist()):
        if troupe.environments[0] is None:
            troupe = Troupe(task, (1,))
        player = Player(troupe.environments[0], observations, actions, *see.shape[1:])
        try:
            seen, earned = player.foresee(seed, settings.id)
        except TaskError:
            raise
        except FAULTS as reason:
            troupe.environments[0], failed[lane], earn[lane, 0] = None, True, settings.worst
            _note(reason, settings.id, reasons)
            continue
        length[lane] = len(seen)
        see[lane, : len(seen)], earn[lane, : len(seen)] = seen, earned
    _refuse_failed(failed, settings.id, reasons)
    told = {"see": see, "earn": earn, "length": length, "failed": failed}
    return {name: torch.from_numpy(drawn) for name, drawn in told.items()}, reasons


def _fail(
    life: GymnasiumLife,
    environments: NDArray[np.object_],
    place: tuple[int, ...],
    there: tuple[int, ...],
    reason: BaseException,
    reasons: list[str],
) -> None:
    """Let one episode end as failed, and the environment never be used again."""
    life.over[place] = life.failed[place] = True
    life.last[place] = life.task.settings.worst - life.earned[place]
    life.observed[place] = 0
    environments[there] = None
    _note(reason, life.task.settings.id, reasons)


def _note(reason: BaseException, name: str, reasons: list[str]) -> None:
    """Note why an episode failed, of the first few."""
    if len(reasons) < MOST_REASONS:
        told = ": ".join(filter(None, (type(reason).__name__, _said(reason))))
        reasons.append(f"expected {name} to go on, but an episode of it failed: {told}")


def _said(reason: BaseException) -> str:
    """Give the words of an exception, if it has any."""
    try:
        return in_one_line(str(reason))
    except Exception:  # one of somebody else's may fail at that, too
        return ""


def _refuse_failed(failed: NDArray[np.bool_], name: str, reasons: Sequence[str]) -> None:
    """Refuse an environment in which no episode goes on from its beginning. Raises TaskError."""
    if failed.all() and failed.size > 1:
        told = reasons[0].partition("failed: ")[2]
        raise TaskError(f"expected episodes of {name} to begin, but none of {failed.size} did: "
                        f"{told}")  # fmt: skip


def _told(settings: GymnasiumSettings) -> str:
    return json.dumps(settings.model_dump(mode="json")["options"], sort_keys=True)


@lru_cache
@aside()
def _spaces(name: str, options: str) -> tuple[Any, Any]:
    environment = make(GymnasiumSettings(id=name, options=json.loads(options)))
    try:
        return environment.observation_space, environment.action_space
    except FAULTS as reason:
        raise TaskError(f"expected {name} to say what it shows and what may be done, but came "
                        f"{in_words(reason)}") from None  # fmt: skip


@lru_cache
def _resting(name: str, options: str) -> deque[Any]:
    """Give the environments that nobody plays in any more."""
    return deque()


def _idle(key: tuple[str, str]) -> Any | None:
    with suppress(IndexError):
        return _resting(*key).pop()
    return None


def _release(key: tuple[str, str], environments: NDArray[np.object_]) -> None:
    _resting(*key).extend(each for each in environments.ravel() if each is not None)
