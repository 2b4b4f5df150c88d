"""Charts of a comparison: who has solved the task by what cost, how often, and how exams went."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from evo_ntm.evolution.exam import ExamRow
from evo_ntm.reports.charts.layers import (
    Band,
    Bars,
    Chart,
    Layer,
    Line,
    Marks,
    Plot,
    brief,
    briefly,
)  # fmt: skip
from evo_ntm.reports.comparison.comparison import HASH, Comparison
from evo_ntm.reports.comparison.groups import Group
from evo_ntm.reports.comparison.rates import Cost, Interval, quantile
from evo_ntm.reports.comparison.results import MEASURES, Measure
from evo_ntm.reports.comparison.tables import MEASURED, learned_between
from evo_ntm.reports.palette import BLUE, DASHES, GREY, SERIES, SHAPES, series

VEIL = f"{GREY}99"  # what lies below shows through
PLACES = 200
WIDE = 8  # times that the largest size is of the smallest, for an axis to be logarithmic


def charts(comparison: Comparison) -> dict[str, Chart]:
    """Chart all that there is of a comparison, by the names of the charts."""
    groups = [group for group in comparison.groups if group.decides and group.ended]
    found = [rates(groups)] if groups else []
    found += [solved_by(groups, measure) for measure in MEASURES if any(g.solved for g in groups)]
    for task in dict.fromkeys(group.task_hash for group in comparison.groups):
        of_task = [group for group in comparison.groups if group.task_hash == task]
        found += [chart for chart in (learning(of_task), exam(of_task)) if chart is not None]
    return {chart.name: chart for chart in found}


def solved_by(groups: Sequence[Group], measure: Measure) -> Chart:
    """Chart what share of each group's runs has solved the task by what cost, as steps."""
    layers: list[Layer] = []
    for place, group in enumerate(groups):
        steps = group.solved_by(measure)
        last = max(result.cost(measure) for result in group.ended)
        x = (0.0, *(cost for cost, _ in steps), last)
        y = (0.0, *(share for _, share in steps), steps[-1][1] if steps else 0.0)
        layers.append(Line(group.name, briefly(x), briefly(tuple(100 * share for share in y)),
                           series(place), DASHES[place // len(SERIES) % len(DASHES)],
                           stepped=True, width=2.0))  # fmt: skip
    told = "; ".join(f"{group.name} {group.solved} of {len(group.ended)}" for group in groups)
    return Chart(
        f"solved-by-{measure}",
        f"The share of runs that has solved the task by how many {MEASURED[measure]}: {told} in "
        "the end. A line ends where the longest run did.",
        MEASURED[measure],
        (Plot("Runs that have solved the task, in %", tuple(layers), 300, span=(0, 103)),),
        together=True,
    )


def rates(groups: Sequence[Group]) -> Chart:
    """Chart how often groups solve their task and what that is expected to cost, as intervals."""
    groups = list(reversed(groups))  # for bars are stacked upwards
    names = tuple(group.name for group in groups)
    shares = [100 * group.solved / len(group.ended) for group in groups]
    ranges = [Interval(100 * group.rate.low, 100 * group.rate.high) for group in groups]
    told = [f"{group.name}: {group.solved} of {len(group.ended)}, 95 % from {each.low:.0f} to "
            f"{each.high:.0f} %" for group, each in zip(groups, ranges, strict=True)]  # fmt: skip
    plots = [Plot("Runs that solve the task, in %", _ranges(names, shares, ranges, told, 100.0),
                  60 + 30 * len(names))]  # fmt: skip
    costs = [group.costs["evaluations"] for group in groups]
    known = [each.high for cost in costs if (each := cost.interval) and isfinite(each.high)]
    known += [cost.expected for cost in costs if isfinite(cost.expected)]
    if known:
        told = [f"{name}: {_expected(cost)}" for name, cost in zip(names, costs, strict=True)]
        values = [cost.expected for cost in costs]
        layers = _ranges(names, values, [cost.interval for cost in costs], told, max(known))
        plots.append(Plot("Expected evaluations", layers, 60 + 30 * len(names)))
    return Chart(
        "rates",
        "How often each group solves its task, and how many evaluations that is expected to take, "
        "failures included; bars are 95 % intervals.",
        "",
        tuple(plots),
        beside=True,
        least_width=560,
    )


def learning(groups: Sequence[Group]) -> Chart | None:
    """Chart how little was wrong so far in the validation set of one task by what was spent.

    None where no run has been held against it.
    """
    span = learned_between(groups)
    if span is None:
        return None
    wrong = groups[0].words.wrong_an_episode
    steps = {place for group in groups for each in group.ended for place, _ in each.learned}
    places = sorted({*np.geomspace(*span, PLACES).tolist(), *steps} if len(steps) < PLACES else
                    np.geomspace(*span, PLACES).tolist())  # fmt: skip
    layers: list[Layer] = []
    for place, group in enumerate(groups):
        learned = [(each, *group.learned_by(each)) for each in places]
        known = [quartiles for quartiles in learned if isfinite(quartiles[-1])]
        if not known:
            continue
        x, low, middle, high = map(briefly, zip(*known, strict=True))
        colour, dash = series(place), DASHES[place // len(SERIES) % len(DASHES)]
        layers += [
            Band(group.name, x, low, high, colour, stepped=True),
            Line(group.name, x, middle, colour, dash, stepped=True, width=2.0),
        ]
    task = groups[0].task_hash[:HASH]
    return Chart(
        f"learning-{task}",
        f"{wrong.capitalize()} in the validation set of task {task}, the least so far, by "
        "evaluations: medians over the runs that have ended, with quartiles. What was learned in "
        "a run stays when it begins anew, and when it has ended.",
        MEASURED["evaluations"],
        (Plot(f"{wrong.capitalize()}, the least so far", tuple(layers), 300),),
        logarithmic=span[1] >= WIDE * span[0],
        together=True,
    )


def _ranges(
    names: tuple[str, ...],
    values: Sequence[float],
    ranges: Sequence[Interval | None],
    told: Sequence[str],
    most: float,
) -> tuple[Layer, ...]:
    """Draw values, and over them their intervals, open ones up to the end of what is known."""
    begins, lengths = [], []
    for each in ranges:
        begins.append(brief(each.low) if each else None)
        lengths.append(brief(min(each.high, most) - each.low) if each else None)
    return (
        Bars("measured", names, briefly(tuple(values)), BLUE, told=tuple(told)),
        Bars("95 % interval", names, tuple(lengths), VEIL, tuple(begins), tuple(told)),
    )


def _expected(cost: Cost) -> str:
    if not isfinite(cost.expected):
        return f"unsolved in {cost.total:,.0f} evaluations"
    told = f"{cost.expected:,.0f} evaluations expected"
    if cost.interval is None:
        return told
    open_ended = not isfinite(cost.interval.high)
    high = "anything" if open_ended else f"{cost.interval.high:,.0f}"
    return f"{told}, 95 % from {cost.interval.low:,.0f} to {high}"


def exam(groups: Sequence[Group]) -> Chart | None:
    """Chart the wrong bits of each part of one task's exam by its size; None where nobody sat it.

    Raises ValueError where groups are of several tasks: their exams are not the same.
    """
    if len({group.task_hash for group in groups}) > 1:
        raise ValueError("expected groups of one task, but their exams differ")
    sat = [(group, result.exam) for group in groups for result in group.ended if result.exam]
    if not sat:
        return None
    wrong = groups[0].words.wrong_an_episode
    sizes, axis = part_sizes([row for _, exam in sat for row in exam])
    layers: list[Layer] = []
    for place, group in enumerate(groups):
        rows = [row for each, exam in sat if each is group for row in exam]
        parts = sorted({row.name for row in rows}, key=lambda name: (sizes[name], name))
        taken = [sorted(row.wrong for row in rows if row.name == name) for name in parts]
        low, middle, high = (
            [quantile(each, share) for each in taken] for share in (0.25, 0.5, 0.75)
        )
        told = [f"{group.name}, {name}: {value:.3f} {wrong}, median of {len(each)}"
                for name, value, each in zip(parts, middle, taken, strict=True)]  # fmt: skip
        x = briefly(tuple(sizes[name] for name in parts))
        colour, dash = series(place), DASHES[place % len(DASHES)]
        layers += [
            Line(group.name, x, briefly(tuple(middle)), colour, dash=dash),
            Marks(group.name, x, briefly(tuple(middle)), colour, SHAPES[place % len(SHAPES)], 8,
                  briefly(tuple(low)), briefly(tuple(high)), tuple(told)),
        ]  # fmt: skip
    task = groups[0].task_hash[:HASH]
    return Chart(
        f"exam-{task}",
        f"{wrong.capitalize()} in each part of the exam of task {task}, by {axis}: medians over "
        "the runs that sat it, with quartiles.",
        axis,
        (Plot(f"{wrong.capitalize()}, in the last exam", tuple(layers), 300),),
        logarithmic=min(sizes.values()) > 0 and max(sizes.values()) >= WIDE * min(sizes.values()),
    )


def part_sizes(rows: Sequence[ExamRow]) -> tuple[dict[str, float], str]:
    """Tell how large each part is: by what alone they differ in, or else by their order."""
    names = list(dict.fromkeys(row.name for row in rows))
    by_name = {row.name: row for row in rows}
    keys = {key for row in rows for key in row.extent}
    for key in sorted(keys):
        extents = [by_name[name].extent.get(key) for name in names]
        if None not in extents and (len(keys) == 1 or len(set(map(str, extents))) == len(names)):
            tops = [each if isinstance(each, int) else max(each or ()) for each in extents]
            return dict(zip(names, map(float, tops), strict=True)), f"{key}, at most"
    return {name: float(number) for number, name in enumerate(names, start=1)}, "part of the exam"
