"""Curves for TensorBoard: the figures of every generation, a file for each process of a run."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any, Self

from evo_ntm.errors import ExperimentError
from evo_ntm.runs.disk import allowed

FOLDER, FILE = "tensorboard", "events.out.tfevents"


class Curves:
    """Writes the figures of generations as TensorBoard reads them, each at once.

    TensorBoard drops what an earlier process told of the generations from the first of this one
    on. Raises RunError where the disk does not allow it.
    """

    def __init__(self, run: Path) -> None:
        needs_tensorboard()
        self._folder = run / FOLDER
        self._begun = False

    def __enter__(self) -> Self:
        from tensorboard.summary.writer.record_writer import RecordWriter

        with allowed(self._folder):
            self._folder.mkdir(exist_ok=True)
            # TensorBoard reads the files of a folder in the order of their names.
            there = [path.suffix[1:] for path in self._folder.glob(f"{FILE}.*")]
            number = 1 + max((int(name) for name in there if name.isdecimal()), default=-1)
            self._file = (self._folder / f"{FILE}.{number:06}").open("xb")
        self._writer = RecordWriter(self._file)
        self._write(file_version="brain.Event:2")
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):  # what a full disk did not take has been told of already
            self._file.close()

    def add(self, generation: int, figures: Mapping[str, float]) -> None:
        """Write the figures of a generation by their names; a/b is b in the group a."""
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary

        if not self._begun:
            self._write(step=generation, session_log=SessionLog(status=SessionLog.START))
            self._begun = True
        points = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._write(step=generation, summary=Summary(value=points))

    def _write(self, **told: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        with allowed(self._folder):
            self._writer.write(Event(wall_time=time(), **told).SerializeToString())
            self._writer.flush()


def needs_tensorboard() -> None:
    """Raise ExperimentError where TensorBoard is not installed."""
    try:
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError as error:
        raise ExperimentError(
            "run.tensorboard: expected the package tensorboard, but it cannot be imported "
            f"({error}); to install it: python -m pip install tensorboard"
        ) from error
