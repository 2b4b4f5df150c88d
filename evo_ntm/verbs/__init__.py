"""What the command line, the scripts and notebooks call: one function a verb."""

from evo_ntm.experiment import load
from evo_ntm.outcome import Outcome, finished, outcome
from evo_ntm.runs.store import free_folder
from evo_ntm.verbs.evolving import evolve, founder, resume, slow
from evo_ntm.verbs.looking import (
    ExamResult,
    WireRow,
    digest,
    exam,
    runs,
    show,
    status,
    wires,
)
from evo_ntm.verbs.opening import read

__all__ = [
    "ExamResult", "Outcome", "WireRow", "digest", "evolve", "exam", "finished", "founder",
    "free_folder", "load", "outcome", "read", "resume", "runs", "show", "slow", "status", "wires",
]  # fmt: skip
