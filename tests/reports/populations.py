"""Runs made up of births alone: populations that select, breed and die, written as rows."""

import json
from collections import Counter
from contextlib import contextmanager
from itertools import count

import numpy as np

from evo_ntm.experiment import parse
from evo_ntm.genome.notation import topology_json
from evo_ntm.runs.database import as_json, finish, writing
from evo_ntm.runs.run import ROWS, Run
from evo_ntm.runs.store import create
from evo_ntm.runs.topologies import kept as kept_topology
from evo_ntm.seeds import derive
from tests.evolution.cases import tiny, told

TOPOLOGIES = [tiny(heads=heads).topology for heads in range(6)]
PERTURB, CROSS, ADD = ["perturb"], ["cross", "perturb"], ["add_reader"]
BIRTHS = "INSERT INTO births VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
GENERATIONS = "INSERT INTO generations VALUES (?, 8, 0, ?, 100, 0, 1, ?, ?, ?)"


@contextmanager
def _rows(folder, experiment):
    """Make a run, and open its rows, which hold the topologies, for one transaction."""
    with create(folder, experiment):
        pass
    rows = writing(folder / ROWS)
    try:
        rows.execute("BEGIN")
        rows.executemany("INSERT INTO topologies VALUES (?, ?, ?, ?, ?)", [
            (number, *kept_topology(str(topology), topology_json(topology)))
            for number, topology in enumerate(TOPOLOGIES, start=1)
        ])  # fmt: skip
        yield rows
        rows.execute("COMMIT")
    finally:
        finish(rows)


def made(folder, births, *, survivors=None, scored=None, strategy="genetic", events=(),
         stages=None, tuned=()):  # fmt: skip
    """Make a run of births given as (generation, parents, operators, topology, fitness).

    They are numbered from 1. By generation: survivors, which are unknown where none are given, how
    many were scored, and stages from there on. `tuned` are numbers.
    """
    born = Counter(birth[0] for birth in births)
    with _rows(folder, parse(told(strategy))) as rows:
        rows.executemany(BIRTHS, (
            (number, generation, json.dumps(parents), json.dumps(operators), f"{number:032x}",
             topology + 1, fitness, as_json({"bits": -fitness, "wrong_bits": 0.5}))
            for number, (generation, parents, operators, topology, fitness)
            in enumerate(births, start=1)
        ))  # fmt: skip
        for number in range(max(born) + 1):
            kept = (survivors or {}).get(number, [])
            count = (scored or {}).get(number, len(kept) + born[number])
            known = None if survivors is None else json.dumps(kept)
            rows.execute(GENERATIONS, (number, count, '{"best": -1.0}', float(number), known))
        for number, stage in (stages or {}).items():
            rows.execute("UPDATE generations SET stage = ? WHERE number >= ?", (stage, number))
        rows.executemany("INSERT INTO events VALUES (?, ?, ?)", events)
        rows.executemany("INSERT INTO tunings VALUES (?, 10, 320, 1.5, '{}', '[]')",
                         [(number,) for number in tuned])  # fmt: skip
    return Run(folder)


def evolved(folder, *, seed=1, size=16, generations=20, elites=2, tournament=2, crossover=0.0,
            growth=0.002, founded=(0,)):  # fmt: skip
    """Make a run whose fitness is inherited with noise; it is founded anew where that is asked."""
    with _rows(folder, parse(told("genetic"))) as rows:
        drawn, shares = derive(seed, "population"), (crossover, growth)
        turns = _turns(drawn, size, elites, tournament, shares, {*founded})
        for (generation, survivors, births), _ in zip(turns, range(generations), strict=False):
            rows.executemany(BIRTHS, births)
            statistics = json.dumps({"worst": -9.0, "median": -5.0, "best": -1.0, "sigma": 0.1})
            alive = json.dumps(sorted(map(int, survivors)))
            rows.execute(GENERATIONS, (generation, size, statistics, 1.0 * generation, alive))
        last = rows.execute("SELECT max(number), max(generation) FROM births").fetchone()
        rows.execute("INSERT INTO validations VALUES (?2, ?1, 1.0, 1.0, 1)", last)
    return Run(folder)


def _turns(drawn, size, elites, tournament, shares, founded):
    """Give generations without end: number, survivors, and births as rows."""
    numbers, topologies, fitness = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    born = 0
    for generation in count():
        if generation in founded:
            kept, room = np.zeros(0, np.int64), size
            told = [([], ["found"])] * room
            inherited, topology = drawn.normal(room).astype(float), np.zeros(room, np.int64)
        else:
            kept, room = np.argsort(-fitness, kind="stable")[:elites], size - elites
            rivals = drawn.integers(0, size, (room, tournament))
            parent = rivals[np.arange(room), fitness[rivals].argmax(axis=1)]
            other = drawn.integers(0, size, room)
            crossed, grown = drawn.random((2, room)) < np.array(shares)[:, None]
            inherited = fitness[parent] + 0.1 * drawn.normal(room)
            topology = (topologies[parent] + grown) % len(TOPOLOGIES)
            told = [
                ([one, two], CROSS) if both and one != two else ([one], ADD if more else PERTURB)
                for one, two, both, more in zip(numbers[parent].tolist(), numbers[other].tolist(),
                                                crossed, grown, strict=True)
            ]  # fmt: skip
        new = np.arange(born + 1, born + room + 1)
        born += room
        yield generation, numbers[kept], [
            (number, generation, json.dumps(parents), json.dumps(operators), f"{number:032x}",
             kind + 1, value, f'{{"bits": {value:.6f}, "wrong_bits": 0.375}}')
            for number, (parents, operators), kind, value
            in zip(new.tolist(), told, topology.tolist(), inherited.tolist(), strict=True)
        ]  # fmt: skip
        numbers = np.concatenate([numbers[kept], new])
        fitness = np.concatenate([fitness[kept], inherited])
        topologies = np.concatenate([topologies[kept], topology])
