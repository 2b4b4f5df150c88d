"""The rows of a run: one SQLite file, opened to be read by anyone or written by one process.

While a run is written its latest rows are in a file beside it, `run.sqlite-wal`; a run that is
closed is one file again. The fact `open` tells the two apart: it is in `run.sqlite` itself for as
long as that file is not the whole, so that half a copy can be refused. After a kill any program
that reads the rows may make them one file without a word: so a number in a file beside them,
`run.sqlite-commits`, tells how many commits have to be there.
"""

import json
import math
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from evo_ntm.errors import RunError
from evo_ntm.runs.migrations import SEEN_AS_PRESENT, VERSION, migrate, version_of

APPLICATION = 0x45564F4E
OPEN = "SELECT value FROM facts WHERE name = 'open'"
COMMITS = "SELECT value FROM facts WHERE name = 'commits'"
FORGET = "DELETE FROM facts WHERE name = 'commits'"  # for one that is whole needs no number
ATTEMPTS, MOMENT = 50, 0.02
DIGITS = 20
FACT = "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"

_JSON = json.JSONEncoder(allow_nan=False)


def make_rows(path: Path, facts: Mapping[str, object] = MappingProxyType({})) -> None:
    """Make a file of rows with nothing in it but facts."""
    with closing(sqlite3.connect(path)) as rows:
        rows.executescript(files("evo_ntm.runs").joinpath("schema.sql").read_text("utf-8"))
        rows.executemany(FACT, [(name, as_json(value)) for name, value in facts.items()])
        rows.commit()


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open rows to read, those of an older version as the present one has them.

    Raises RunError where they are not the rows of a run, half of them, or of a newer version.
    """
    _refuse_half(path)
    with closing(_opened(path)) as rows:
        rows.row_factory = sqlite3.Row
        version = version_of(rows)
        if version in SEEN_AS_PRESENT:
            rows.execute(SEEN_AS_PRESENT[version])
        if version == VERSION or version in SEEN_AS_PRESENT:
            yield rows
            return
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            rows.backup(copy)
            migrate(copy)
            copy.row_factory = sqlite3.Row
            copy.execute("PRAGMA query_only = ON")
            yield copy


def writing(path: Path) -> sqlite3.Connection:
    """Open rows to write, and bring those of an older version up to the present one.

    Raises RunError as `reading` does.
    """
    with reading(path):
        pass
    rows = sqlite3.connect(path, isolation_level=None)
    try:
        rows.execute("PRAGMA synchronous = FULL")
        # Before anything else: what a killed process leaves in a log, readers pass over, but what
        # it leaves half written in the file itself, only a writer could undo.
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute(FACT, ("open", "true"))
        rows.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        _note(path, _commits(rows))
        migrate(rows)
        rows.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        rows.close()
        raise
    return rows


def commit(rows: sqlite3.Connection) -> None:
    """Commit, and note beside the rows that it was done."""
    commits = _commits(rows) + 1
    rows.execute(FACT, ("commits", str(commits)))
    rows.execute("COMMIT")
    _note(_path(rows), commits)


def finish(rows: sqlite3.Connection) -> None:
    """Drop what was not committed, and make one file of the rows again where the disk allows it."""
    path = _path(rows)
    with closing(rows), suppress(sqlite3.Error):
        if rows.in_transaction:
            rows.execute("ROLLBACK")
        rows.execute(FACT, ("open", "false"))
        rows.execute(FORGET)
        for _ in range(ATTEMPTS):  # somebody may be reading
            with suppress(sqlite3.OperationalError):
                rows.execute("PRAGMA journal_mode = DELETE")
                with suppress(OSError):  # rows that are closed are held against no number
                    _noted(path).unlink(missing_ok=True)
                return
            time.sleep(MOMENT)
    _close(path)


def _close(path: Path) -> None:
    """Say of rows that they are one file where there was no room to say so before.

    The last to close them puts their log in its place. That is room enough: nothing grows here.
    """
    with suppress(sqlite3.Error, OSError):
        if _log(path):
            return
        with closing(sqlite3.connect(path, isolation_level=None)) as rows:
            if _is_open(rows):
                rows.execute("PRAGMA journal_mode = MEMORY")
                rows.execute(FACT, ("open", "false"))
                rows.execute(FORGET)
        _noted(path).unlink(missing_ok=True)


def as_json(value: object) -> str:
    """Write a value as the rows hold it: null where a number is not finite."""
    try:
        return _JSON.encode(value)
    except ValueError:
        return _JSON.encode(finite(value))


def finite(value: object) -> object:
    """Say None where a number is not finite, as JSON has none of those."""
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _opened(path: Path) -> sqlite3.Connection:
    """Open read-only; where SQLite may not even make its index beside the file, as it lies."""
    rows = _connected(path)
    try:
        _refuse_strangers(rows, path)
    except sqlite3.OperationalError:
        rows.close()
        if _log(path):
            raise
        rows = _connected(path, "&immutable=1")
        _refuse_strangers(rows, path)
    return rows


def _connected(path: Path, how: str = "") -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode=ro{how}"
    return sqlite3.connect(address, uri=True, isolation_level=None)


def _refuse_strangers(rows: sqlite3.Connection, path: Path) -> None:
    application = rows.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION:
        if not application and not rows.execute("SELECT 1 FROM sqlite_schema").fetchall():
            raise RunError(f"{path}: expected the rows of a run, but it is empty: half a copy, "
                           f"without {path.name}-wal, or a run that never began")  # fmt: skip
        raise RunError(f"{path}: expected the rows of a run, but it is somebody else's database")
    if version_of(rows) > VERSION:
        raise RunError(f"{path}: expected version {VERSION} or older, but it was written by a "
                       f"newer one, version {version_of(rows)}")  # fmt: skip


def _refuse_half(path: Path) -> None:
    """Refuse rows whose last part is missing; look twice, for a writer may just have begun.

    They are read as they lie, for SQLite would put an empty log in the place of the missing one.
    """
    if _log(path):
        return
    with closing(_connected(path, "&immutable=1")) as rows:
        _refuse_strangers(rows, path)
        half = _is_open(rows) and _commits(rows) < _least_commits(path)
    if half and not _log(path):
        raise RunError(f"{path}: expected {path.name}-wal beside it, which holds its latest rows, "
                       "but it is missing: this is half a copy of a run")  # fmt: skip


def _is_open(rows: sqlite3.Connection) -> bool:
    found = rows.execute(OPEN).fetchone()
    return found is not None and bool(json.loads(found[0]))


def _commits(rows: sqlite3.Connection) -> int:
    found = rows.execute(COMMITS).fetchone()
    return 0 if found is None else int(found[0])


def _least_commits(path: Path) -> float:
    """Tell how many commits the rows have at least; more than any where nothing tells."""
    try:
        return int(_noted(path).read_text("ascii"))
    except (OSError, ValueError):
        return math.inf


def _note(path: Path, commits: int) -> None:
    """Note how many commits there are; where the disk is full, fewer are known of.

    In one go and over what was there, so that whoever is killed leaves the one number or the other.
    """
    with suppress(OSError):
        handle = os.open(_noted(path), os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            os.write(handle, f"{commits:{DIGITS}}".encode())
        finally:
            os.close(handle)


def _noted(path: Path) -> Path:
    return path.with_name(f"{path.name}-commits")


def _path(rows: sqlite3.Connection) -> Path:
    return Path(rows.execute("PRAGMA database_list").fetchone()[2])


def _log(path: Path) -> bool:
    """Tell whether the file with the latest rows is there."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
