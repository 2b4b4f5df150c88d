"""What a disk allows: the lock on a run folder, room in it, and in words what it does not."""

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evo_ntm.errors import RunError

ATTEMPTS, MOMENT = 3, 0.02  # for who only looks whether a run is written holds the lock, too
ROOM = 1 << 20  # bytes without which there is no use in going on


def lock(folder: Path) -> int:
    """Lock a run folder until what is given is closed. Where there are no locks, there is none.

    Raises RunError where another process is writing there.
    """
    with allowed(folder):
        handle = os.open(folder, os.O_RDONLY)
    for attempt in range(ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                break
            if attempt == ATTEMPTS - 1:
                os.close(handle)
                raise RunError(f"{folder}: is being written by another process") from error
            time.sleep(MOMENT)
    return handle


@contextmanager
def allowed(folder: Path) -> Iterator[None]:
    """Say in one line what the disk does not allow. Raises RunError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # Its other subclasses tell of a mistake of ours.
        if type(error) not in (sqlite3.DatabaseError, sqlite3.OperationalError):
            raise
        raise RunError(f"{folder}: cannot be written: {error}") from error
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror or error}") from error


@contextmanager
def asked(folder: Path) -> Iterator[None]:
    """Say the same where nothing was begun yet: then the folder is a bad choice, and no run stops.

    Raises RunError, which does not tell of the disk as its cause.
    """
    try:
        with allowed(folder):
            yield
    except RunError as error:
        raise RunError(str(error)) from None


def require_room(folder: Path, *within: str) -> None:
    """Raise RunError where nothing can be written, or hardly anything.

    That is in a folder, and `within` it in other folders, or to the end of files if they are there.
    """
    for name in ("", *within):
        place = folder / name
        part = place / f".room.{os.getpid()}.part"
        with asked(place):
            if place.is_dir():
                try:
                    with part.open("wb") as file:
                        file.write(bytes(ROOM))
                finally:
                    part.unlink(missing_ok=True)
            elif place.exists():
                os.close(os.open(place, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))
