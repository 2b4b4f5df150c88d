"""The file of rows: while it is written, once it is closed, and half a copy of it."""

import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from evo_ntm.errors import RunError
from evo_ntm.experiment import load
from evo_ntm.runs.store import Recorder, create, open_run
from tests.runs.test_store import birth


@pytest.fixture
def experiment(small):
    return load(small)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def pragma(folder, name):
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        return rows.execute(f"PRAGMA {name}").fetchone()[0]


def numbers(folder):
    return [row["number"] for row in open_run(folder).rows("SELECT number FROM births")]


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_run_that_is_written_has_a_log_and_one_that_is_closed_is_one_file(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit()
        assert {"run.sqlite", "run.sqlite-wal"} <= set(files(folder))
    assert files(folder) == ["experiment.yaml", "run.sqlite"]
    assert pragma(folder, "journal_mode") == "delete"
    assert pragma(folder, "integrity_check") == "ok"
    assert pragma(folder, "user_version") == 5


def test_rows_point_to_rows_that_are_there(folder, experiment):
    with create(folder, experiment) as recorder:
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            recorder.record("births", [{**birth(1), "topology": 7}])
        with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
            recorder.record("births", [{**birth(1), "fitness": "high"}])


@pytest.mark.parametrize("closed", [False, True])
def test_a_whole_copy_can_be_read_and_written(folder, tmp_path, experiment, closed):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit()
        if not closed:
            shutil.copytree(folder, tmp_path / "copy")
    if closed:
        shutil.copytree(folder, tmp_path / "copy")
    assert numbers(tmp_path / "copy") == [1]
    with Recorder(open_run(tmp_path / "copy")) as recorder:
        recorder.record("births", [birth(2)])
        recorder.commit()
    assert numbers(tmp_path / "copy") == [1, 2]


def test_rows_that_another_program_has_made_one_file_after_a_kill_are_whole(
    folder, tmp_path, experiment
):
    killed = tmp_path / "killed"
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit()
        shutil.copytree(folder, killed)
    with closing(sqlite3.connect(killed / "run.sqlite")) as rows:
        rows.execute("SELECT * FROM births").fetchall()
    assert "run.sqlite-wal" not in files(killed)
    assert numbers(killed) == [1]
    with Recorder(open_run(killed)) as recorder:
        recorder.record("births", [birth(2)])
        recorder.commit()
    assert numbers(killed) == [1, 2]
    assert files(killed) == ["experiment.yaml", "run.sqlite"]


@pytest.mark.parametrize("lost", [["*-wal", "*-shm"], ["*-wal", "*-shm", "*-commits"]])
def test_half_a_copy_is_refused_by_name_and_left_alone(folder, tmp_path, experiment, lost):
    half = tmp_path / "half"
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit()
        shutil.copytree(folder, half, ignore=shutil.ignore_patterns(*lost))
    before = (half / "run.sqlite").read_bytes()
    for _ in range(2):
        told = "run.sqlite: expected run.sqlite-wal beside it, .* half a copy of a run"
        with pytest.raises(RunError, match=told):
            open_run(half)
    assert (half / "run.sqlite").read_bytes() == before


def test_an_empty_file_of_rows_is_refused_as_half_a_copy(folder, experiment):
    with create(folder, experiment):
        pass
    (folder / "run.sqlite").write_bytes(b"")
    with pytest.raises(RunError, match="it is empty: half a copy, without run.sqlite-wal"):
        open_run(folder)


def test_a_log_that_a_killed_process_left_is_read_and_gone_on_with(folder, experiment):
    recorder = create(folder, experiment)
    recorder.record("births", [birth(1)])
    recorder.commit()
    recorder.record("births", [birth(2)])  # which is never committed
    copy = folder.with_name("killed")
    shutil.copytree(folder, copy)
    recorder.__exit__()
    assert numbers(copy) == [1]
    with Recorder(open_run(copy)) as later:
        later.record("births", [birth(2)])
        later.commit()
    assert numbers(copy) == [1, 2]
    assert files(copy) == ["experiment.yaml", "run.sqlite"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_rows_in_a_folder_that_cannot_be_written_are_read_as_they_lie(folder, experiment):
    with create(folder, experiment) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit()
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        rows.execute("PRAGMA journal_mode = WAL")
    folder.chmod(0o500)
    try:
        assert numbers(folder) == [1]
    finally:
        folder.chmod(0o700)
