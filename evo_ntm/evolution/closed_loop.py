"""Lives led by machines: what each answers decides what it sees next."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from evo_ntm.machine.backends import Runs
from evo_ntm.machine.walk import walk
from evo_ntm.tasks.grading import SHORTFALL
from evo_ntm.tasks.hosting import begun, finite, reacted
from evo_ntm.tasks.lives import MISSED, REWARD, Foreseen, Life, Lives, Share, World

LIVES_AT_ONCE = 4096  # enough to outweigh Python
STEPS_BETWEEN = 16
LEFT = 0.75  # no larger a share goes on than those for whom it is worth it to be copied


class Led(NamedTuple):
    """What came of lives, a population's of all lanes each.

    The score is NaN of a life in which the machine answered something that is no number.
    """

    score: Float[Tensor, "P B"]
    marks: dict[str, Float[Tensor, "P B"]]
    best: Float[Tensor, "B"]
    reasons: tuple[str, ...] = ()
    """Why single lives failed, which ended them and nothing else."""

    def measures(self) -> dict[str, Float[Tensor, "P"]]:
        """Average over the lanes; the `shortfall` is what the score lacks of the best."""
        told = {name: mark.mean(-1) for name, mark in self.marks.items()}
        return {SHORTFALL: (self.best - self.score).mean(-1), **told}


def lead(machine: Runs, flat: Float[Tensor, "P D"], lives: Lives, *, rows: int) -> Led:
    """Lead every individual of a population of weights through all lives."""
    parts = [_led(machine, flat, share, rows) for share in lives.shares]
    score, marks, best, reasons = zip(*parts, strict=True)
    together = {name: torch.cat([mark[name] for mark in marks], -1) for name in marks[0]}
    told = tuple(dict.fromkeys(reason for some in reasons for reason in some))
    return Led(torch.cat(score, -1), together, torch.cat(best), told)


def _led(machine: Runs, flat: Tensor, share: Share, rows: int) -> Led:
    """Lead them until all have ended; those of whom all lives have ended are left behind."""
    population, lanes = len(flat), len(share.lengths)
    steps, life = max(share.lengths), begun(share.world, share.fates, lanes)
    if isinstance(life, Foreseen):
        return _answered(machine, flat, share, life, rows)
    walkers = walk(machine, flat, lanes=lanes, rows=rows, steps=steps)
    broken = torch.zeros(population, lanes, dtype=torch.bool, device=flat.device)
    who = torch.arange(population, device=flat.device)
    ended = _Ended(share.world, population, lanes, flat)
    for step in range(steps):
        answer = walkers.answer(life.observation)
        if not answer.sum().isfinite():  # which is rare, and soon told
            finite(share.world, "observation", life.observation)
            whole = answer.isfinite().all(-1)
            broken = broken | (~whole & ~life.done)
            answer = torch.where(whole.unsqueeze(-1), answer, 0.0)
        life = reacted(share.world, life, answer)
        if step % STEPS_BETWEEN:
            continue
        going = (~life.done).expand(len(who), lanes).any(-1)
        count = int(going.sum())
        if not count:
            break
        if count <= LEFT * len(who):
            ended.note(who, life, broken)
            index = going.nonzero()[:, 0]
            who, broken, life = who[index], broken[index], life.among(index)
            walkers.keep(index)
    ended.note(who, life, broken)
    return ended.led(share.reasons + getattr(life, "reasons", ()))


def _answered(machine: Runs, flat: Tensor, share: Share, life: Foreseen, rows: int) -> Led:
    """Let them answer all that they will see, in one call."""
    answers = machine.episode(flat, life.ahead, rows=rows, lengths=share.lengths)
    whole = answers.isfinite().all(-1)
    ended = _Ended(share.world, len(flat), len(share.lengths), flat)
    over = life.answered(torch.where(whole.unsqueeze(-1), answers, 0.0))
    ended.note(torch.arange(len(flat), device=flat.device), over, ~whole.all(0))
    return ended.led(share.reasons)


class _Ended:
    """Collects what came of individuals; who is noted again was not yet done."""

    def __init__(self, world: World, population: int, lanes: int, like: Tensor) -> None:
        self.world = world
        self.score = like.new_zeros(population, lanes)
        self.marks = {name: like.new_zeros(population, lanes) for name in (MISSED, REWARD)}

    def note(self, who: Int[Tensor, "some"], life: Life, broken: Bool[Tensor, "some B"]) -> None:
        """Note how some individuals stand."""
        score = finite(self.world, "score", life.score).to(self.score).expand(broken.shape)
        self.score[who] = torch.where(broken, torch.nan, score)
        for name, marks in self.marks.items():
            mark = finite(self.world, name, life.marks[name])
            marks[who] = mark.to(marks).expand(broken.shape)

    def led(self, reasons: tuple[str, ...]) -> Led:
        """Tell what came of all."""
        best_of_each = self.score.new_full(self.score.shape[1:], self.world.best)
        return Led(self.score, self.marks, best_of_each, reasons)
