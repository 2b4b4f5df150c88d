"""What answers are worth: cross-entropy in bits a sequence, wrong bits a sequence."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from evo_ntm.tasks.hosting import own_measures, own_worth
from evo_ntm.tasks.lives import MISSED
from evo_ntm.tasks.task import Episodes, Grades, Measured, RewardTask, Task, Worthy

# Temporaries of a megabyte stay in the cache, however large the population.
NUMBERS_AT_ONCE = 2**18
SHORTFALL = "shortfall"
WRONG_BITS, BITS = "wrong_bits", "bits"


def grade(
    episodes: Episodes, logits: Float[Tensor, "T *population B O"], task: Task | None = None
) -> Grades:
    """Grade answers given in logits; steps that are not scored may hold anything.

    A task that says itself what answers are worth is asked, too, where it is given. A bit is
    answered with 1 where its logit is above 0. NaN is wrong and costs NaN bits. Differentiable in
    the logits.
    """
    bits = logits.new_zeros(logits.shape[1:-1])
    wrong_bits = torch.zeros_like(bits)
    wide = (slice(None), *[None] * (logits.ndim - 3))  # room for the axes of the population
    targets = episodes.targets.to(logits).mT.contiguous().mT  # machines keep lanes innermost, too
    asked = episodes.scored.unsqueeze(-1)[wide]
    signs = (1 - 2 * targets)[wide]
    least = torch.nextafter(targets.new_zeros(()), targets.new_ones(()))
    bounds = torch.where(targets > 0.5, 0, least)[wide]
    some = max(1, NUMBERS_AT_ONCE // max(1, logits[0].numel()))
    for begun in _scored_from(episodes, some):
        now = slice(begun, begun + some)
        surprise = torch.where(asked[now], logits[now] * signs[now], -math.inf)
        right = torch.empty_like(surprise, requires_grad=False)
        torch.lt(surprise.detach(), bounds[now], out=right)  # NaN is not right
        # Sums over the channels first, of floats: several times faster than any other way.
        wrong_bits += (1 - right).sum(-1).sum(0)
        bits = bits + F.softplus(surprise).sum(-1).sum(0)
    worth = own_worth(task, episodes, logits) if isinstance(task, Worthy) else None
    return Grades(bits / math.log(2), wrong_bits, worth)


def _scored_from(episodes: Episodes, some: int) -> list[int]:
    """List the steps at which so many steps begin of which any is scored."""
    asked = episodes.scored.any(dim=1).nonzero().flatten().tolist()
    begun: list[int] = []
    for step in asked:
        if not begun or step >= begun[-1] + some:
            begun.append(step)
    return begun


def measures(task: Task, episodes: Episodes, grades: Grades) -> dict[str, Tensor]:
    """Average grades over the sequences: `bits`, `wrong_bits` and the task's own measures.

    Of a task that says itself what answers are worth, `shortfall` is what they lack of 1.
    """
    lacks = {} if grades.worth is None else {SHORTFALL: 1 - grades.worth.mean(-1)}
    own = own_measures(task, episodes, grades) if isinstance(task, Measured) else {}
    return {"bits": grades.bits.mean(-1), "wrong_bits": grades.wrong_bits.mean(-1), **own, **lacks}


def costs(task: Task) -> tuple[str, str]:
    """Name the two measures by which a champion is chosen, the first one first."""
    return (MISSED, SHORTFALL) if isinstance(task, RewardTask) else (WRONG_BITS, BITS)


def constant_cost(episodes: Episodes) -> float:
    """Tell what the best constant answer costs, in bits a sequence.

    It has one probability for each output channel, fitted on the scored bits.
    """
    asked = episodes.targets[episodes.scored].double()
    if not len(asked):
        return 0.0
    share = asked.mean(0)
    nats = -(torch.xlogy(share, share) + torch.xlogy(1 - share, 1 - share)).sum()
    return float(nats) * len(asked) / math.log(2) / len(episodes.lengths)
