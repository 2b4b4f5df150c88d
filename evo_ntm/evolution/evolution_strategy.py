"""Evolution strategies: a species is one topology with a search distribution about a mean.

The individual is the *mean*: one birth a species and generation, averaged over the last ones.
Topology evolves beside it: a challenger, a structural child of the incumbent, gets a share of the
samples and a time of grace, and replaces the incumbent only when its mean was better on common
episodes beyond a confidence interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evo_ntm.evolution.cohort import Rows, Samples
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.search import (
    VECTORS,
    Search,
    as_practised,
    begin,
    follow_gradient,
    grafted,
    restored_search,
    search_state,
)
from evo_ntm.evolution.state import State, exact, pack, unpack
from evo_ntm.evolution.strategy import Event, Found, Patience, Validation, Vary, restart
from evo_ntm.experiment.evolution_strategy import EvolutionStrategy as Settings
from evo_ntm.seeds import derive

CONFIDENCE = 1.96  # two-sided 95 % of a normal law
SLOWEST = 4


def surpasses(record: Sequence[float], other: Sequence[float]) -> bool:
    """Tell whether fitness was better over common episodes, beyond a confidence interval.

    Who once was not finite has not surpassed anybody, nor been surpassed.
    """
    gains = np.subtract(record, other) if np.isfinite([*record, *other]).all() else np.zeros(0)
    if len(gains) < 2:
        return False
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return bool(gains.mean() > CONFIDENCE * error)


@dataclass(frozen=True)
class Best:
    """The best that the incumbent was where progress is judged, and where it then stood.

    That is the validation set, or a stage of the curriculum: in the next one all is new.
    """

    search: Search
    bits: float
    declines: int = 0
    stage: int = 0


class EvolutionStrategy:
    """Several short starts under successive halving, then an incumbent and its challengers."""

    _patience: Patience
    _contest: int

    def __init__(self, settings: Settings, *, found: Found, vary: Vary) -> None:
        self._settings, self._seed = settings, settings.seed
        self._found, self._vary = found, vary
        trained = settings.operators.get("finetune")
        self._trained = trained.share if trained else 0.0
        self._restarts = -1
        self._best: Best | None = None
        self._searches: tuple[Search, ...] = ()
        self._since = 0
        self._start(0)

    def species(self) -> int:
        """Count the searches."""
        return len(self._searches)

    def figures(self) -> Mapping[str, float]:
        """Give the incumbent's last step: its length, the gradient's agreement, the mean's norm."""
        return self._searches[0].figures

    def best(self) -> Individual:
        """Give the mean of the incumbent, or of the start that does best so far, as last scored."""
        return self._scored.individual

    def generate(self, generation: int) -> list[Rows]:
        """Give every mean, and the samples about it."""
        jobs: list[Rows] = []
        for slot, (search, pairs) in enumerate(zip(self._searches, self._pairs(), strict=True)):
            topology, encoding = search.genome.topology, search.genome.encoding
            sigma = self._settings.sigma * self._settings.times(self._finer)
            jobs.append(search.individual)
            jobs.append(Samples(topology, encoding, search.mean, sigma, pairs, self._seed,
                                generation, slot, self._alike(pairs)))  # fmt: skip
        return jobs

    def update(
        self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]
    ) -> list[Event]:
        """Move every mean, then decide between starts, or between incumbent and challenger."""
        moved = []
        for number, search in enumerate(map(as_practised, self._searches)):
            samples, own = jobs[2 * number + 1], scores[2 * number : 2 * number + 2]
            assert isinstance(samples, Samples)
            record = (*search.record, float(own[0].fitness[0]))[-self._settings.window :]
            followed = follow_gradient(search, samples, own[1].fitness, self._settings.averaging,
                                       self._settings.times(self._finer))  # fmt: skip
            moved.append(replace(followed, record=record))
        standing = max(range(len(moved)), key=lambda n: sum(moved[n].record) / len(moved[n].record))
        self._scored = self._searches[standing if self._starting else 0]
        self._searches = tuple(moved)
        return self._halve(generation) if self._starting else self._judge(generation)

    def reflect(self, validation: Validation) -> list[Event]:
        """Go back to the best mean after a sustained decline; start again after a long stall."""
        settings, best, generation = self._settings, self._best, validation.generation
        patience = self._patience = self._patience.after(validation)
        stage, _, bits, _ = validation.judged
        if best is None or stage != best.stage or bits < best.bits:
            self._best = Best(self._scored, bits, stage=stage)
        else:
            declined = bits > settings.decline * best.bits
            self._best = replace(best, declines=best.declines + 1 if declined else 0)
        best = self._best
        if not self._starting and patience.ended(generation):
            self._start(generation + 1)
            return [restart(generation, patience)]
        events = self._refine(validation)
        if not self._starting and best.declines >= settings.declines:
            least = settings.learning_rate / SLOWEST  # a mean that stands still solves nothing
            rate = max(self._searches[0].rate / 2, least)
            restored = replace(best.search, rate=rate, mean=best.search.average)
            individual = Individual(best.search.genome, operators=("restore",),
                                    parents=(best.search.individual.born,))  # fmt: skip
            self._searches = (replace(restored, individual=individual),)
            self._best = replace(best, search=restored, declines=0)
            told = f"back to birth {best.search.individual.born}"
            return [*events, Event(generation, "restore", told)]
        return events

    def state(self) -> State:
        """Tell every search, that of the best on the validation set last, and the patience."""
        best = self._best
        searches = [*self._searches, *([best.search] if best else [])]
        packed = pack([search.individual for search in searches])
        told = [search_state(search) for search in searches]
        words = {
            "individuals": packed.words,
            "searches": [state.words for state in told],
            "best": {"bits": exact(best.bits), "declines": best.declines, "stage": best.stage}
            if best
            else None,
            "patience": self._patience.words(),
            "restarts": self._restarts,
            "contest": self._contest,
            "since": self._since,
            "finer": self._finer,
        }
        vectors = {
            f"{name} {place}": vector
            for place, state in enumerate(told)
            for name, vector in state.tensors.items()
        }
        return State(words, {**packed.tensors, **vectors})

    def restore(self, state: State) -> None:
        """Go on with those searches."""
        words, best = state.words, state.words["best"]
        individuals = unpack(State(words["individuals"], state.tensors))
        searches = [
            restored_search(
                State(told, {name: state.tensors[f"{name} {place}"] for name in VECTORS}),
                individuals[place],
            )
            for place, told in enumerate(words["searches"])
        ]
        self._best = None
        if best:  # version 0.1 had no stage
            self._best = Best(searches.pop(), float(best["bits"]), best["declines"],
                              best.get("stage", 0))  # fmt: skip
        self._searches = tuple(searches)
        self._patience = self._patience.restored(words["patience"])
        self._restarts, self._contest = words["restarts"], words["contest"]
        self._since, stage = words["since"], words.get("stage", 0)  # which is all there was before
        begun = words.get("finer", self._settings.finer_begun(stage, 0))
        self._finer = min(begun, len(self._settings.finer or ()))  # which may be fewer by now

    @property
    def _starting(self) -> bool:
        return self._contest > 1

    def _start(self, generation: int) -> None:
        settings = self._settings
        self._restarts += 1
        self._contest = settings.starts
        self._since, self._best = generation, None
        self._finer = settings.finer_begun(0, 0)
        self._patience = Patience(settings.patience, generation, settings.progress)
        found = [
            Individual(self._found(derive(self._seed, "founder", generation, slot)),
                       operators=("found",))
            for slot in range(self._contest)
        ]  # fmt: skip
        rate = settings.learning_rate
        self._searches = tuple(begin(individual, rate, generation) for individual in found)
        self._scored = self._searches[0]

    def _alike(self, pairs: int) -> int:
        """Count the pairs that move the genes of all bits alike."""
        return round((self._settings.alike or 0.0) * pairs)

    def _pairs(self) -> list[int]:
        """Share out the samples: evenly among starts, the challenger its own share."""
        pairs = self._settings.population // 2
        if self._starting or len(self._searches) == 1:
            return [max(pairs // len(self._searches), 1)] * len(self._searches)
        own = max(self._challenger_pairs(), 1)  # they may have been more when it began
        return [max(pairs - own, 1), own]

    def _challenger_pairs(self) -> int:
        return int(self._settings.population // 2 * self._settings.challenger_share)

    def _refine(self, validation: Validation) -> list[Event]:
        """Make samples finer where it is time to; steps follow as Adam forgets."""
        generation, before = validation.generation, self._settings.times(self._finer)
        stalled = generation - self._patience.since
        self._finer = max(self._finer, self._settings.finer_begun(validation.stage, stalled))
        if (times := self._settings.times(self._finer)) == before:
            return []
        told = f"samples of {times:g} times their usual size, and by and by steps"
        return [Event(generation, "finer", told)]

    def _halve(self, generation: int) -> list[Event]:
        settings = self._settings
        if (generation + 1 - self._since) % settings.start_generations:
            return []
        ranked = sorted(self._searches, key=lambda search: -sum(search.record) / len(search.record))
        self._contest = (len(ranked) + 1) // 2
        self._searches = tuple(ranked[: self._contest])
        return [Event(generation, "halve", f"{len(ranked)} starts, {self._contest} kept")]

    def _judge(self, generation: int) -> list[Event]:
        settings = self._settings
        incumbent, *challengers = self._searches
        if not challengers:
            due = (generation + 1 - self._since) % settings.challenger_every == 0
            return self._challenge(generation) if due and self._challenger_pairs() else []
        challenger = challengers[0]
        if generation + 1 - challenger.founded < settings.grace + settings.window:
            return []
        if not surpasses(challenger.record, incumbent.record[-len(challenger.record) :]):
            self._searches = (incumbent,)
            return [Event(generation, "reject", f"{challenger.genome.topology}")]
        self._searches = (challenger,)
        told = f"{incumbent.genome.topology} by {challenger.genome.topology}"
        return [Event(generation, "replace", told)]

    def _challenge(self, generation: int) -> list[Event]:
        parent, stream = self._scored, derive(self._seed, "challenger", generation)
        bred = self._vary(parent.genome, generator=stream)
        genome, operators = (bred.genome, (bred.operator,)) if bred else (parent.genome, ())
        if self._trained and float(stream.random()) < self._trained:
            operators = (*operators, "finetune")
        if not operators:
            return []
        child = Individual(genome, operators=operators, parents=(parent.individual.born,))
        search = begin(child, parent.rate, generation + 1)
        self._searches = (*self._searches, replace(search, adam=grafted(parent, genome)))
        return [Event(generation, "challenge", f"{', '.join(operators)}: {genome.topology}")]
