"""All that is needed to do a run again."""

import json
import shlex

from evo_ntm.errors import EvoNTMError
from evo_ntm.experiment import Experiment, dump
from evo_ntm.experiment.plugins import provided
from evo_ntm.experiment.tasks import GROUP, TASK_SETTINGS
from evo_ntm.reports.chapters import Again
from evo_ntm.runs.digest import digest
from evo_ntm.runs.limits import given_since
from evo_ntm.runs.run import EXPERIMENT, Run

PROCESSES = "SELECT started, generation, told FROM processes ORDER BY number"


def tell_again(run: Run, experiment: Experiment) -> Again:
    """Tell by what commands, versions and settings a run can be done again.

    `digest` is that of a run that has ended, None of one that goes on or is not whole; `experiment`
    is a task file. What its user brought, a task or a toolbox, no command can bring. Raises
    RunError.
    """
    facts = run.facts()
    processes = [{**json.loads(row["told"]), "started": row["started"],
                  "generation": row["generation"]} for row in run.rows(PROCESSES)]  # fmt: skip
    where = shlex.quote(str(run.folder))
    anew = shlex.quote(f"{run.folder}-again")
    commands = [f"evo-ntm lineage {where} --report"]
    if _is_ours(experiment) and not facts.get("toolbox"):
        file = shlex.quote(str(run.folder / EXPERIMENT))
        given = "".join(f" --set evolve.{name}={json.dumps(limit)}"
                        for name, limit in given_since(run).items())  # fmt: skip
        evolve = f"evo-ntm evolve {file} --to {anew}{given}"
        commands = [evolve, f"evo-ntm digest {anew}", *commands]
    return Again(
        commands=tuple(commands),
        config_hash=facts.get("config_hash", experiment.config_hash),
        task_hash=facts.get("task_hash", experiment.task_hash),
        digest=None if facts.get("interrupted", True) else _digest(run),
        processes=tuple(processes),
        experiment=dump(experiment.model_copy(update={"overrides": ()})),
    )


def _is_ours(experiment: Experiment) -> bool:
    """Tell whether the task is one that the command line knows."""
    return experiment.task in TASK_SETTINGS or experiment.task in provided(GROUP)


def _digest(run: Run) -> str | None:
    try:
        return digest(run)
    except EvoNTMError:
        return None
