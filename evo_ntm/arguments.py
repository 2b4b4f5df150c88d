"""What is written on the command line, read into values."""

import re
import shlex
from collections.abc import Sequence

from evo_ntm.errors import ArgumentError, nearest

MOST_SEEDS = 10_000
STAGES = ("content", "shift", "sharpening")
ABLATIONS = ("reads", "writes", *STAGES, "head N", "head N STAGE")


def read_seeds(text: str) -> list[int]:
    """Read 1-10, 1,3,7 or both mixed. Raises ArgumentError."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,18})(?:-([0-9]{1,18}))?\s*", part)
        if match is None:
            raise ArgumentError(f"--seeds: expected 1-10 or 1,3,7, but came {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first >= MOST_SEEDS:
            raise ArgumentError(
                f"--seeds: expected a range upwards of at most {MOST_SEEDS}, but came {part!r}"
            )
        seeds += range(first, last + 1)
    return list(dict.fromkeys(seeds))


def read_birth(text: str) -> int:
    """Read the number of a birth. Raises ArgumentError."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ArgumentError(f"--birth: expected a whole number from 0, but came {text!r}")
    return int(text)


def read_ablation(text: str) -> str:
    """Read what a machine is to do without. Raises ArgumentError."""
    words = " ".join(text.split())
    of_a_head = re.fullmatch(rf"head [0-9]+( ({'|'.join(STAGES)}))?", words)
    if words not in ABLATIONS[:-2] and not of_a_head:
        expected = ", ".join(ABLATIONS)
        suggestion = nearest(words, ABLATIONS)
        raise ArgumentError(
            f"--ablate: expected one of {expected}, but came {text!r}: {suggestion}"
        )
    return words


def filled(arguments: Sequence[str]) -> Sequence[str]:
    """Give the arguments back. Raises ArgumentError where one is empty: as a path it were here."""
    for place, (before, one) in enumerate(zip(["", *arguments], arguments, strict=False)):
        if not one.strip() or re.fullmatch(r"--[a-z-]+=\s*", one):
            name = one.partition("=")[0].strip() or (before if before.startswith("--") else "")
            told = name or " ".join([*map(shlex.quote, arguments[:place]), "''"])
            raise ArgumentError(f"{told}: expected something, but came an empty text")
    return arguments


def joined(arguments: Sequence[str]) -> list[str]:
    """Let `--ablate head 3`, and `--ablate head 3 shift`, be written without quotes."""
    joined = list(arguments)
    for place in range(len(joined) - 2):
        if joined[place : place + 2] == ["--ablate", "head"] and joined[place + 2].isdecimal():
            end = place + 3
            if end < len(joined) and joined[end] in STAGES:
                end += 1
            joined[place + 1 : end] = [" ".join(joined[place + 1 : end])]
            break
    return joined
