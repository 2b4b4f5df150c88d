import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from evo_ntm.errors import ReportError
from evo_ntm.reports.chapters import Event
from evo_ntm.reports.charts import charts
from evo_ntm.reports.frame import island
from evo_ntm.reports.html import page, write_page
from evo_ntm.reports.sentences import ABSENT
from tests.reports.made_up import bred, searched

SECTIONS = ["fitness", "line", "machines", "operators", "selection", "species", "ancestry",
            "memory", "words", "generalisation", "tuned", "again"]  # fmt: skip
ALONE = {"meta", "link", "img", "input", "br", "hr", "col", "source"}
LOADS = {"src", "href", "data", "action", "poster", "background", "xlink:href", "srcset"}
WORST = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\u2028\u2029{{7*7}}"


class Reader(HTMLParser):
    """Reads a page, and refuses what is not closed in the order in which it was opened."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module", params=[searched, bred])
def made(request):
    return request.param(), page(request.param())


def bare(lineage):
    """Take everything away that a run may not have."""
    history = replace(lineage.history, generations=(), quantiles={}, figures={}, looks=(),
                      stages=(), rows=(), sittings=(), events=())  # fmt: skip
    return replace(
        lineage, history=history, operators=(), population=None, search=None, species=None,
        portraits=(), generalisation=None, tuned=(), explanation=None,
        ancestry=replace(lineage.ancestry, nodes=(), edges=(), all_ancestors=0),
    )  # fmt: skip


def test_a_page_is_whole_and_has_every_section_in_order(made):
    _, text = made
    read = Reader(text)
    assert [section["id"] for section in read.of("section")] == SECTIONS
    links = [a["href"] for a in read.of("a")]
    assert links[: len(SECTIONS) + 1] == ["#report", *(f"#{name}" for name in SECTIONS)]
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_link_within_a_page_leads_somewhere(made):
    read = Reader(made[1])
    ids = {attributes.get("id") for _, attributes in read.elements}
    for link in read.of("a"):
        assert link["href"].startswith("#") and link["href"][1:] in ids, link
    for _, attributes in read.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name, None) in {None, *ids}


def test_a_page_asks_nobody_for_anything(made):
    read = Reader(made[1])
    for tag, attributes in read.elements:
        for name in LOADS & attributes.keys():
            assert re.match(r"#|data:(image/png|,)|data:$", attributes[name]), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
    policy = next(m["content"] for m in read.of("meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    styles = "".join(data for tag, data in read.texts if tag == "style")
    assert "url(" not in styles and "@import" not in styles


def test_the_library_that_draws_is_there_once_and_ends_no_script(made):
    assert made[1].count("plotly.js v") == 1
    scripts = Reader(made[1]).of("script")
    assert [script.get("type") for script in scripts] == ["application/json", None, None]


def test_every_figure_has_its_data_its_caption_and_a_table(made):
    lineage, text = made
    read = Reader(text)
    data = json.loads(next(data for tag, data in read.texts if tag == "script"))
    plots = [div for div in read.of("div") if "data-chart" in div]
    assert {div["data-chart"] for div in plots} == data.keys() == charts(lineage).keys()
    assert all(div["aria-label"] for div in plots)
    captions = [data for tag, data in read.texts if tag == "b" and data.startswith("Figure ")]
    assert captions == [f"Figure {number}." for number in range(1, len(captions) + 1)]
    assert len(captions) == len(plots) + 2  # the ancestry and the memory
    for name in SECTIONS[:-1]:
        body = text.split(f'<section id="{name}"')[1].split("</section>")[0]
        assert "<table" in body or name == "machines", name


def test_the_same_lineage_gives_the_same_page(made, tmp_path):
    lineage, text = made
    assert page(lineage) == text
    write_page(lineage, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == text.encode()
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_every_birth_of_the_line_has_one_row_and_the_ancestors_have_theirs(made):
    lineage, text = made
    rows = [tr["id"] for tr in Reader(text).of("tr") if "id" in tr]
    births = {step.number for step in lineage.trunk.steps}
    births |= {node.number for node in lineage.ancestry.nodes}
    assert sorted(rows) == sorted(f"birth-{birth}" for birth in births)


def test_a_chapter_that_is_not_there_says_why_in_one_sentence():
    for made_up in (searched(), bred()):
        read = Reader(page(bare(made_up)))
        assert [section["id"] for section in read.of("section")] == SECTIONS
        told = [data for tag, data in read.texts if tag == "p"]
        for reason in ABSENT.values():
            assert reason in told
        assert "There are no ancestors to draw." in told


def test_a_line_of_one_birth_that_was_not_measured_can_be_told():
    lineage = bare(searched())
    founder = replace(lineage.trunk.steps[0], measured=None)
    alone = replace(lineage, trunk=replace(lineage.trunk, steps=(founder,)))
    read = Reader(page(alone))
    assert ("p", "This machine stayed as the founder was: on the line only weights evolved.") in (
        read.texts
    )


@pytest.mark.parametrize("letter", ["<", ">", "&", "\u2028", "\u2029"])
def test_an_island_holds_no_letter_that_could_end_it(letter):
    told = {"a": f"x{letter}y", letter: [1, None, "é"]}
    text = island(told)
    assert letter not in text and json.loads(text) == told


def test_names_are_words_and_never_markup():
    lineage = searched()
    header = replace(lineage.header, name=WORST, task=WORST, state=WORST, strategy=WORST,
                     encoding=WORST, warnings=(WORST,))  # fmt: skip
    steps = tuple(
        replace(
            step, operators=(WORST,), parameters=WORST, changes=(WORST,) if step.changes else ()
        )
        for step in lineage.trunk.steps
    )
    node, *others = lineage.ancestry.nodes
    worst = replace(
        lineage,
        header=header,
        trunk=replace(lineage.trunk, steps=steps, mutations={WORST: 3}),
        operators=(replace(lineage.operators[0], name=WORST, parameters=WORST),),
        history=replace(lineage.history, events=(Event(1, WORST, WORST),),
                        figures={WORST: lineage.history.figures["step"]}),
        species=replace(lineage.species, names=(WORST, *lineage.species.names[1:])),
        ancestry=replace(lineage.ancestry, nodes=(
            replace(node, operators=(WORST,), topology=WORST), *others)),
        generalisation=replace(lineage.generalisation, axis=WORST),
        portraits=tuple(replace(portrait, name=WORST) for portrait in lineage.portraits),
        explanation=replace(lineage.explanation, summary=(WORST,), program=(WORST,),
                            evidence=(WORST,)),
        again=replace(lineage.again, experiment=WORST, commands=(WORST,),
                      processes=({"started": WORST, WORST: WORST, "command": [WORST]},)),
    )  # fmt: skip
    plain, read = Reader(page(lineage)), Reader(page(worst))
    for tag in ("script", "img", "style", "iframe", "meta"):
        assert len(read.of(tag)) == len(plain.of(tag))
    assert not [a for _, a in read.elements for name in a if name.startswith("on")]
    assert ("h1", WORST) in read.texts  # told as it is, and nothing computed of it
    assert not [
        data for tag, data in read.texts if tag != "script" and "49" in data and "alert" in data
    ]
    data = json.loads(next(data for tag, data in read.texts if tag == "script"))
    assert "<script" not in json.dumps(data)  # plotly takes some of its words for markup


def test_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path):
    gone = tmp_path / "gone" / "report.html"
    with pytest.raises(ReportError) as told:
        write_page(searched(), gone)
    assert str(told.value) == f"{gone}: expected an existing folder, but {gone.parent} is none"
    with pytest.raises(ReportError) as told:
        write_page(searched(), tmp_path)
    assert str(told.value) == f"{tmp_path}: expected the name of a file, but it is a folder"
