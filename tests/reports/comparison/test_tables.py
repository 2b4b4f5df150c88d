"""A comparison in tables of words."""

import pytest

from evo_ntm.reports.comparison.tables import tables
from tests.reports.comparison.cases import compared, experiment, run, sat, series

FAST, SLOW = [3000, 2000, 4000, 2500, 3500], [7000, 6000, 9000, 6500, 4500]


def by_name(comparison):
    told = tables(comparison)
    for table in told:
        assert all(len(row) == len(table.headings) for row in table.rows)
        assert all(isinstance(cell, str) for row in table.rows for cell in row)
    return {table.name.partition(" ")[0]: table for table in told}


def two():
    return compared(series(experiment(population=24), FAST),
                    series(experiment(population=32), SLOW, unsolved=(1, 3)))  # fmt: skip


def test_rates_are_told_with_their_intervals():
    assert by_name(two())["rates"].rows == (
        ("copy, population 24", "5", "5", "1.00", "0.57 to 1.00"),
        ("copy, population 32", "5", "3", "0.60", "0.23 to 0.88"),
    )


def test_costs_are_told_with_failures_paid_for():
    rows = by_name(two())["costs"].rows
    assert rows[0] == ("copy, population 24", "evaluations", "3,000", "2,400 to 3,600", "2,500",
                       "3,000", "3,500", "15,000")  # fmt: skip
    assert rows[1][1:4] == ("sequence-timesteps", "120,000", "96,000 to 144,000")
    assert rows[2][1:4] == ("seconds", "30", "24 to 36")
    assert rows[3] == ("copy, population 32", "evaluations", "11,000", "5,500 to 40,000", "6,000",
                       "6,500", "unsolved", "33,000")  # fmt: skip


def test_an_interval_that_might_be_without_end_says_so():
    told = compared(series(experiment(), [3000] * 5, unsolved=(1, 2, 3, 4)))
    assert by_name(told)["costs"].rows[0][2:] == (
        "15,000", "above 5,000", "unsolved", "unsolved", "unsolved", "15,000",
    )  # fmt: skip


def test_what_is_not_known_is_not_told_as_a_number():
    only = experiment(changes=["exam.parts.0.at_most=null"])
    told = compared(series(experiment(), [405, 600], unsolved=(1, 2)), [run(only, 1, 5)],
                    [run(experiment(population=32), 1, 5, "running")])  # fmt: skip
    failed, reported, running = by_name(told)["rates"].rows
    assert failed[1:] == ("2", "0", "0.00", "0.00 to 0.66")
    assert reported[1:] == ("1", "not asked", "", "") and running[1:] == ("0", "0", "", "")
    assert [row[2:] for row in by_name(told)["costs"].rows] == [
        ("unsolved", "", *["unsolved"] * 3, spent) for spent in ("1,005", "40,200", "10.1")
    ]


def test_tests_are_told_in_words():
    table = by_name(two())["contrasts"]
    assert [row[1] for row in table.rows] == [
        "solved", "evaluations", "sequence-timesteps", "seconds",
    ]  # fmt: skip
    assert table.rows[0] == (
        "copy, population 24 and copy, population 32", "solved", "2/0/3", "0.70", "0.500",
        "0.500",
    )  # fmt: skip
    assert table.rows[1][2:5] == ("5/0/0", "1.00", "0.062")
    assert "Pairs are runs of the same seed (5)." in table.notes[0]
    assert "cannot fall below 0.062" in table.notes[0]
    assert "Tested by exact sign test, Wilcoxon signed-rank test;" in table.notes[0]


def test_how_low_a_chance_may_come_is_told_of_all_pairs():
    costs = list(range(20, 30))
    several = compared(
        series(experiment(), costs),
        series(experiment(population=32), costs),
        series(experiment("cma"), costs[:5]),
    )
    note = by_name(several)["contrasts"].notes[0]
    assert "cannot fall below 0.002 to 0.062, by the pair, with so few runs." in note


def test_where_nothing_is_tested_a_sentence_says_why():
    table = by_name(compared(series(experiment(), [30]), series(experiment("cma"), [20])))[
        "contrasts"
    ]
    assert table.rows == () and table.notes == (
        "copy, evolution_strategy and copy, cma: no test is possible with 1 common seed: it takes "
        "at least 5.",
    )
    assert "contrasts" not in by_name(compared(series(experiment(), [30])))


def test_seeds_are_side_by_side():
    one = experiment()
    few = [*series(one, [3000, 20], unsolved=(2,)), run(one, 4, 5, "running")]
    table = by_name(compared(few, series(experiment(population=32), [1500], first=4)))["seeds"]
    assert table.headings == ("seed", "copy, population 24", "copy, population 32")
    assert table.rows == (("1", "3,000", ""), ("2", "not solved", ""), ("4", "running", "1,500"))


def test_exams_of_one_task_are_side_by_side():
    exams = [(sat(0.0), sat(bits, name="length 9", length=9, passed=None)) for bits in (1, 2, 4)]
    one, other = experiment(), experiment(population=32)
    many = [run(one, seed, 10, exam=exam) for seed, exam in enumerate(exams)]
    few = [run(other, 1, 30, exam=exams[0]), run(other, 2, 50, "not solved")]
    told = compared(many, few)
    table = by_name(told)["exam"]
    assert table.headings == ("part", "length", "rows", "sequences", "group", "sat by",
                              "wrong bits", "bits", "passed")  # fmt: skip
    assert table.rows == (
        ("as trained", "2", "5", "48", "copy, population 24", "3", "0", "0", "3 of 3"),
        ("as trained", "2", "5", "48", "copy, population 32", "1", "0", "0", "1 of 1"),
        ("length 9", "9", "5", "48", "copy, population 24", "3", "2.00 (1.50 to 3.00)",
         "4.00 (3.00 to 6.00)", "reported"),
        ("length 9", "9", "5", "48", "copy, population 32", "1", "1.00", "2.00", "reported"),
    )  # fmt: skip


def test_exams_of_different_tasks_are_never_in_one_table():
    longer = {"changes": ["with.longest=3"]}
    three = experiment(), experiment(**longer), experiment(**longer, population=32)
    told = compared(*(series(each, [30]) for each in three))
    exams = [table for table in tables(told) if table.name.startswith("exam ")]
    tasks = list(dict.fromkeys(group.task_hash[:8] for group in told.groups))
    assert [table.name for table in exams] == [f"exam {task}" for task in tasks]
    assert [{row[4] for row in table.rows} for table in exams] == [
        {told.groups[0].name}, {told.groups[1].name, told.groups[2].name},
    ]  # fmt: skip
    assert all(task in table.title for task, table in zip(tasks, exams, strict=True))


def test_what_differs_is_told_by_its_keys():
    assert by_name(two())["differences"].rows == (("evolve.population", "24", "32"),)


def test_every_run_has_a_row_in_the_details():
    table = by_name(two())["runs"]
    assert table.detail and len(table.rows) == 10
    assert table.rows[5] == ("copy, population 32", "1", "not solved", "700", "7,000", "280,000",
                             "70.0", "0", "0", "copy-1")  # fmt: skip


@pytest.mark.parametrize(("seeds", "detail"), [(30, False), (31, True)])
def test_many_rows_are_a_detail(seeds, detail):
    assert by_name(compared(series(experiment(), [30] * seeds)))["seeds"].detail is detail


def test_learning_is_told_at_places_each_twice_as_far_as_the_one_before():
    learned = [((100, 8.0), (800, 2.0)), ((100, 6.0), (200, 4.0)), ((300, 7.0), (400, 0.0))]
    told = compared([run(experiment(), seed, 1600, "not solved", learned=each)
                     for seed, each in enumerate(learned, start=1)])  # fmt: skip
    table = by_name(told)["learning"]
    assert table.headings == ("group", *(f"{place:,} evaluations"
                                         for place in (100, 200, 400, 800, 1600)))  # fmt: skip
    (row,) = table.rows
    assert row[1:3] == ("8.00 (7.00 to ?)", "8.00 (6.00 to ?)")
    assert row[-1] == "2.00 (1.00 to 3.00)"
    assert "learning" not in by_name(two())
