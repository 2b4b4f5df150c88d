"""Runs made up to be compared: what they came to, without their having been run."""

from pathlib import Path

from evo_ntm.evolution.exam import ExamRow
from evo_ntm.experiment import parse
from evo_ntm.experiment.tasks import cost_words
from evo_ntm.reports.comparison.comparison import beside
from evo_ntm.reports.comparison.results import COMPUTED, Found, Result
from tests.evolution.cases import told

HERE = dict.fromkeys(COMPUTED, "here")


def experiment(strategy="evolution_strategy", *, name="copy", changes=(), **evolve):
    return parse(told(strategy, **evolve), name=name, overrides=changes)


def sat(wrong_bits, *, name="as trained", length=2, passed=True):
    return ExamRow(
        name, {"length": length}, 5, 48, wrong_bits, 2 * wrong_bits, {"chance": 9.0}, passed
    )


def run(
    experiment,
    seed,
    cost,
    state="solved",
    *,
    exam=None,
    computed=HERE,
    path=None,
    brought=(),
    learned=(),
):
    if exam is None:
        exam = (sat(0.25 * seed),) if state == "solved" else ()
    result = Result(
        path=path or Path(f"{experiment.name}-{seed}"),
        seed=seed,
        state=state,
        generations=int(cost) // 10,
        evaluations=int(cost),
        timesteps=40 * int(cost),
        seconds=cost / 100,
        restarts=0,
        sittings=len(exam) and 1,
        exam=exam,
        computed=computed,
        words=cost_words(experiment.task),
        learned=learned,
    )
    return Found(result, experiment.with_seed(seed), brought)


def series(experiment, costs, *, unsolved=(), first=1, **told):
    """Make up a run for each cost, those of some seeds unsolved."""
    return [
        run(experiment, seed, cost, "not solved" if seed in unsolved else "solved", **told)
        for seed, cost in enumerate(costs, start=first)
    ]


def compared(*runs):
    """Compare what was made up."""
    return beside([each for many in runs for each in many])
