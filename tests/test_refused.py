"""Runs that are not gone on with: one line says why, and nothing changes on disk."""

import json
import os
import re
import shutil
import sqlite3
from contextlib import closing

import pytest
import torch
from deap import base, tools

from evo_ntm import cli, journal, verbs
from evo_ntm.errors import ExperimentError, RunError
from evo_ntm.evolution.evaluate import unscored
from evo_ntm.experiment import parse
from evo_ntm.runs.store import Recorder, open_run
from tests.evolution.cases import rewritten, told
from tests.test_resume import asked, cut, edit, until


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two copies of a run after ten generations: of one that was stopped, and of one killed."""
    folder = tmp_path_factory.mktemp("runs")
    before, journal.SECONDS_BETWEEN_COMMITS = journal.SECONDS_BETWEEN_COMMITS, 0.0

    def look(progress):
        if progress.generation == 9:
            shutil.copytree(folder / "stopped", folder / "killed")
            raise KeyboardInterrupt

    verbs.evolve(asked(), to=folder / "stopped", on_generation=look)
    journal.SECONDS_BETWEEN_COMMITS = before
    return folder


@pytest.fixture(params=["stopped", "killed"])
def either(runs, request, tmp_path):
    """A copy of either run."""
    return shutil.copytree(runs / request.param, tmp_path / "run")


@pytest.fixture
def stopped(runs, tmp_path):
    """A copy of the run that was stopped."""
    return shutil.copytree(runs / "stopped", tmp_path / "run")


def everything(folder):
    """Read all files but the index of the log, which whoever reads may write."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"]
    return {path: path.read_bytes() for path in paths}


def refused(folder, told, error=RunError, **about):
    """Try to go on, in vain and twice; give the sentence."""
    before = everything(folder)
    for _ in range(2):
        with pytest.raises(error, match=told) as refusal:
            verbs.resume(folder, **about)
        assert "\n" not in str(refusal.value)
        assert everything(folder) == before
    return str(refusal.value)


def newest(folder):
    return sorted((folder / "checkpoints").iterdir())[-1]


def test_one_that_is_written_is_left_alone(either):
    with Recorder(open_run(either)):
        refused(either, "run: is being written by another process")


def test_one_whose_checkpoint_is_torn_is_left_alone(either):
    path = newest(either)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refused(either, f"^{path}: expected the checkpoint .* it is torn; --from-older goes back")


def test_one_whose_checkpoint_is_gone_is_left_alone(either):
    path = newest(either)
    path.unlink()
    refused(either, f"^{path}: expected a checkpoint, .* No such file .*; --from-older goes back")


def test_one_whose_checkpoint_is_a_pipe_is_left_alone(either):
    path = newest(either)
    path.unlink()
    os.mkfifo(path)
    refused(either, f"^{path}: expected a checkpoint, but it is a pipe; --from-older goes back")


@pytest.mark.parametrize("name", ["log.jsonl", "tensorboard"])
def test_one_of_which_a_part_cannot_be_written_is_left_alone(stopped, name):
    (stopped / name).unlink(missing_ok=True)
    os.mkfifo(stopped / name)
    refused(stopped, f"^{stopped / name}: cannot be written: ")


def test_one_whose_experiment_is_no_text_is_left_alone(stopped):
    (stopped / "experiment.yaml").write_bytes(b"\xff\xfe\x00")
    refused(stopped, "experiment.yaml: ", ExperimentError)


def test_a_torn_copy_is_left_alone(either):
    for generation in (11, 15):
        shutil.copy(newest(either), either / "checkpoints" / f"{generation:07}.safetensors")
    refused(either, "expected at most one checkpoint newer .* of generations 11, 15: run.sqlite")


def test_half_a_copy_is_left_alone(runs, tmp_path):
    half = tmp_path / "half"
    shutil.copytree(runs / "killed", half, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    refused(half, "run.sqlite: expected run.sqlite-wal beside it, .* half a copy of a run")


def test_one_whose_experiment_was_edited_is_left_alone_unless_drift_is_accepted(either):
    path = either / "experiment.yaml"
    path.write_text(path.read_text().replace("generations: 14", "generations: 15"))
    told = "began with another experiment.yaml: its config hash was .*, but is now .*; --accept"
    refused(either, told)
    assert verbs.resume(either, accept_drift=True).generation == 14
    (event,) = open_run(either).rows("SELECT * FROM events WHERE kind = 'drift'")
    assert event["told"].startswith("began with another experiment.yaml")


def test_one_whose_task_was_edited_is_told_so(stopped):
    path = stopped / "experiment.yaml"
    path.write_text(path.read_text().replace("longest: 2", "longest: 3"))
    refused(stopped, "began with another experiment.yaml: its task hash was ")


def test_one_that_has_come_further_than_its_curriculum_is_left_alone(tmp_path):
    stages = [{"with": {"longest": 1}, "until": {"wrong_bits": 100}}, {"with": {}}]
    long = parse({**told("genetic", generations=14), "curriculum": stages})
    folder = tmp_path / "run"
    assert verbs.evolve(long, to=folder, on_generation=until(9)).interrupted
    assert open_run(folder).checkpoint()[0]["stage"] == 1
    rewritten(folder, curriculum=[])
    said = "curriculum: expected at least 2 stages, as the run has come to that one, but .* 1$"
    refused(folder, said, ExperimentError, accept_drift=True)


@pytest.mark.parametrize("other", ["evolution_strategy", "cma", "neat"])
def test_one_that_is_to_go_on_by_another_strategy_is_left_alone(either, other):
    rewritten(either, evolve=told(other)["evolve"])
    refused(either, f"^{either}: evolve.strategy: expected that of the checkpoint", ExperimentError,
            accept_drift=True)  # fmt: skip


def test_one_with_fewer_samples_than_a_challenger_takes_goes_on_where_drift_is_accepted(tmp_path):
    folder = cut(tmp_path / "run", 7, "evolution_strategy", starts=1, challenger_every=7)
    assert open_run(folder).rows("SELECT species FROM generations WHERE number = 7")[0][0] == 2
    path = folder / "experiment.yaml"
    path.write_text(re.sub("population: .*", "population: 2", path.read_text()))
    assert verbs.resume(folder, accept_drift=True).generation == 13


def test_one_with_other_operators_is_left_alone(either):
    toolbox = base.Toolbox()
    toolbox.register("select", tools.selTournament, tournsize=2)
    told = "run: expected a toolbox that brings nothing, .* but it brings select"
    refused(either, told, ExperimentError, toolbox=toolbox)


@pytest.mark.parametrize(
    ("name", "was"),
    [("torch", "1.0"), ("numpy", "1.0"), ("instructions", "none"), ("fused kernel", "0")],
)
def test_other_arithmetic_is_told_by_name_unless_drift_is_accepted(stopped, name, was):
    (row,) = open_run(stopped).rows("SELECT value FROM facts WHERE name = 'arithmetic'")
    began = json.loads(row["value"])
    here = began[name]
    edit(stopped, "UPDATE facts SET value = ? WHERE name = 'arithmetic'",
         json.dumps({**began, name: was}))  # fmt: skip
    told = f"began with {name} {was}, but here is {here}"
    said = refused(stopped, f"run: {told}".replace("+", r"\+"))
    assert said == f"{stopped}: {told}; --accept-drift goes on otherwise than before"
    assert not verbs.resume(stopped, accept_drift=True).interrupted
    (event,) = open_run(stopped).rows("SELECT * FROM events WHERE kind = 'drift'")
    assert (event["generation"], event["told"]) == (10, told)
    assert open_run(stopped).facts()["arithmetic"] == began


def test_arithmetic_that_has_something_new_is_told_of(stopped):
    began = open_run(stopped).facts()["arithmetic"]
    here = began.pop("fused kernel")
    edit(stopped, "UPDATE facts SET value = ? WHERE name = 'arithmetic'", json.dumps(began))
    refused(stopped, f"run: began with fused kernel none, but here is {here}; --accept-drift")


def test_another_instruction_set_or_number_of_threads_is_no_drift_of_the_fused_kernel(stopped):
    facts = open_run(stopped).facts()
    assert facts["backend"].startswith("fused on cpu, ")
    edit(stopped, "UPDATE facts SET value = '\"fused on cpu, neon\"' WHERE name = 'backend'")
    text = (stopped / "experiment.yaml").read_text()
    (stopped / "experiment.yaml").write_text(text.replace("threads: 1", "threads: 2"))
    assert not verbs.resume(stopped).interrupted
    assert not open_run(stopped).rows("SELECT * FROM events WHERE kind = 'drift'")


def test_a_run_that_told_nothing_of_its_arithmetic_is_gone_on_with(stopped):
    edit(stopped, "DELETE FROM facts WHERE name = 'arithmetic'")
    assert not verbs.resume(stopped).interrupted


def test_births_that_come_out_otherwise_are_left_alone(stopped):
    edit(stopped, "UPDATE births SET fitness = fitness + 1 WHERE generation = 9 AND number = "
                  "(SELECT max(number) FROM births)")  # fmt: skip
    refused(stopped, "expected generation 9 to come out as it did, but birth ")


def test_births_that_cannot_be_scored_again_are_left_alone_and_it_is_said_why(stopped):
    toolbox = base.Toolbox()
    toolbox.register("map", lambda score, chunks: [unscored(each, "it died") for each in chunks])
    told = "expected generation 8 to come out as it did, but it died; --accept-drift"
    refused(stopped, told, toolbox=toolbox)


def test_a_state_that_comes_out_otherwise_is_seen_though_the_births_are_the_same(stopped):
    newest(stopped).unlink()
    edit(stopped, "UPDATE checkpoints SET state = ? WHERE generation = 7", "0" * 32)
    told = f"generation 7 to come out as it did, but the state after it was {'0' * 32}, but is now"
    refused(stopped, told, from_older=True)
    assert verbs.resume(stopped, from_older=True, accept_drift=True).generation == 13
    (event,) = open_run(stopped).rows("SELECT * FROM events WHERE kind = 'drift'")
    assert event["generation"] == 7


def test_a_state_that_was_published_and_never_committed_has_to_come_out_again(tmp_path):
    folder = tmp_path / "run"
    verbs.evolve(asked("cma"), to=tmp_path / "other", on_generation=until(11))
    verbs.evolve(asked("cma", seed=2), to=folder, on_generation=until(9))
    shutil.copy(newest(tmp_path / "other"), folder / "checkpoints")
    with pytest.raises(RunError, match="expected generation 11 to .* the state after it was "):
        verbs.resume(folder)
    assert not verbs.resume(folder, accept_drift=True).interrupted


def test_rows_of_a_newer_version_are_left_alone(stopped):
    with closing(sqlite3.connect(stopped / "run.sqlite")) as rows:
        rows.execute("PRAGMA user_version = 99")
        rows.commit()
    refused(stopped, "expected version 5 or older, but it was written by a newer one, version 99")


def test_the_database_of_somebody_else_is_left_alone(stopped):
    (stopped / "run.sqlite").unlink()
    with closing(sqlite3.connect(stopped / "run.sqlite")) as rows:
        rows.execute("CREATE TABLE mine (a)")
        rows.commit()
    refused(stopped, "expected the rows of a run, but it is somebody else's database")


def test_the_command_line_says_it_in_one_line(stopped, capsys):
    newest(stopped).unlink()
    before = everything(stopped)
    assert cli.run(["resume", "--quiet", str(stopped)]) == 2
    out, beside = capsys.readouterr()
    assert (out, beside.count("\n")) == ("", 1)
    assert everything(stopped) == before


def test_arithmetic_names_the_instructions_only_as_far_as_they_matter():
    from evo_ntm.machine.backends import choose

    wide = torch.backends.cpu.get_cpu_capability()
    assert choose("cpu", "torch").arithmetic["instructions"] == wide
    fused = choose("cpu").arithmetic
    assert fused["fused kernel"] == "1"
    assert fused["instructions"] == ("AVX2 or wider" if wide.startswith("AVX") else wide)


def test_a_run_that_is_interrupted_before_it_has_caught_up_is_left_as_it_was(either):
    before = everything(either)
    assert verbs.resume(either, on_generation=until(8)).interrupted
    assert everything(either) == before
