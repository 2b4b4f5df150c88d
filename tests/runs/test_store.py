import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from math import inf, nan
from pathlib import Path

import pytest

from evo_ntm.errors import GenomeError, RunError
from evo_ntm.experiment import load
from evo_ntm.genome.files import read_card
from evo_ntm.runs.store import (
    Recorder,
    create,
    free_folder,
    open_run,
    refuse_written,
    require_place,
)
from tests.evolution.cases import tiny
from tests.runs.disk import room_for


@pytest.fixture
def experiment(small):
    return load(small)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deep" / "run"


def birth(number, **told):
    row = {
        "number": number,
        "generation": 0,
        "parents": [],
        "operators": ["found"],
        "genome": tiny().id,
        "topology": tiny().topology,
        "fitness": -1.0,
        "measures": {"bits": 1.0},
    }
    return {**row, **told}


def validation(birth, generation=0, champion=1):
    told = {"generation": generation, "birth": birth, "champion": champion}
    return {**told, "wrong_bits": 1.0, "bits": 1.0}


def test_a_run_is_a_folder_with_its_experiment_and_its_rows(folder, experiment):
    with create(folder, experiment):
        pass
    assert sorted(path.name for path in folder.iterdir()) == [
        "champions", "checkpoints", "experiment.yaml", "run.sqlite"
    ]  # fmt: skip
    run = open_run(folder)
    assert run.experiment == experiment
    assert run.facts() == {
        "task_hash": experiment.task_hash,
        "config_hash": experiment.config_hash,
        "interrupted": True,
    }


def test_what_was_committed_is_there_and_the_rest_is_not(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1), birth(2, parents=[1], operators=["add", "drop"])])
        recorder.fact("seconds", 2.5)
        recorder.commit()
        recorder.record("births", [birth(3)])
    first, second = open_run(folder).rows("SELECT * FROM births ORDER BY number")
    assert (first["number"], first["fitness"], json.loads(first["parents"])) == (1, -1.0, [])
    assert json.loads(second["parents"]) == [1]
    assert json.loads(second["operators"]) == ["add", "drop"]
    assert json.loads(second["measures"]) == {"bits": 1.0}
    assert open_run(folder).facts()["seconds"] == 2.5


def numbers(folder):
    return [row["number"] for row in open_run(folder).rows("SELECT number FROM births")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, sqlite3.IntegrityError])
def test_what_is_recorded_whole_is_there_whole_or_not_at_all(folder, experiment, error):
    with create(folder, experiment) as recorder:
        with recorder.whole():
            recorder.record("births", [birth(1)])
        with pytest.raises(error), recorder.whole():
            recorder.record("births", [birth(2)])
            raise error
        with recorder.whole():
            recorder.record("births", [birth(3)])
        recorder.commit()
    assert numbers(folder) == [1, 3]


def test_what_is_forgotten_takes_along_all_that_points_to_it(folder, experiment):
    with create(folder, experiment) as recorder:
        for number in (1, 2):
            recorder.record("births", [birth(number, generation=number)])
            recorder.bear(number, tiny(), ["finetune"])
            told = {"birth": number, "steps": 1, "sequences": 1, "seconds": 1.0}
            recorder.record("tunings", [{**told, "settings": {}, "curve": []}])
        recorder.commit()
        recorder.forget(2)
        recorder.commit()
    rows = recorder.run.rows
    assert [row["birth"] for row in rows("SELECT birth FROM tunings")] == [1]
    assert [row["birth"] for row in rows("SELECT birth FROM genomes")] == [1]
    assert numbers(folder) == [1]


def test_a_number_is_given_once(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        with pytest.raises(sqlite3.IntegrityError):
            recorder.record("births", [birth(1)])


def test_commits_may_be_kept_apart(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit(every=3600.0)
        assert numbers(folder) == []
        recorder.commit()
        assert numbers(folder) == [1]


def test_what_is_not_finite_is_no_nan_anywhere(folder, experiment):
    measures = {"bits": inf, "deep": [{"regret": nan}, 1.0], "fine": 2.0}
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1, fitness=-inf, measures=measures)])
        recorder.fact("best", -inf)
        recorder.commit()
    (row,) = open_run(folder).rows("SELECT * FROM births")
    assert row["fitness"] == -inf
    assert row["measures"] == '{"bits": null, "deep": [{"regret": null}, 1.0], "fine": 2.0}'
    assert open_run(folder).facts()["best"] is None


def test_a_folder_that_is_there_is_refused_and_left_alone(tmp_path, experiment):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with create(tmp_path / "run", experiment):
        pass
    for name, hint in (("file", ""), ("folder", ""), ("link", ""), ("run", ", or .*resume .*run")):
        told = f"{name}: expected no such folder yet.* another --to{hint}$"
        with pytest.raises(RunError, match=told):
            create(tmp_path / name, experiment)
    assert (tmp_path / "file").read_text() == "mine"
    assert list((tmp_path / "folder").iterdir()) == []
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, experiment):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file/run: cannot be written: Not a directory"):
        create(tmp_path / "file" / "run", experiment)


@pytest.mark.parametrize("size", [100, 10_000])
def test_a_run_that_cannot_be_begun_leaves_nothing(folder, experiment, size):
    with pytest.raises(RunError, match=f"^{folder}: cannot be written: "), room_for(size):
        create(folder, experiment)
    assert not folder.exists()


def test_a_full_disk_leaves_what_was_committed(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit()
        many = [birth(number) for number in range(2, 2000)]
        with room_for((folder / "run.sqlite").stat().st_size):
            with pytest.raises(RunError, match=f"^{folder}: cannot be written: "):
                with recorder.whole():
                    recorder.record("births", many)
                recorder.commit()
            with pytest.raises(RunError, match="cannot be written: "), recorder.whole():
                recorder.keep(1, tiny(units=(5000,)))
    assert numbers(folder) == [1]
    assert list((folder / "champions").iterdir()) == []


def test_the_genome_of_a_champion_is_kept_with_its_experiment(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [
            birth(number, genome=tiny(seed=number).id) for number in (1, 2, 3, 4)
        ])  # fmt: skip
        recorder.record("validations", [validation(1), validation(3, 5), validation(4, 9, 0)])
        for number in (1, 3):
            recorder.keep(number, tiny(seed=number))
        recorder.commit()
    run = open_run(folder)
    assert run.champion() == 3
    assert run.genome().id == run.genome(3).id == tiny(seed=3).id
    assert run.genome(1).id == tiny(seed=1).id
    card = read_card(run.champion_file(3))
    assert card["birth"] == "3"
    assert card["experiment"] == (folder / "experiment.yaml").read_text()


def test_the_file_of_another_champion_is_refused(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(n, genome=tiny(seed=n).id) for n in (1, 2)])
        recorder.record("validations", [validation(1), validation(2, 5)])
        for number in (1, 2):
            recorder.keep(number, tiny(seed=number))
        recorder.commit()
    run = open_run(folder)
    shutil.copy(run.champion_file(1), run.champion_file(2))
    own, other = (tiny(seed=number).id for number in (2, 1))
    told = f"2.safetensors: expected the genome {own} of birth 2, but the file holds {other}"
    for read in (run.genome, lambda: run.genomes([1, 2])):
        with pytest.raises(GenomeError, match=told):
            read()
    assert run.genome(1).id == other


@pytest.mark.parametrize(
    ("number", "why"), [(2, "its genome was not kept"), (9, "there is no such birth")]
)
def test_a_birth_whose_genome_is_not_there_is_refused(folder, experiment, number, why):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1), birth(2)])
        recorder.keep(1, tiny())
        recorder.commit()
    with pytest.raises(RunError) as refusal:
        open_run(folder).genome(number)
    assert str(refusal.value) == (
        f"{folder}: expected a birth whose genome was kept (champions: 1), but of {number} {why}"
    )


def test_a_run_without_a_champion_says_so(folder, experiment):
    with create(folder, experiment):
        pass
    with pytest.raises(RunError, match="expected a champion, but nobody has been validated yet"):
        open_run(folder).genome()


def test_a_run_can_be_read_while_it_is_written_but_not_changed(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit()
        recorder.record("births", [birth(2)])
        assert numbers(folder) == [1]
        with pytest.raises(RunError, match="attempt to write a readonly database"):
            open_run(folder).rows("DELETE FROM births")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="expected a run, but there is no run.sqlite in it"):
        open_run(tmp_path)


def test_a_published_machine_is_no_run_and_says_where_its_line_is(tmp_path):
    (tmp_path / "genome.safetensors").touch()
    with pytest.raises(RunError, match="but this is a published machine, .*lineage.csv"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("PRAGMA user_version = 7", "expected version 5 or older, .* a newer one, version 7"),
        ("PRAGMA application_id = 1", "expected the rows of a run, but it is somebody else's"),
        ("DROP TABLE facts", "expected the rows of a run, but no such table: facts"),
    ],
)
def test_rows_of_another_kind_are_refused(folder, experiment, statement, sentence):
    with create(folder, experiment):
        pass
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        rows.execute(statement)
        rows.commit()
    with pytest.raises(RunError, match=f"run.sqlite: {sentence}"):
        open_run(folder)


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 200])
def test_a_file_of_rows_that_is_broken_is_refused(folder, experiment, content):
    with create(folder, experiment):
        pass
    (folder / "run.sqlite").write_bytes(content)
    with pytest.raises(RunError, match="run.sqlite: expected the rows of a run, but "):
        open_run(folder)


def test_the_free_folder_is_the_first_that_is_not_there(tmp_path):
    assert free_folder("copy", tmp_path) == tmp_path / "copy-1"
    for name in ("copy-1", "copy-2", "copy-4"):
        (tmp_path / name).mkdir()
    assert free_folder("copy", tmp_path) == tmp_path / "copy-3"


def test_what_is_beside_the_champions_is_no_champion(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.keep(19, tiny())
    recorder.run.champion_file(19).with_name("19 copy.safetensors").write_bytes(b"")
    with pytest.raises(RunError, match=r"kept \(champions: 19\), but of 7 there is no such birth"):
        recorder.run.genome(7)


def test_a_birth_beyond_every_number_is_refused(folder, experiment):
    with create(folder, experiment) as recorder:
        pass
    with pytest.raises(RunError, match="expected the rows of a run, but Python int too large"):
        recorder.run.genome(2**63)


@pytest.mark.parametrize("value", ["'no JSON'", "CAST(x'22ff22' AS TEXT)"])
def test_facts_that_cannot_be_read_are_refused(folder, experiment, value):
    with create(folder, experiment):
        pass
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        rows.execute(f"UPDATE facts SET value = {value}")
        rows.commit()
    with pytest.raises(RunError, match="run.sqlite: expected"):
        open_run(folder)


def test_a_run_has_one_writer(folder, experiment):
    with create(folder, experiment) as recorder:
        with pytest.raises(RunError, match="run: is being written by another process"):
            refuse_written(folder)
        with pytest.raises(RunError, match="run: is being written by another process"):
            Recorder(recorder.run)
    refuse_written(folder)


def test_whoever_comes_second_takes_the_next_free_folder(tmp_path, experiment, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def name(_):
        with create(None, experiment) as recorder:
            return recorder.run.folder.name

    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(name, range(8)))
    assert sorted(names) == [f"small-{number}" for number in range(1, 9)]


@pytest.mark.parametrize(("asked", "named"), [(None, "runs/1"), (Path("runs/a/b"), "runs/a/b")])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path, monkeypatch, asked, named):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("no folder")
    with pytest.raises(RunError) as refusal:
        require_place(asked)
    assert str(refusal.value) == f"{named}: cannot be made: {tmp_path / 'runs'} is no folder"


def test_a_place_may_still_have_to_be_made(tmp_path):
    require_place(tmp_path / "a" / "b" / "c")
    assert list(tmp_path.iterdir()) == []
