"""What took long to measure, in one file of JSON beside a report.

    {"format": "evo_ntm scores", "version": 1, "task": "3b5d…", "results":
        {"64 episodes on 128 rows, …": {"9f86…": …}}}

Results go by what was measured and the id of the genome; all are of one task, named by its hash. A
file that is torn, of another task or of another version is as none, and is written anew. What is
read back is what was put there, to the last bit.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from evo_ntm.paths import no_file
from evo_ntm.reports.documents import write_document
from evo_ntm.runs.database import as_json

FORMAT, VERSION = "evo_ntm scores", 1

Results = dict[str, dict[str, Any]]
T = TypeVar("T")


class Sidecar:
    """Results by purpose and genome, as JSON takes them; `path` None keeps them in memory only.

    A purpose tells all that a result depends on but for the genome and the task.
    """

    def __init__(self, path: Path | None, task_hash: str) -> None:
        self.path, self._task = path, task_hash
        self._results: Results = {} if path is None else _read(path, task_hash)
        self._changed = False

    def find(self, purpose: str, genome: str) -> Any | None:
        """Give what was measured of a genome, None where nothing was."""
        return self._results.get(purpose, {}).get(genome)

    def keep(self, purpose: str, genome: str, result: object) -> None:
        """Take in what was measured of a genome."""
        self._results.setdefault(purpose, {})[genome] = result
        self._changed = True

    def recall(
        self, purpose: str, genome: str, measure: Callable[[], object], read: Callable[[Any], T]
    ) -> T:
        """Give what was measured of a genome, as `read` makes it of JSON; measure it where needed.

        What does not make one, from whomever it is, is measured anew.
        """
        found = self.find(purpose, genome)
        if found is not None:
            try:
                return read(found)
            except (KeyError, TypeError, ValueError, AttributeError):
                pass
        self.keep(purpose, genome, json.loads(as_json(measure())))
        return read(self.find(purpose, genome))

    def save(self) -> None:
        """Write the file where anything is new, whole or not at all. Raises ReportError."""
        if self.path is None or not self._changed:
            return
        told = {"format": FORMAT, "version": VERSION, "task": self._task}
        ordered = {name: dict(sorted(self._results[name].items())) for name in
                   sorted(self._results)}  # fmt: skip
        write_document(self.path, as_json({**told, "results": ordered}))
        self._changed = False


def _read(path: Path, task_hash: str) -> Results:
    """Read the results of a file, none where it is not one of this task and version."""
    expected = {"format": FORMAT, "version": VERSION, "task": task_hash}
    try:
        if no_file(path) is not None:
            return {}
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(told, dict) or any(told.get(key) != expected[key] for key in expected):
        return {}
    results = told.get("results")
    if not isinstance(results, dict):
        return {}
    return {name: each for name, each in results.items() if isinstance(each, dict)}
