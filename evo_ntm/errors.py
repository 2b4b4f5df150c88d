"""What evo_ntm raises on purpose: one root, one class for each noun.

Every message is one line: what was expected, what came, and where from.
"""

from collections.abc import Iterable
from difflib import get_close_matches


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


def nearest(word: str, words: Iterable[str]) -> str:
    """Suggest the word that was probably meant, as the end of an error message."""
    known = sorted(words)
    matches = get_close_matches(word, known, n=1, cutoff=0.5)
    if matches:
        return f"did you mean {matches[0]!r}?"
    return f"known: {', '.join(known)}"
