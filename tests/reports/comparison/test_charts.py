"""Charts of a comparison: what they show is what the comparison says."""

import pytest

from evo_ntm.reports.charts.layers import Band, Bars, Line, Marks
from evo_ntm.reports.comparison.charts import charts, exam, learning, rates, solved_by
from evo_ntm.reports.comparison.figures import figures
from evo_ntm.reports.comparison.prints import write_figures
from tests.reports.comparison.cases import compared, experiment, run, sat, series

COSTS = [3000, 2000, 4000, 2500, 3500]


def two():
    return compared(series(experiment(population=24), COSTS),
                    series(experiment(population=32), COSTS, unsolved=(1, 3)))  # fmt: skip


def of(chart, kind):
    return [layer for plot in chart.plots for layer in plot.layers if isinstance(layer, kind)]


def test_the_share_that_has_solved_is_a_line_of_steps_a_group():
    one, other = of(solved_by(two().groups, "evaluations"), Line)
    assert one.x == (0, 2000, 2500, 3000, 3500, 4000, 4000)
    assert one.y == (0, 20, 40, 60, 80, 100, 100)
    assert (other.x, other.y) == ((0, 2000, 2500, 3500, 4000), (0, 20, 40, 60, 60))
    assert one.stepped and one.colour != other.colour


def test_rates_are_bars_under_their_intervals():
    told = two()
    measured, interval, expected, around = of(rates(told.groups), Bars)
    assert measured.categories == ("copy, population 32", "copy, population 24")
    assert measured.lengths == (60, 100)
    ends = [
        begins + length for begins, length in zip(interval.begins, interval.lengths, strict=True)
    ]
    assert ends == pytest.approx([100 * told.groups[n].rate.high for n in (1, 0)], rel=1e-3)
    assert expected.lengths == (5000, 3000)
    assert around.begins[1] == told.groups[0].costs["evaluations"].interval.low
    assert interval.told[0] == "copy, population 32: 3 of 5, 95 % from 23 to 88 %"


def test_an_interval_without_end_ends_where_the_others_do():
    told = compared(series(experiment(population=24), COSTS),
                    series(experiment(population=32), COSTS, unsolved=(1, 2, 3, 4)))  # fmt: skip
    *_, expected, around = of(rates(told.groups), Bars)
    assert expected.lengths == (15_000, 3000)
    assert around.begins[0] + around.lengths[0] == 15_000
    assert around.told[0].endswith("15,000 evaluations expected, 95 % from 5,167 to anything")


def test_exams_are_drawn_by_size_each_task_alone():
    exams = [
        (sat(0.0), sat(bits, name="length 9", length=(3, 9), passed=None)) for bits in (1, 2, 4)
    ]
    other = experiment(changes=["with.longest=3"])
    told = compared([run(experiment(), seed, 10, exam=each) for seed, each in enumerate(exams)],
                    series(other, [30]))  # fmt: skip
    drawn = [chart for name, chart in charts(told).items() if name.startswith("exam-")]
    assert [chart.name for chart in drawn] == [
        f"exam-{group.task_hash[:8]}" for group in told.groups
    ]
    (marks,) = of(drawn[0], Marks)
    assert drawn[0].x == "length, at most"
    assert (marks.x, marks.y, marks.low, marks.high) == ((2, 9), (0, 2), (0, 1.5), (0, 3))
    with pytest.raises(ValueError, match="expected groups of one task"):
        exam(told.groups)


def test_parts_that_differ_in_several_ways_stand_in_their_order():
    def part(name, **extent):
        row = sat(1.0, name=name)
        return type(row)(**{**vars(row), "extent": extent})

    rows = (part("a", length=5, repeats=2), part("b", length=5, repeats=4))
    chart = exam(compared([run(experiment(), 1, 10, exam=rows)]).groups)
    assert chart.x == "repeats, at most"
    rows = (*rows, part("c", length=9, repeats=4))
    chart = exam(compared([run(experiment(), 1, 10, exam=rows)]).groups)
    assert chart.x == "part of the exam" and of(chart, Marks)[0].x == (1, 2, 3)


def test_what_there_is_nothing_of_is_not_drawn():
    assert exam(compared(series(experiment(), [30], unsolved=(1,))).groups) is None
    assert list(charts(compared(series(experiment(), [30, 20], unsolved=(1, 2))))) == ["rates"]
    assert charts(compared([run(experiment(), 1, 30, "running")])) == {}
    only = experiment(changes=["exam.parts.0.at_most=null"])
    assert list(charts(compared(series(only, [30], unsolved=(1,))))) == []


def test_every_chart_is_a_figure_and_a_print(tmp_path):
    told = two()
    names = ["rates", *(f"solved-by-{each}" for each in ("evaluations", "timesteps", "seconds")),
             f"exam-{told.groups[0].task_hash[:8]}"]  # fmt: skip
    drawn = figures(told)
    assert list(drawn) == names
    assert all(figure.data for figure in drawn.values())
    written = write_figures(told, tmp_path, ["svg"])
    assert [path.name for path in written] == [f"{name}.svg" for name in names]
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in write_figures(told, tmp_path, ["svg"])] == before
    html = [figure.to_html(div_id=name, include_plotlyjs=False) for name, figure in drawn.items()]
    assert html == [figure.to_html(div_id=name, include_plotlyjs=False)
                    for name, figure in figures(told).items()]  # fmt: skip


def learners(changes=(), factor=1):
    """Make up three runs that learn, and one that goes on."""
    learned = [
        ((100 * factor, 8.0), (800 * factor, 2.0)),
        ((100 * factor, 6.0), (200 * factor, 4.0)),
        ((100 * factor, 7.0), (400 * factor, 0.0)),
    ]
    told = experiment(changes=changes)
    ended = [run(told, seed, 1600, "not solved", learned=each)
             for seed, each in enumerate(learned, start=1)]  # fmt: skip
    return [*ended, run(told, 9, 50, "running", learned=((10, 1.0),))]


def test_learning_is_drawn_as_the_median_and_the_quartiles_of_the_least_so_far():
    chart = learning(compared(learners()).groups)
    (line,), (band,) = of(chart, Line), of(chart, Band)
    assert line.x[0] == 100 and line.x[-1] == 1600 and chart.logarithmic
    told = dict(zip(line.x, zip(band.low, line.y, band.high, strict=True), strict=True))
    assert told[100] == (6.5, 7.0, 7.5)
    assert told[1600] == (1.0, 2.0, 3.0)
    assert list(line.y) == sorted(line.y, reverse=True)
    assert all(low <= middle <= high for low, middle, high in told.values())


def test_a_line_of_learning_begins_where_most_of_its_runs_have_been_looked_at():
    chart = learning(compared(learners(), learners(["machine.width=5"], factor=2)).groups)
    one, other = of(chart, Line)
    assert one.x[0] == 100 and other.x[0] >= 200


def test_nothing_is_drawn_of_learning_where_nobody_was_held_against_a_validation_set():
    told = compared(series(experiment(), [30]))
    assert learning(told.groups) is None
    assert not [name for name in charts(told) if name.startswith("learning")]


def test_what_is_learned_of_different_tasks_is_in_a_chart_each():
    told = compared(learners(), learners(["with.longest=3"]))
    names = [name for name in charts(told) if name.startswith("learning-")]
    assert names == [f"learning-{group.task_hash[:8]}" for group in told.groups]
