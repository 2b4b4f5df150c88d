"""What is said in many places, and everywhere alike."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

ENDED: Mapping[bool | None, str] = MappingProxyType(
    {True: "passed", False: "not passed", None: "reported"}
)
"""How a part of an exam ended, which may be there to be reported only."""


def counted(number: int, noun: str) -> str:
    """Count something, one or several, with commas between thousands."""
    return f"{number:,} {plural(number, noun)}"


def plural(number: int, noun: str) -> str:
    """Give a noun as its number asks for."""
    return noun if number == 1 else f"{noun}s"


def span(extent: int | Sequence[int] | None) -> str:
    """Say how large something is, or from how large to how large; nothing where it has no size."""
    if extent is None:
        return ""
    return f"{extent:,}" if isinstance(extent, int) else " to ".join(map(str, extent))


def as_typed(command: Sequence[str]) -> str:
    """Write the command of a process as it was typed, wherever the program lies."""
    program, *arguments = command or ["?"]
    name = Path(program).name.replace("__main__.py", "evo-ntm")
    return shlex.join([name, *arguments])
