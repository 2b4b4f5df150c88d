"""How long a run may take: as its experiment says, unless it was given other limits since.

The file of the experiment stays what the run began with. What it was given since is a fact of the
rows, and an event.
"""

from math import ceil, inf
from typing import Any

from evo_ntm.errors import RunError, in_words
from evo_ntm.experiment import Experiment
from evo_ntm.runs.run import ROWS, Run

FACT, EVENT = "limits", "limits"
LIMITS = ("generations", "minutes", "evaluations")
MADE = "SELECT count(*) AS generations, max(seconds) / 60 AS minutes, sum(scored) AS evaluations " \
       "FROM generations"  # fmt: skip


def given_since(run: Run) -> dict[str, float | None]:
    """Read the limits that a run was given since it began, by name. Raises RunError."""
    told = run.facts().get(FACT, {})
    if not isinstance(told, dict) or not all(_is_limit(*each) for each in told.items()):
        raise RunError(f"{run.folder / ROWS}: expected limits of {', '.join(LIMITS)}, but came "
                       f"{in_words(told)}")  # fmt: skip
    return told


def with_limits(run: Run, experiment: Experiment, besides: tuple[str, ...] = ()) -> Experiment:
    """Give an experiment of a run with the limits that it was given since, but for some."""
    given = {name: value for name, value in given_since(run).items() if name not in besides}
    return experiment.model_copy(update={"evolve": experiment.evolve.model_copy(update=given)})


def limits_of(experiment: Experiment) -> dict[str, Any]:
    """Give the limits of an experiment by name, None where there is none."""
    return {name: getattr(experiment.evolve, name) for name in LIMITS}


def reached(run: Run, experiment: Experiment) -> tuple[str, float] | None:
    """Name a limit that a run has reached, and how much it has made of that.

    None where there is room for more.
    """
    (row,) = run.rows(MADE)
    made = {name: row[name] or 0 for name in LIMITS}
    name = experiment.evolve.spent(made["generations"], 60 * made["minutes"], made["evaluations"])
    return None if name is None else (name, made[name])


def over(run: Run) -> str | None:
    """Say why nothing follows an evolution, whatever its limits; None where something may."""
    if run.rows("SELECT 1 FROM sittings WHERE solved LIMIT 1"):
        return "it has passed its exam"
    return "it was tuned since" if run.rows("SELECT 1 FROM tunings LIMIT 1") else None


def more(run: Run) -> str | None:
    """Give an override by which a run goes on that has ended at a limit, None where none does."""
    experiment = with_limits(run, run.experiment)
    at = None if over(run) else reached(run, experiment)
    if at is None:
        return None
    name, made = at
    limit = limits_of(experiment)[name]
    return f"evolve.{name}={ceil(2 * (limit if made < 2 * limit else made))}"


def _is_limit(name: str, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value is None and name in LIMITS[1:]  # as generations are limited always
    whole = isinstance(value, int) or name == "minutes"
    return name in LIMITS and whole and 0 < value < inf
