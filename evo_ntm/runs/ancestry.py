"""Who descends from whom: questions about the births of a run, asked of its rows.

A birth counts among its own ancestors. Parents are born before their children and have lower
numbers. Lines may be long: nothing here calls itself.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from evo_ntm.errors import RunError
from evo_ntm.runs.run import Run

# From some births back to their founders, by their primary parents.
LINE = """
WITH RECURSIVE line(number) AS (
    SELECT value FROM json_each(?)
    UNION
    SELECT json_extract(parents, '$[0]') FROM births JOIN line USING (number) WHERE parents <> '[]'
)
"""
# From a birth back to all founders, by all parents.
ANCESTORS = """
WITH RECURSIVE line(number) AS (
    SELECT value FROM json_each(?)
    UNION
    SELECT value FROM births JOIN line USING (number), json_each(parents)
)
"""
STEPS = """
SELECT births.number, generation, operators, parents, fitness, told AS topology FROM line
JOIN births USING (number) JOIN topologies ON births.topology = topologies.number
ORDER BY births.number
"""
PRIMARY = "SELECT number, json_extract(parents, '$[0]') FROM births JOIN line USING (number)"
KNOWN = "SELECT number FROM births WHERE number IN (SELECT value FROM json_each(?))"
LATER = "SELECT number, parents FROM births WHERE number >= ? ORDER BY number"
CHILDREN = """
SELECT json_extract(parents, '$[0]') AS parent, count(*) FROM births WHERE parents <> '[]'
GROUP BY parent ORDER BY parent
"""


@dataclass(frozen=True)
class Step:
    """One birth of a line: who made it of whom, and how fit it was on its generation's episodes.

    `topology` is told in words.
    """

    number: int
    generation: int
    operators: tuple[str, ...]
    parents: tuple[int, ...]
    fitness: float
    topology: str


def trunk(run: Run, birth: int) -> list[Step]:
    """List the line of primary parents from a founder to a birth. Raises RunError."""
    return _steps(run, LINE, birth)


def ancestors(run: Run, birth: int) -> list[Step]:
    """List a birth and all its ancestors, through all parents, by number. Raises RunError."""
    return _steps(run, ANCESTORS, birth)


def descendants(run: Run, birth: int) -> list[int]:
    """List a birth and all its descendants, through all parents, by number. Raises RunError."""
    _require(run, [birth])
    found = {birth}
    with run.asked() as rows:
        for number, parents in rows.execute(LATER, (birth,)):
            if not found.isdisjoint(json.loads(parents)):
                found.add(number)
    return sorted(found)


def common_ancestor(run: Run, births: Sequence[int]) -> int | None:
    """Find the most recent birth that several births descend from by primary parents.

    None where they descend from different founders. Raises RunError.
    """
    _require(run, births)
    primary = dict(map(tuple, run.rows(LINE + PRIMARY, json.dumps(births))))
    apart = {*births}
    while len(apart) > 1:
        youngest = max(apart)  # which is no ancestor of the others
        apart.remove(youngest)
        if primary[youngest] is None:
            return None
        apart.add(primary[youngest])
    return apart.pop()


def children(run: Run) -> dict[int, int]:
    """Count the children of every birth that has any, as their primary parent."""
    return dict(map(tuple, run.rows(CHILDREN)))


def _steps(run: Run, line: str, birth: int) -> list[Step]:
    _require(run, [birth])
    return [
        Step(row["number"], row["generation"], tuple(json.loads(row["operators"])),
             tuple(json.loads(row["parents"])), row["fitness"], row["topology"])
        for row in run.rows(line + STEPS, json.dumps([birth]))
    ]  # fmt: skip


def _require(run: Run, births: Sequence[int]) -> None:
    """Raise RunError where there is none, or one of them is not there."""
    there = {row["number"] for row in run.rows(KNOWN, json.dumps(births))}
    for birth in births:
        if birth not in there:
            raise RunError(f"{run.folder}: expected the number of a birth, but there is no {birth}")
    if not there:
        raise RunError(f"{run.folder}: expected the numbers of births, but came none")
