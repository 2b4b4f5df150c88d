"""A run: a folder with the experiment as resolved, its rows, and its champions.

    runs/copy-1/experiment.yaml        the experiment, every default written out
    runs/copy-1/run.sqlite             births, generations, validations, sittings, events
    runs/copy-1/champions/812.safetensors   the genome of every champion, by its birth

One process writes, and holds a lock on the folder; readers open read-only.
"""

import errno
import fcntl
import json
import math
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from evo_ntm.errors import RunError
from evo_ntm.experiment import Experiment, dump, load
from evo_ntm.genome import Genome
from evo_ntm.genome.files import read_genome, write_genome

VERSION = 1
APPLICATION = 0x45564F4E
ROWS, EXPERIMENT, CHAMPIONS = "run.sqlite", "experiment.yaml", "champions"
FACTS = "SELECT name, value FROM facts"


@dataclass(frozen=True)
class Run:
    """A run folder that is there."""

    folder: Path

    @property
    def experiment(self) -> Experiment:
        """Read the experiment back, also one of somebody's own task, which need not be here."""
        return load(self.folder / EXPERIMENT, tasks=None)

    def rows(self, question: str, *values: object) -> list[sqlite3.Row]:
        """Ask the rows a question in SQL, read-only. Raises RunError."""
        path = self.folder / ROWS
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as opened:
                opened.row_factory = sqlite3.Row
                _check(opened, path)
                return opened.execute(question, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
            raise RunError(f"{path}: expected the rows of a run, but {error}") from error

    def facts(self) -> dict[str, Any]:
        """Read what is known of the run as a whole."""
        try:
            return {row["name"]: json.loads(row["value"]) for row in self.rows(FACTS)}
        except ValueError as error:
            path = self.folder / ROWS
            raise RunError(f"{path}: expected facts as JSON, but {error}") from error

    def champion(self) -> int:
        """Give the birth of the last champion. Raises RunError where there is none yet."""
        found = self.rows("SELECT birth FROM validations WHERE champion ORDER BY generation DESC")
        if not found:
            raise RunError(f"{self.folder}: expected a champion, but nobody has been validated yet")
        birth: int = found[0]["birth"]
        return birth

    def genome(self, birth: int | None = None) -> Genome:
        """Read the genome of a birth, of the champion if none is named. Raises RunError."""
        number = self.champion() if birth is None else birth
        path = self.champion_file(number)
        if path.exists():
            return read_genome(path)
        names = [found.stem for found in path.parent.glob("*.safetensors")]
        kept = sorted(int(name) for name in names if re.fullmatch("[0-9]{1,18}", name))
        born = self.rows("SELECT 1 FROM births WHERE number = ?", number)
        why = "its genome was not kept" if born else "there is no such birth"
        champions = ", ".join(map(str, kept[-8:])) or "none"
        raise RunError(f"{self.folder}: expected a birth whose genome was kept "
                       f"(champions: {champions}), but of {number} {why}")  # fmt: skip

    def champion_file(self, birth: int) -> Path:
        """Say where the genome of a champion is kept."""
        return self.folder / CHAMPIONS / f"{birth}.safetensors"


class Recorder:
    """The one writer of a run. What was recorded is on disk once `commit()` returns.

    Raises RunError where the disk does not allow it; the run then has what was committed before.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = _locked(run.folder)
        self._rows = sqlite3.connect(run.folder / ROWS)
        self._told = (run.folder / EXPERIMENT).read_text("utf-8")
        self._committed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Drop what was not committed, and close."""
        self._rows.close()
        os.close(self._lock)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Take in all that is recorded within, or, after an error or Ctrl-C, nothing of it."""
        with _writing(self.run.folder):
            if not self._rows.in_transaction:
                self._rows.execute("BEGIN")
            self._rows.execute("SAVEPOINT whole")
            try:
                yield
                self._rows.execute("RELEASE whole")
            except BaseException:
                if self._rows.in_transaction:  # a full disk has undone everything already
                    self._rows.execute("ROLLBACK TO whole")
                raise

    def record(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows, lists and dicts as JSON."""
        for row in rows:
            names = ", ".join(row)
            marks = ", ".join("?" for _ in row)
            values = [_json(v) if isinstance(v, list | dict) else v for v in row.values()]
            self._rows.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def keep(self, birth: int, genome: Genome) -> None:
        """Keep the genome of a champion, with the experiment, so that the file can sit its exam."""
        card = {"experiment": self._told, "birth": str(birth)}
        write_genome(self.run.champion_file(birth), genome, card=card)

    def fact(self, name: str, value: object) -> None:
        """Note something about the run as a whole."""
        with _writing(self.run.folder):
            told = name, _json(value)
            self._rows.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", told)

    def commit(self, *, every: float = 0.0) -> None:
        """Put all that was recorded on disk, but no sooner after the last time than `every` s."""
        if time.monotonic() - self._committed >= every:
            with _writing(self.run.folder):
                self._rows.commit()
            self._committed = time.monotonic()


def create(folder: Path | None, experiment: Experiment) -> Recorder:
    """Make a run folder, whole or not at all; the next free one in `runs` where none is named.

    Raises RunError where there is something already.
    """
    folder = _next(experiment.name) if folder is None else _made(folder)
    try:
        with _writing(folder):
            return _begun(folder, experiment)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _made(folder: Path) -> Path:
    refuse_existing(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be made: {error.strerror}") from error
    return folder


def _next(name: str) -> Path:
    """Make the next free folder, the one after that where another process was quicker."""
    while True:
        folder = free_folder(name)
        try:
            return _made(folder)
        except RunError:
            if not _is_there(folder):
                raise


def _begun(folder: Path, experiment: Experiment) -> Recorder:
    (folder / CHAMPIONS).mkdir()
    (folder / EXPERIMENT).write_text(dump(experiment), encoding="utf-8")
    with closing(sqlite3.connect(folder / ROWS)) as rows:
        rows.executescript(files("evo_ntm.runs").joinpath("schema.sql").read_text("utf-8"))
    recorder = Recorder(Run(folder))
    recorder.fact("task_hash", experiment.task_hash)
    recorder.fact("config_hash", experiment.config_hash)
    recorder.fact("interrupted", True)  # until it has ended
    recorder.commit()
    return recorder


def refuse_existing(folder: Path) -> None:
    """Raise RunError where there is something already."""
    if _is_there(folder):
        raise RunError(
            f"{folder}: expected no such folder yet, but it is there already; choose another --to "
            "(to resume a run is not possible yet)"
        )


def refuse_written(folder: Path) -> None:
    """Raise RunError where another process is still writing a run."""
    os.close(_locked(folder))


def _locked(folder: Path) -> int:
    """Lock a run folder until what is given is closed. Where there are no locks, there is none."""
    with _writing(folder):
        handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(handle)
            raise RunError(f"{folder}: is being written by another process") from error
    return handle


def _is_there(folder: Path) -> bool:
    return folder.exists() or folder.is_symlink()


def open_run(folder: Path) -> Run:
    """Open a run to read. Raises RunError where the folder holds none."""
    if not (folder / ROWS).is_file():
        raise RunError(f"{folder}: expected a run, but there is no {ROWS} in it")
    run = Run(folder)
    run.facts()
    return run


def free_folder(name: str, parent: Path = Path("runs")) -> Path:
    """Find the first of NAME-1, NAME-2 … that is not there."""
    number = 1
    while _is_there(folder := parent / f"{name}-{number}"):
        number += 1
    return folder


def _check(opened: sqlite3.Connection, path: Path) -> None:
    application = opened.execute("PRAGMA application_id").fetchone()[0]
    version = opened.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise RunError(f"{path}: expected the rows of a run, but it is somebody else's database")
    if version > VERSION:
        raise RunError(f"{path}: expected version {VERSION} or older, but it was written by a "
                       f"newer one, version {version}")  # fmt: skip


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say in one line what the disk does not allow."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RunError(f"{folder}: cannot be written: {error}") from error
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _json(value: object) -> str:
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: object) -> object:
    """Say null where a number is not finite, as JSON has none of those."""
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
