"""The one writer of a run: what was recorded is on disk once it is committed."""

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from sqlite3 import Connection
from types import MappingProxyType
from typing import Any, Self
from weakref import WeakKeyDictionary

from evo_ntm.genome import Genome
from evo_ntm.genome.files import genome_bytes, publish, unheard
from evo_ntm.genome.notation import topology_json
from evo_ntm.runs.checkpoints import KEPT, Tensors, Words, prune, write_checkpoint
from evo_ntm.runs.database import FACT, as_json, commit, finish, writing
from evo_ntm.runs.disk import allowed, lock
from evo_ntm.runs.lineage import Line
from evo_ntm.runs.run import CHAMPIONS, CHECKPOINTS, EXPERIMENT, ROWS, Run
from evo_ntm.runs.topologies import KEEP, NUMBER, kept
from evo_ntm.topology import Topology

AFTER = {
    "checkpoints": "generation",
    "events": "generation",
    "sittings": "generation",
    "validations": "generation",
    "genomes": "(SELECT generation FROM births WHERE number = birth)",
    "tunings": "(SELECT generation FROM births WHERE number = birth)",
    "births": "generation",
    "generations": "number",
}


class Recorder:
    """The one writer of a run. What was recorded is on disk once `commit()` returns.

    It holds the lock from the first, but changes nothing before there is something to record: a
    run that turns out not to go on is left as it was. `handle` is the lock where it is held
    already. Raises RunError where another process writes, or where the disk does not allow it; the
    run then has what was committed before.
    """

    reached: Callable[[str], None] = staticmethod(unheard)
    """Hears of every step of publishing once it is over; tests end the process there."""

    def __init__(self, run: Run, handle: int | None = None) -> None:
        self.run = run
        self._lock = lock(run.folder) if handle is None else handle
        try:
            self._keep = run.experiment.run.keep  # which says what is wrong with the file
            with allowed(run.folder):
                self._told = (run.folder / EXPERIMENT).read_text("utf-8")
            self.generation = run.generation()
        except BaseException:
            os.close(self._lock)
            raise
        self._rows: Connection | None = None
        self._line = Line(self._keep)
        # Those of machines that are alive: with NEAT there come to be a hundred in a generation.
        self._topologies: WeakKeyDictionary[Topology, int] = WeakKeyDictionary()
        self._facts: dict[str, object] = {}
        self._process: dict[str, Any] = {}
        self._events: tuple[tuple[str, str], ...] = ()
        self._beside = ThreadPoolExecutor(1)
        self._pruning: Future[None] | None = None
        self._since: int | None = None
        self._disowned: set[int] = set()  # champions that are none any more, once that is on disk
        self._committed = self._published = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Drop what was not committed, and close."""
        try:
            with allowed(self.run.folder):
                self._tidy()
        finally:
            self._beside.shutdown()
            if self._rows is not None:
                finish(self._rows)
            os.close(self._lock)

    @property
    def changed(self) -> bool:
        """Tell whether anything was recorded yet."""
        return self._rows is not None

    def sign(
        self,
        process: Mapping[str, Any],
        facts: Mapping[str, object] = MappingProxyType({}),
        events: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Say what process writes from here on; it is noted with the first that is recorded.

        So are facts, and events, by their kind and in words.
        """
        self._process, self._facts, self._events = dict(process), dict(facts), tuple(events)

    def resume(self, generation: int, alive: Mapping[int, Genome]) -> None:
        """Go on after a generation, -1 for none; with who was alive then."""
        self._since = generation
        self._line.resume(alive)

    def begin(self) -> None:
        """Open the rows to write, with what process does so."""
        with allowed(self.run.folder):
            self._begin()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Take in all that is recorded within, or, after an error or Ctrl-C, nothing of it."""
        with allowed(self.run.folder):
            rows = self._begin()
            rows.execute("SAVEPOINT whole")
            try:
                yield
                rows.execute("RELEASE whole")
            except BaseException:
                self._topologies.clear()
                if rows.in_transaction:  # a full disk has undone everything already
                    rows.execute("ROLLBACK TO whole")
                raise

    def record(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows: lists and dicts as JSON, a topology as the number under which it is kept."""
        opened = self._begin()
        met: dict[int, int] = {}
        for names, alike in groupby(rows, tuple):
            marks = ", ".join("?" for _ in names)
            values = [[self._value(value, met) for value in row.values()] for row in alike]
            opened.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", values)

    def keep(self, birth: int, genome: Genome) -> None:
        """Keep the genome of a champion, with the experiment, so that the file can sit its exam."""
        file = genome_bytes(genome, card={"experiment": self._told, "birth": str(birth)})
        publish(self.run.champion_file(birth), [file], self.reached)
        self._disowned.discard(birth)

    def bear(self, birth: int, genome: Genome, operators: Sequence[str]) -> None:
        """Keep the genome of a birth that was recorded just now, if the run keeps such."""
        self._line.bear(self._begin(), birth, genome, operators)

    def remember(self, birth: int, genome: Genome) -> None:
        """Take in the genome of a birth that was recorded by another process."""
        self._line.remember(birth, genome)

    def portray(self, generation: int, ranked: Sequence[tuple[int, Genome]]) -> None:
        """Keep the genomes of a generation's best, given by rank, if a snapshot is due."""
        self._line.portray(self._begin(), generation, ranked)

    def fact(self, name: str, value: object) -> None:
        """Note something about the run as a whole."""
        with allowed(self.run.folder):
            self._begin().execute(FACT, (name, as_json(value)))

    def commit(self, *, every: float = 0.0) -> None:
        """Put all that was recorded on disk, but no sooner after the last time than `every` s."""
        if time.monotonic() - self._committed >= every:
            with allowed(self.run.folder):
                if self._rows is not None and self._rows.in_transaction:
                    self.reached("recorded")
                    commit(self._rows)
                    self.reached("committed")
                while self._disowned:
                    self.run.champion_file(self._disowned.pop()).unlink(missing_ok=True)
            self._committed = time.monotonic()

    def publish(
        self,
        words: Words,
        tensors: Tensors,
        alive: Collection[int],
        parents: Collection[int],
    ) -> None:
        """Publish the checkpoint after a generation, and commit it with all that was recorded.

        `alive` are the births that the next generation consists of or follows from, and `parents`
        those of individuals that are not born yet.
        """
        generation, over = int(words["generation"]), bool(words["ended"])
        folder = self.run.folder
        with allowed(folder):
            rows = self._begin()
            path = self.run.checkpoint_file(generation)
            self._tidy()
            hashes = write_checkpoint(path, words, tensors, self.reached)
            with self.whole():
                self._line.settle(rows, alive, parents, over=over)
                rows.execute("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)",
                             (generation, *hashes))  # fmt: skip
                if self._keep != "all":
                    rows.execute("DELETE FROM checkpoints WHERE generation NOT IN (SELECT "
                                 "generation FROM checkpoints ORDER BY generation DESC LIMIT ?)",
                                 (KEPT,))  # fmt: skip
            self.commit()
            ring = rows.execute("SELECT generation FROM checkpoints").fetchall()
            kept = {generation for (generation,) in ring}
            self._pruning = self._beside.submit(prune, folder / CHECKPOINTS, kept)
        self._published = time.monotonic()

    def due(self, generation: int, every: float) -> bool:
        """Tell whether a checkpoint may be published, as none was in the last `every` seconds.

        One that was on disk before the process was killed is published again.
        """
        waited = time.monotonic() - self._published >= every
        return waited or self.run.checkpoint_file(generation).exists()

    def forget(self, generation: int) -> None:
        """Drop what was recorded from a generation on, for it no longer comes out as it did."""
        with self.whole():
            rows = self._begin()
            born = "SELECT birth FROM validations WHERE champion AND generation >= ?"
            champions = [row[0] for row in rows.execute(born, (generation,))]
            for table, when in AFTER.items():
                rows.execute(f"DELETE FROM {table} WHERE {when} >= ?", (generation,))
        self._disowned.update(champions)
        self.generation = generation - 1

    def _tidy(self) -> None:
        """Wait until the files that left the ring are gone: a large one takes its time."""
        if self._pruning is not None:
            pruning, self._pruning = self._pruning, None
            pruning.result()
            self.reached("pruned")

    def _begin(self) -> Connection:
        if self._rows is None:
            self._rows = self._opened()
        if not self._rows.in_transaction:
            self._rows.execute("BEGIN IMMEDIATE")
        return self._rows

    def _opened(self) -> Connection:
        """Open the rows, and put away what is of no use any more."""
        folder = self.run.folder
        for name in (CHAMPIONS, CHECKPOINTS):  # version 1 had none of the latter
            (folder / name).mkdir(exist_ok=True)
        for name in (".", CHAMPIONS, CHECKPOINTS):
            for part in (folder / name).glob(".*.part"):
                part.unlink()  # of a process that was killed
        rows = writing(folder / ROWS)
        try:
            rows.execute("BEGIN IMMEDIATE")
            rows.executemany(FACT, [(name, as_json(told)) for name, told in self._facts.items()])
            if self._process:
                now = datetime.now(UTC).isoformat(timespec="seconds")
                rows.execute("INSERT INTO processes (started, generation, told) VALUES (?, ?, ?)",
                             (now, self.generation + 1, as_json(self._process)))  # fmt: skip
            rows.executemany("INSERT INTO events VALUES (?, ?, ?)",
                             [(self.generation, *event) for event in self._events])  # fmt: skip
            if self._since is not None:
                self._go_back(rows, self._since)
            commit(rows)
        except BaseException:
            finish(rows)
            raise
        return rows

    def _go_back(self, rows: Connection, generation: int) -> None:
        """Drop the checkpoints that were too torn to go on from: they are missed no more."""
        question = "SELECT generation FROM checkpoints WHERE generation > ?"
        for (torn,) in rows.execute(question, (generation,)).fetchall():
            self.run.checkpoint_file(torn).unlink(missing_ok=True)
        rows.execute("DELETE FROM checkpoints WHERE generation > ?", (generation,))

    def _value(self, value: Any, met: dict[int, int]) -> Any:
        """Give a value as the rows hold it; `met` are the topologies so far, by identity."""
        if isinstance(value, Topology):  # of which it takes long to tell whether they are alike
            if id(value) not in met:
                met[id(value)] = self._interned(value)
            return met[id(value)]
        return as_json(value) if isinstance(value, list | dict) else value

    def _interned(self, topology: Topology) -> int:
        if topology not in self._topologies:
            rows, row = self._begin(), kept(str(topology), topology_json(topology))
            rows.execute(KEEP, row)
            self._topologies[topology] = rows.execute(NUMBER, (row.hash,)).fetchone()[0]
        return self._topologies[topology]
