"""Runs of older versions: readable for ever, and brought up to the present one when written."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evo_ntm import verbs
from evo_ntm.errors import EvoNTMError, RunError
from evo_ntm.reports.pedigree import read_pedigree
from evo_ntm.runs.database import make_rows
from evo_ntm.runs.migrations import STEPS, VERSION, migrate
from evo_ntm.runs.store import open_run
from evo_ntm.runs.topologies import name_of, whole

HERE = Path(__file__).parent


@pytest.fixture
def old(tmp_path):
    """A run of version 1, as that version left it: five generations of the genetic algorithm."""
    folder = tmp_path / "old"
    (folder / "champions").mkdir(parents=True)
    shutil.copy(HERE / "version_1.yaml", folder / "experiment.yaml")
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        rows.executescript((HERE / "version_1.sql").read_text("utf-8"))
    return folder


def layout(path):
    """List the columns and the references of every table."""
    with closing(sqlite3.connect(path)) as rows:
        names = rows.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        return {
            name: (
                rows.execute(f"PRAGMA table_info({name})").fetchall(),
                rows.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
                rows.execute("SELECT strict FROM pragma_table_list(?)", (name,)).fetchall(),
            )
            for (name,) in names.fetchall()
            if not name.startswith("sqlite_")
        }


def interrupt(folder):
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        rows.execute("UPDATE facts SET value = 'true' WHERE name = 'interrupted'")
        rows.commit()


def test_there_is_a_step_from_every_version_to_the_next():
    assert sorted(STEPS) == list(range(1, VERSION))


def test_an_old_run_is_read_as_a_new_one_and_left_as_it_is(old):
    before = (old / "run.sqlite").read_bytes()
    run = open_run(old)
    (first,) = run.rows("SELECT * FROM births JOIN topologies ON topology = topologies.number "
                        "WHERE births.number = 1")  # fmt: skip
    assert first["told"] == "dense 4, 1 reader, 1 writer, width 3"
    assert verbs.outcome(old).generation == 4
    assert verbs.outcome(old).topology.startswith("dense 4, ")
    assert (old / "run.sqlite").read_bytes() == before
    assert {path.name for path in old.iterdir()} == {"champions", "experiment.yaml", "run.sqlite"}


def test_rows_that_are_brought_up_are_laid_out_as_new_ones(old, tmp_path):
    with closing(sqlite3.connect(old / "run.sqlite", isolation_level=None)) as rows:
        counts = rows.execute("SELECT count(*), sum(fitness) FROM births").fetchall()
        migrate(rows)
        assert rows.execute("PRAGMA foreign_key_check").fetchall() == []
        assert rows.execute("SELECT count(*), sum(fitness) FROM births").fetchall() == counts
        migrate(rows)  # which there is nothing to do for
    make_rows(tmp_path / "new.sqlite")
    assert layout(old / "run.sqlite") == layout(tmp_path / "new.sqlite")


def test_a_migration_that_fails_changes_nothing(old, monkeypatch):
    before = (old / "run.sqlite").read_bytes()

    step = STEPS[1]

    def fail(rows):
        step(rows)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setitem(STEPS, 1, fail)
    with closing(sqlite3.connect(old / "run.sqlite", isolation_level=None)) as rows:
        with pytest.raises(sqlite3.OperationalError):
            migrate(rows)
    assert (old / "run.sqlite").read_bytes() == before


def test_an_old_run_that_ended_is_not_resumed_and_not_changed(old):
    before = (old / "run.sqlite").read_bytes()
    with pytest.raises(RunError, match="it has ended, after 5 generations"):
        verbs.resume(old)
    assert (old / "run.sqlite").read_bytes() == before


def test_an_old_run_that_was_interrupted_is_resumed_from_its_beginning(old):
    interrupt(old)
    outcome = verbs.resume(old, accept_drift=True)  # it may have been another processor
    assert (outcome.generation, outcome.interrupted) == (4, False)
    with closing(sqlite3.connect(old / "run.sqlite")) as rows:
        assert rows.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert rows.execute("PRAGMA foreign_key_check").fetchall() == []


def laid_out(folder, version):
    """Lay out a run that was interrupted after its fifth generation, with a checkpoint after four.

    It is of the genetic algorithm, with eight individuals and three elites; version 4 of NEAT.
    """
    for name in ("champions", "checkpoints"):
        (folder / name).mkdir(parents=True)
    shutil.copy(HERE / f"version_{version}.yaml", folder / "experiment.yaml")
    checkpoint = folder / "checkpoints" / "0000003.safetensors"
    shutil.copy(HERE / f"version_{version}.safetensors", checkpoint)
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        rows.executescript((HERE / f"version_{version}.sql").read_text("utf-8"))
    return folder


@pytest.fixture
def second(tmp_path):
    return laid_out(tmp_path / "second", 2)


@pytest.mark.parametrize(("version", "kept"), [(2, 1), (3, 10), (4, 3)])
def test_a_later_run_is_read_and_gone_on_with_from_its_checkpoint(tmp_path, version, kept):
    folder = laid_out(tmp_path / "run", version)
    assert verbs.status(folder).checkpoint == 3
    reasons = [row["reason"] for row in open_run(folder).rows("SELECT * FROM genomes")]
    assert reasons == ["lineage"] * kept
    heard = []
    # It may have been another processor.
    outcome = verbs.resume(folder, on_generation=heard.append, accept_drift=True)
    assert (heard[0].generation, outcome.generation, outcome.interrupted) == (4, 5, False)
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        assert rows.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert rows.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("killed", [False, True])
def test_an_old_run_that_is_refused_is_not_brought_up(second, tmp_path, killed):
    if killed:
        rows = sqlite3.connect(second / "run.sqlite", isolation_level=None)
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("UPDATE facts SET value = '\"x\"' WHERE name = 'toolbox'")
        second = shutil.copytree(second, tmp_path / "killed")
        rows.close()
    (second / "checkpoints" / "0000003.safetensors").unlink()
    before = {path: path.read_bytes() for path in second.iterdir() if path.is_file()}
    with pytest.raises(EvoNTMError):
        verbs.resume(second)
    index = second / "run.sqlite-shm"
    after = {path: path.read_bytes() for path in second.iterdir() if path.is_file()}
    assert {**after, index: b""} == {**before, index: b""}


def test_the_graphs_of_version_4_are_what_they_were(tmp_path):
    run = open_run(laid_out(tmp_path / "fourth", 4))
    question = "SELECT number, shape FROM topologies ORDER BY number"
    with closing(sqlite3.connect(run.folder / "run.sqlite")) as rows:
        before = dict(rows.execute(question))
    after = {row["number"]: whole(row["shape"], row["graph"], "it")
             for row in run.rows("SELECT * FROM topologies")}  # fmt: skip
    assert after == before and len(after) == 4
    assert all("connections" in text for text in after.values())
    kinds = read_pedigree(run).kinds
    assert len({kind.told for kind in kinds}) > 1  # in their graphs alone they differ
    assert len({kind.like for kind in kinds}) == 1
    verbs.resume(run.folder, accept_drift=True)
    names = [row["hash"] for row in run.rows("SELECT hash FROM topologies ORDER BY number")]
    assert names[:4] == [name_of(text) for text in before.values()] and len(names) > 4
    assert len({*names}) == len(names)


def test_who_survived_is_known_from_version_4_on(tmp_path):
    folder = laid_out(tmp_path / "third", 3)
    question = "SELECT survivors FROM generations ORDER BY number"
    assert [row["survivors"] for row in open_run(folder).rows(question)] == [None] * 5
    verbs.resume(folder, accept_drift=True)
    *earlier, last = (row["survivors"] for row in open_run(folder).rows(question))
    (born,) = open_run(folder).rows("SELECT count(*), min(number) FROM births WHERE generation = 5")
    survivors = json.loads(last)
    assert earlier[:4] == [None] * 4
    assert len({*survivors}) + born[0] == 8 and max(survivors) < born[1]
