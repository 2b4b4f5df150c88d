"""Groups differ in more than seeds, and are called by what they differ in."""

import pytest

from tests.reports.comparison.cases import compared, experiment, run, series


def names(*runs):
    return [group.name for group in compared(*runs).groups]


def test_runs_that_differ_in_their_seed_alone_are_one_group():
    told = compared(series(experiment(), [30, 20]), series(experiment(), [50], first=7))
    assert [result.seed for result in told.groups[0].results] == [1, 2, 7]
    assert len(told.groups) == 1 and told.differences == ()
    assert experiment().with_seed(9).config_hash != told.groups[0].experiment


def test_where_it_is_computed_and_how_it_is_called_makes_no_group():
    two = experiment(name="two", changes=["run.threads=2"])
    assert names(series(experiment(name="one"), [30]), series(two, [20], first=2)) == ["one"]


def test_groups_of_different_task_files_are_called_by_these():
    assert names(
        series(experiment(name="copy"), [30]), series(experiment("cma", name="copy-cma"), [20])
    ) == ["copy", "copy-cma"]


def test_groups_of_one_task_file_are_called_by_what_differs_between_them():
    assert names(
        series(experiment(population=24), [30]),
        series(experiment(population=32), [30]),
        series(experiment("cma", name="other"), [20]),
    ) == ["copy, population 24", "copy, population 32", "other"]


def test_groups_of_one_task_file_and_different_strategies_are_called_by_these():
    assert names(
        series(experiment("cma"), [30]),
        series(experiment("genetic", population=20), [30]),
        series(experiment("genetic", population=30), [30]),
    ) == ["copy, cma", "copy, genetic, population 20", "copy, genetic, population 30"]


def test_a_key_is_called_by_as_much_of_its_end_as_is_its_own():
    rarely = experiment(changes=["evolve.operators.add_reader.share=0.5"])
    told = names(series(experiment(), [30]), series(rarely, [30]))
    assert told == ["copy, add_reader.share 1.0", "copy, add_reader.share 0.5"]


def test_a_key_that_others_end_with_is_told_whole_and_begins_with_no_number():
    several = [experiment(changes=[f"with.longest={longest}", f"exam.parts.0.with.longest={part}"])
               for longest, part in ((4, 5), (6, 5), (4, 7))]  # fmt: skip
    assert names(*(series(each, [30]) for each in several)) == [
        "copy, with.longest 4, parts.0.with.longest 5",
        "copy, with.longest 6, parts.0.with.longest 5",
        "copy, with.longest 4, parts.0.with.longest 7",
    ]


def test_a_key_that_is_not_there_says_none():
    told = compared(series(experiment(), [30]),
                    series(experiment(operators={"add_reader": {}}), [30]))  # fmt: skip
    assert [group.name for group in told.groups] == [
        "copy, widen_memory.share 1.0, columns 1", "copy, widen_memory.share none, columns none",
    ]  # fmt: skip
    assert ("evolve.operators.widen_memory.columns", ("1", "none")) in [
        (each.key, each.values) for each in told.differences
    ]


def test_names_stay_short_and_apart():
    changes = ["evolve.population=32", "evolve.sigma=0.2", "evolve.starts=4"]
    many = [experiment(changes=changes), experiment(changes=[*changes, "evolve.window=5"]),
            experiment()]  # fmt: skip
    told = names(*(series(each, [30]) for each in many))
    assert told[2] == "copy, population 24, sigma 0.05, starts 2, …"
    for number in (0, 1):
        tag = many[number].with_seed(0).config_hash[:6]
        assert told[number] == f"copy, population 32, sigma 0.2, starts 4, … ({tag})"


def test_one_s_own_operators_make_another_group():
    one = experiment("genetic")
    told = names([run(one, 1, 20)], [run(one, 1, 20, brought=("select", "mate"))])
    assert told == ["copy, toolbox none", "copy, toolbox select, mate"]


@pytest.mark.parametrize("states", [("not solved", "interrupted"), ("running", "not solved")])
def test_a_seed_that_comes_twice_counts_once_as_the_run_that_has_ended(states):
    one = experiment()
    told = compared([run(one, 1, 10, states[0], path="a"), run(one, 1, 20, states[1], path="b")])
    (result,) = told.groups[0].results
    assert result.state == "not solved"
    other = "b" if result.path == "a" else "a"
    assert told.warnings == (f"copy: seed 1 came twice: {other} is left out beside {result.path}",)


def test_of_two_runs_of_a_seed_that_have_ended_the_first_counts():
    one = experiment()
    told = compared([run(one, 1, 10, path="a"), run(one, 1, 20, path="b")])
    assert [result.path for result in told.groups[0].results] == ["a"]
