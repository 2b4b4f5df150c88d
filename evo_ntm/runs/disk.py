"""What a disk allows: the lock on a run folder, and in words what cannot be written."""

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
    except sqlite3.OperationalError as error:
        raise RunError(f"{folder}: cannot be written: {error}") from error
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror or error}") from error
