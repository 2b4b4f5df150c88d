"""What heads do otherwise on sequences that are answered wrongly."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from evo_ntm.reports.explaining.moves import Move, moves
from evo_ntm.reports.explaining.phrases import move, percent, told, when
from evo_ntm.reports.explaining.scene import Scene

Booleans = NDArray[np.bool_]

APART = 0.03  # of the steps at least must be otherwise
TIMES = 3  # as often as elsewhere
MOST = 2


def deviations(right: Scene, wrong: Scene, shown: Collection[str]) -> list[str]:
    """Say what the heads that are told of do otherwise where a machine answers wrongly.

    The earliest phases come first: what is otherwise later may follow from what was before.
    """
    found: list[str] = []
    for phase, where in right.plan.where.items():
        there = wrong.plan.where.get(phase)
        for number, head in enumerate(right.traces.heads):
            if head.name in shown and there is not None:
                usual, other = _shares(right, number, where), _shares(wrong, number, there)
                begun = when(phase, right.thing)
                found += [f"{head.name} {told(move(one))} in {percent(share)} of steps {begun}, "
                          f"and in {percent(usual.get(one, 0.0))} on the others"
                          for one, share in other.items()
                          if _is_apart(share, usual.get(one, 0.0))]  # fmt: skip
    begin = f"On {wrong.traces.scored.shape[1]} sequences that it answers wrongly"
    if not found:
        return [f"{begin} its heads move as on the others."]
    return [f"{begin}, {sentence}." for sentence in found[:MOST]]


def _is_apart(share: float, usual: float) -> bool:
    return share >= max(usual + APART, TIMES * usual)


def _shares(scene: Scene, head: int, where: Booleans) -> dict[Move, float]:
    """Count moves, but for those to several rows at once, of which no two are alike."""
    done = moves(scene, head, where)
    return {one: share for one, share in done.shares if one.kind != "spread"} if done else {}
