import json
from dataclasses import replace

import plotly.io
import pytest

from evo_ntm.errors import ReportError
from evo_ntm.reports import figures
from evo_ntm.reports.charts import charts
from evo_ntm.reports.charts.layers import Chart, Line, Plot, Rules, Shade
from tests.reports.made_up import bred, searched


def plainly(figure):
    return json.loads(figure.to_json(engine="json"))


def test_every_chart_is_drawn():
    assert {*figures.figures(searched()), *figures.figures(bred())} == {
        "fitness", "trunk", "operators", "population", "ancestors", "search", "displacement",
        "strategy", "species", "generalisation",
    }  # fmt: skip


def test_a_figure_can_be_had_of_each_chapter():
    one, other = searched(), bred()
    drawn = {
        "fitness": figures.fitness(one.history),
        "strategy": figures.strategy(one.history),
        "trunk": figures.trunk(one.trunk),
        "operators": figures.operators(one.operators),
        "search": figures.search(one.search, one.header.generations),
        "displacement": figures.displacement(one.search.displacement),
        "species": figures.species(one.species),
        "generalisation": figures.generalisation(one.generalisation),
    }
    assert {name: plainly(figure) for name, figure in drawn.items()} == {
        name: plainly(figure) for name, figure in figures.figures(one).items()
    }
    of_others = figures.population(other.population), figures.ancestors(other.population)
    every = figures.figures(other)
    assert list(map(plainly, of_others)) == [plainly(every[n]) for n in ("population", "ancestors")]


def test_what_is_not_there_is_refused():
    with pytest.raises(ReportError, match="^expected figures of the strategy's own to draw, but"):
        figures.strategy(bred().history)
    nothing = replace(searched().search.displacement, wires=(), moved=())
    with pytest.raises(ReportError, match="^expected genomes of the line to draw, but"):
        figures.displacement(nothing)


def test_figures_are_the_same_each_time_whatever_the_default_style_is(monkeypatch):
    html = figures.trunk(searched().trunk).to_html(div_id="trunk", include_plotlyjs=False)
    monkeypatch.setattr(plotly.io.templates, "default", "plotly_dark")
    again = figures.trunk(searched().trunk).to_html(div_id="trunk", include_plotlyjs=False)
    assert again == html and 'id="trunk"' in html


def test_marks_of_the_line_carry_their_births():
    told = searched().trunk
    carried = [birth for trace in plainly(figures.trunk(told))["data"]
               for birth in trace.get("customdata", ())]  # fmt: skip
    assert sorted(carried) == [step.number for step in told.steps]


def test_papers_are_clear_and_words_of_no_colour_that_only_one_of_them_shows():
    for figure in figures.figures(searched()).values():
        layout = plainly(figure)["layout"]
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0, 0, 0, 0)"
        assert layout["font"]["color"] == "#767b85"


def test_each_name_is_in_a_legend_once():
    for lineage in (searched(), bred()):
        for name, figure in figures.figures(lineage).items():
            told = plainly(figure)
            parts = [*told["data"], *told["layout"].get("shapes", ())]
            named = [part["name"] for part in parts if part.get("showlegend")]
            assert len(named) == len(set(named)), name


def test_words_are_never_taken_for_markup():
    told = searched().operators
    worse = (replace(told[0], name="<a href='javascript:x'>&<b>"), *told[1:])
    text = figures.operators(worse).to_json(engine="json")
    assert "<a" not in text and "<b>&" not in text
    assert "&lt;a href='javascript:x'&gt;&amp;&lt;b&gt;" in text


def test_titles_stand_over_their_own_plots():
    for figure in figures.figures(searched()).values():
        layout = plainly(figure)["layout"]
        axes = [axis for name, axis in layout.items() if name.startswith("xaxis")]
        assert {note["x"] for note in layout["annotations"]} == {a["domain"][0] for a in axes}


def test_what_is_ruled_and_shaded_is_in_the_figure():
    lineage = searched()
    for name, chart in charts(lineage).items():
        layers = [layer for plot in chart.plots for layer in plot.layers]
        ruled = sum(len(layer.places) for layer in layers if isinstance(layer, Rules))
        shaded = sum(isinstance(layer, Shade) for layer in layers)
        shapes = plainly(figures.draw(chart))["layout"].get("shapes", ())
        assert len(shapes) == ruled + shaded, name


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ((10.0, 20.0, 30.0, 50.0, 120.0), ["10", "20", "50", "120"]),
        (tuple(float(place) for place in range(7, 4321)), ["1", "10", "100", "1,000", "10,000"]),
        (tuple(float(place) for place in range(7, 95)), ["1", "2", "5", "10", "20", "50", "100",
                                                         "200", "500"]),
    ],
)  # fmt: skip
def test_a_logarithmic_axis_names_few_places_themselves_and_of_many_the_round_ones(places, told):
    line = Line("cost", places, places, "#000000")
    chart = Chart("costs", "Costs.", "x", (Plot("y", (line,)),), logarithmic=True)
    assert list(figures.draw(chart).layout.xaxis.ticktext) == told
