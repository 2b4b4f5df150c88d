"""A comparison on the terminal, and as JSON."""

import json

import pytest

from evo_ntm import tables
from evo_ntm.commands.standings import comparison_json, tell_comparison
from tests.reports.comparison.cases import compared, experiment, run, series


@pytest.fixture
def two():
    return compared(series(experiment(population=24), [30, 20, 40, 25, 35]),
                    series(experiment(population=32), [70, 60, 90, 65], unsolved=(1,)),
                    [run(experiment(population=32), 5, 10, "running")])  # fmt: skip


def test_warnings_come_first_then_a_table_after_the_other(two, capsys):
    tell_comparison(two)
    blocks = capsys.readouterr().out.split("\n\n")
    assert blocks[0].startswith(
        "warning  copy, population 32: 1 run (seed 5) running, in no figure"
    )
    assert [block.splitlines()[0] for block in blocks[1:]] == [
        "How often the task is solved", "What it costs to solve", "Each group beside each other",
        "Evaluations until each seed was solved", "The exam, as it was sat last",
        "What differs between the groups",
    ]  # fmt: skip
    assert blocks[3].splitlines()[1:] == [
        "note  copy, population 24 and copy, population 32: no test is possible with 4 common "
        "seeds: it takes at least 5."
    ]
    assert [line.split() for line in blocks[-1].splitlines()[3:]] == [
        ["evolve.population", "24", "32"]
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_longer_than_the_terminal_is_wide(two, capsys, monkeypatch, width):
    monkeypatch.setattr(tables, "_terminal", lambda: width)
    tell_comparison(two)
    longest = max(capsys.readouterr().out.splitlines(), key=len)
    assert len(longest.rstrip()) <= width


def test_one_group_has_nothing_beside_it(capsys):
    tell_comparison(compared(series(experiment(), [30])))
    out = capsys.readouterr().out
    assert out.startswith("How often the task is solved\n") and "warning" not in out
    assert "beside" not in out and "differs" not in out


def test_a_comparison_is_also_json(two):
    told = json.loads(comparison_json(two))
    assert [group["solved"] for group in told["groups"]] == [5, 3]
    assert told["contrasts"][0]["refused"] and told["warnings"]
