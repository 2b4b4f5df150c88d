"""What may be done next, as every command says at its end."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evo_ntm.experiment.rewards import REWARD_SETTINGS
from evo_ntm.experiment.tasks import TASK_SETTINGS, describe
from evo_ntm.runs.limits import more
from evo_ntm.runs.store import open_run

if TYPE_CHECKING:
    from evo_ntm.outcome import Outcome
    from evo_ntm.tuning.tuned import Tuned


def after_tuning(tuned: "Tuned") -> str:
    """Name what may be done with what was tuned."""
    if tuned.interrupted:
        return of_run(tuned.path, "interrupted")
    return of_run(tuned.path, "ended", None if tuned.champion else tuned.child)


def after_evolution(outcome: "Outcome") -> str:
    """Name what may be done with a run that this process has left."""
    return of_run(outcome.path, "interrupted" if outcome.interrupted else "ended")


def of_run(run: Path, state: str, birth: int | None = None) -> str:
    """Name what may be done with a run in this state, or with a birth of it."""
    where, figure = shlex.quote(str(run)), shlex.quote(f"{run.resolve().name}.png")
    which = where if birth is None else f"{where} --birth {birth}"
    steps = [f"exam {which}", f"show {which} --to {figure}"]
    if explains(run):
        steps.append(f"explain {which}")
    if state == "interrupted":
        steps = [f"resume {where}", *steps]
    elif state in ("ended", "not solved") and (longer := more(open_run(run))):
        steps = [f"resume {where} --set {longer}", *steps]
    if open_run(run).experiment.task not in describe():
        steps = []  # only who has that task can do these, in Python
    return named([*steps, f"lineage {which} --report"])


def explains(run: Path) -> bool:
    """Tell whether it is known that the machines of a run can be: by sequences, and no tape."""
    experiment = open_run(run).experiment
    by_sequences = TASK_SETTINGS.keys() - REWARD_SETTINGS.keys()
    return not experiment.machine.tape_heads and experiment.task in by_sequences


def named(steps: Sequence[str]) -> str:
    """Name the next commands."""
    return "\n".join(["What next:", *(f"  evo-ntm {step}" for step in steps)])
