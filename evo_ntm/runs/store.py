"""A run: a folder with the experiment as resolved, its rows, its champions and checkpoints.

    runs/copy-1/experiment.yaml        the experiment, every default written out
    runs/copy-1/run.sqlite             births, generations, validations, sittings, events
    runs/copy-1/champions/812.safetensors   the genome of every champion, by its birth
    runs/copy-1/checkpoints/0000560.safetensors   where to resume: the last two, by generation
    runs/copy-1/log.jsonl              what its processes did and when; no part of the digest
    runs/copy-1/tensorboard/           curves, where they are asked for

One process writes, and holds a lock on the folder; readers open read-only. A folder is made beside
its place, as `.copy-1.….part`, and moved there once it is whole.
"""

import os
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from evo_ntm.errors import RunError
from evo_ntm.experiment import Experiment, dump
from evo_ntm.genome.files import PUBLISHED, publish, sync
from evo_ntm.runs.database import make_rows
from evo_ntm.runs.disk import asked, lock, require_room
from evo_ntm.runs.recorder import Recorder
from evo_ntm.runs.run import CHAMPIONS, CHECKPOINTS, EXPERIMENT, ROWS, Run

__all__ = [
    "Recorder", "Run", "create", "free_folder", "is_unfinished", "is_written", "open_run",
    "refuse_existing", "refuse_written", "require_place",
]  # fmt: skip

NOTHING: Mapping[str, Any] = MappingProxyType({})
MOST_NAMES = 8


def create(
    folder: Path | None,
    experiment: Experiment,
    *,
    process: Mapping[str, Any] = NOTHING,
    facts: Mapping[str, object] = NOTHING,
    files: Mapping[str, bytes] = NOTHING,
) -> Recorder:
    """Make a run folder, whole or not at all; the next free one in `runs` where none is named.

    `process` is who makes it, `facts` are what the rows tell of the run from the first, and `files`
    what else lies in it. Raises RunError where there is something already.
    """
    told = {
        **facts,
        "task_hash": experiment.task_hash,
        "config_hash": experiment.config_hash,
        "interrupted": True,  # until it has ended
    }
    while True:
        chosen = free_folder(experiment.name) if folder is None else folder
        try:
            return _made(chosen, experiment, told, process, files)
        except RunError:
            if folder is not None or not _is_there(chosen):
                raise  # or another process was quicker


def _made(
    folder: Path,
    experiment: Experiment,
    facts: Mapping[str, object],
    process: Mapping[str, Any],
    files: Mapping[str, bytes],
) -> Recorder:
    refuse_existing(folder)
    with _unfinished(folder) as part:
        with asked(folder):
            with suppress(FileExistsError):
                folder.parent.mkdir(parents=True)
            part.mkdir()
        handle = lock(part)  # which stays that of the folder, whatever it is called
        try:
            with asked(folder):
                _fill(part, experiment, facts, files)
                _move(part, folder)
        except BaseException:
            os.close(handle)
            raise
        recorder = Recorder(Run(folder), handle)
        try:
            recorder.sign(process)
            with asked(folder):
                recorder.begin()
            Recorder.reached("opened")
        except BaseException:
            recorder.__exit__()
            folder.rename(part)
            raise
    return recorder


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """Name a folder beside another, which nobody takes for a run; sweep up what is left of it."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}-{time.time_ns()}.part")
    try:
        yield part
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def is_unfinished(folder: Path) -> bool:
    """Tell whether a folder is what was left of one that was still being made."""
    return folder.name.startswith(".") and folder.name.endswith(".part")


def _fill(
    part: Path, experiment: Experiment, facts: Mapping[str, object], files: Mapping[str, bytes]
) -> None:
    for name in (CHAMPIONS, CHECKPOINTS):
        (part / name).mkdir()
    Recorder.reached("folders made")
    publish(part / EXPERIMENT, [dump(experiment).encode()])
    for name, content in files.items():
        publish(part / name, [content])
    Recorder.reached("experiment written")
    make_rows(part / ROWS, facts)
    Recorder.reached("rows made")
    sync(part)
    Recorder.reached("run synced")


def _move(part: Path, folder: Path) -> None:
    refuse_existing(folder)  # for an empty one would be replaced
    try:
        part.rename(folder)
    except OSError:
        refuse_existing(folder)
        raise
    Recorder.reached("run renamed")
    sync(folder.parent)
    Recorder.reached("run published")


def refuse_existing(folder: Path) -> None:
    """Raise RunError where there is something already."""
    if _is_there(folder):
        resume = f"evo-ntm resume {shlex.quote(str(folder))}"
        hint = f", or go on with a run that was interrupted: {resume}"
        raise RunError(f"{folder}: expected no such folder yet, but it is there already; choose "
                       f"another --to{hint if (folder / ROWS).is_file() else ''}")  # fmt: skip


def require_place(folder: Path | None) -> None:
    """Raise RunError where a run folder cannot be made, before anything is computed for it."""
    wanted = place = folder or Path("runs", "1")
    with asked(wanted):
        while not place.exists():
            place = place.absolute().parent
        if not place.is_dir():
            raise RunError(f"{wanted}: cannot be made: {place} is no folder")
    require_room(place)


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
        raise RunError(f"{folder}: expected a run, but {_instead(folder)}")
    run = Run(folder)
    run.facts()
    return run


def _instead(folder: Path) -> str:
    """Say what is there where no run is."""
    if not folder.is_dir():
        return "this is a file" if folder.exists() else "there is no such folder"
    if (folder / PUBLISHED).is_file():
        return ("this is a published machine, for exam and show: its line is in "
                f"{folder / 'lineage.csv'}")  # fmt: skip
    names = sorted(path.parent.name for path in folder.glob(f"*/{ROWS}"))
    if not names:
        return f"there is no {ROWS} in it"
    told = ", ".join(names[:MOST_NAMES]) + (" …" if names[MOST_NAMES:] else "")
    return (f"this folder holds {len(names)} of them: {told}; name one, as {folder / names[0]}, "
            f"or list them: evo-ntm runs {shlex.quote(str(folder))}")  # fmt: skip


def free_folder(name: str, parent: Path = Path("runs")) -> Path:
    """Find the first of NAME-1, NAME-2 … that is not there."""
    number = 1
    while _is_there(folder := parent / f"{name}-{number}"):
        number += 1
    return folder
