"""Runs of one experiment with several seeds, one after another."""

from collections.abc import Callable, Sequence
from pathlib import Path

from evo_ntm.errors import RunError
from evo_ntm.experiment import Experiment, load
from evo_ntm.outcome import Outcome
from evo_ntm.runs.run import EXPERIMENT


def in_turn(
    series: Experiment,
    seeds: Sequence[int],
    to: Path | None,
    *,
    begin: Callable[[Experiment, Path], Outcome],
    go_on: Callable[[Path], Outcome],
) -> dict[int, Outcome]:
    """Give every seed its run, until one is interrupted; `go_on` gets those that are there already.

    They go to `seed-N` in a folder, or to NAME-seed-N in `runs`. Raises RunError where a folder
    holds something else.
    """
    outcomes: dict[int, Outcome] = {}
    for seed in seeds:
        experiment = series.with_seed(seed)
        folder = to / f"seed-{seed}" if to else Path("runs") / f"{experiment.name}-seed-{seed}"
        if folder.exists():
            _same_experiment(folder, experiment)
            outcomes[seed] = go_on(folder)
        else:
            outcomes[seed] = begin(experiment, folder)
        if outcomes[seed].interrupted:
            break
    return outcomes


def _same_experiment(folder: Path, experiment: Experiment) -> None:
    before = load(folder / EXPERIMENT)
    if before.config_hash != experiment.config_hash:
        raise RunError(
            f"{folder}: expected a run of this experiment ({experiment.config_hash[:8]}), "
            f"but it is of another one ({before.config_hash[:8]}); use another --to"
        )
