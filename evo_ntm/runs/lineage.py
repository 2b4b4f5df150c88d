"""Which genomes are kept beside the champions: those whose line lives on, or more."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from evo_ntm.genome import Genome
from evo_ntm.genome.files import genome_bytes
from evo_ntm.runs.ancestry import LINE

Keep = Literal["champions", "lineage", "all"]
Reason = Literal["lineage", "all", "snapshot", "gradient"]

# Operators that follow a gradient of the weights: no seed tells again what they did. An evolution
# strategy's `follow_gradient` is none of them, for its samples tell it.
GRADIENT = frozenset({"finetune"})
SNAPSHOT_EVERY, SNAPSHOT_OF = 50, 16  # generations, and the best individuals of one

NUMBERS = f"{LINE} SELECT number FROM line"
PINNED = "SELECT birth FROM genomes WHERE reason = 'lineage'"
# A line may end, so this is the one reason that gives way to another.
PIN = """
INSERT INTO genomes VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET reason = excluded.reason WHERE reason = 'lineage'
"""


class Line:
    """Keeps genomes as they are born, until it is known whose line lives on.

    A birth is dropped at the first checkpoint at which it has no descendant by primary parents,
    and its genome goes to disk at the first at which it has, but no longer lives itself. `over`
    says that no generation follows: then those alive go to disk too. What a gradient touched goes
    to disk at once, whatever is to be kept, and unless it is champions only, so do snapshots.
    """

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._waiting: dict[int, Genome] = {}

    def bear(
        self, rows: sqlite3.Connection, birth: int, genome: Genome, operators: Sequence[str]
    ) -> None:
        """Take in a birth whose row was made in this process."""
        if not GRADIENT.isdisjoint(operators):
            _pin(rows, birth, genome, "gradient")
        elif self._keep == "all":
            _pin(rows, birth, genome, "all")
        self.remember(birth, genome)

    def remember(self, birth: int, genome: Genome) -> None:
        """Take in a birth whose row was there before."""
        if self._keep == "lineage":
            self._waiting[birth] = genome

    def portray(
        self, rows: sqlite3.Connection, generation: int, ranked: Sequence[tuple[int, Genome]]
    ) -> None:
        """Keep the first of those who are ranked in a generation, if it is time for a snapshot."""
        if self._keep == "lineage" and (generation + 1) % SNAPSHOT_EVERY == 0:
            for birth, genome in ranked[:SNAPSHOT_OF]:
                _pin(rows, birth, genome, "snapshot")

    def settle(
        self,
        rows: sqlite3.Connection,
        alive: Collection[int],
        parents: Collection[int],
        *,
        over: bool,
    ) -> None:
        """Look who lives on: some themselves, and some in children that have no number yet."""
        if self._keep != "lineage":
            return
        told = json.dumps(sorted({*alive, *parents}))
        line = {row[0] for row in rows.execute(NUMBERS, (told,))}
        for birth in sorted(self._waiting.keys() & line):
            if over or birth not in alive:
                _pin(rows, birth, self._waiting[birth], "lineage")
        ended = [row for row in rows.execute(PINNED) if row[0] not in line]
        rows.executemany("DELETE FROM genomes WHERE birth = ?", ended)
        self._waiting = {birth: self._waiting[birth] for birth in alive}

    def resume(self, alive: Mapping[int, Genome]) -> None:
        """Take in those who were alive at a checkpoint."""
        self._waiting = dict(alive)


def _pin(rows: sqlite3.Connection, birth: int, genome: Genome, reason: Reason) -> None:
    rows.execute(PIN, (birth, reason, genome_bytes(genome, card={"birth": str(birth)})))
