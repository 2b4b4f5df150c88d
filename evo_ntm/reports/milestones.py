"""Which births of a line are worth telling of, so that a reader sees the way it went."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

MOST = 40
SINGLES = 12  # steps that are told for what they gained or lost by themselves
NOTABLE = 0.02  # of the whole way: what a step gains to be told, and how exact the way is drawn


def milestones(
    *, marked: Sequence[bool], costs: Sequence[float | None], gains: Sequence[float]
) -> list[int]:
    """Choose at most 40 places of a line, in order; the first and the last are always among them.

    `marked` are those to be told in any case as far as there is room, those that gained or lost
    most first. Then come others that gained or lost much by themselves, by `gains`, which are zero
    where nothing is certain; and at last waypoints: the places at which straight lines between
    those chosen so far are farthest from the `costs`, which are None where they are not known.
    Where thousands of steps gain little each, waypoints are what is left to tell; they lie where
    the way turns.
    """
    count = len(marked)
    chosen = {0, count - 1}
    size = np.abs(np.nan_to_num(np.asarray(gains, dtype=np.float64), posinf=1e300, neginf=-1e300))
    largest = sorted(range(count), key=lambda place: (-size[place], place))
    for place in largest:
        if marked[place] and len(chosen) < MOST:
            chosen.add(place)
    known, told = _known(costs)
    way = np.ptp(told) if len(told) else 0.0
    singles = [place for place in largest if size[place] > NOTABLE * way and place not in chosen]
    chosen.update(singles[: min(SINGLES, MOST - len(chosen))])
    if len(known) and len(chosen) <= MOST - 2:
        chosen |= {int(known[0]), int(known[-1])}
        _add_waypoints(chosen, known, told, NOTABLE * way)
    return sorted(chosen)


def _known(costs: Sequence[float | None]) -> tuple[NDArray[np.int64], Numbers]:
    """List the places of which the cost is known, and finite, and the costs."""
    pairs = [(place, cost) for place, cost in enumerate(costs)
             if cost is not None and np.isfinite(cost)]  # fmt: skip
    places, told = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(places, dtype=np.int64), np.array(told, dtype=np.float64)


def _add_waypoints(chosen: set[int], known: NDArray[np.int64], told: Numbers, exact: float) -> None:
    """Add the place that is farthest from the way as drawn, until none is or there is no room.

    Source: Douglas and Peucker (1973), with a place added wherever it is needed most.
    """
    drawn = np.flatnonzero(np.isin(known, [*chosen])).tolist()
    gaps = [_farthest(known, told, *ends) for ends in pairwise(drawn)]
    while len(chosen) < MOST and gaps:
        worst = max(gaps, key=lambda gap: (gap[0], -gap[1]))
        if worst[0] <= exact:
            return
        far, place, start, stop = worst
        gaps.remove(worst)
        gaps += [_farthest(known, told, start, place), _farthest(known, told, place, stop)]
        chosen.add(int(known[place]))


def _farthest(
    known: NDArray[np.int64], told: Numbers, start: int, stop: int
) -> tuple[float, int, int, int]:
    """Find where the costs are farthest from a straight line between two places."""
    places, costs = known[start : stop + 1], told[start : stop + 1]
    line = np.interp(places, places[[0, -1]], costs[[0, -1]])
    apart = np.abs(costs - line)
    worst = int(np.argmax(apart))
    return float(apart[worst]), start + worst, start, stop
