"""A comparison for other programs: plain values, CSV, LaTeX."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.reports.comparison.files import SPECIAL, as_csv, as_latex, escaped, plainly
from tests.reports.comparison.cases import compared, experiment, run, sat, series

COSTS = [3000, 2000, 4000, 2500, 3500]


def two():
    return compared(series(experiment(population=24), COSTS),
                    series(experiment(population=32), COSTS, unsolved=(1, 2, 3, 4, 5)))  # fmt: skip


def test_plain_values_are_json():
    told = json.loads(json.dumps(plainly(two()), allow_nan=False))
    one, other = told["groups"]
    assert (one["solved"], one["ended"], other["solved"]) == (5, 5, 0)
    assert one["costs"]["evaluations"]["expected"] == 3000
    assert other["costs"]["evaluations"]["expected"] is None
    assert one["solved_by"]["evaluations"][0] == [2000, 0.2]
    assert one["results"][0]["path"] == "copy-1"
    assert one["results"][0]["exam"][0]["wrong_bits"] == 0.25
    (contrast,) = told["contrasts"]
    assert contrast["tests"][0]["question"] == "solved" and contrast["seeds"] == [1, 2, 3, 4, 5]


def test_every_run_is_a_row_of_csv():
    rows = list(csv.DictReader(io.StringIO(as_csv(two()))))
    assert len(rows) == 10
    assert rows[1]["group"] == "copy, population 24" and rows[1]["evaluations"] == "2000"
    assert [row["solved"] for row in rows] == ["1"] * 5 + ["0"] * 5
    assert rows[1]["wrong bits, as trained"] == "0.5" and rows[6]["wrong bits, as trained"] == ""
    assert {row["threads"] for row in rows} == {"here"}


def test_parts_of_exams_of_different_tasks_are_different_columns_of_csv():
    told = compared(
        series(experiment(), [30]), series(experiment(changes=["with.longest=3"]), [30])
    )
    rows = list(csv.DictReader(io.StringIO(as_csv(told))))
    columns = [f"wrong bits, as trained (task {group.task_hash[:8]})" for group in told.groups]
    assert [[row[column] for column in columns] for row in rows] == [["0.25", ""], ["", "0.25"]]


def test_names_of_any_kind_come_back_from_csv():
    exam = (sat(1.0, name='a "b", c'),)
    told = compared([run(experiment(), 1, 30, exam=exam, path='a,b"c/é')])
    (row,) = csv.DictReader(io.StringIO(as_csv(told)))
    assert row["path"] == 'a,b"c/é' and row['wrong bits, a "b", c'] == "1.0"


def test_latex_is_tables_of_rates_costs_and_tests():
    told = as_latex(two())
    assert told.count(r"\begin{tabular}") == told.count(r"\end{tabular}") == 3
    assert told.count(r"\toprule") == told.count(r"\midrule") == told.count(r"\bottomrule") == 3
    assert r"copy, population 24 & 5 & 5 & 1.00 & 0.57 to 1.00 \\" in told
    assert r"& share & 95 \% interval \\" in told
    for block in told.split(r"\begin{tabular}")[1:]:
        kinds, body = re.match(r"{(\w+)}(.*?)\\end{tabular}", block, re.DOTALL).groups()
        rows = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert {line.count(" & ") + 1 for line in rows} == {len(kinds)}


@given(some.text(alphabet=some.sampled_from([*SPECIAL, *"ab é-"]), max_size=20))
def test_no_sign_of_a_name_is_a_command_of_latex(text):
    written = escaped(text)
    backwards = {told: sign for sign, told in SPECIAL.items()}
    parts = re.split(
        "(" + "|".join(map(re.escape, sorted(backwards, key=len, reverse=True))) + ")", written
    )
    assert "".join(backwards.get(part, part) for part in parts) == text
    assert not set("".join(part for part in parts if part not in backwards)) & {*SPECIAL}


@pytest.mark.parametrize("write", [as_csv, as_latex, lambda told: json.dumps(plainly(told))])
def test_the_same_comparison_is_always_written_alike(write):
    assert write(two()) == write(two())
