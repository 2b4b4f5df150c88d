"""How the command line ends: its exit statuses, and what it says when something is wrong."""

import errno
import os
import re
import signal
import sys
from types import FrameType
from typing import NoReturn

from evo_ntm.errors import in_one_line

DONE, NOT_PASSED, BAD_INPUT, STOPPED, OUR_FAULT, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 70, 130, 141
ENDING = ("SIGTERM", "SIGHUP")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


def stopped(error: BaseException | None) -> bool:
    """Tell whether the disk stopped what went on, full, broken or read-only, or a lost cluster."""
    while error is not None:
        if getattr(error, "stops", False):
            return True
        if isinstance(error, OSError) and error.errno in DISK:
            return True
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


def too_large(error: Exception) -> bool:
    """Tell whether memory has run out; torch says so in words only."""
    words = ("DefaultCPUAllocator", "CUDA out of memory")
    torch_says = isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    return isinstance(error, MemoryError) or torch_says


def told(error: Exception) -> str:
    """Put an error into words."""
    if not isinstance(error, OSError):
        return str(error)
    return f"{error.filename or 'output'}: {error.strerror or error}"


def complain(sentence: str, status: int) -> int:
    """Say in one line what is wrong, and give the exit status back."""
    try:
        print(f"evo-ntm: {in_one_line(sentence)}", file=sys.stderr, flush=True)
    except OSError:
        deaf(2)
    return status


def warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Put a warning, whosever it is, into one plain line, as `warnings.formatwarning` is asked."""
    return f"evo-ntm: {in_one_line(COLOUR.sub('', str(message)))}\n"


def hush() -> int:
    """Keep Python from complaining, at its end, that nobody reads any more."""
    deaf(1)
    return PIPE_CLOSED


def deaf(stream: int) -> None:
    """Let a stream lead nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def open_streams() -> None:
    """Let streams that were closed lead nowhere, before a file is opened in their place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


_heard: list[int] = []


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does, unless they are ignored already."""
    for name in ENDING:
        number = getattr(signal, name, None)  # there is no SIGHUP on Windows
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _end)


def heard() -> int | None:
    """Give the exit status that goes with the signal that was heeded, if there was one."""
    return 128 + _heard[0] if _heard else None


def _end(number: int, frame: FrameType | None) -> NoReturn:
    _heard.append(number)
    for name in ENDING:  # a second one would cut short what the first has begun
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise KeyboardInterrupt
