"""What a machine does in one life, as arrays over time, for figures to be made of."""

import numpy as np
import torch
from torch import Tensor

from evo_ntm.errors import ReportError
from evo_ntm.evolution.fitting import for_the_task
from evo_ntm.genome import Genome
from evo_ntm.machine import Machine
from evo_ntm.machine.state import State
from evo_ntm.machine.weights import Weights
from evo_ntm.reports.observation import MOST_STEPS, Numbers, Observation, Way
from evo_ntm.seeds import derive
from evo_ntm.tasks import Life, RewardTask
from evo_ntm.tasks.drawing import draw_lives
from evo_ntm.tasks.grading import SHORTFALL
from evo_ntm.tasks.hosting import answering, begun
from evo_ntm.tasks.lives import Share
from evo_ntm.tasks.t_maze import TMazeLife

DIGITS = 6  # beyond which sums of rewards are not exact


def observe_life(
    genome: Genome, task: RewardTask, *, rows: int, epsilon: float, seed: int = 0
) -> Observation:
    """Lead a genome through one life of a task and keep what it did.

    Raises ReportError where the life is too long to be shown, or failed before its first step.
    """
    genome = for_the_task(genome, task)
    share = draw_lives(task, derive(seed, "show"), 1)
    machine = Machine(genome.topology, epsilon)
    with torch.inference_mode():
        weights = machine.wire_up(torch.tensor(genome.weights))
        state = machine.initial_state(weights, lanes=1, rows=rows)
        with answering(task, "a life"):
            lived, seen, earned = _led(machine, weights, state, share)
        # The same again, in one call that tells what heads and memory did.
        logits, _, trace = machine.trace(weights, torch.stack(seen), state)
    steps = len(seen)
    said = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1])
    lacking = round(task.best - float(lived[-1].score[0]), DIGITS)
    marks = {name: float(mark[0]) for name, mark in lived[-1].marks.items()}
    return Observation(
        inputs=_numbers(torch.stack(seen)),
        targets=np.zeros((steps, logits.shape[-1])),
        scored=np.ones(steps, dtype=np.bool_),
        answers=_numbers(said if task.choice else torch.sigmoid(logits)),
        wrong=np.zeros((steps, logits.shape[-1]), dtype=np.bool_),
        add=_numbers(trace.add),
        write_weightings=_numbers(trace.write_weightings),
        reads=_numbers(trace.reads),
        read_weightings=_numbers(trace.read_weightings),
        measures={SHORTFALL: lacking + 0.0, **marks},  # nor is it -0
        earned=_numbers(torch.stack(earned)),
        way=_way(lived),
        failed=bool(_reasons(share, lived[-1])),
    )


def _led(
    machine: Machine, weights: Weights, state: State, share: Share
) -> tuple[list[Life], list[Tensor], list[Tensor]]:
    """Lead a machine through a life: give where it stood, what it saw, and what it earned."""
    first = begun(share.world, share.fates, len(share.lengths))
    lived, seen, earned = [first], list[Tensor](), list[Tensor]()
    while not (now := lived[-1]).done.all():
        if len(seen) == MOST_STEPS:
            raise ReportError(f"expected a life of at most {MOST_STEPS} steps to show, "
                              "but it goes on")  # fmt: skip
        seen.append(now.observation)
        answer, state = machine.run(weights, now.observation.unsqueeze(0), state)
        lived.append(now.react(answer[0]))
        earned.append(lived[-1].reward)
    if not seen:
        why = [f": {reason}" for reason in _reasons(share, first)[:1]]
        raise ReportError(f"expected a life of at least one step to show, but it failed before"
                          f"{''.join(why)}")  # fmt: skip
    return lived, seen, earned


def _reasons(share: Share, life: Life) -> tuple[str, ...]:
    """Tell why an episode failed, if one did."""
    return (*share.reasons, *getattr(life, "reasons", ()))


def _way(lived: list[Life]) -> Way | None:
    """Tell the way through a maze, if it was one."""
    stands = [life.stand for life in lived if isinstance(life, TMazeLife)]
    first = lived[0]
    if not stands or not isinstance(first, TMazeLife):
        return None

    def told(name: str) -> Tensor:
        return torch.stack([getattr(stand, name)[0] for stand in stands])

    return Way(
        maze=first.task.settings.maze,
        x=told("x").numpy(),
        y=told("y").numpy(),
        run=told("run").numpy(),
        reward=told("reward").numpy(),
        moved=int(first.fates["moved"][0]),
    )


def _numbers(tensor: Tensor) -> Numbers:
    """Take the only lane, which lies behind time."""
    return np.asarray(tensor.select(1, 0), dtype=np.float64)
