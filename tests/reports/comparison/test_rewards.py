"""Runs of tasks with reward beside each other: what lives missed, and no bits."""

import csv
import io
from math import nan

from evo_ntm.evolution.exam import ExamRow
from evo_ntm.experiment import parse
from evo_ntm.reports.charts.layers import Marks
from evo_ntm.reports.comparison.charts import exam
from evo_ntm.reports.comparison.files import as_csv
from evo_ntm.reports.comparison.tables import tables
from tests.evolution.cases import told
from tests.reports.comparison.cases import compared, run

PART = {"name": "lives", "rows": 4, "sequences": 60, "at_most": {"missed": 0}}


def compared_lives():
    maze = {**told("genetic"), "task": "t_maze", "with": {},
            "exam": {"validation": [PART], "parts": [PART]}}  # fmt: skip
    asked = parse(maze, name="maze")
    rows = [
        (ExamRow("lives", {"runs": 20}, 4, 60, nan, nan,
                 {"shortfall": missed / 20, "missed": missed, "reward": 16.0}, missed < 1),)
        for missed in (0.0, 1.0, 3.0)
    ]  # fmt: skip
    return compared([run(asked, seed, 10, exam=each) for seed, each in enumerate(rows)])


def test_the_exam_of_lives_is_charted_by_what_they_missed():
    chart = exam(compared_lives().groups)
    (marks,) = (layer for layer in chart.plots[0].layers if isinstance(layer, Marks))
    assert (marks.x, marks.y) == ((20.0,), (1.0,))
    assert chart.plots[0].title == "Missed a life, in the last exam"
    assert "bits" not in chart.told + "".join(marks.told)


def test_the_exam_of_lives_has_no_columns_of_bits():
    (table,) = (each for each in tables(compared_lives()) if each.name.startswith("exam"))
    assert table.headings == ("part", "runs", "rows", "lives", "group", "sat by", "shortfall",
                             "missed", "reward", "passed")  # fmt: skip


def test_the_runs_of_lives_are_written_with_what_they_missed():
    heading, *rows = csv.reader(io.StringIO(as_csv(compared_lives())))
    assert [float(row[heading.index("missed, lives")]) for row in rows] == [0, 1, 3]
