"""The line from a founder to a birth, with all that the rows of a run know of it."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evo_ntm.errors import ReportError
from evo_ntm.genome import Genome
from evo_ntm.genome.notation import read_topology
from evo_ntm.runs.ancestry import trunk
from evo_ntm.runs.run import Run
from evo_ntm.runs.topologies import whole
from evo_ntm.topology import Topology

BIRTHS = """
SELECT number, generation, operators, parents, fitness, genome, topology FROM births
WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number
"""
TOPOLOGIES = """
SELECT number, told, shape, graph FROM topologies WHERE number IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True)
class Birth:
    """One birth of a line. Its `genome` is None where it was not kept, and known by its `id`."""

    number: int
    generation: int
    operators: tuple[str, ...]
    parents: tuple[int, ...]
    fitness: float
    topology: Topology
    id: str
    genome: Genome | None


def read_line(run: Run, birth: int) -> tuple[Birth, ...]:
    """Read the line of primary parents from a founder to a birth.

    Raises RunError where there is no such birth, ReportError where nobody knows what a machine of
    the line was made of, GenomeError where a genome is not what it was.
    """
    return read_births(run, [step.number for step in trunk(run, birth)])


def read_births(run: Run, numbers: Sequence[int]) -> tuple[Birth, ...]:
    """Read births, in the order of their numbers. Raises as `read_line` does."""
    rows = run.rows(BIRTHS, json.dumps(numbers))
    genomes = run.genomes(numbers)
    topologies = _topologies(run, {row["topology"] for row in rows}, genomes.values())
    return tuple(
        Birth(row["number"], row["generation"], tuple(json.loads(row["operators"])),
              tuple(json.loads(row["parents"])), row["fitness"], topologies[row["topology"]],
              row["genome"], genomes.get(row["number"]))
        for row in rows
    )  # fmt: skip


def commonest(line: Sequence[Birth]) -> tuple[str, ...]:
    """Give the operators that most births of a line were made by, of equals the first."""
    counted = Counter(birth.operators for birth in line if birth.parents)
    return counted.most_common(1)[0][0] if counted else ()


def _topologies(run: Run, used: set[int], genomes: Iterable[Genome]) -> dict[int, Topology]:
    """Read topologies by their numbers.

    Version 1 of the rows had them in words only: there they are those of the genomes that were
    kept, where these read alike.
    """
    told: dict[str, Topology] = {}
    for genome in genomes:
        told.setdefault(str(genome.topology), genome.topology)
    found = {}
    for row in run.rows(TOPOLOGIES, json.dumps(sorted(used))):
        if row["shape"] is not None:
            source = f"{run.folder}: topology {row['number']}"
            text = whole(row["shape"], row["graph"], source)
            found[row["number"]] = read_topology(text, source)
        elif row["told"] in told:
            found[row["number"]] = told[row["told"]]
        else:
            raise ReportError(f"{run.folder}: expected the topology of every birth, but of a "
                              f"machine of {row['told']} no more is known, as the run was begun "
                              "by an early version")  # fmt: skip
    return found
