"""What a lineage report says, chapter by chapter: frozen values that know nothing of any page.

The terminal, the page, JSON, exports and notebooks are all made of these. Generations count from 0.
Costs are in bits a sequence, or what a life lacks of the best, less being better; a gain is a cost
that went away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from evo_ntm.experiment.tasks import OF_SEQUENCES, CostWords
from evo_ntm.reports.explanation import Explanation
from evo_ntm.reports.observation import Observation
from evo_ntm.topology import Topology

Verdict = Literal["founder", "beneficial", "neutral", "deleterious", "not measured"]
Ending = Literal["replaced", "rejected", "still on trial", "dropped"]


@dataclass(frozen=True)
class Header:
    """What run this is, whose lineage is told, and what a reader has to be warned of.

    `passed_at` is the first sitting of the exam that was passed, from 1.
    """

    name: str
    task: str
    strategy: str
    encoding: str
    seed: int
    state: str
    birth: int
    is_champion: bool
    topology: Topology
    generations: int
    births: int
    scored: int
    seconds: float
    processes: int
    restarts: int
    sittings: int
    passed_at: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """How the best of a generation did on the validation set, and whether it became champion."""

    generation: int
    birth: int
    wrong_bits: float
    bits: float
    champion: bool


@dataclass(frozen=True)
class Sitting:
    """One sitting of the exam; `rows` are its parts, as `evolution.exam.ExamRow` has them."""

    generation: int
    birth: int
    solved: bool
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Event:
    """Something worth telling, and when it happened."""

    generation: int
    kind: str
    told: str


@dataclass(frozen=True)
class History:
    """Fitness over the generations: of long runs, some of them, evenly chosen.

    `quantiles` are by name: worst, lower, median, upper, best; `figures` are the strategy's own.
    """

    generations: tuple[int, ...]
    quantiles: Mapping[str, tuple[float, ...]]
    figures: Mapping[str, tuple[float, ...]]
    stages: tuple[int, ...]
    rows: tuple[int, ...]
    looks: tuple[Look, ...]
    sittings: tuple[Sitting, ...]
    events: tuple[Event, ...]
    words: CostWords = OF_SEQUENCES


@dataclass(frozen=True)
class Measured:
    """A birth on the paired set of episodes, beside its primary parent on the same ones.

    `gain` is the mean over the episodes of the parent's cost less its own, within `low` and `high`
    with 95 % confidence; a founder has no gain, and where the parent's genome was not kept, gain,
    `low` and `high` are NaN.
    """

    bits: float
    wrong_bits: float
    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Step:
    """One birth of the trunk. `waited` counts the generations since the step before.

    `displacement` is the length of the change of the weights that parent and child share, over
    that of the parent's; `changes` are those of the topology, in words. Steps that `matter` are
    told, the others folded between them.
    """

    number: int
    generation: int
    waited: int
    parents: tuple[int, ...]
    operators: tuple[str, ...]
    parameters: str
    topology: Topology
    fitness: float
    measured: Measured | None
    verdict: Verdict
    displacement: float | None
    changes: tuple[str, ...]
    matters: bool
    since: Measured | None = None


@dataclass(frozen=True)
class Trunk:
    """The line of primary parents from a founder to the birth that the report is of."""

    steps: tuple[Step, ...]
    episodes: int
    rows: int
    verdicts: Mapping[Verdict, int]
    mutations: Mapping[str, int]
    words: CostWords = OF_SEQUENCES


@dataclass(frozen=True)
class OperatorUse:
    """How often an operator was tried and what came of it.

    A birth counts for every operator that made it. It is a success where it stood higher among the
    births of its generation than its primary parent among those of its own; it had children if it
    is the primary parent of anybody. `enrichment` is the operator's share of the trunk's steps
    over its share of all births; None where it was never tried.
    """

    name: str
    parameters: str
    attempts: int
    successes: int
    had_children: int
    on_trunk: int
    enrichment: float | None


@dataclass(frozen=True)
class Parent:
    """A birth with many children."""

    number: int
    generation: int
    children: int
    topology: str


@dataclass(frozen=True)
class Population:
    """Selection and phylogeny of a strategy whose population lives on, at some generations.

    All by primary parents. `common_ancestor` is the most recent birth that everybody alive descends
    from, None where there is none, and `age` how many generations ago it was born. A sweep is when
    it changes, with the generation and the new one. Distances count births along the tree, in which
    founders are joined by a root. `ancestors_back` says how many different ancestors those alive at
    the end had so many generations back, as far as there are several.
    """

    generations: tuple[int, ...]
    alive: tuple[int, ...]
    common_ancestor: tuple[int | None, ...]
    age: tuple[int | None, ...]
    mean_pairwise_distance: tuple[float, ...]
    phylogenetic_diversity: tuple[int, ...]
    effective_parents: tuple[float, ...]
    sweeps: tuple[tuple[int, int], ...]
    ancestors_back: tuple[int, ...]
    fecund: tuple[Parent, ...]


@dataclass(frozen=True)
class Challenge:
    """A structural child of the incumbent mean, and how its trial ended."""

    birth: int
    generation: int
    operators: tuple[str, ...]
    topology: str
    ending: Ending
    ended: int | None


@dataclass(frozen=True)
class Displacement:
    """How far every wire had moved from where it began, at some births of the trunk that were kept.

    `moved` has a row for each wire and a column for each birth: the length of the change since the
    first birth here that has the wire, over that of all weights at the first birth here, which is
    the founder where it was kept; None where the wire was not there.
    """

    births: tuple[int, ...]
    generations: tuple[int, ...]
    wires: tuple[str, ...]
    moved: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Search:
    """How a strategy went whose individual is the mean of a distribution.

    `starts` counts founders, those of restarts too; `finer` tells when samples and steps became
    smaller, `stages` from which generation on each stage of the curriculum was the top one,
    beginning with that of the first.
    """

    starts: int
    restarts: tuple[int, ...]
    restores: tuple[int, ...]
    finer: tuple[int, ...]
    stages: tuple[tuple[int, int], ...]
    challenges: tuple[Challenge, ...]
    displacement: Displacement


@dataclass(frozen=True)
class SpeciesLife:
    """A species: when it was seen, and how large it grew. `last_seen` is None where it is alive."""

    name: str
    born: int
    last_seen: int | None
    births: int
    peak: int
    peak_generation: int


@dataclass(frozen=True)
class SpeciesStream:
    """Sizes of species at some generations: a row for each of the largest, and one of the rest.

    There is no rest where all are shown. `lives` are those of all species, as they came up.
    """

    generations: tuple[int, ...]
    names: tuple[str, ...]
    sizes: tuple[tuple[int, ...], ...]
    lives: tuple[SpeciesLife, ...]


@dataclass(frozen=True)
class Node:
    """A birth in the graph of ancestors; `place` orders those of one layer from left to right."""

    number: int
    generation: int
    layer: int
    place: float
    operators: tuple[str, ...]
    fitness: float
    topology: str
    on_trunk: bool


@dataclass(frozen=True)
class Edge:
    """From a child to a parent, or over `skipped` births in between to an ancestor."""

    child: int
    parent: int
    primary: bool
    skipped: int = 0


@dataclass(frozen=True)
class Ancestry:
    """Ancestors through all parents: of many, those nearest to the subject and on the trunk."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    all_ancestors: int


@dataclass(frozen=True)
class Portrait:
    """What one birth does on the sequence that all portraits share."""

    name: str
    birth: int
    generation: int
    topology: Topology
    seen: Observation


@dataclass(frozen=True)
class Curve:
    """How one birth does on ever larger sequences; shares are of the scored bits that are wrong."""

    name: str
    birth: int
    shares: tuple[float, ...]
    bits: tuple[float, ...]


@dataclass(frozen=True)
class Generalisation:
    """Wrong bits against the size of the sequences. `trained` is what the line evolved with."""

    axis: str
    sizes: tuple[int, ...]
    rows: tuple[int, ...]
    sequences: int
    trained: tuple[int, int]
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Tuned:
    """A branch that a gradient made of a birth, with its cost before and after."""

    birth: int
    parent: int
    steps: int
    sequences: int
    seconds: float
    before: float | None
    after: float | None
    displacement: float | None


@dataclass(frozen=True)
class Again:
    """All that is needed to do the run again."""

    commands: tuple[str, ...]
    config_hash: str
    task_hash: str
    digest: str | None
    processes: tuple[Mapping[str, Any], ...]
    experiment: str


@dataclass(frozen=True)
class Lineage:
    """The whole report. What a strategy or a run does not have is None or empty."""

    header: Header
    history: History
    trunk: Trunk
    operators: tuple[OperatorUse, ...]
    population: Population | None
    search: Search | None
    species: SpeciesStream | None
    ancestry: Ancestry
    portraits: tuple[Portrait, ...]
    generalisation: Generalisation | None
    tuned: tuple[Tuned, ...]
    explanation: Explanation | None
    again: Again
