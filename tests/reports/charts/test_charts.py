from dataclasses import replace
from math import inf, nan

import pytest

from evo_ntm.reports.charts import charts, history, selection, trunk
from evo_ntm.reports.charts.layers import Band, Bars, Line, Marks, Rules, Shade, brief
from tests.reports.made_up import bred, searched

LINEAGES = {"searched": searched, "bred": bred}


def layer_of(chart, name):
    return next(layer for plot in chart.plots for layer in plot.layers if layer.name == name)


def test_a_lineage_has_the_charts_of_its_chapters():
    common = {"fitness", "trunk", "operators", "species", "generalisation"}
    assert charts(searched()).keys() == common | {"search", "displacement", "strategy"}
    assert charts(bred()).keys() == common | {"population", "ancestors"}


@pytest.mark.parametrize("kind", LINEAGES)
def test_what_is_drawn_is_finite_or_left_out(kind):
    for chart in charts(LINEAGES[kind]()).values():
        for layer in (layer for plot in chart.plots for layer in plot.layers):
            for name in ("x", "y", "low", "high", "lengths"):
                values = () if isinstance(layer, Shade) else getattr(layer, name, ())
                for value in values:
                    assert value is None or abs(value) < inf, (chart.name, layer.name)


@pytest.mark.parametrize(
    ("value", "told"), [(nan, None), (-inf, None), (None, None), (1 / 3, 0.33333)]
)
def test_numbers_are_as_short_as_can_be_seen(value, told):
    assert brief(value) == told


def test_every_champion_and_every_sitting_is_marked():
    told = searched().history
    chart = history.fitness(told)
    champions = [look for look in told.looks if look.champion]
    marks = layer_of(chart, "new champion")
    assert marks.births == tuple(look.birth for look in champions)
    assert marks.x == tuple(float(look.generation) for look in champions)
    passed, failed = layer_of(chart, "exam passed"), layer_of(chart, "exam not passed")
    assert (failed.places, passed.places) == ((193.0,), (232.0,))
    assert layer_of(chart, "a curriculum stage opens").places == (100.0,)


def test_one_terrible_generation_does_not_hide_the_others():
    told = searched().history
    lower = list(told.quantiles["lower"])
    lower[7] = -1e6
    chart = history.fitness(replace(told, quantiles={**told.quantiles, "lower": tuple(lower)}))
    assert chart.plots[0].span[0] > -1000


def test_every_step_has_a_mark_of_its_verdict_and_its_own_birth():
    told = searched().trunk
    chart = trunk.trunk(told)
    for verdict, count in told.verdicts.items():
        steps = [step for step in told.steps if step.verdict == verdict]
        marks = layer_of(chart, verdict)
        assert len(steps) == count
        assert marks.births == tuple(step.number for step in steps)
        assert marks.x == tuple(step.generation for step in steps)
    changed = layer_of(chart, "changes the machine")
    assert len(changed.x) == sum(bool(step.changes) for step in told.steps)


def test_the_interval_of_a_cost_is_that_of_the_gain():
    told = searched().trunk
    (step,) = [step for step in told.steps if step.verdict == "beneficial"][:1]
    marks = layer_of(trunk.trunk(told), "beneficial")
    parent = step.measured.bits + step.measured.gain
    assert marks.low[0] == pytest.approx(parent - step.measured.high, rel=1e-4)
    assert marks.high[0] == pytest.approx(parent - step.measured.low, rel=1e-4)


def test_what_was_not_measured_stands_at_the_last_cost_that_was():
    told = searched().trunk
    chart = trunk.trunk(told)
    place = next(n for n, step in enumerate(told.steps) if step.measured is None)
    marks = layer_of(chart, "not measured")
    assert marks.births[0] == told.steps[place].number
    assert marks.y[0] == brief(told.steps[place - 1].measured.bits)


def test_a_line_of_which_nothing_was_measured_is_drawn():
    told = searched().trunk
    steps = tuple(replace(step, measured=None, verdict="not measured") for step in told.steps)
    marks = layer_of(trunk.trunk(replace(told, steps=steps)), "not measured")
    assert set(marks.y) == {0.0} and len(marks.births) == len(steps)


def test_of_a_very_long_line_all_that_matters_is_drawn():
    told = searched().trunk
    plain = next(step for step in told.steps if not step.matters)
    long = tuple(replace(plain, number=n, matters=n % 1000 == 0) for n in range(10_000))
    shown = trunk.shown(long)
    assert [step for step in shown if step.matters] == [step for step in long if step.matters]
    assert 1000 < len(shown) <= trunk.MOST_MARKS + 10


def test_operators_are_drawn_with_what_came_of_them():
    chart = trunk.operators(searched().operators)
    rates = layer_of(chart, "successes")
    told = dict(zip(rates.categories, rates.lengths, strict=True))
    assert told["add_reader"] == pytest.approx(100 * 12 / 210, rel=1e-4)
    assert "swap_controller" not in told  # it was never tried


def test_trials_that_overlap_lie_below_each_other():
    chart = selection.search(searched().search, 233)
    bars = [layer for layer in chart.plots[0].layers if isinstance(layer, Bars)]
    lanes = {}
    for layer in bars:
        for place, category in enumerate(layer.categories):
            begin = layer.begins[place]
            lanes.setdefault(category, []).append((begin, begin + layer.lengths[place]))
    assert {"curriculum", "challenger", "challenger 2"} == lanes.keys()
    for spans in lanes.values():
        spans.sort()
        assert all(end <= begin for (_, end), (begin, _) in zip(spans, spans[1:], strict=False))
    assert lanes["curriculum"] == [(0.0, 100.0), (100.0, 233.0)]


def test_a_stream_is_as_wide_as_there_are_machines():
    told = bred().species
    bands = selection.species(told).plots[0].layers
    for place in range(len(told.generations)):
        widths = [band.high[place] - band.low[place] for band in bands]
        assert widths == pytest.approx([row[place] for row in told.sizes])
        edges = [(band.low[place], band.high[place]) for band in bands]
        assert all(a[1] == b[0] for a, b in zip(edges, edges[1:], strict=False))


def test_nothing_is_charted_of_wires_that_nobody_kept():
    told = searched().search.displacement
    assert selection.displacement(replace(told, births=(), generations=(), moved=())) is None


def test_a_legend_names_what_titles_do_not():
    assert list(history.strategy(searched().history).named()) == []
    named = history.generalisation(bred().generalisation).named()
    assert list(named) == ["sizes evolved with", "founder", "middle ancestor", "champion"]
    assert isinstance(named["founder"], Marks)


def test_a_strategy_without_figures_of_its_own_has_no_chart():
    assert history.strategy(bred().history) is None
    assert {type(layer) for plot in history.strategy(searched().history).plots
            for layer in plot.layers} == {Line}  # fmt: skip


def test_charts_are_told_in_words():
    for chart in (*charts(searched()).values(), *charts(bred()).values()):
        assert chart.told.endswith(".") and len(chart.told) > 30
        assert all(plot.title for plot in chart.plots)
        kinds = {type(layer) for plot in chart.plots for layer in plot.layers}
        assert kinds - {Rules, Band} or chart.name == "species"
