import pytest

from evo_ntm.errors import ReportError
from evo_ntm.reports.charts import charts
from evo_ntm.reports.charts.layers import Bars, Chart, Line, Plot
from evo_ntm.reports.prints import draw, write_figures
from tests.reports.made_up import bred, searched


@pytest.mark.parametrize("made", [searched, bred])
def test_every_chart_has_a_print_with_its_titles_and_names(made):
    for name, chart in charts(made()).items():
        figure = draw(chart)
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        assert [title for title in titles if title] == [plot.title for plot in chart.plots]
        named = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        assert named == list(chart.named()), name


def test_prints_are_written_as_svg_and_png_with_the_same_bytes(tmp_path):
    lineage = searched()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = (write_figures(lineage, tmp_path / name, ["svg"]) for name in ("one", "other"))
    assert [path.name for path in one] == [f"{name}.svg" for name in charts(lineage)]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    pngs = write_figures(lineage, tmp_path / "one", ["png"])
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pngs)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ReportError, match="expected an existing folder"):
        write_figures(searched(), tmp_path / "gone")


@pytest.mark.parametrize("most", [70.0, 7000.0])
def test_numbers_of_logarithmic_axes_are_plain(most):
    line = Line("cost", (20.0, most), (20.0, most), "#000000")
    chart = Chart("costs", "Costs.", "x", (Plot("y", (line,), logarithmic=True),), logarithmic=True)
    figure = draw(chart)
    figure.canvas.draw()
    axes = figure.axes[0]
    for axis in (axes.xaxis, axes.yaxis):
        told = [
            tick.get_text() for tick in (*axis.get_ticklabels(), *axis.get_ticklabels(minor=True))
        ]
        assert any(told) and not any("$" in text for text in told)


def test_prints_show_what_pages_show():
    chart = charts(bred())["generalisation"]
    (axes,) = draw(chart).axes
    drawn = [line for line in axes.lines if line.get_label() == "champion"]
    told = next(layer for layer in chart.plots[0].layers if layer.name == "champion")
    assert list(drawn[0].get_xdata()) == list(told.x) and list(drawn[0].get_ydata()) == list(told.y)
    assert axes.get_xscale() == "log"


def test_long_names_of_a_legend_stand_below_each_other():
    def chart(*names):
        lines = tuple(Line(name, (0.0, 1.0), (0.0, 1.0), "#000000") for name in names)
        return Chart("lines", "Lines.", "x", (Plot("y", lines),))

    def rows(figure):
        (legend,) = figure.legends
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in legend.get_texts()]
        assert all(box.x1 <= figure.bbox.width for box in boxes)
        return len({round(box.y0) for box in boxes})

    assert rows(draw(chart("a", "b", "c"))) == 1
    long = [f"memory-length, population {n}, machine.width 4, episodes 16" for n in (1, 2, 3)]
    assert rows(draw(chart(*long))) == 3


def test_names_of_rows_have_the_room_that_they_need():
    def leftmost(*names):
        bars = Bars("measured", names, (1.0,) * len(names), "#000000")
        figure = draw(Chart("rates", "Rates.", "x", (Plot("y", (bars,)),), beside=True))
        figure.draw_without_rendering()
        return min(label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels())

    assert leftmost("copy", "priority-sort") >= 0
    assert leftmost("copy", "memory-length, population 256, machine.width 4") >= 0


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0"), (0.25, "0.25"), (9000, "9000"), (10_000, "10k"), (2_400_000, "2.4M"), (3e9, "3B")],
)
def test_large_numbers_are_short(number, told):
    line = Line("cost", (0.0, number), (0.0, 1.0), "#000000")
    (axes,) = draw(Chart("costs", "Costs.", "x", (Plot("y", (line,)),))).axes
    assert axes.xaxis.get_major_formatter()(number) == told
