"""What evo_ntm raises on purpose: one root, one class for each noun.

Every message is one line: what was expected, what came, and where from.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from os import sep
from pathlib import PurePath
from sysconfig import get_path
from traceback import extract_tb

STANDARD = get_path("stdlib") + sep
NEAR = 0.72  # of what difflib calls a ratio
SHORTEST = 3  # letters that a beginning must have to be recognised


class EvoNTMError(Exception):
    """Something that the user can mend; shown as one line, never as a traceback."""


class ArgumentError(EvoNTMError):
    """Something on the command line that cannot be read."""


class TopologyError(EvoNTMError):
    """A machine that cannot be built."""


class MachineError(EvoNTMError):
    """Something that a machine cannot run."""


class GenomeError(EvoNTMError):
    """A genome, or a file that should hold one, that cannot be used."""


class ExperimentError(EvoNTMError):
    """A task file that cannot be used."""


class TaskError(EvoNTMError):
    """A task that cannot make its episodes."""


class RunError(EvoNTMError):
    """A run folder that cannot be used."""


class ClusterError(EvoNTMError):
    """A cluster of workers that cannot be used."""


class ClusterGoneError(EvoNTMError):
    """A cluster that went away while it was used; the run can be resumed."""

    stops = True


class ReportError(EvoNTMError):
    """A report or a figure that cannot be made or written."""


@contextmanager
def somebody_elses(expected: str, kind: type[EvoNTMError]) -> Iterator[None]:
    """Run code of somebody else's, and tell in one line what it raises and in which of its lines.

    Raises `kind`, and what is told in one line already.
    """
    try:
        yield
    except EvoNTMError:
        raise
    except (Exception, SystemExit) as error:
        _, *frames = extract_tb(error.__traceback__)
        theirs = [frame for frame in frames if not frame.filename.startswith(STANDARD)]
        *_, frame = theirs or frames or extract_tb(error.__traceback__)
        where = f"{frame.filename}, line {frame.lineno}"
        raise kind(f"expected {expected}, but came {in_words(error)} ({where})") from error


def refuse_text(told: object, expected: str, kind: type[EvoNTMError]) -> None:
    """Raise `kind` for a text, or a path, where a list of them is meant, and for other lists."""
    if isinstance(told, str | PurePath):  # whose letters would be taken
        raise kind(f"expected a list of {expected}, but came {str(told)!r}")
    if isinstance(told, Sequence) and not all(isinstance(each, str | PurePath) for each in told):
        raise kind(f"expected a list of {expected}, but came {in_words(told)}")


def near(word: str, words: Iterable[str]) -> str | None:
    """Find the word that was probably meant, if one is near.

    That is one with a slip in four letters at most, or one that goes on where this one ends, or
    the other way round.
    """
    known = {name.lower().replace("-", "_"): name for name in sorted(words)}
    asked = word.lower().replace("-", "_")
    found = get_close_matches(asked, known, n=1, cutoff=NEAR)
    if not found and len(asked) >= SHORTEST:
        goes_on = [name for name in known if name.startswith(asked)]
        found = goes_on or [name for name in known if asked.startswith(f"{name}_")]
    return known[found[0]] if found else None


def nearest(word: str, words: Iterable[str]) -> str:
    """Suggest the word that was probably meant, or list all, as the end of an error message."""
    known = sorted(words)
    found = near(word, known)
    return f"known: {', '.join(known)}" if found is None else f"did you mean {found!r}?"


def in_words(thing: object) -> str:
    """Show anybody's object in one line, by its kind alone where it cannot show itself."""
    try:
        return in_one_line(repr(thing))
    except Exception:
        return type(thing).__name__


def in_one_line(words: str) -> str:
    """Put words into one line, with nothing in it for a terminal to do."""
    line = " ".join(words.split())
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)
