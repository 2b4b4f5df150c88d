"""All births of a run as columns of numbers: read once, for every chapter that is about them.

Births that were tuned after evolution are left out: they are of no population.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo_ntm.errors import ReportError
from evo_ntm.genome.notation import read_topology
from evo_ntm.runs.run import Run
from evo_ntm.runs.topologies import apart, whole
from evo_ntm.topology import Topology

Places = NDArray[np.int32]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

AT_ONCE = 1 << 16
NOBODY = -1
MOST_GENERATIONS = 200  # of a long run, that a chapter tells of
OF_MEANS = "evolution_strategy", "cma"
GENERATE = "generate"  # of somebody's own, who is asked for individuals instead

BIRTHS = """
SELECT number, generation, parents, operators, topology, fitness FROM births
WHERE number NOT IN (SELECT birth FROM tunings) AND generation <= ? ORDER BY number
"""
GENERATIONS = "SELECT number, scored, stage, survivors FROM generations ORDER BY number"
TOPOLOGIES = "SELECT number, told, shape, graph FROM topologies ORDER BY number"


@dataclass(frozen=True)
class Kind:
    """A topology in words, and one of the same species; version 1 kept the words only."""

    told: str
    like: Topology | None


@dataclass(frozen=True, eq=False)
class Pedigree:
    """Births as columns, in the order of their numbers; parents are told by their places [N].

    `primary` is NOBODY for a founder; the other parents of birth i are `others` from
    `others_begin[i]` to `others_begin[i + 1]`. `recipe` and `kind` are places in `recipes` and
    `kinds`. The births of generation g are those from `begins[g]` to `begins[g + 1]`, and
    `survivors[g]` those who were born before, but scored again; None where no row tells. Where an
    individual is the mean of a search, births are of `means`.
    """

    means: bool
    numbers: Numbers
    generation: Places
    primary: Places
    others: Places
    others_begin: Numbers
    recipe: Places
    recipes: tuple[tuple[str, ...], ...]
    kind: Places
    kinds: tuple[Kind, ...]
    fitness: Floats
    begins: Numbers
    stages: tuple[int, ...]
    survivors: tuple[Places | None, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def generations(self) -> int:
        """Count the generations."""
        return len(self.survivors)

    @property
    def whole(self) -> bool:
        """Tell whether it is known of every generation who was alive."""
        return all(survivors is not None for survivors in self.survivors)

    def born(self, generation: int) -> slice:
        """Say which births are of a generation."""
        return slice(int(self.begins[generation]), int(self.begins[generation + 1]))

    def alive(self, generation: int) -> Places:
        """List who was scored in a generation: survivors, as far as they are known, and births."""
        born = self.born(generation)
        survivors = self.survivors[generation]
        births = np.arange(born.start, born.stop, dtype=np.int32)
        return births if survivors is None else np.concatenate([survivors, births])

    def places(self, numbers: Sequence[int]) -> Places:
        """Find the places of births by number; those that are not of the pedigree are left out."""
        asked = np.asarray(numbers, dtype=np.int64)
        found = np.searchsorted(self.numbers, asked)
        there = self.numbers[np.minimum(found, len(self) - 1)] == asked
        places: Places = found[there].astype(np.int32)
        return places


def evenly(generations: int, most: int = MOST_GENERATIONS) -> tuple[int, ...]:
    """Choose generations to tell of: all, or of many some, from the first to the last."""
    if generations <= most:
        return tuple(range(generations))
    return tuple(int(number) for number in np.linspace(0, generations - 1, most).round())


def read_pedigree(run: Run) -> Pedigree:
    """Read the pedigree of a run, best of a snapshot where it goes on.

    Raises RunError; ReportError where no generation is over yet.
    """
    with run.asked() as rows:
        told = rows.execute(GENERATIONS).fetchall()
        if not told:
            raise ReportError(f"{run.folder}: expected a generation that is over, but there is "
                              "none yet")  # fmt: skip
        kinds = _kinds(rows.execute(TOPOLOGIES), run)
        columns = _read(rows.execute(BIRTHS, (len(told) - 1,)).fetchmany)
    numbers, generation = columns.numbers, columns.generation
    primary, others, others_begin = _parents(columns)
    begins = np.searchsorted(generation, np.arange(len(told) + 1))
    means = run.experiment.evolve.strategy in OF_MEANS and GENERATE not in _toolbox(run)
    survivors = [
        _survivors(row["survivors"], numbers, known=means or row["scored"] == births)
        for row, births in zip(told, np.diff(begins), strict=True)
    ]
    return Pedigree(
        means=means,
        numbers=numbers,
        generation=generation,
        primary=primary,
        others=others,
        others_begin=others_begin,
        recipe=columns.recipe,
        recipes=tuple(tuple(json.loads(operators)) for operators in columns.recipes),
        kind=np.searchsorted(np.array([*kinds]), columns.topology).astype(np.int32),
        kinds=tuple(kinds.values()),
        fitness=columns.fitness,
        begins=begins,
        stages=tuple(row["stage"] for row in told),
        survivors=tuple(survivors),
    )


class _Columns(NamedTuple):
    """Births as they are read: parents by number, all in one list, and how many each has."""

    numbers: Numbers
    generation: Places
    parents: Numbers
    counts: Numbers
    recipe: Places
    recipes: tuple[str, ...]
    topology: Numbers
    fitness: Floats


def _read(fetch: Callable[[int], list[Any]]) -> _Columns:
    recipes: dict[str, int] = {}
    pieces = [_piece(rows, recipes) for rows in iter(lambda: fetch(AT_ONCE), [])]
    empty = _piece([], recipes)
    joined = [np.concatenate(column) for column in zip(empty, *pieces, strict=True)]
    numbers, generation, parents, counts, recipe, topology, fitness = joined
    return _Columns(numbers, generation, parents, counts, recipe, tuple(recipes), topology, fitness)


def _piece(rows: list[Any], recipes: dict[str, int]) -> tuple[NDArray[Any], ...]:
    told = [row[2] for row in rows]
    parents = json.loads(f"[{','.join(told)}]")  # all at once, which takes a third of the time
    codes = [recipes.setdefault(row[3], len(recipes)) for row in rows]
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int32),
        np.array([*chain.from_iterable(parents)], dtype=np.int64),
        np.array([len(those) for those in parents], dtype=np.int64),
        np.array(codes, dtype=np.int32),
        np.array([row[4] for row in rows], dtype=np.int64),
        np.array([row[5] for row in rows], dtype=np.float64),
    )


def _parents(columns: _Columns) -> tuple[Places, Places, Numbers]:
    """Tell parents by their places: the primary ones, all others, and where those begin."""
    places = np.searchsorted(columns.numbers, columns.parents).astype(np.int32)
    ends = np.cumsum(columns.counts)
    begins, has = ends - columns.counts, columns.counts > 0
    primary = np.full(len(ends), NOBODY, dtype=np.int32)
    primary[has] = places[begins[has]]
    first = np.zeros(len(places), dtype=bool)
    first[begins[has]] = True
    others_begin = np.concatenate([[0], np.cumsum(np.maximum(columns.counts - 1, 0))])
    return primary, places[~first], others_begin


def _survivors(told: str | None, numbers: Numbers, *, known: bool) -> Places | None:
    """Read who survived; nobody where no row tells, but all who were scored were born then."""
    if told is None and not known:
        return None
    found = np.array(json.loads(told or "[]"), dtype=np.int64)
    return np.searchsorted(numbers, found).astype(np.int32)


def _kinds(rows: Iterable[Any], run: Run) -> dict[int, Kind]:
    """Read topologies by number; the first stands for all that differ in their graphs only.

    Of those there may be very many.
    """
    kinds, like = {}, dict[str | None, Topology | None]({None: None})
    for row in rows:
        shape, graph, source = row["shape"], row["graph"], f"{run.folder}: topology {row['number']}"
        alike = apart(shape)[0] if shape and graph is None else shape  # an old row holds both
        if alike not in like:
            like[alike] = read_topology(whole(shape, graph, source), source)
        kinds[row["number"]] = Kind(row["told"], like[alike])
    return kinds


def _toolbox(run: Run) -> list[str]:
    """List the parts of evolution that a DEAP user brought."""
    parts: list[str] = run.facts().get("toolbox", [])
    return parts
