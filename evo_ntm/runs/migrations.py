"""From older versions of the rows to the present one, a step a version, forwards only."""

import sqlite3
from collections.abc import Callable

from evo_ntm.runs.topologies import name_of

VERSION = 5

INTERN = (
    "CREATE TABLE topologies (number INTEGER PRIMARY KEY, told TEXT NOT NULL, shape TEXT UNIQUE)"
    " STRICT",
    "INSERT INTO topologies (told) SELECT DISTINCT topology FROM births ORDER BY number",
    "CREATE TABLE interned (number INTEGER PRIMARY KEY, generation INTEGER NOT NULL,"
    " parents TEXT NOT NULL, operators TEXT NOT NULL, genome TEXT NOT NULL,"
    " topology INTEGER NOT NULL REFERENCES topologies, fitness REAL NOT NULL,"
    " measures TEXT NOT NULL) STRICT",
    "INSERT INTO interned SELECT births.number, generation, parents, operators, genome,"
    " topologies.number, fitness, measures FROM births JOIN topologies ON told = topology",
    "DROP TABLE births",
    "ALTER TABLE interned RENAME TO births",
    "CREATE TABLE processes (number INTEGER PRIMARY KEY, started TEXT NOT NULL,"
    " generation INTEGER NOT NULL, told TEXT NOT NULL) STRICT",
    "CREATE TABLE checkpoints (generation INTEGER PRIMARY KEY REFERENCES generations,"
    " hash TEXT NOT NULL) STRICT",
    "CREATE TABLE genomes (birth INTEGER PRIMARY KEY REFERENCES births,"
    " reason TEXT NOT NULL CHECK (reason IN ('lineage', 'all')), file BLOB NOT NULL) STRICT",
)

GIVE_REASONS = (
    "ALTER TABLE checkpoints ADD COLUMN state TEXT",
    "CREATE TABLE reasoned (birth INTEGER PRIMARY KEY REFERENCES births, reason TEXT NOT NULL"
    " CHECK (reason IN ('lineage', 'all', 'snapshot', 'gradient')), file BLOB NOT NULL) STRICT",
    "INSERT INTO reasoned SELECT * FROM genomes",
    "DROP TABLE genomes",
    "ALTER TABLE reasoned RENAME TO genomes",
)

TUNE = (
    "ALTER TABLE generations ADD COLUMN survivors TEXT",
    "CREATE TABLE tunings (birth INTEGER PRIMARY KEY REFERENCES births, steps INTEGER NOT NULL,"
    " sequences INTEGER NOT NULL, seconds REAL NOT NULL, settings TEXT NOT NULL,"
    " curve TEXT NOT NULL) STRICT",
)

LAY_APART = (
    "CREATE TABLE apart (number INTEGER PRIMARY KEY, told TEXT NOT NULL, shape TEXT, graph BLOB,"
    " hash TEXT UNIQUE) STRICT",
    "INSERT INTO apart SELECT number, told, shape, NULL, name_of(shape) FROM topologies",
    "DROP TABLE topologies",
    "ALTER TABLE apart RENAME TO topologies",
)

SEEN_AS_PRESENT = {
    4: "CREATE TEMP VIEW topologies AS"
       " SELECT number, told, shape, NULL AS graph, NULL AS hash FROM main.topologies",
}  # fmt: skip
"""How whoever reads sees rows of an older version as the present ones, without copying them."""


def _one_to_two(rows: sqlite3.Connection) -> None:
    """Intern topologies; make room for processes, checkpoints and genomes."""
    for statement in INTERN:
        rows.execute(statement)


def _two_to_three(rows: sqlite3.Connection) -> None:
    """Know snapshots and gradients as reasons to keep a genome, and the state of a checkpoint."""
    for statement in GIVE_REASONS:
        rows.execute(statement)


def _three_to_four(rows: sqlite3.Connection) -> None:
    """Make room for survivors, and for births that were tuned after evolution."""
    for statement in TUNE:
        rows.execute(statement)


def _four_to_five(rows: sqlite3.Connection) -> None:
    """Know topologies by their hash, and make room for graphs, of which the old stay in shapes."""
    rows.create_function("name_of", 1, lambda text: None if text is None else name_of(text))
    for statement in LAY_APART:
        rows.execute(statement)


STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {
    1: _one_to_two,
    2: _two_to_three,
    3: _three_to_four,
    4: _four_to_five,
}


def version_of(rows: sqlite3.Connection) -> int:
    """Read which version the rows are."""
    version: int = rows.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(rows: sqlite3.Connection) -> None:
    """Bring rows up to the present version, all of it or nothing."""
    if version_of(rows) == VERSION:
        return
    rows.execute("PRAGMA foreign_keys = OFF")  # or a table could not be replaced
    rows.execute("BEGIN IMMEDIATE")
    try:
        for version in range(version_of(rows), VERSION):
            STEPS[version](rows)
        rows.execute(f"PRAGMA user_version = {VERSION}")
        rows.execute("COMMIT")
    except BaseException:
        rows.execute("ROLLBACK")
        raise
