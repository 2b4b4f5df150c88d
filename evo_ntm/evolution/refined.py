"""A search, and where it stalls CMA-ES about what it came to, before another search begins.

A genetic algorithm finds a way; a way by hard decisions, found by chance, is narrow. Its last flaws
are mended by no mutation of a few genes, and often by many small ones at once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from evo_ntm.evolution.cma import CMA, MOST_GENES
from evo_ntm.evolution.cohort import Rows
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.state import State, unpack
from evo_ntm.evolution.strategy import RESTART, Event, Strategy, Validation
from evo_ntm.experiment.cma import CMA as Settings

REFINE = "refine"
REFINING = "refining"


class Refined:
    """Two searches by turns. `begin` makes the first kind, from a generation on."""

    def __init__(self, begin: Callable[[int], Strategy], settings: Settings) -> None:
        self._begin, self._settings = begin, settings
        self._search, self._refining = begin(0), False

    def species(self) -> int:
        """Count the species of the search that is on."""
        return self._search.species()

    def figures(self) -> Mapping[str, float]:
        """Give the figures of the search that is on."""
        return self._search.figures()

    def best(self) -> Individual:
        """Give the best of the search that is on."""
        return self._search.best()

    def generate(self, generation: int) -> Sequence[Rows]:
        """Ask the search that is on."""
        return self._search.generate(generation)

    def update(
        self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]
    ) -> list[Event]:
        """Let the search that is on learn; a covariance that breaks down ends its turn."""
        events = self._search.update(generation, jobs, scores)
        return self._turned(generation, events, jobs[0])

    def reflect(self, validation: Validation) -> list[Event]:
        """Refine what was validated where a search has stalled, or begin anew after that."""
        events = self._search.reflect(validation)
        return self._turned(validation.generation, events, validation.individual)

    def state(self) -> State | None:
        """Tell whose turn it is, and what it knows."""
        told = self._search.state()
        return told and State({**told.words, REFINING: self._refining}, told.tensors)

    def restore(self, state: State) -> None:
        """Go on with that turn."""
        self._refining = state.words[REFINING]
        if self._refining:
            (mean,) = unpack(State(state.words["individuals"], state.tensors))
            self._search = CMA(self._settings, begin=lambda _: mean)
        self._search.restore(state)

    def _turned(self, generation: int, events: list[Event], found: Rows) -> list[Event]:
        """Give the turn to the other search where one gave up."""
        given_up = [event for event in events if event.kind == RESTART]
        if not given_up:
            return events
        assert isinstance(found, Individual)
        small = found.genome.genes.size <= MOST_GENES
        self._refining = small and not self._refining
        if not self._refining:
            self._search = self._begin(generation + 1)
            return events
        self._search = CMA(self._settings, begin=partial(_refine, found), since=generation + 1)
        (event,) = given_up
        return [*(e for e in events if e is not event), event._replace(kind=REFINE)]


def _refine(found: Individual, generation: int) -> Individual:
    return Individual(found.genome, operators=(REFINE,), parents=(found.born,))
