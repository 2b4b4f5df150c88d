"""What a person sees while something is measured that has no count: on a terminal, what it is."""

from typing import Self

from rich.console import Console
from rich.status import Status

from evo_ntm.screen import heard_or_not


class Waiting:
    """Shows on a terminal what is being done, and nothing elsewhere or where it is `silent`."""

    def __init__(self, *, silent: bool = False) -> None:
        console = Console(stderr=True, highlight=False)
        shows = console.is_terminal and not silent
        self._status = Status("reading", console=console) if shows else None

    def __enter__(self) -> Self:
        if self._status is not None:
            with heard_or_not():
                self._status.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._status is not None:
            with heard_or_not():
                self._status.stop()

    def __call__(self, what: str) -> None:
        """Say what is being done from now on."""
        if self._status is not None:
            with heard_or_not():
                self._status.update(what)
