from dataclasses import replace

import pytest

from evo_ntm.reports.charts.layers import Band, Line, Marks
from evo_ntm.reports.figures import draw as draw_for_pages
from evo_ntm.reports.learning import Learner, charts
from evo_ntm.reports.learning.charts import generalisation, learning
from evo_ntm.reports.palette import series
from evo_ntm.reports.prints import draw
from tests.reports.learning.made_up import champion, course, exam, learners


def named(plot, kind, name):
    (layer,) = [each for each in plot.layers if isinstance(each, kind) and each.name == name]
    return layer


def test_a_learning_curve_is_the_median_over_seeds_in_a_band_of_all():
    (plot,) = learning(learners()).plots
    line, band = (named(plot, kind, "ntm-lstm") for kind in (Line, Band))
    assert line.x == band.x == (0.4, 0.8, 1.2, 1.6)
    assert line.y[:2] == (82.0, 18.0)
    assert (band.low[1], band.high[1]) == (9.0, 27.0)
    assert learning(learners()).x == "sequences seen, in thousands"


def test_one_seed_has_no_band():
    (plot,) = learning(learners(seeds=(1,))).plots
    assert {type(layer) for layer in plot.layers} == {Line}


def test_what_costs_next_to_nothing_is_drawn_at_the_bottom_which_the_title_tells():
    (plot,) = learning(learners()).plots
    assert plot.logarithmic
    assert named(plot, Line, "ntm-lstm").y[-1] == 0.01
    assert "0.01 stands for less, too" in plot.title


def test_costs_that_are_alike_are_drawn_on_a_plain_axis():
    alike = [Learner("one", (course(bits=(140.0, 134.0)),))]
    (plot,) = learning(alike).plots
    assert not plot.logarithmic and named(plot, Line, "one").y == (140.0, 134.0)
    assert "stands for less" not in plot.title


def test_a_seed_that_ended_early_leaves_the_others_their_curve():
    both = Learner("one", (course(), course(2, (60.0, 11.0))))
    (plot,) = learning([both]).plots
    assert named(plot, Line, "one").y == (70.0, 10.0, 0.05, 0.01)


def test_the_champion_begins_its_tuning_where_evolution_ended():
    above, below = learning(learners(), champion()).plots
    evolving = named(above, Line, "tiny-tuned, evolving")
    tuned = named(below, Line, "tiny-tuned, tuned after that")
    assert evolving.x == (1.0, 2.0, 3.0) and evolving.y == (90.0, 70.0, 50.0)
    assert tuned.x == (3.0, 3.4) and tuned.y == (400.0, 0.2)
    assert named(below, Line, "lstm").y[0] == 1000.0
    assert "3,000 sequences" in learning(learners(), champion()).told


def test_the_exam_is_drawn_by_the_length_of_its_sequences():
    chart = generalisation(learners())
    bits, wrong = chart.plots
    assert chart.x == "length of test sequences" and chart.logarithmic
    assert chart.ticks == ((10.0, "10"), (20.0, "20"), (120.0, "120"))
    slow = named(wrong, Marks, "lstm")
    assert (slow.y[0], slow.low[0], slow.high[0]) == (59.0, 49.0, 69.0)
    assert named(bits, Line, "best constant answer").y == (80.0, 160.0, 960.0)
    assert named(wrong, Marks, "ntm-lstm").y == (0.0, 0.0, 0.0)


def test_parts_that_differ_in_several_things_are_named_on_the_axis():
    rows = exam(1.0)
    parts = (replace(rows[0], extent={"length": 10, "repeats": 5}),
             replace(rows[1], extent={"length": 10, "repeats": 10}),
             replace(rows[2], extent={"length": 20, "repeats": 10}))  # fmt: skip
    chart = generalisation([Learner("one", (course(exam=parts),))])
    assert chart.ticks == ((1.0, "length 10"), (2.0, "length 20"), (3.0, "length 120"))
    assert chart.x == "" and not chart.logarithmic
    assert {type(layer) for plot in chart.plots for layer in plot.layers} == {Marks}


def test_parts_of_one_size_are_named_too_each_beside_the_other():
    rows = exam(1.0, sizes=(20, 20))
    parts = rows[0], replace(rows[1], name="length 20, 64 rows", rows=64)
    chart = generalisation([Learner("one", (course(exam=parts),))])
    assert chart.ticks == ((1.0, "length 20"), (2.0, "length 20,\n64 rows"))
    assert draw_for_pages(chart).layout.xaxis2.ticktext[1] == "length 20,<br>64 rows"


def test_where_it_is_known_what_can_be_reached_that_is_drawn():
    rows = tuple(replace(row, bits=136.0, measures={"chance": 195.0, "regret": 8.0})
                 for row in exam(1.0))  # fmt: skip
    (curves, *_), (bits, _) = (
        chart.plots for chart in charts([Learner("one", (course(exam=rows),))]).values()
    )
    assert set(named(curves, Line, "best possible estimator").y) == {128.0}
    assert set(named(bits, Line, "best possible estimator").y) == {128.0}


def test_a_machine_looks_the_same_whoever_is_beside_it():
    for some in (learners(), learners()[1:]):
        for chart in charts(some).values():
            assert named(chart.plots[0], Line, "lstm").colour == series(2)


@pytest.mark.parametrize("beside", [None, champion()])
def test_every_chart_can_be_printed_and_shown(beside):
    for chart in charts(learners(), beside).values():
        figure = draw(chart)
        assert [axes.get_title(loc="left") for axes in figure.axes] == [
            plot.title for plot in chart.plots
        ]
        assert len(draw_for_pages(chart).data) >= len(chart.named())


def test_the_places_that_are_named_are_those_on_the_axis():
    chart = generalisation(learners())
    last = draw(chart).axes[-1]
    assert [text.get_text() for text in last.get_xticklabels()] == ["10", "20", "120"]
    assert list(draw_for_pages(chart).layout.xaxis2.ticktext) == ["10", "20", "120"]
