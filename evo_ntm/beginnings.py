"""What a run began with, and whether it is here to go on with: its experiment and arithmetic."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from evo_ntm.errors import ExperimentError, RunError, refuse_text
from evo_ntm.evolution.workers import Workers, workers_of
from evo_ntm.experiment import Experiment, load
from evo_ntm.runs.limits import LIMITS, given_since, limits_of, with_limits
from evo_ntm.runs.run import EXPERIMENT, Run

PLACES = (
    "threads", "workers", "ray", "cpus_per_worker", "gpus_per_worker", "timeout", "tensorboard",
)  # fmt: skip
CHANGED = (*(f"evolve.{name}" for name in LIMITS), *(f"run.{name}" for name in PLACES))


def changed(run: Run, overrides: Sequence[str]) -> Experiment:
    """Give the experiment of a run with the limits that it was given since.

    `overrides` are of those limits, and of where it is computed. Raises ExperimentError, and
    RunError where the rows tell of limits that are none.
    """
    refuse_text(overrides, "overrides, as ['run.workers=2']", ExperimentError)
    keys = [override.partition("=")[0] for override in overrides]
    for key in keys:
        if key not in CHANGED:
            raise ExperimentError(f"{run.folder}: expected an override of its limits or of where "
                                  f"it is computed ({', '.join(CHANGED)}), but came "
                                  f"{key!r}")  # fmt: skip
    told = load(run.folder / EXPERIMENT, overrides, tasks=None)
    return with_limits(run, told, besides=tuple(key.removeprefix("evolve.") for key in keys))


def granted(run: Run, experiment: Experiment) -> tuple[dict[str, float | None], str | None]:
    """Give the limits of an experiment that are not those in the file of a run.

    And say in words which of them were given just now, None where none was.
    """
    began, now = limits_of(run.experiment), limits_of(experiment)
    before = {**began, **given_since(run)}
    told = [f"evolve.{name} was {_said(before[name])}, but is now {_said(value)}"
            for name, value in now.items() if value != before[name]]  # fmt: skip
    other = {name: value for name, value in now.items() if value != began[name]}
    return other, ", ".join(told) or None


def _said(limit: float | None) -> str:
    return "unlimited" if limit is None else f"{limit:,}"


def as_it_began(
    run: Run, experiment: Experiment, stack: ExitStack, *, accept_drift: bool
) -> tuple[Experiment, Workers, str | None]:
    """Give a run's experiment with the backend that it began with, workers, and what has drifted.

    The workers are entered on the stack. Raises RunError where anything has drifted, unless that
    is accepted: the experiment, the backend, or the arithmetic of it; ClusterError as they do.
    """
    facts = run.facts()
    told = [edited] if (edited := run.edited()) else []
    began = str(facts.get("backend", ""))
    kind = began.partition(" ")[0]
    settings = experiment.run.model_copy(update={"backend": kind} if kind else {})
    workers = None
    try:
        workers = stack.enter_context(workers_of(settings))
        experiment = experiment.model_copy(update={"run": settings})
        told += drifted(facts.get("arithmetic", {}), workers.facts["arithmetic"])
    except ExperimentError as error:
        told.append(f"began with the backend {began!r}, which is not to be had: {error}")
    if told and not accept_drift:
        raise RunError(f"{run.folder}: {'; '.join(told)}; --accept-drift goes on otherwise "
                       "than before")  # fmt: skip
    if workers is None:
        workers = stack.enter_context(workers_of(experiment.run))
    return experiment, workers, "; ".join(told) or None


def drifted(began: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Tell of arithmetic that is no longer the same; a run of an older version tells of none."""
    return [
        f"began with {name} {began.get(name, 'none')}, but here is {here.get(name, 'none')}"
        for name in ({**began, **here} if began else ())
        if began.get(name) != here.get(name)
    ]
