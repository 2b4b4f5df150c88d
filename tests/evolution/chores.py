"""What a process that scores for another may be asked to do with a chunk."""

import os
import signal

from evo_ntm.errors import TaskError


class MuteError(Exception):
    """An error that cannot be read where it was sent."""

    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


def who(chunk):
    return os.getpid()


def die(chunk):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(chunk):
    os._exit(7)


def refuse(chunk):
    raise TaskError("gauge: expected luck")


def slip(chunk):
    raise ZeroDivisionError("no luck")


def mumble(chunk):
    raise MuteError("this", "that")
