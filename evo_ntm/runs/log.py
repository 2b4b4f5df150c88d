"""What the processes of a run did and when: `log.jsonl`, a JSON object a line, only appended to.

    {"version": 1, "time": "2026-05-01T09:30:00.125Z", "level": "info", "kind": "generation", …}

It is there to be watched, and no part of a run's digest: nothing is read back from it. A process
that is killed tears at most the last line, and the next one begins on a line of its own.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from evo_ntm.runs.database import finite
from evo_ntm.runs.disk import allowed
from evo_ntm.runs.run import Run

LOG = "log.jsonl"
VERSION = 1
Level = Literal["info", "warning", "error"]


class Log:
    """The log of one process. What is told before it has a file is written once it has one."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._folder = Path()
        self._torn = False
        self._waiting: list[bytes] = []
        self._lock = Lock()

    def tell(self, kind: str, level: Level = "info", **told: Any) -> None:
        """Write a line, from any thread. Raises RunError where the disk does not allow it.

        `kind` names what happened, `told` is all else that is known of it, as JSON takes it.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"version": VERSION, "time": now, "level": level, "kind": kind, **told}
        written = json.dumps(finite(line), allow_nan=False).encode() + b"\n"
        with self._lock:
            if self._file is None:
                self._waiting.append(written)
            else:
                self._write(written)

    @contextmanager
    def within(self, folder: Path) -> Iterator[None]:
        """Write to the log of a run, whose only writer this process is. Raises as `tell` does."""
        self._folder = folder
        with allowed(folder):
            self._file = os.open(folder / LOG, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            with self._lock:
                self._torn = _is_torn(self._file)
                self._write(b"".join(self._waiting))
                self._waiting.clear()
            yield
        finally:
            os.close(self._file)
            self._file = None

    def _write(self, line: bytes) -> None:
        """Hand the whole of it to the system, which keeps it whatever happens to this process."""
        assert self._file is not None
        line = b"\n" * self._torn + line
        with allowed(self._folder):
            while line:
                self._torn = True  # until all of it is there: Ctrl-C may come in between
                line = line[os.write(self._file, line) :]
        self._torn = False


def read_log(run: Run) -> list[dict[str, Any]]:
    """Read the log of a run, oldest first, but for lines that were torn; empty where none is.

    Raises RunError where it cannot be read.
    """
    with allowed(run.folder):
        try:
            lines = (run.folder / LOG).read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
    return [told for line in lines if (told := _told(line)) is not None]


def _told(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _is_torn(file: int) -> bool:
    """Tell whether a file ends within a line."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"
