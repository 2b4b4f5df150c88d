"""A comparison as a page: whole, safe, and always the same."""

import json
import re
from html.parser import HTMLParser

import pytest

from evo_ntm.errors import ReportError
from evo_ntm.reports.comparison.page import page, write_page
from evo_ntm.reports.comparison.tables import tables
from tests.reports.comparison.cases import compared, experiment, run, sat, series

COSTS = [3000, 2000, 4000, 2500, 3500]
ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp;"


class Read(HTMLParser):
    """Reads a page: its elements with what they have, and the words outside scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self._within = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._within = tag

    def handle_endtag(self, tag):
        self._within = None

    def handle_data(self, data):
        if self._within not in ("script", "style"):
            self.words.append(data)


def two():
    return compared(series(experiment(population=24), COSTS),
                    series(experiment(population=32), COSTS, unsolved=(1, 2)))  # fmt: skip


def test_every_table_and_every_figure_has_its_place():
    told = two()
    read = Read(page(told))
    sections = [held["id"] for tag, held in read.elements if tag == "section"]
    exam = f"exam-{told.groups[0].task_hash[:8]}"
    assert sections == ["rates", "costs", "contrasts", "seeds", exam, "differences", "runs"]
    plots = [held["data-chart"] for _, held in read.elements if "data-chart" in held]
    assert plots == [
        "rates",
        "solved-by-evaluations",
        "solved-by-timesteps",
        "solved-by-seconds",
        exam,
    ]
    links = [
        held["href"] for tag, held in read.elements if tag == "a" and held["href"] != "#report"
    ]
    assert links == [f"#{section}" for section in sections]
    words = {word.strip() for word in read.words}
    for table in tables(told):
        assert {cell for row in table.rows for cell in row if cell} <= words
        assert {*table.notes} <= words


def test_the_figures_are_data_of_the_page():
    text = page(two())
    island = json.loads(re.search(r'id="island">(.*?)</script>', text)[1])
    assert island["solved-by-evaluations"]["data"][0]["x"][:3] == [0, 2000, 2500]


def test_a_page_asks_nobody_for_anything():
    read = Read(page(two()))
    for tag, held in read.elements:
        for name in ("src", "href", "action", "data", "srcset"):
            assert held.get(name, "#").startswith(("#", "data:")), (tag, held)
    (policy,) = [held["content"] for tag, held in read.elements
                 if held.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    assert policy.startswith("default-src 'none'; script-src 'sha256-")


def test_what_a_run_says_is_never_markup():
    exam = (sat(1.0, name=ATTACK),)
    told = compared([run(experiment(), 1, 30, exam=exam, path=ATTACK)],
                    [run(experiment(population=32), 1, 30, "running", path=ATTACK)])  # fmt: skip
    text = page(told)
    read, plain = Read(text), Read(page(compared(series(experiment(), [30]))))
    scripts = [tag for tag, _ in read.elements].count("script")
    assert scripts == [tag for tag, _ in plain.elements].count("script") == 3
    assert not [tag for tag, _ in read.elements if tag == "img"]
    assert "".join(read.words).count(ATTACK) >= 2
    json.loads(re.search(r'id="island">(.*?)</script>', text)[1])


def test_one_group_and_runs_that_go_on_make_a_page_too():
    read = Read(page(compared([run(experiment(), 1, 30, "running")])))
    assert [held["id"] for tag, held in read.elements if tag == "section"] == [
        "rates",
        "seeds",
        "runs",
    ]
    words = "".join(read.words)
    assert "1 run, of which 0 have ended, in 1 group for copy" in words
    assert "copy: 1 run (seed 1) running, in no figure" in words


def test_many_groups_have_a_title_of_their_own():
    three = [series(experiment(population=24 + 2 * n), [30]) for n in range(3)]
    four = [*three, series(experiment(population=40), [30])]
    assert "<title>copy, population 24; copy, population 26; copy, population 28</title>" in page(
        compared(*three)
    )
    assert "<title>4 groups of runs</title>" in page(compared(*four))


def test_the_same_comparison_makes_the_same_page(tmp_path):
    path = tmp_path / "told.html"
    write_page(two(), path)
    first = path.read_bytes()
    write_page(two(), path)
    assert path.read_bytes() == first == page(two()).encode()
    assert len(first) < 8e6


def test_where_no_page_can_be_a_line_says_why(tmp_path):
    with pytest.raises(ReportError, match="expected an existing folder"):
        write_page(two(), tmp_path / "gone" / "told.html")
