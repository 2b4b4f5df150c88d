"""How a strategy went whose individual is the mean of a search: by the events that it told."""

from collections.abc import Iterable, Iterator
from typing import Any

from evo_ntm.reports.chapters import Challenge, Displacement, Ending, Search
from evo_ntm.reports.pedigree import NOBODY, Pedigree
from evo_ntm.runs.run import Run

EVENTS = "SELECT generation, kind, told FROM events ORDER BY rowid"
ENDINGS: dict[str, Ending] = {
    "replace": "replaced",
    "reject": "rejected",
    "restart": "dropped",
    "restore": "dropped",
}


def tell_search(run: Run, pedigree: Pedigree, displacement: Displacement) -> Search | None:
    """Tell how a search went; None where a population lived on. Raises RunError.

    `starts` counts founders, also those of restarts. `stages` are those of the curriculum: from
    which generation on each was the top one. A challenger that was dropped before it was ever
    scored is no birth, and is not told of.
    """
    if not pedigree.means:
        return None
    events = run.rows(EVENTS)
    before = (None, *pedigree.stages)
    return Search(
        starts=int((pedigree.primary == NOBODY).sum()),
        restarts=_when(events, "restart"),
        restores=_when(events, "restore"),
        finer=_when(events, "finer"),
        stages=tuple(
            (generation, stage)
            for generation, stage in enumerate(pedigree.stages)
            if stage != before[generation]
        ),
        challenges=tuple(_challenges(events, pedigree)),
        displacement=displacement,
    )


def _when(events: Iterable[Any], kind: str) -> tuple[int, ...]:
    return tuple(event["generation"] for event in events if event["kind"] == kind)


def _challenges(events: Iterable[Any], pedigree: Pedigree) -> Iterator[Challenge]:
    """Pair every challenger, of which there is one at a time, with the event that ended its trial.

    An event does not name a birth, but its operators, its topology, and when it was made.
    """
    trial: int | None = None
    for event in events:
        generation, kind = event["generation"], event["kind"]
        if kind == "challenge":
            trial = _born(pedigree, generation + 1, event["told"])
        elif kind in ENDINGS and trial is not None:
            yield _challenge(pedigree, trial, ENDINGS[kind], generation)
            trial = None
    if trial is not None:
        yield _challenge(pedigree, trial, "still on trial", None)


def _born(pedigree: Pedigree, generation: int, told: str) -> int | None:
    """Find the place of a challenger among the births of a generation."""
    operators, _, topology = told.partition(": ")
    if generation >= pedigree.generations:
        return None
    born = pedigree.born(generation)
    for place in range(born.start, born.stop):
        recipe = pedigree.recipes[pedigree.recipe[place]]
        if ", ".join(recipe) == operators and pedigree.kinds[pedigree.kind[place]].told == topology:
            return place
    return None


def _challenge(pedigree: Pedigree, place: int, ending: Ending, ended: int | None) -> Challenge:
    return Challenge(
        birth=int(pedigree.numbers[place]),
        generation=int(pedigree.generation[place]),
        operators=pedigree.recipes[pedigree.recipe[place]],
        topology=pedigree.kinds[pedigree.kind[place]].told,
        ending=ending,
        ended=ended,
    )
