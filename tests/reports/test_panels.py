import numpy as np
import pytest

from evo_ntm.reports.ink import BITS, ink
from evo_ntm.reports.panels import (
    DOTS,
    HIGHEST,
    NARROWEST,
    WIDEST,
    Key,
    Panel,
    Scale,
    lay_out,
)


def panel(rows=3, steps=5, title="panel", **words):
    return Panel(title, "label", ink(BITS, np.zeros((rows, steps))), **words)


def boxes(figure):
    """Tell where every panel lies, in inches."""
    across, up = figure.get_size_inches()
    placed = ((axes, axes.get_position()) for axes in figure.axes)
    return {axes.get_title(loc="left"): (box.x0 * across, box.y0 * up, box.width * across,
                                         box.height * up) for axes, box in placed}  # fmt: skip


def laid_out(*pairs, steps=5, marks=()):
    return lay_out(pairs, title="title", subtitle="subtitle", steps=steps, marks=marks)


@pytest.mark.parametrize("steps", [1, 41, 241, 2500])
def test_every_step_has_a_dot_and_panels_are_neither_too_narrow_nor_too_wide(steps):
    _, _, width, _ = boxes(laid_out((panel(steps=steps), None), steps=steps))["panel"]
    assert width * DOTS >= min(steps, NARROWEST * DOTS) - 1e-6
    assert width >= NARROWEST - 1e-6
    assert width <= max(WIDEST, steps / DOTS) + 1e-6


@pytest.mark.parametrize("rows", [1, 8, 64, 512, 2500])
def test_every_row_has_a_dot_and_panels_are_no_higher_than_that_needs(rows):
    shown = panel(rows)
    figure = laid_out((shown, None))
    low, high = figure.axes[0].get_ylim()
    assert shown.height * DOTS / (low - high) >= 1 - 1e-9
    assert shown.height <= max(HIGHEST, (rows + 8) / DOTS)


def test_panels_of_a_pair_are_level_and_panels_never_overlap():
    figure = laid_out(
        (panel(9, title="a"), panel(3, title="b")),
        (None, panel(40, title="c")),
        (panel(2, title="d"), panel(7, title="e")),
    )
    found = boxes(figure)

    def top(name):
        return found[name][1] + found[name][3]

    assert top("a") == pytest.approx(top("b")) and top("d") == pytest.approx(top("e"))
    assert top("d") < found["a"][1] and top("c") < found["a"][1] and top("e") < found["c"][1]
    across, _ = figure.get_size_inches()
    assert found["a"][0] + found["a"][2] < found["b"][0] < across - found["b"][2]
    assert found["d"][1] > 0 and found["e"][1] > 0


def test_the_lowest_panel_of_each_column_tells_the_time():
    figure = laid_out((panel(title="a"), panel(title="b")), (None, panel(title="c")))
    timed = {axes.get_title(loc="left") for axes in figure.axes if axes.get_xlabel()}
    assert timed == {"a", "c"}


def test_marks_stand_before_their_steps_and_lines_where_rows_part():
    (axes,) = laid_out((panel(lines=(1.5,)), None), marks=[3]).axes
    across, upright = axes.lines
    assert list(across.get_ydata()) == [1.5, 1.5]
    assert list(upright.get_xdata()) == [2.5, 2.5]


def test_a_key_names_its_scales_with_their_ends():
    scales = Scale("bit", BITS), Scale("number", BITS, -12.345, 0.5)
    figure = laid_out((panel(), panel()), (Key(scales, "not asked", "from here"), None))
    words = {text.get_text() for text in figure.axes[1].texts}
    assert words == {"bit", "0", "1", "number", "−12.3", "0.5", "not asked", "from here"}
