"""Which genomes are kept beside the champions: those whose line lives on, or all."""

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Literal

from evo_ntm.genome import Genome
from evo_ntm.genome.files import genome_bytes

Keep = Literal["champions", "lineage", "all"]

# From some births back to their founders, by their primary parents.
LINE = """
WITH RECURSIVE line(number) AS (
    SELECT value FROM json_each(?)
    UNION
    SELECT json_extract(parents, '$[0]') FROM births JOIN line USING (number) WHERE parents <> '[]'
)
SELECT number FROM line
"""
PINNED = "SELECT birth FROM genomes WHERE reason = 'lineage'"


class Line:
    """Keeps genomes as they are born, until it is known whose line lives on.

    A birth is dropped at the first checkpoint at which it has no descendant by primary parents,
    and its genome goes to disk at the first at which it has, but no longer lives itself. `over`
    says that no generation follows: then those alive go to disk too.
    """

    def __init__(self, rows: sqlite3.Connection, keep: Keep) -> None:
        self._rows, self._keep = rows, keep
        self._waiting: dict[int, Genome] = {}

    def bear(self, birth: int, genome: Genome) -> None:
        """Take in a birth whose row is there."""
        if self._keep == "all":
            self._pin(birth, genome)
        if self._keep == "lineage":
            self._waiting[birth] = genome

    def settle(self, alive: Mapping[int, Genome], parents: Collection[int], *, over: bool) -> None:
        """Look who lives on: some themselves, and some in children that have no number yet."""
        if self._keep != "lineage":
            return
        told = json.dumps(sorted({*alive, *parents}))
        line = {row[0] for row in self._rows.execute(LINE, (told,))}
        waiting = {**alive, **self._waiting}
        for birth in sorted(waiting.keys() & line):
            if over or birth not in alive:
                self._pin(birth, waiting[birth])
        ended = [row for row in self._rows.execute(PINNED) if row[0] not in line]
        self._rows.executemany("DELETE FROM genomes WHERE birth = ?", ended)
        self._waiting = dict(alive)

    def resume(self, alive: Mapping[int, Genome]) -> None:
        """Take in those who were alive at a checkpoint."""
        self._waiting = dict(alive)

    def _pin(self, birth: int, genome: Genome) -> None:
        file = genome_bytes(genome, card={"birth": str(birth)})
        self._rows.execute("INSERT OR IGNORE INTO genomes VALUES (?, ?, ?)",
                           (birth, self._keep, file))  # fmt: skip
