"""A comparison as a browser shows it."""

import pytest

from evo_ntm.reports.comparison.page import write_page
from tests.reports.comparison.cases import compared, experiment, run, sat, series
from tests.reports.comparison.test_page import ATTACK
from tests.reports.test_page_in_browser import OURS, browser, pytestmark

__all__ = ["browser", "pytestmark"]

COSTS = [3000, 2000, 4000, 2500, 3500]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    one = experiment(population=24)
    named = run(one, 6, 900, exam=(sat(0.5), sat(2.0, name=ATTACK, length=9)), path=ATTACK)
    path = tmp_path_factory.mktemp("page") / "comparison.html"
    other = series(experiment(population=32), COSTS, unsolved=(1, 2))
    write_page(compared([*series(one, COSTS), named], other), path)
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_a_page_draws_all_without_complaint_and_asks_nobody(browser, shown, width, dark):
    browser.open(shown, width=width, dark=dark)
    undrawn = browser.script(
        "return [...document.querySelectorAll('.plot')].filter(plot =>"
        " !plot.querySelector('.main-svg') || plot.offsetHeight < 100).map(plot => plot.id)"
    )
    assert undrawn == []
    assert browser.script("return document.querySelectorAll('.plot').length") == 5
    root = "document.documentElement"
    assert browser.script(f"return {root}.scrollWidth <= {root}.clientWidth")
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(OURS)] == []
    paper = browser.script("return getComputedStyle(document.body).backgroundColor")
    red = int(paper.partition("(")[2].partition(",")[0])
    assert (red < 60) is dark
