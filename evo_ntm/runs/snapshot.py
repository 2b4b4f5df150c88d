"""A run as it was at one moment, while another process may go on writing it."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from evo_ntm.runs.database import reading
from evo_ntm.runs.run import ROWS, Run, in_words


@dataclass(frozen=True)
class Snapshot(Run):
    """A run whose rows are all of one moment, and are read by one connection."""

    opened: sqlite3.Connection

    @contextmanager
    def asked(self) -> Iterator[sqlite3.Connection]:
        """Give the one connection. Raises RunError."""
        with in_words(self.folder / ROWS):
            yield self.opened


@contextmanager
def snapshot(run: Run) -> Iterator[Snapshot]:
    """Hold the rows of a run as they are now. Raises RunError.

    The writer goes on, but what it writes meanwhile stays in the log beside the rows: hold them no
    longer than it takes to read.
    """
    path = run.folder / ROWS
    with ExitStack() as stack:
        with in_words(path):
            opened = stack.enter_context(reading(path))
            opened.execute("BEGIN")
            opened.execute("SELECT 1 FROM facts").fetchall()  # which is when the moment is
        yield Snapshot(run.folder, opened)
