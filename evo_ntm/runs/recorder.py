"""The one writer of a run: what was recorded is on disk once it is committed."""

import json
import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from evo_ntm.errors import RunError
from evo_ntm.genome import Genome
from evo_ntm.genome.files import genome_bytes, publish, unheard
from evo_ntm.genome.notation import topology_json
from evo_ntm.runs.checkpoints import (
    KEPT,
    Tensors,
    Words,
    generations_of,
    prune,
    read_checkpoint,
    write_checkpoint,
)
from evo_ntm.runs.database import FACT, finish, writing
from evo_ntm.runs.disk import allowed, lock
from evo_ntm.runs.lineage import Line
from evo_ntm.runs.run import CHAMPIONS, CHECKPOINTS, EXPERIMENT, ROWS, Run
from evo_ntm.topology import Topology

SAME = ("number", "parents", "operators", "genome", "fitness")
AFTER = {
    "checkpoints": "generation",
    "events": "generation",
    "sittings": "generation",
    "validations": "generation",
    "genomes": "(SELECT generation FROM births WHERE number = birth)",
    "births": "generation",
    "generations": "number",
}


class Recorder:
    """The one writer of a run. What was recorded is on disk once `commit()` returns.

    Raises RunError where another process writes, or where the disk does not allow it; the run then
    has what was committed before.
    """

    reached: Callable[[str], None] = staticmethod(unheard)
    """Hears of every step of publishing once it is over; tests end the process there."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = lock(run.folder)
        try:
            with allowed(run.folder):
                self._told = (run.folder / EXPERIMENT).read_text("utf-8")
                (run.folder / CHECKPOINTS).mkdir(exist_ok=True)  # version 1 had none
                for name in (CHAMPIONS, CHECKPOINTS):
                    for part in (run.folder / name).glob(".*.part"):
                        part.unlink()  # of a process that was killed
                self._rows = writing(run.folder / ROWS)
        except BaseException:
            os.close(self._lock)
            raise
        self.generation = self.run.generation()
        self._line = Line(self._rows, run.experiment.run.keep)
        self._topologies: dict[Topology, int] = {}
        self._committed = self._published = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Drop what was not committed, and close."""
        finish(self._rows)
        os.close(self._lock)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Take in all that is recorded within, or, after an error or Ctrl-C, nothing of it."""
        with allowed(self.run.folder):
            self._begin()
            self._rows.execute("SAVEPOINT whole")
            try:
                yield
                self._rows.execute("RELEASE whole")
            except BaseException:
                self._topologies.clear()
                if self._rows.in_transaction:  # a full disk has undone everything already
                    self._rows.execute("ROLLBACK TO whole")
                raise

    def record(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows: lists and dicts as JSON, a topology as the number under which it is kept."""
        self._begin()
        for row in rows:
            names = ", ".join(row)
            marks = ", ".join("?" for _ in row)
            values = [self._value(value) for value in row.values()]
            self._rows.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def process(self, told: Mapping[str, Any]) -> None:
        """Note what process writes from here on."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with allowed(self.run.folder):
            row = {"started": now, "generation": self.generation + 1, "told": dict(told)}
            self.record("processes", [row])

    def keep(self, birth: int, genome: Genome) -> None:
        """Keep the genome of a champion, with the experiment, so that the file can sit its exam."""
        file = genome_bytes(genome, card={"experiment": self._told, "birth": str(birth)})
        publish(self.run.champion_file(birth), file, self.reached)

    def bear(self, birth: int, genome: Genome) -> None:
        """Keep the genome of a birth, if the run keeps such."""
        self._line.bear(birth, genome)

    def fact(self, name: str, value: object) -> None:
        """Note something about the run as a whole."""
        with allowed(self.run.folder):
            self._begin()
            self._rows.execute(FACT, (name, _json(value)))

    def commit(self, *, every: float = 0.0) -> None:
        """Put all that was recorded on disk, but no sooner after the last time than `every` s."""
        if time.monotonic() - self._committed >= every:
            with allowed(self.run.folder):
                if self._rows.in_transaction:
                    self.reached("recorded")
                    self._rows.execute("COMMIT")
                    self.reached("committed")
            self._committed = time.monotonic()

    def publish(
        self,
        words: Words,
        tensors: Tensors,
        alive: Mapping[int, Genome],
        parents: Collection[int],
    ) -> None:
        """Publish the checkpoint after a generation, and commit it with all that was recorded.

        `alive` are the births that the next generation consists of or follows from, and `parents`
        those of individuals that are not born yet.
        """
        generation, over = int(words["generation"]), bool(words["ended"])
        folder = self.run.folder
        with allowed(folder):
            path = self.run.checkpoint_file(generation)
            found = write_checkpoint(path, words, tensors, self.reached)
            with self.whole():
                self._line.settle(alive, parents, over=over)
                self._rows.execute("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)",
                                   (generation, found))  # fmt: skip
                self._rows.execute("DELETE FROM checkpoints WHERE generation NOT IN (SELECT "
                                   "generation FROM checkpoints ORDER BY generation DESC LIMIT ?)",
                                   (KEPT,))  # fmt: skip
            self.commit()
            prune(folder / CHECKPOINTS, [row[0] for row in self._ring()])
            self.reached("pruned")
        self._published = time.monotonic()

    def due(self, generation: int, every: float) -> bool:
        """Tell whether a checkpoint may be published, as none was in the last `every` seconds.

        One that was on disk before the process was killed is published again.
        """
        waited = time.monotonic() - self._published >= every
        return waited or self.run.checkpoint_file(generation).exists()

    def checkpoint(self, *, older: bool = False) -> tuple[Words, Tensors] | None:
        """Read the checkpoint to go on from; None where it is from the beginning.

        `older` takes the newest that is whole, and the beginning where none is. Raises RunError
        where the head is missing or torn, and where the rows are older than the checkpoints.
        """
        folder, ring = self.run.folder / CHECKPOINTS, self._ring()
        head = ring[0][0] if ring else -1
        newer = [generation for generation in generations_of(folder) if generation > head]
        if len(newer) > 1:
            told = ", ".join(map(str, newer))
            raise RunError(
                f"{self.run.folder}: expected at most one checkpoint newer than the rows, but "
                f"there are those of generations {told}: {ROWS} is an older copy than {folder.name}"
            )
        for generation, expected in ring:
            try:
                return read_checkpoint(self.run.checkpoint_file(generation), expected)
            except RunError as error:
                if not older:
                    raise RunError(f"{error}; --from-older goes back to the newest whole one, or "
                                   "to the beginning") from error  # fmt: skip
        return None

    def resume(self, alive: Mapping[int, Genome]) -> None:
        """Take in who was alive at the checkpoint."""
        self._line.resume(alive)

    def differs(self, generation: int, births: Sequence[Mapping[str, Any]]) -> str | None:
        """Tell how the births of a generation differ from those that were committed before."""
        question = f"SELECT {', '.join(SAME)} FROM births WHERE generation = ? AND number >= ?"
        first = births[0]["number"] if births else 0
        before = self._rows.execute(question, (generation, first)).fetchall()
        now = [tuple(self._value(birth[name]) for name in SAME) for birth in births]
        for was, came in zip(before, now, strict=False):
            if was != came:
                return f"birth {was[0]} was {_told(was)}, but is now {_told(came)}"
        if len(before) != len(now):
            return f"there were {len(before)} births, but now there are {len(now)}"
        return None

    def forget(self, generation: int) -> None:
        """Drop what was recorded from a generation on, for it no longer comes out as it did."""
        with self.whole():
            born = "SELECT birth FROM validations WHERE champion AND generation >= ?"
            champions = [row[0] for row in self._rows.execute(born, (generation,))]
            for table, when in AFTER.items():
                self._rows.execute(f"DELETE FROM {table} WHERE {when} >= ?", (generation,))
            for birth in champions:
                self.run.champion_file(birth).unlink(missing_ok=True)
        self.generation = generation - 1

    def _ring(self) -> list[tuple[int, str]]:
        """List the checkpoints that are kept with their hashes, the newest first."""
        question = "SELECT generation, hash FROM checkpoints ORDER BY generation DESC"
        return self._rows.execute(question).fetchall()

    def _begin(self) -> None:
        if not self._rows.in_transaction:
            self._rows.execute("BEGIN IMMEDIATE")

    def _value(self, value: Any) -> Any:
        if isinstance(value, Topology):
            return self._interned(value)
        return _json(value) if isinstance(value, list | dict) else value

    def _interned(self, topology: Topology) -> int:
        if topology not in self._topologies:
            told = str(topology), topology_json(topology)
            self._rows.execute("INSERT OR IGNORE INTO topologies (told, shape) VALUES (?, ?)", told)
            found = "SELECT number FROM topologies WHERE shape = ?"
            self._topologies[topology] = self._rows.execute(found, told[1:]).fetchone()[0]
        return self._topologies[topology]


def _told(birth: Sequence[Any]) -> str:
    _, parents, operators, genome, fitness = birth
    return f"{operators} of {parents}, genome {genome}, fitness {fitness!r}"


def _json(value: object) -> str:
    return json.dumps(finite(value), allow_nan=False)


def finite(value: object) -> object:
    """Say None where a number is not finite, as JSON has none of those."""
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
