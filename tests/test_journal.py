"""What a run tells of itself while it goes on: its log, and its curves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import evo_ntm
from evo_ntm import cli, journal, verbs, watch
from evo_ntm.runs.disk import ROOM
from evo_ntm.runs.log import read_log
from evo_ntm.runs.run import Run
from tests.runs.disk import room_for
from tests.test_resume import asked as interruptible
from tests.test_resume import until
from tests.verbs.test_verbs import exploding

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def asked(strategy="genetic", tensorboard=False, **changes):
    return interruptible(strategy, {"tensorboard": tensorboard}, **changes)


def log(folder, *kinds):
    return [line for line in read_log(Run(folder)) if not kinds or line["kind"] in kinds]


def test_the_log_tells_of_a_run_from_its_beginning_to_its_end(folder):
    verbs.evolve(asked(), to=folder)
    lines = log(folder)
    assert lines[0]["kind"] == "began" and lines[-1]["kind"] == "ended"
    assert lines[0]["versions"]["evo_ntm"] == evo_ntm.__version__
    assert lines[0]["command"] == sys.argv
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert [line["generation"] for line in log(folder, "checkpoint")] == [3, 7, 11, 13]
    champions = Run(folder).rows("SELECT birth FROM validations WHERE champion ORDER BY generation")
    assert [line["birth"] for line in log(folder, "champion")] == [row[0] for row in champions]
    last = log(folder, "generation")[-1]
    assert (last["generation"], last["generations"], last["stage"]) == (13, 14, 1)
    assert {"best_fitness", "wrong_bits", "species", "rate", "rows", "failures"} <= last.keys()
    assert {"median", "sigma"} <= last["statistics"].keys()


def test_the_figures_are_told_once_a_second_at_most_and_at_the_end(folder, monkeypatch):
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LINES", 1000.0)
    verbs.evolve(asked(), to=folder)
    assert [line["generation"] for line in log(folder, "generation")] == [0, 13]
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LINES", 0.0)
    verbs.evolve(asked(), to=folder.with_name("other"))
    assert len(log(folder.with_name("other"), "generation")) == 14


@pytest.mark.parametrize("strategy", ["evolution_strategy", "genetic", "cma"])
def test_survivors_are_those_scored_by_themselves_who_were_born_before(folder, strategy):
    experiment = asked(strategy)
    verbs.evolve(experiment, to=folder)
    rows = Run(folder).rows("SELECT number, survivors FROM generations ORDER BY number")
    births = Run(folder).rows("SELECT number, generation FROM births")
    for row in rows:
        survivors = json.loads(row["survivors"])
        born = [each["number"] for each in births if each["generation"] == row["number"]]
        assert sorted({*survivors}) == survivors and max(survivors, default=0) < min(born)
        if strategy == "genetic":
            assert len(survivors) + len(born) == experiment.evolve.population
            assert len(survivors) >= (experiment.evolve.elites if row["number"] else 0)
        else:
            assert survivors == []


def test_every_event_is_told(folder, monkeypatch):
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LINES", 1000.0)
    verbs.evolve(asked("evolution_strategy", generations=24), to=folder)
    rows = Run(folder).rows("SELECT generation, kind, told FROM events ORDER BY rowid")
    kinds = {row["kind"] for row in rows}
    assert {"halve", "challenge"} <= kinds
    lines = [(line["generation"], line["kind"], line["told"]) for line in log(folder, *kinds)]
    assert lines == [tuple(row) for row in rows]


def test_machines_that_fail_are_counted_between_two_lines(folder, monkeypatch):
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LINES", 1000.0)
    experiment = asked("evolution_strategy")
    toolbox = exploding(evo_ntm.founder(experiment).genes.size)
    verbs.evolve(experiment, to=folder, toolbox=toolbox)
    failures = Run(folder).rows("SELECT failures FROM generations ORDER BY number")
    first, *later = [row["failures"] for row in failures]
    told = [(line["level"], line["failures"]) for line in log(folder, "generation")]
    assert told == [("warning", first), ("warning", sum(later))] and sum(later) > first > 0


def test_an_interruption_and_what_followed_it_are_in_one_log(folder):
    verbs.evolve(asked(), to=folder, on_generation=until(5))
    assert log(folder)[-1]["kind"] == "interrupted"
    with (folder / "log.jsonl").open("ab") as file:
        file.write(b'{"version": 1, "ti')
    verbs.resume(folder)
    ends = log(folder, "began", "interrupted", "ended")
    assert [line["kind"] for line in ends] == ["began", "interrupted", "began", "ended"]


def test_a_process_that_finds_nothing_left_to_evolve_tells_that_the_run_has_ended(folder):
    verbs.evolve(asked(), to=folder, on_generation=until(13))
    assert verbs.outcome(folder).interrupted
    verbs.resume(folder)
    assert [line["kind"] for line in log(folder)][-3:] == ["interrupted", "began", "ended"]


def test_the_log_is_no_part_of_the_digest(folder):
    verbs.evolve(asked(), to=folder)
    before = verbs.digest(folder)
    (folder / "log.jsonl").unlink()
    assert verbs.digest(folder) == before


def test_what_stopped_a_run_is_the_last_word(folder):
    def fail(progress):
        raise ValueError("somebody's own callback")

    with pytest.raises(ValueError, match="callback"):
        verbs.evolve(asked(), to=folder, on_generation=fail)
    last = log(folder)[-1]
    assert (last["kind"], last["level"], last["told"]) == (
        "stopped", "error", "somebody's own callback",
    )  # fmt: skip
    assert verbs.resume(folder).generation == 13


def test_a_log_that_finds_no_room_leaves_a_run_that_goes_on(tmp_path, folder, capsys):
    verbs.evolve(asked(), to=tmp_path / "whole")
    verbs.evolve(asked(), to=folder, on_generation=until(5))
    (folder / "log.jsonl").write_bytes(b"{}\n" * ROOM)
    with room_for(3 * ROOM + 100):
        assert cli.run(["resume", str(folder), "--quiet"]) == 3
    assert capsys.readouterr().err == f"evo-ntm: {folder}: cannot be written: File too large\n"
    verbs.resume(folder)
    assert verbs.digest(folder) == verbs.digest(tmp_path / "whole")


# TensorBoard


def curves(folder):
    """Read the curves as TensorBoard does: steps and values by tag."""
    read = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
    read.Reload()
    return {
        tag: [(point.step, point.value) for point in read.Scalars(tag)]
        for tag in read.Tags()["scalars"]
    }


@pytest.mark.parametrize("strategy", ["evolution_strategy", "genetic", "cma"])
def test_curves_are_what_is_in_the_rows(folder, strategy):
    verbs.evolve(asked(strategy, tensorboard=True), to=folder)
    came = curves(folder)
    rows = Run(folder).rows("SELECT * FROM generations ORDER BY number")
    assert came["run/species"] == [(row["number"], row["species"]) for row in rows]
    assert came["run/rows"] == [(row["number"], row["rows"]) for row in rows]
    assert {"best/fitness", "best/wrong bits", "fitness/median", "run/stage", "run/failures"} <= {
        *came
    }
    assert [step for step, _ in came["best/fitness"]] == list(range(14))
    assert len([tag for tag in came if tag.startswith("strategy/")]) >= 1
    validations = Run(folder).rows("SELECT generation, bits FROM validations ORDER BY generation")
    assert [step for step, _ in came["validation/bits"]] == [row[0] for row in validations]
    bits = [value for _, value in came["validation/bits"]]
    assert bits == pytest.approx([row[1] for row in validations])


@pytest.mark.parametrize("stop", [2, 3, 5, 12])
def test_a_run_that_goes_on_has_every_step_once(tmp_path, folder, stop):
    verbs.evolve(asked(tensorboard=True), to=tmp_path / "whole")
    verbs.evolve(asked(tensorboard=True), to=folder, on_generation=until(stop))
    verbs.resume(folder)
    whole, came = curves(tmp_path / "whole"), curves(folder)
    rate = "run/sequence-timesteps a second"
    assert [step for step, _ in came.pop(rate)] == [step for step, _ in whole.pop(rate)]
    assert came == whole


def test_a_file_of_curves_that_was_torn_loses_what_was_torn_only(folder):
    verbs.evolve(asked(tensorboard=True), to=folder, on_generation=until(5))
    (file,) = (folder / "tensorboard").iterdir()
    file.write_bytes(file.read_bytes()[:-7])
    verbs.resume(folder)
    assert [step for step, _ in curves(folder)["run/species"]] == list(range(14))


def test_a_file_of_curves_that_was_deleted_is_in_nobody_s_way(folder):
    verbs.evolve(asked(tensorboard=True), to=folder, on_generation=until(3))
    verbs.resume(folder, on_generation=until(5))
    first, _ = sorted((folder / "tensorboard").iterdir())
    first.unlink()
    verbs.resume(folder)
    assert [step for step, _ in curves(folder)["run/species"]] == list(range(4, 14))


def test_curves_can_be_asked_for_when_a_run_goes_on(small, folder, capsys):
    verbs.evolve(asked(), to=folder, on_generation=until(5))
    assert not (folder / "tensorboard").exists()
    assert cli.run(["resume", str(folder), "--tensorboard", "--quiet"]) in (0, 1)
    assert [step for step, _ in curves(folder)["run/species"]] == list(range(4, 14))
    other = folder.with_name("other")
    assert cli.run(["evolve", str(small), "--to", str(other), "--tensorboard"]) in (0, 1)
    assert [step for step, _ in curves(other)["run/species"]] == list(range(4))
    assert "run.tensorboard=true" in Run(other).experiment.overrides


def test_a_tensorboard_that_is_not_installed_is_asked_for_in_one_line(
    small, folder, monkeypatch, capsys
):
    verbs.evolve(asked(), to=folder, on_generation=until(5))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    other = folder.with_name("other")
    for arguments in (["evolve", small, "--to", other], ["resume", folder]):
        assert cli.run([*map(str, arguments), "--tensorboard", "--quiet"]) == 2
        out, complaint = capsys.readouterr()
        assert out == "" and complaint.count("\n") == 1
        assert "run.tensorboard: expected the package tensorboard" in complaint
        assert complaint.endswith("python -m pip install tensorboard\n")
    assert not other.exists()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_who_does_not_ask_for_curves_does_not_import_tensorboard(small, tmp_path):
    code = (
        "import sys; from evo_ntm.cli import run; run(sys.argv[1:]); "
        "sys.exit('tensorboard' in sys.modules)"
    )
    command = [sys.executable, "-c", code, "evolve", str(small), "--to", str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(command, capture_output=True, env=environment).returncode == 0


def test_curves_that_find_no_room_end_in_one_line(folder, capsys):
    verbs.evolve(asked(tensorboard=True), to=folder, on_generation=until(5))
    (folder / "tensorboard").rename(folder / "before")
    (folder / "tensorboard").write_bytes(b"")
    assert cli.run(["resume", str(folder), "--quiet"]) == 2
    complaint = capsys.readouterr().err
    assert complaint == f"evo-ntm: {folder / 'tensorboard'}: cannot be written: File exists\n"
