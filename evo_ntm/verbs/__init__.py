"""What the command line, the scripts and notebooks call: one function a verb."""

from evo_ntm.experiment import load
from evo_ntm.outcome import Outcome, finished, outcome
from evo_ntm.runs.store import free_folder
from evo_ntm.tuning.tuned import Tuned
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
from evo_ntm.verbs.opening import edited, read
from evo_ntm.verbs.publishing import publish
from evo_ntm.verbs.reporting import REPORT, compare, explain, lineage
from evo_ntm.verbs.tuning import finetune, is_being_tuned, is_to_be_tuned, resume_tuning

__all__ = [
    "REPORT", "ExamResult", "Outcome", "Tuned", "WireRow", "compare", "digest", "edited", "evolve",
    "exam", "explain", "finetune", "finished", "founder", "free_folder", "is_being_tuned",
    "is_to_be_tuned", "lineage", "load", "outcome", "publish", "read", "resume", "resume_tuning",
    "runs", "show", "slow", "status", "wires",
]  # fmt: skip
