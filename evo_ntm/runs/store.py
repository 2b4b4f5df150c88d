"""A run: a folder with the experiment as resolved, its rows, its champions and checkpoints.

    runs/copy-1/experiment.yaml        the experiment, every default written out
    runs/copy-1/run.sqlite             births, generations, validations, sittings, events
    runs/copy-1/champions/812.safetensors   the genome of every champion, by its birth
    runs/copy-1/checkpoints/0000560.safetensors   where to resume: the last two, by generation

One process writes, and holds a lock on the folder; readers open read-only.
"""

import os
import shutil
from pathlib import Path

from evo_ntm.errors import RunError
from evo_ntm.experiment import Experiment, dump
from evo_ntm.runs.database import make_rows
from evo_ntm.runs.disk import allowed, lock
from evo_ntm.runs.recorder import Recorder
from evo_ntm.runs.run import CHAMPIONS, CHECKPOINTS, EXPERIMENT, ROWS, Run

__all__ = [
    "Recorder", "Run", "create", "free_folder", "is_written", "open_run", "refuse_existing",
    "refuse_written",
]  # fmt: skip


def create(folder: Path | None, experiment: Experiment) -> Recorder:
    """Make a run folder, whole or not at all; the next free one in `runs` where none is named.

    Raises RunError where there is something already.
    """
    folder = _next(experiment.name) if folder is None else _made(folder)
    try:
        with allowed(folder):
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
    for name in (CHAMPIONS, CHECKPOINTS):
        (folder / name).mkdir()
    (folder / EXPERIMENT).write_text(dump(experiment), encoding="utf-8")
    make_rows(folder / ROWS)
    recorder = Recorder(Run(folder))
    try:
        recorder.fact("task_hash", experiment.task_hash)
        recorder.fact("config_hash", experiment.config_hash)
        recorder.fact("interrupted", True)  # until it has ended
        recorder.commit()
    except BaseException:
        recorder.__exit__()
        raise
    return recorder


def refuse_existing(folder: Path) -> None:
    """Raise RunError where there is something already."""
    if _is_there(folder):
        raise RunError(
            f"{folder}: expected no such folder yet, but it is there already; choose another "
            f"--to, or go on with a run that was interrupted: evo-ntm resume {folder}"
        )


def refuse_written(folder: Path) -> None:
    """Raise RunError where another process is still writing a run."""
    os.close(lock(folder))


def is_written(folder: Path) -> bool:
    """Tell whether another process is writing a run right now."""
    try:
        refuse_written(folder)
    except RunError:
        return True
    return False


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
