"""A search, and where it stalls CMA-ES about the best it came to, before another search begins.

A genetic algorithm finds a way; a way by hard decisions, found by chance, is narrow. Its last flaws
are mended by no mutation of a few genes, and often by many small ones at once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.cma import CMA, MOST_GENES
from evo_ntm.evolution.cohort import Rows
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.state import State, exact, pack, unpack
from evo_ntm.evolution.strategy import RESTART, Event, Strategy, Validation
from evo_ntm.experiment.cma import CMA as Settings

REFINE = "refine"


class Best(NamedTuple):
    """The best individual of a search by validation, and how it did there."""

    individual: Individual
    wrong_bits: float
    bits: float


class Refined:
    """Two searches by turns. `begin` makes the first kind, from a generation on."""

    def __init__(self, begin: Callable[[int], Strategy], settings: Settings) -> None:
        self._begin, self._settings = begin, settings
        self._search, self._refining = begin(0), False
        first = self._search.generate(0)[0]
        if isinstance(first, Individual) and not _is_small(first):
            raise ExperimentError(
                f"evolve.refine: expected machines of up to {MOST_GENES} genes, but "
                f"{first.topology} has {first.genome.genes.size}"
            )
        self._best: Best | None = None

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
        return self._turned(generation, self._search.update(generation, jobs, scores))

    def reflect(self, validation: Validation) -> list[Event]:
        """Refine the best that was validated where a search has stalled, or begin anew after it."""
        found = Best(validation.individual, validation.wrong_bits, validation.bits)
        if self._best is None or found[1:] < self._best[1:]:
            self._best = found
        return self._turned(validation.generation, self._search.reflect(validation))

    def state(self) -> State | None:
        """Tell whose turn it is, what it knows, and the best, last of the individuals."""
        told, best = self._search.state(), self._best
        if told is None:
            return None
        alive = [*_individuals(told), *([best.individual] if best else ())]
        packed = pack(alive)
        words = {
            **told.words,
            "individuals": packed.words,
            "refining": self._refining,
            "best": best and [exact(best.wrong_bits), exact(best.bits)],
        }
        return State(words, {**told.tensors, **packed.tensors})

    def restore(self, state: State) -> None:
        """Go on with that turn."""
        words, alive = state.words, _individuals(state)
        self._refining, marks = words["refining"], words["best"]
        self._best = Best(alive.pop(), *map(float, marks)) if marks else None
        if self._refining:
            self._search = CMA(self._settings, begin=lambda _: alive[0])
        packed = pack(alive)
        self._search.restore(State({**words, "individuals": packed.words},
                                   {**state.tensors, **packed.tensors}))  # fmt: skip

    def _turned(self, generation: int, events: list[Event]) -> list[Event]:
        """Give the turn to the other search where one gave up."""
        given_up = [event for event in events if event.kind == RESTART]
        if not given_up:
            return events
        (event,), others = given_up, [event for event in events if event.kind != RESTART]
        best, refined = self._best, self._refining
        self._refining = best is not None and not refined and _is_small(best.individual)
        if best is not None and self._refining:
            begin = partial(_refine, best.individual)
            self._search = CMA(self._settings, begin=begin, since=generation + 1)
            return [*others, event._replace(kind=REFINE)]
        self._search, self._best = self._begin(generation + 1), None
        if best is not None and not refined:
            told = f"{best.individual.topology} has {best.individual.genome.genes.size} genes"
            event = event._replace(
                text=f"{event.text}; not refined, as {told}, more than {MOST_GENES}"
            )
        return [*others, event]


def _is_small(individual: Individual) -> bool:
    return individual.genome.genes.size <= MOST_GENES


def _individuals(state: State) -> list[Individual]:
    return unpack(State(state.words["individuals"], state.tensors))


def _refine(found: Individual, generation: int) -> Individual:
    return Individual(found.genome, operators=(REFINE,), parents=(found.born,))
