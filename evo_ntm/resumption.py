"""What a run goes on with: its experiment, and workers that compute as the first did."""

from collections.abc import Sequence
from contextlib import ExitStack

from evo_ntm.errors import ExperimentError, RunError
from evo_ntm.evolution.workers import Workers, workers_of
from evo_ntm.experiment import Experiment, load
from evo_ntm.runs.run import EXPERIMENT
from evo_ntm.runs.store import Run

PLACES = (
    "threads", "workers", "ray", "cpus_per_worker", "gpus_per_worker", "timeout", "tensorboard",
)  # fmt: skip


def elsewhere(run: Run, overrides: Sequence[str]) -> Experiment:
    """Give the experiment of a run with other workers. Raises ExperimentError."""
    for override in overrides:
        key = override.partition("=")[0]
        if key.removeprefix("run.") not in PLACES or not key.startswith("run."):
            raise ExperimentError(f"{run.folder}: expected an override of where a run is computed "
                                  f"(run.{', run.'.join(PLACES)}), but came {key!r}")  # fmt: skip
    return load(run.folder / EXPERIMENT, overrides, tasks=None)


def as_it_began(
    run: Run, experiment: Experiment, accept_drift: bool, stack: ExitStack
) -> tuple[Experiment, Workers]:
    """Give the experiment with the backend that the run began with, and workers that have it.

    Raises RunError where that is not to be had, unless another will do.
    """
    began = str(run.facts().get("backend", ""))
    kind = began.partition(" ")[0]
    settings = experiment.run.model_copy(update={"backend": kind} if kind else {})
    try:
        workers = stack.enter_context(workers_of(settings))
        now = str(workers.backend)
        if "cuda" in began and now != began and not accept_drift:
            raise RunError(f"expected the backend {began!r}, but there is {now!r}")
    except (ExperimentError, RunError) as error:
        if accept_drift:
            return experiment, stack.enter_context(workers_of(experiment.run))
        raise RunError(f"{run.folder}: began with the backend {began!r}, which is not to be had: "
                       f"{error}; --accept-drift goes on with another") from error  # fmt: skip
    return experiment.model_copy(update={"run": settings}), workers
