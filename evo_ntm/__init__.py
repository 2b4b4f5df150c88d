"""Evolve Neural Turing Machines: weights and head topology, without gradients."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evo_ntm.evolution.problem import Problem
    from evo_ntm.experiment import Experiment, load
    from evo_ntm.training import machine_of
    from evo_ntm.verbs import (
        compare,
        digest,
        evolve,
        exam,
        explain,
        finetune,
        founder,
        lineage,
        read,
        resume,
        resume_tuning,
    )

__version__ = "0.1.0"
__all__ = [
    "Experiment", "Problem", "compare", "digest", "evolve", "exam", "explain", "finetune",
    "founder", "lineage", "load", "machine_of", "read", "resume", "resume_tuning",
]  # fmt: skip

_HOMES = {
    "Experiment": "evo_ntm.experiment",
    "Problem": "evo_ntm.evolution.problem",
    "load": "evo_ntm.experiment",
    "machine_of": "evo_ntm.training",
}


def __getattr__(name: str) -> Any:
    """Import a verb when it is first asked for, as torch takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "evo_ntm.verbs")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
