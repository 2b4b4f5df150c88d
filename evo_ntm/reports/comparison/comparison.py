"""Groups of runs beside each other, each with each, and what a reader has to be warned of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb, inf
from pathlib import Path
from typing import Literal

from evo_ntm.errors import RunError
from evo_ntm.reports.comparison.contrasts import (
    Balance,
    balance,
    balance_of_all,
    holm,
    rank_sum_test,
    sign_test,
    signed_rank_test,
    table_test,
)
from evo_ntm.reports.comparison.groups import ABSENT, Difference, Group, group
from evo_ntm.reports.comparison.rates import FEWEST
from evo_ntm.reports.comparison.results import MEASURES, Found, Result, find
from evo_ntm.words import counted, plural

Question = Literal["solved", "evaluations", "timesteps", "seconds"]
QUESTIONS: tuple[Question, ...] = ("solved", *MEASURES)
PAIRED = "exact sign test", "Wilcoxon signed-rank test"
UNPAIRED = "Fisher's exact test", "Mann-Whitney test"
EPISODES, HASH = "evolve.episodes", 8
SECONDS_DEPEND_ON = ("platform", "device", "backend", "threads", "workers")
COMES_OUT_BY = ("evo_ntm", "backend")

Costs = list[float]


@dataclass(frozen=True)
class Test:
    """What a test says of two groups, two-sided.

    In pairs of runs the first did better, worse or the same: it solved its task and the other did
    not, or took less to do so; a run that did not solve its task takes longest, and two of them
    the same. `a12` is the chance that the first does better, equal ones by half. `corrected` is
    the p-value after Holm's correction over all pairs of groups that were asked the same question.
    """

    __test__ = False  # says pytest, which takes it for one of its own

    question: Question
    name: str
    better: int
    worse: int
    equal: int
    a12: float
    p: float
    corrected: float


@dataclass(frozen=True)
class Contrast:
    """Two groups beside each other, run by run of the same seed, or without pairs if none is.

    `least` is the smallest p-value that so many runs could have. `refused` says why nothing could
    be tested, and is empty where something was.
    """

    one: str
    other: str
    paired: bool
    seeds: tuple[int, ...]
    runs: tuple[int, int]
    least: float
    refused: str
    tests: tuple[Test, ...]


@dataclass(frozen=True)
class Comparison:
    """Groups of runs, what differs between them, each beside each other, and warnings."""

    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    contrasts: tuple[Contrast, ...]
    warnings: tuple[str, ...]


def compare(paths: Sequence[Path | str]) -> Comparison:
    """Put runs side by side: those of paths, and all that lie in folders among them.

    Runs of the same experiment but for its seed are a group. Figures are of runs that have ended;
    others are counted apart. Raises RunError where a path holds no run that can be read.
    """
    if not paths:
        raise RunError("expected a run or a folder with runs to compare, but came none")
    return beside(*find([Path(path) for path in paths]))


def beside(found: Sequence[Found], warnings: Sequence[str] = ()) -> Comparison:
    """Put runs side by side that were read before, with what there was to be warned of then."""
    groups, differences, twice = group(found)
    contrasts = _corrected([_contrast(one, other) for one, other in combinations(groups, 2)])
    told = (*warnings, *twice, *_warnings(groups, differences))
    return Comparison(groups, differences, contrasts, told)


def _contrast(one: Group, other: Group) -> Contrast:
    seeds = sorted(one.seeds.keys() & other.seeds.keys())
    runs = len(one.ended), len(other.ended)
    paired = bool(seeds)
    if paired:
        least = min(1.0, 2 / (1 << len(seeds)))
        few = f"{counted(len(seeds), 'common seed')}" if len(seeds) < FEWEST else ""
    else:
        least = min(1.0, 2 / comb(sum(runs), runs[0]))
        few = f"{runs[0]} and {runs[1]} runs without a common seed" if min(runs) < FEWEST else ""
    refused = f"no test is possible with {few}: it takes at least {FEWEST}" if few else ""
    if not (one.decides and other.decides):
        refused = "nothing can be tested, as an exam is only reported and nobody passes it"
    if refused:
        tests: tuple[Test, ...] = ()
    elif paired:
        pairs = [one.seeds[seed] for seed in seeds], [other.seeds[seed] for seed in seeds]
        tests = _tests(*pairs, balance, _in_pairs, PAIRED)
    else:
        tests = _tests(one.ended, other.ended, balance_of_all, _without_pairs, UNPAIRED)
    return Contrast(one.name, other.name, paired, tuple(seeds), runs, least, refused, tests)


def _tests(
    one: Sequence[Result],
    other: Sequence[Result],
    weigh: Callable[[Costs, Costs], Balance],
    test: Callable[[Question, Costs, Costs], float],
    names: tuple[str, str],
) -> tuple[Test, ...]:
    tests = []
    for question in QUESTIONS:
        costs = _costs(question, one), _costs(question, other)
        better, worse, equal = weighed = weigh(*costs)
        p = test(question, *costs)
        name = names[question != "solved"]
        tests.append(Test(question, name, better, worse, equal, weighed.a12, p, p))
    return tuple(tests)


def _costs(question: Question, results: Sequence[Result]) -> Costs:
    """Tell what each run took, a failure most; nothing for a success where this alone is asked."""
    return [
        inf if not result.solved else 0.0 if question == "solved" else result.cost(question)
        for result in results
    ]


def _in_pairs(question: Question, one: Costs, other: Costs) -> float:
    if question != "solved":
        return signed_rank_test(one, other)
    better, worse, _ = balance(one, other)
    return sign_test(better, worse)


def _without_pairs(question: Question, one: Costs, other: Costs) -> float:
    if question != "solved":
        return rank_sum_test(one, other)
    failed = one.count(inf), other.count(inf)
    return table_test((len(one) - failed[0], failed[0]), (len(other) - failed[1], failed[1]))


def _corrected(contrasts: Sequence[Contrast]) -> tuple[Contrast, ...]:
    """Correct each question for how many pairs of groups it was asked of."""
    corrected = {
        question: iter(holm([test.p for each in contrasts for test in each.tests
                             if test.question == question]))
        for question in QUESTIONS
    }  # fmt: skip
    return tuple(
        replace(each, tests=tuple(replace(test, corrected=next(corrected[test.question]))
                                  for test in each.tests))
        for each in contrasts
    )  # fmt: skip


def _warnings(groups: Sequence[Group], differences: Sequence[Difference]) -> list[str]:
    warnings = [told for group in groups for told in (*_unended(group), *_tuned(group))]
    warnings += [f"{group.name}: its exam is only reported: nobody passes it, so nobody solves it"
                 for group in groups if not group.decides]  # fmt: skip
    if len({group.task_hash for group in groups}) > 1:
        told = _each(groups, [f"task {group.task_hash[:HASH]}" for group in groups])
        warnings.append(f"tasks differ, and so do exams ({told}): each group solves its own")
    for difference in differences:
        if difference.key == EPISODES and ABSENT not in difference.values:
            told = _each(groups, difference.values)
            warnings.append(f"an evaluation is of a different number of episodes ({told}): "
                            "compare sequence-timesteps")  # fmt: skip
    return [*warnings, *_budgets(groups), *_elsewhere(groups)]


def _unended(group: Group) -> list[str]:
    told = []
    for state in ("running", "interrupted"):
        if runs := [result for result in group.results if result.state == state]:
            told.append(f"{group.name}: {_runs(runs)} {state}, in no figure: what ends early "
                        "weighs more until all have ended")  # fmt: skip
    return told


def _tuned(group: Group) -> list[str]:
    runs = [result for result in group.results if result.tuned]
    return [f"{group.name}: {_runs(runs)} tuned by gradients afterwards, which counts nowhere: "
            "evolution is compared"] if runs else []  # fmt: skip


def _runs(results: Sequence[Result]) -> str:
    """Count runs and tell their seeds."""
    seeds = ", ".join(str(result.seed) for result in results)
    return f"{counted(len(results), 'run')} ({plural(len(results), 'seed')} {seeds})"


def _budgets(groups: Sequence[Group]) -> list[str]:
    """Tell who gave up before another group succeeded: they may only have lacked time."""
    gave_up = [min((r.evaluations for r in group.ended if not r.solved), default=inf)
               for group in groups]  # fmt: skip
    latest = [max((r.evaluations for r in group.ended if r.solved), default=0) for group in groups]
    told = [
        f"after {gave_up[place]:,} in {group.name}"
        for place, group in enumerate(groups)
        if gave_up[place] < max(latest[:place] + latest[place + 1 :], default=0)
    ]
    if not told:
        return []
    return [f"budgets differ: some gave up before others solved their task, yet count as slowest "
            f"({'; '.join(told)}; solved after up to {max(latest):,} evaluations)"]  # fmt: skip


def _elsewhere(groups: Sequence[Group]) -> list[str]:
    """Tell where runs were not computed alike."""
    computed: list[Mapping[str, str]] = [r.computed for group in groups for r in group.results]
    warnings = []
    for names, so in ((COMES_OUT_BY, "births may differ for that alone"),
                      (SECONDS_DEPEND_ON, "seconds cannot be compared")):  # fmt: skip
        unlike = {name: sorted({each.get(name, "") or "unknown" for each in computed})
                  for name in names}  # fmt: skip
        told = "; ".join(f"{name} {' or '.join(came)}" for name, came in unlike.items() if came[1:])
        if told:
            warnings.append(f"runs were not computed alike ({told}): {so}")
    return warnings


def _each(groups: Sequence[Group], values: Sequence[str]) -> str:
    pairs = zip(groups, values, strict=True)
    return "; ".join(f"{value} in {group.name}" for group, value in pairs)
