"""What runs came to, read from folders: also of runs that go on, are torn, or are no runs."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from evo_ntm import verbs
from evo_ntm.errors import RunError
from evo_ntm.experiment import parse
from evo_ntm.outcome import outcome
from evo_ntm.reports.comparison import compare
from evo_ntm.reports.comparison.results import find, read
from evo_ntm.series import in_turn
from tests.evolution.cases import experiment, told


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make two series: one that passes its exam at once, one that never does."""
    made = tmp_path_factory.mktemp("series")
    easy = told("cma", generations=8)
    for part in (*easy["exam"]["validation"], *easy["exam"]["parts"]):
        part["at_most"] = {"wrong_bits": 100}
    for name, series, seeds in (
        ("easy", parse(easy, name="easy"), [1, 2, 10]), ("hard", experiment("genetic"), [1, 2])
    ):  # fmt: skip
        in_turn(series, seeds, made / name, begin=lambda e, to: verbs.evolve(e, to=to),
                go_on=verbs.resume)  # fmt: skip
    return made


def rows(run, question):
    with closing(sqlite3.connect(run / "run.sqlite")) as opened:
        return opened.execute(question).fetchall()


def altered(run, *statements):
    with closing(sqlite3.connect(run / "run.sqlite")) as opened:
        for statement in statements:
            opened.execute(statement)
        opened.commit()


def test_a_result_is_what_the_rows_say(folder):
    for path, state in (
        (folder / "easy" / "seed-2", "solved"),
        (folder / "hard" / "seed-2", "not solved"),
    ):
        found, ended = read(path), outcome(path)
        result = found.result
        assert (result.path, result.seed, result.state) == (path, 2, state)
        assert found.experiment.task_hash == dict(rows(path, "SELECT * FROM facts"))[
            "task_hash"
        ].strip('"')
        looks = rows(path, "SELECT generation, wrong_bits FROM validations ORDER BY generation")
        least = [
            look
            for number, look in enumerate(looks)
            if look[1] < min((wrong for _, wrong in looks[:number]), default=float("inf"))
        ]
        spent = dict(rows(path, "SELECT number, scored FROM generations"))
        assert result.learned == tuple(
            (sum(scored for number, scored in spent.items() if number <= generation), wrong)
            for generation, wrong in least
        ) != ()  # fmt: skip
        counted = rows(path, "SELECT count(*), sum(scored), sum(timesteps) FROM generations")[0]
        assert (result.generations, result.evaluations, result.timesteps) == counted
        assert result.generations == ended.generation + 1
        assert (result.seconds, result.sittings, result.restarts) == (
            ended.seconds, ended.sittings, ended.restarts)  # fmt: skip
        assert result.exam == ended.rows and bool(result.exam) == result.solved
        assert result.computed["threads"] == "1" and result.computed["evo_ntm"]


def test_a_folder_stands_for_every_run_in_it_in_the_order_of_seeds(folder):
    found, unread = find([folder / "easy"])
    assert [each.result.seed for each in found] == [1, 2, 10] and unread == []


def test_a_run_that_is_named_twice_is_read_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    one = folder / "easy" / "seed-1"
    found, _ = find([one, folder / "easy", folder / "hard" / ".." / "easy" / "seed-1"])
    assert [each.result.seed for each in found] == [1, 2, 10]


def test_series_side_by_side(folder):
    told = compare([folder / "easy", str(folder / "hard")])
    assert [(group.name, group.solved, len(group.ended)) for group in told.groups] == [
        ("easy", 3, 3), ("experiment", 0, 2),
    ]  # fmt: skip
    assert told.contrasts[0].seeds == (1, 2)
    assert told.contrasts[0].refused.startswith("no test is possible with 2 common seeds")
    assert len(told.warnings) == 1 and told.warnings[0].startswith("tasks differ")


def test_a_run_is_read_while_it_is_written_and_once_it_is_interrupted(tmp_path):
    heard = []

    def look(progress):
        heard.append(read(tmp_path / "run").result)
        if progress.generation == 5:
            raise KeyboardInterrupt

    verbs.evolve(experiment("genetic"), to=tmp_path / "run", on_generation=look)
    assert {result.state for result in heard} == {"running"}
    counts = [result.generations for result in heard]
    assert counts == sorted(counts) and all(result.generations <= 6 for result in heard)
    cut = read(tmp_path / "run").result
    assert (cut.state, cut.generations, cut.ended) == ("interrupted", 6, False)
    assert compare([tmp_path / "run"]).groups[0].ended == ()
    verbs.resume(tmp_path / "run")
    assert read(tmp_path / "run").result.state == "not solved"


def test_a_run_that_was_killed_once_its_exam_was_passed_is_solved(folder, tmp_path):
    shutil.copytree(folder / "easy" / "seed-1", tmp_path / "run")
    altered(tmp_path / "run", "UPDATE facts SET value = 'true' WHERE name = 'interrupted'")
    assert read(tmp_path / "run").result.state == "solved"


def test_where_no_run_is_a_line_says_what_is(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for path, why in (
        (tmp_path / "gone", "expected a run, but there is no such folder"),
        (tmp_path / "file", "expected a run, but this is a file"),
        (
            tmp_path / "empty",
            "expected a run or a folder with runs, but there is no run.sqlite in it",
        ),
    ):
        with pytest.raises(RunError) as told:
            compare([folder / "easy", path])
        assert str(told.value).startswith(f"{path}: {why}")
    with pytest.raises(
        RunError, match="expected a run or a folder with runs to compare, but came none"
    ):
        compare([])


def test_a_run_that_cannot_be_read_is_left_out_of_its_series_and_told_of(folder, tmp_path):
    series = tmp_path / "series"
    shutil.copytree(folder / "hard", series)
    (series / "seed-1" / "run.sqlite").write_bytes(b"torn")
    shutil.copytree(series / "seed-2", series / ".seed-2.1-1.part")
    told = compare([series])
    assert [result.seed for result in told.groups[0].results] == [2]
    assert len(told.warnings) == 1
    assert told.warnings[0].startswith(
        f"left out: {series}/seed-1/run.sqlite: expected the rows of a run"
    )
    with pytest.raises(RunError, match="seed-1/run.sqlite: expected the rows of a run"):
        compare([series / "seed-1"])
    shutil.rmtree(series / "seed-2")
    with pytest.raises(
        RunError, match="expected a run or a folder with runs, but .*seed-1/run.sqlite"
    ):
        compare([series])


def test_a_run_whose_experiment_was_edited_since_is_told_of(folder, tmp_path):
    series = tmp_path / "series"
    shutil.copytree(folder / "hard", series)
    (first, second) = sorted(path / "experiment.yaml" for path in series.iterdir())
    first.write_text(first.read_text().replace("generations: ", "generations: 1"))
    (warning,) = [told for told in compare([series]).warnings if "experiment.yaml" in told]
    assert warning.startswith(f"{first.parent} began with another experiment.yaml: its config hash")
    assert str(second.parent) not in warning


def test_a_folder_that_may_not_be_listed_is_told_of(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(RunError, match="easy: cannot be read: Permission denied$"):
        compare([folder / "easy"])


def test_rows_that_are_no_json_are_told_of(folder, tmp_path):
    shutil.copytree(folder / "easy" / "seed-1", tmp_path / "run")
    altered(tmp_path / "run", "UPDATE sittings SET rows = '[{'")
    with pytest.raises(RunError, match="run.sqlite: expected the rows of a run, but "):
        read(tmp_path / "run")


def test_runs_of_several_processes_tell_of_all_of_them(folder, tmp_path):
    shutil.copytree(folder / "easy" / "seed-1", tmp_path / "run")
    words = json.dumps({"threads": 8, "versions": {"torch": "1.0"}})
    altered(tmp_path / "run", f"INSERT INTO processes VALUES (9, '', 0, '{words}')")
    computed = read(tmp_path / "run").result.computed
    assert computed["threads"] == "1, 8" and computed["torch"].endswith(", 1.0")


def test_what_a_gradient_made_of_a_run_does_not_count(folder, tmp_path):
    shutil.copytree(folder / "hard" / "seed-1", tmp_path / "run")
    before = read(tmp_path / "run")
    altered(
        tmp_path / "run",
        "INSERT INTO births SELECT 9999, generation, parents, '[\"finetune\"]', genome, topology, "
        "fitness, measures FROM births WHERE number = 1",
        "INSERT INTO tunings VALUES (9999, 10, 160, 1.0, '{}', '[]')",
        "INSERT INTO sittings (generation, birth, solved, rows) VALUES (11, 9999, 1, '[]')",
        "INSERT INTO processes VALUES (9, '', 12, '{\"device\": \"cuda\"}')",
        "INSERT INTO facts VALUES ('tuning', 'null')",
    )
    told = read(tmp_path / "run")
    assert told.result == replace(before.result, tuned=True) and not before.result.solved
    assert compare([tmp_path / "run"]).warnings == (
        "experiment: 1 run (seed 1) tuned by gradients afterwards, which counts nowhere: evolution "
        "is compared",
    )


def test_a_run_that_gradients_alone_made_is_no_run_to_compare(folder, tmp_path):
    shutil.copytree(folder / "hard", tmp_path / "series")
    tuned = tmp_path / "series" / "seed-1"
    altered(
        tuned,
        "DELETE FROM generations WHERE number > 0",
        "UPDATE generations SET scored = 1",
        "INSERT INTO facts VALUES ('tuning', 'null')",
    )
    why = f"{tuned}: expected a run that evolved, but gradients alone made it"
    with pytest.raises(RunError, match=f"^{why}$"):
        compare([tuned])
    assert compare([tmp_path / "series"]).warnings == (f"left out: {why}",)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_runs_of_older_versions_can_be_compared(tmp_path, version):
    kept = Path(__file__).parents[2] / "runs"
    shutil.copy(kept / f"version_{version}.yaml", tmp_path / "experiment.yaml")
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as opened:
        opened.executescript((kept / f"version_{version}.sql").read_text("utf-8"))
    (group,) = compare([tmp_path]).groups
    (result,) = group.results
    assert result.evaluations > result.generations > 1
    assert result.state in ("not solved", "interrupted")
