"""A lineage on the terminal, and as JSON."""

import json
import re
from dataclasses import replace
from math import inf, nan

import pytest

from evo_ntm import tables
from evo_ntm.commands import chronicle
from evo_ntm.commands.chronicle import lineage_json, sparkline, tell_lineage
from evo_ntm.reports.chapters import Measured, Tuned
from tests.reports.made_up import bred, searched

BOTH = pytest.mark.parametrize("made", [searched, bred])


def told(capsys, lineage, **more):
    tell_lineage(lineage, **more)
    return capsys.readouterr().out


def section(out, title):
    """Find the lines below a title."""
    (found,) = [block for block in out.split("\n\n") if block.startswith(title)]
    return found.splitlines()[1:]


def rows(out, title):
    return [re.split("  +", line.strip()) for line in section(out, title)[2:]
            if not line.startswith(("note", "steps"))]  # fmt: skip


@BOTH
def test_it_begins_with_whose_it_is_and_what_to_be_warned_of(made, capsys):
    lineage = made()
    header = lineage.header
    first = told(capsys, lineage).partition("\n\n")[0]
    assert f"seed {header.seed}" in first and header.strategy in first
    assert f"birth {header.birth}: {header.topology}" in first
    for warning in header.warnings:
        assert f"warning  {warning}" in first


@BOTH
def test_the_line_is_told_from_the_founder_on_by_the_steps_that_matter(made, capsys):
    lineage = made()
    table = rows(told(capsys, lineage), "From founder to ")
    steps = [step for step in lineage.trunk.steps if step.matters]
    assert [row[1] for row in table] == [str(step.number) for step in steps]
    assert [row[2] for row in table] == [" + ".join(step.operators) for step in steps]
    assert table[0][-1] == "founder"
    every = rows(told(capsys, lineage, every=True), "From founder to ")
    assert len(every) == len(lineage.trunk.steps)


def with_steps(lineage, *since):
    """Give a lineage whose line has a founder and steps with these gains since the last."""
    first, second = lineage.trunk.steps[:2]
    made = [replace(second, number=10 + place, matters=True, since=each, changes=())
            for place, each in enumerate(since)]  # fmt: skip
    return replace(lineage, trunk=replace(lineage.trunk, steps=(first, *made)))


def test_a_gain_is_better_or_worse_only_where_its_interval_says_so(capsys):
    lineage = with_steps(
        searched(),
        Measured(5.0, 1.0, 2.0, 1.5, 2.5),
        Measured(5.0, 1.0, -2.0, -2.5, -1.5),
        Measured(5.0, 1.0, 0.2, -0.1, 0.5),
        Measured(5.0, 1.0, nan, nan, nan),
        Measured(inf, inf, -inf, -inf, -inf),
        None,
    )
    table = rows(told(capsys, lineage), "From founder to ")[1:]
    assert [row[4:] for row in table] == [
        ["+2.00", "+1.50 to +2.50", "better"],
        ["-2.00", "-2.50 to -1.50", "worse"],
        ["+0.20", "-0.10 to +0.50", "as good"],
        ["not measured"],
        ["?", "? to ?", "worse"],
        ["not measured"],
    ]


def test_a_search_and_a_population_are_told_of_where_there_is_one(capsys):
    search, population = told(capsys, searched()), told(capsys, bred())
    assert "\nSearch\n" in search and "\nSelection and phylogeny\n" not in search
    assert "\nSelection and phylogeny\n" in population and "\nSearch\n" not in population
    challenges = searched().search.challenges
    table = rows(search, "Challengers")
    assert [row[1] for row in table] == [str(each.birth) for each in challenges]


def test_operators_are_listed_and_those_never_tried_are_named(capsys):
    lineage = searched()
    idle = replace(lineage.operators[0], name="drop_writer", attempts=0, enrichment=None)
    out = told(capsys, replace(lineage, operators=(*lineage.operators, idle)))
    table = rows(out, "Operators")
    tried = [use for use in lineage.operators if use.attempts]
    assert [row[0] for row in table if row[0] != "never tried"] == [use.name for use in tried]
    last = section(out, "Operators")[-1]
    assert last.startswith("never tried  ") and last.endswith("drop_writer")


def test_what_is_not_there_is_left_out(capsys):
    lineage = replace(searched(), population=None, search=None, species=None, generalisation=None,
                      tuned=(), explanation=None, operators=())  # fmt: skip
    out = told(capsys, lineage)
    titles = [block.splitlines()[0] for block in out.split("\n\n")[1:]]
    assert titles == ["From founder to champion"]


def test_tuned_branches_and_sizes_are_tables(capsys):
    tuned = (Tuned(99, 7, 50, 1600, 2.5, 3.25, None, 0.125),)
    lineage = replace(searched(), tuned=tuned)
    out = told(capsys, lineage)
    assert rows(out, "Tuned by gradients") == [["99", "7", "50", "1,600", "2.5", "3.25", "12.5 %"]]
    sizes = lineage.generalisation
    table = rows(out, f"Wrong bits by {sizes.axis}")
    assert [row[0] for row in table] == [f"{size:,}" for size in sizes.sizes]


@BOTH
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_longer_than_the_terminal_is_wide(made, capsys, monkeypatch, width):
    monkeypatch.setattr(tables, "_terminal", lambda: width)
    out = told(capsys, made())
    assert len(max(out.splitlines(), key=len).rstrip()) <= width


def test_bars_are_drawn_only_where_somebody_looks_who_has_letters_for_them(capsys, monkeypatch):
    assert not set(chronicle.BARS) & set(told(capsys, searched()))
    monkeypatch.setattr(chronicle.sys.stdout, "isatty", lambda: True, raising=False)
    assert chronicle._can_be_drawn()
    monkeypatch.setattr(chronicle, "_can_be_drawn", lambda: True)
    assert set(chronicle.BARS) & set(told(capsys, searched()))


def test_bars_follow_the_numbers():
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8]) == chronicle.BARS
    assert sparkline([3, 3, 3]) == "▁▁▁"
    assert sparkline([]) == sparkline([nan, inf]) == ""
    assert sparkline([0, nan, 7]) == "▁▁█"
    long = sparkline([float(place) for place in range(1000)], width=8)
    assert long == chronicle.BARS
    assert len(sparkline([1.0] * 100)) == chronicle.BARS_WIDE


@BOTH
def test_as_json_it_has_every_chapter(made):
    found = json.loads(lineage_json(made()))
    assert list(found) == ["header", "history", "trunk", "operators", "population", "search",
                           "species", "ancestry", "portraits", "generalisation", "tuned",
                           "explanation", "again"]  # fmt: skip
    assert found["header"]["topology"]["told"] == str(made().header.topology)
    assert "NaN" not in lineage_json(made()) and "Infinity" not in lineage_json(made())
