"""Tasks that reward what is done as vector environments of Gymnasium, for whoever learns with it.

Imported by nothing else here, for Gymnasium need not be installed.
"""

from operator import index
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.errors import TaskError, in_words
from evo_ntm.seeds import derive
from evo_ntm.tasks.drawing import draw_lives
from evo_ntm.tasks.hosting import begun, called, welcome
from evo_ntm.tasks.lives import Fates, Restarts
from evo_ntm.tasks.task import RewardTask, Task
from evo_ntm.topology.parts import total

LOUD = 50.0  # in logits
SEEDS = 2**31

Step = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]


class RewardVectorEnv(VectorEnv[NDArray[Any], NDArray[Any], NDArray[Any]]):
    """So many lives of a task side by side. One that has ended begins anew on the next step.

    An action is a whole number where an answer is a choice, and else numbers from 0 to 1. Raises
    TaskError where the lives of a task cannot begin anew one by one, and where a seed or actions
    are others.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, task: Task, num_envs: int = 1) -> None:
        welcome(task)
        if not isinstance(task, RewardTask):
            raise TaskError(f"expected a task that rewards what is done, but came {called(task)}")
        if type(num_envs) is not int or num_envs < 1:
            raise TaskError(f"expected at least one life, but came num_envs={in_words(num_envs)}")
        self.task, self.num_envs = task, num_envs
        inputs, outputs = total(task.inputs), total(task.outputs)
        actions: Space[Any] = Discrete(outputs) if task.choice else Box(0, 1, (outputs,))
        self.single_observation_space = Box(-np.inf, np.inf, (inputs,))
        self.single_action_space = actions
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(actions, num_envs)
        life = begun(task, self._fates(0, 0), num_envs)
        if not isinstance(life, Restarts):
            raise TaskError(f"expected a task whose lives begin anew one by one, but came "
                            f"{task.name}")  # fmt: skip
        self._life, self._draws, self._seed = life, 0, 0
        self._begun = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin all lives anew, all from the seed if there is one."""
        seed = None if seed is None else _whole(seed)
        super().reset(seed=seed)
        self._seed = int(self.np_random.integers(SEEDS)) if seed is None else seed
        self._draws, self._begun = 0, True
        self._restart(torch.ones(self.num_envs, dtype=torch.bool))
        return self._seen(), {}

    def step(self, actions: NDArray[Any]) -> Step:
        """Let every life hear its action; those that had ended hear none and begin anew."""
        if not self._begun:
            raise TaskError("expected reset before the first step")
        ended = self._life.done
        life = self._life.react(self._answers(_side_by_side(actions)))
        assert isinstance(life, Restarts)
        self._life = life
        reward = torch.where(ended, 0.0, life.reward).double().numpy()
        terminated = (life.done & ~ended).numpy()
        if ended.any():
            self._restart(ended)
        return self._seen(), reward, terminated, np.zeros_like(terminated), {}

    def _answers(self, actions: NDArray[Any]) -> Tensor:
        """Say actions as a machine says them, in logits. Raises TaskError."""
        space = self.action_space
        if not _allowed(actions, space):
            raise TaskError(f"expected actions of {space}, but came {in_words(actions)}")
        if self.task.choice:
            outputs = total(self.task.outputs)
            return LOUD * torch.nn.functional.one_hot(torch.from_numpy(actions).long(), outputs)
        return torch.logit(torch.from_numpy(actions).double(), eps=1e-12)

    def _seen(self) -> NDArray[Any]:
        return self._life.observation.float().numpy().copy()

    def _restart(self, lanes: Tensor) -> None:
        self._life = self._life.restarted(lanes, self._fates(self._seed, self._draws))
        self._draws += 1

    def _fates(self, seed: int, draw: int) -> Fates:
        return draw_lives(self.task, derive(seed, "vector", draw), self.num_envs).fates


def _whole(seed: object) -> int:
    """Give a seed as a number of Python. Raises TaskError."""
    try:
        whole = index(seed)  # type: ignore[arg-type]
    except TypeError:
        whole = -1
    if whole < 0:
        raise TaskError(f"expected a whole seed from 0, but came {in_words(seed)}")
    return whole


def _side_by_side(actions: object) -> NDArray[Any]:
    """Put actions into one array. Raises TaskError where they are of different lengths."""
    try:
        return np.asarray(actions)
    except ValueError:
        raise TaskError(f"expected as many numbers of every action, but came {in_words(actions)}"
                        ) from None  # fmt: skip


def _allowed(actions: NDArray[Any], space: Space[Any]) -> bool:
    """Tell whether a space has such actions, of whatever precision."""
    kinds = "iu" if isinstance(space, MultiDiscrete) else "fiu"
    return actions.dtype.kind in kinds and space.contains(actions.astype(space.dtype))
