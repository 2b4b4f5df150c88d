"""Evolution strategies: a species is one topology with a search distribution about a mean.

Samples are antithetic and the update follows the gradient of centred ranks (Salimans et al., 2017)
by Adam (Kingma and Ba, 2015). The individual is the *mean*: one birth a species and generation.
It is averaged over the last generations (Polyak and Juditsky, 1992): the mean that is sampled about
goes on wandering once there is little left to gain, and its average does not.
Topology evolves beside it: a challenger, a structural child of the incumbent, gets a share of the
samples and a time of grace, and replaces the incumbent only when its mean was better on common
episodes beyond a confidence interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evo_ntm.evolution.cohort import Rows, Samples
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.state import State, exact, pack, unpack
from evo_ntm.evolution.strategy import Event, Found, Patience, Validation, Vary, restart
from evo_ntm.experiment.evolution_strategy import EvolutionStrategy as Settings
from evo_ntm.genome import Genome
from evo_ntm.genome.graft import shared
from evo_ntm.seeds import derive

Vector = NDArray[np.float64]
CONFIDENCE = 1.96  # two-sided 95 % of a normal law
SLOWEST = 4


@dataclass(frozen=True)
class Adam:
    """The moments of the gradient. Source: Kingma and Ba (2015), algorithm 1."""

    first: Vector
    second: Vector
    steps: int = 0

    def step(self, gradient: Vector) -> tuple["Adam", Vector]:
        """Take in a gradient; give the direction to go, a learning rate of 1."""
        steps = self.steps + 1
        first = 0.9 * self.first + 0.1 * gradient
        second = 0.999 * self.second + 0.001 * gradient**2
        unbiased = first / (1 - 0.9**steps), second / (1 - 0.999**steps)
        return Adam(first, second, steps), unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)


@dataclass(frozen=True)
class Search:
    """A species: its average as an individual, the mean to sample about, and how it moves."""

    individual: Individual
    mean: Vector
    average: Vector
    adam: Adam
    rate: float
    founded: int
    record: tuple[float, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def genome(self) -> Genome:
        """Give the average as a genome."""
        return self.individual.genome


VECTORS = ("mean", "average", "first", "second")


def search_state(search: Search) -> State:
    """Tell all of a search but its individual."""
    words = {
        "rate": search.rate,
        "founded": search.founded,
        "steps": search.adam.steps,
        "record": [exact(fitness) for fitness in search.record],
        "figures": {name: exact(value) for name, value in search.figures.items()},
    }
    adam = search.adam
    vectors = search.mean, search.average, adam.first, adam.second
    return State(words, dict(zip(VECTORS, vectors, strict=True)))


def restored_search(state: State, individual: Individual) -> Search:
    """Read a search back."""
    words = state.words
    mean, average, first, second = (np.array(state.tensors[name]) for name in VECTORS)
    return Search(
        individual,
        mean,
        average,
        Adam(first, second, words["steps"]),
        words["rate"],
        words["founded"],
        tuple(map(float, words["record"])),
        {name: float(value) for name, value in words["figures"].items()},
    )


def begin(individual: Individual, rate: float, generation: int) -> Search:
    """Begin a search at an individual."""
    mean = individual.genome.genes.astype(np.float64)
    nothing = np.zeros_like(mean)
    return Search(individual, mean, mean, Adam(nothing, nothing), rate, generation)


def follow_gradient(
    search: Search, samples: Samples, fitness: Vector, averaging: int = 1, times: float = 1.0
) -> Search:
    """Move the mean along the gradient that the ranks of its samples suggest.

    The average follows it over about `averaging` generations. The step is `times` its usual size.
    """
    noise = samples.noise.astype(np.float64)
    ranks = centred_ranks(fitness)
    pulls = ranks[: samples.pairs] - ranks[samples.pairs :]
    gradient = pulls @ noise / (samples.pairs * samples.sigma)
    adam, direction = search.adam.step(gradient)
    step = times * search.rate * direction
    mean = search.mean + step
    average = search.average + (mean - search.average) / averaging
    if samples.alike:  # of which both halves are to have as many
        pulls, noise = (np.concatenate([told[::2], told[1::2]]) for told in (pulls, noise))
    figures = {
        "step": float(np.linalg.norm(step)),
        "agreement": agreement(pulls, noise),
        "norm": float(np.linalg.norm(mean)),
    }
    child = Individual(
        search.genome.with_genes(average),
        operators=("follow_gradient",),
        parents=(search.individual.born,),
    )
    return replace(search, individual=child, mean=mean, average=average, adam=adam, figures=figures)


def agreement(pulls: Vector, noise: NDArray[np.float64]) -> float:
    """Measure the signal in a gradient: the cosine of what two halves of the samples suggest."""
    half = len(pulls) // 2
    one, other = pulls[:half] @ noise[:half], pulls[half:] @ noise[half:]
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / lengths) if lengths > 0 else 0.0


def centred_ranks(fitness: Vector) -> Vector:
    """Rank from -1/2, the worst, to 1/2, the best; equals keep the order of the samples."""
    ranks = np.empty(len(fitness))
    ranks[np.argsort(fitness, kind="stable")] = np.arange(len(fitness))
    return ranks / max(len(fitness) - 1, 1) - 0.5


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
        self._since, self._stage = 0, 0
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
            sigma = self._settings.sigma * self._settings.times(self._stage)
            jobs.append(search.individual)
            jobs.append(Samples(topology, encoding, search.mean, sigma, pairs, self._seed,
                                generation, slot, self._alike(pairs)))  # fmt: skip
        return jobs

    def update(
        self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]
    ) -> list[Event]:
        """Move every mean, then decide between starts, or between incumbent and challenger."""
        moved = []
        for number, search in enumerate(map(_as_practised, self._searches)):
            samples, own = jobs[2 * number + 1], scores[2 * number : 2 * number + 2]
            assert isinstance(samples, Samples)
            record = (*search.record, float(own[0].fitness[0]))[-self._settings.window :]
            followed = follow_gradient(search, samples, own[1].fitness, self._settings.averaging,
                                       self._settings.times(self._stage))  # fmt: skip
            moved.append(replace(followed, record=record))
        standing = max(range(len(moved)), key=lambda n: sum(moved[n].record) / len(moved[n].record))
        self._scored = self._searches[standing if self._starting else 0]
        self._searches = tuple(moved)
        return self._halve(generation) if self._starting else self._judge(generation)

    def reflect(self, validation: Validation) -> list[Event]:
        """Go back to the best mean after a sustained decline; start again after a long stall."""
        settings, best, generation = self._settings, self._best, validation.generation
        patience = self._patience.after(validation)
        self._patience, self._stage = patience, validation.stage
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
        if not self._starting and best.declines >= settings.declines:
            least = settings.learning_rate / SLOWEST  # a mean that stands still solves nothing
            rate = max(self._searches[0].rate / 2, least)
            restored = replace(best.search, rate=rate, mean=best.search.average)
            individual = Individual(best.search.genome, operators=("restore",),
                                    parents=(best.search.individual.born,))  # fmt: skip
            self._searches = (replace(restored, individual=individual),)
            self._best = replace(best, search=restored, declines=0)
            told = f"back to birth {best.search.individual.born}"
            return [Event(generation, "restore", told)]
        return []

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
            "stage": self._stage,
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
        self._since, self._stage = words["since"], words.get("stage", 0)  # version 0.1 had none

    @property
    def _starting(self) -> bool:
        return self._contest > 1

    def _start(self, generation: int) -> None:
        settings = self._settings
        self._restarts += 1
        self._contest = settings.starts
        self._since, self._stage, self._best = generation, 0, None
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
        self._searches = (*self._searches, replace(search, adam=_grafted(parent, genome)))
        return [Event(generation, "challenge", f"{', '.join(operators)}: {genome.topology}")]


def _as_practised(search: Search) -> Search:
    """Take a challenger to where it came by training, about which nobody was sampled yet."""
    if "finetune" not in search.individual.operators:
        return search
    genes = search.genome.genes.astype(np.float64)
    return replace(search, mean=genes, average=genes)


def _grafted(parent: Search, child: Genome) -> Adam:
    """Hand the moments down, gene by gene; new genes begin with none."""
    mine, theirs = shared(child, parent.genome)
    first, second = np.zeros((2, child.genes.size))
    first[mine], second[mine] = parent.adam.first[theirs], parent.adam.second[theirs]
    return Adam(first, second, parent.adam.steps)
