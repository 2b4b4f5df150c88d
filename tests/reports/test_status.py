"""How far a run has come: while it is written, when it was interrupted, once it has ended."""

import json
import math
import re
from pathlib import Path

import pytest

from evo_ntm import cli, journal, screen, verbs
from evo_ntm.errors import RunError
from evo_ntm.experiment import parse
from evo_ntm.reports.status import statuses
from tests.evolution.cases import experiment
from tests.evolution.cases import told as told_of


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)


def until(generation):
    def stop(progress):
        if progress.generation == generation:
            raise KeyboardInterrupt

    return stop


def test_a_run_tells_how_far_it_has_come_at_any_time(tmp_path):
    folder, heard = tmp_path / "one", []

    def look(progress):
        heard.append(verbs.status(folder))
        if progress.generation == 7:
            raise KeyboardInterrupt

    verbs.evolve(experiment("genetic"), to=folder, on_generation=look)
    assert [status.generation for status in heard] == list(range(8))
    assert {status.state for status in heard} == {"running"}
    assert [status.champion is None for status in heard] == [True] * 3 + [False] * 5
    cut = verbs.status(folder)
    assert (cut.state, cut.generation, cut.generations) == ("interrupted", 7, 12)
    assert cut.births == heard[-1].births > heard[0].births == 20
    verbs.resume(folder)
    over = verbs.status(folder)
    assert (over.state, over.generation, over.checkpoint) == ("not solved", 11, 11)
    assert over.seconds > 0 and over.sittings == 0
    assert cut.seconds_left > 0 and math.isnan(over.seconds_left)


def facts(text):
    """Read the facts of a status by their names."""
    lines = [
        re.split("  +", line, maxsplit=1) for line in text.partition("last events")[0].splitlines()
    ]
    return dict(line for line in lines if len(line) == 2 and line[0])


def test_the_command_line_tells_of_one_run(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "a"
    monkeypatch.setattr("sys.argv", ["/there/evo-ntm", "evolve", "my task.yaml"])
    verbs.evolve(experiment("genetic"), to=folder, on_generation=until(5))
    assert cli.run(["status", str(folder)]) == 0
    out = capsys.readouterr().out
    told = facts(out)
    assert told["run"] == str(folder)
    assert told["state"] == "interrupted after 6 of 12 generations"
    assert told["task"] == "copy by genetic, seed 1"
    assert told["checkpoint"] == "none yet" and told["exam"] == "not sat yet"
    assert told["computed by"].endswith(", 1 thread")
    assert told["champion"].startswith("birth ")
    assert re.fullmatch(r"[\d.]+ wrong bits, [\d.]+ bits a sequence", told["validation"])
    assert re.match("1, the last since 2.*: evo-ntm evolve 'my task.yaml'$", told["processes"])
    named = [line.split()[1] for line in out.partition("What next:")[2].split("\n") if line]
    assert named == ["resume", "exam", "show", "explain", "lineage"]
    verbs.resume(folder)
    assert cli.run(["status", str(folder)]) == 0
    out = capsys.readouterr().out
    assert facts(out)["state"] == "not solved after 12 of 12 generations"
    assert facts(out)["processes"].startswith("2, the last since ")
    assert f"evo-ntm resume {folder} --set evolve.generations=24\n" in out
    assert f"evo-ntm lineage {folder} --report" in out


def test_the_command_line_tells_of_a_run_in_progress(tmp_path, capsys):
    def look(progress):
        if progress.generation == 5:
            assert cli.run(["status", str(tmp_path / "a")]) == 0

    verbs.evolve(experiment("evolution_strategy"), to=tmp_path / "a", on_generation=look)
    out = capsys.readouterr().out
    assert facts(out)["state"] == "running after 6 of 12 generations"
    assert re.fullmatch(r"0:\d\d, 0:\d\d left, .* sequence-timesteps/s", facts(out)["time"])
    assert "  after 4  halve: 2 starts, 1 kept\n" in out
    assert "evo-ntm resume" not in out and "evo-ntm digest" not in out


def test_the_parts_of_a_validation_set_are_said_to_be_added_up(tmp_path, capsys):
    asked = told_of("genetic")
    part = asked["exam"]["validation"][0]
    asked["exam"]["validation"] = [part, {**part, "name": "again"}]
    outcome = verbs.evolve(parse(asked), to=tmp_path / "a")
    assert cli.run(["status", str(tmp_path / "a")]) == 0
    told = facts(capsys.readouterr().out)["validation"]
    assert told.endswith(" bits a sequence, 2 parts added up")
    assert screen.summary(outcome).endswith(f" On the validation set it has {told}.")


def test_a_run_that_only_gradients_worked_on_is_not_said_to_have_evolved(tmp_path, capsys):
    verbs.evolve(experiment("genetic", generations=2), to=tmp_path / "a")
    verbs.finetune(tmp_path / "a", steps=1)
    verbs.finetune(tmp_path / "a", steps=1, from_scratch=True, to=tmp_path / "b")
    for name, by in (("a", "genetic"), ("b", "gradients alone")):
        assert cli.run(["status", str(tmp_path / name)]) == 0
        assert facts(capsys.readouterr().out)["task"] == f"copy by {by}, seed 1"


def test_status_tells_of_an_experiment_that_was_edited_since(tmp_path, capsys):
    verbs.evolve(experiment("genetic", generations=2), to=tmp_path / "a")
    assert cli.run(["status", str(tmp_path / "a")]) == 0
    assert "experiment" not in capsys.readouterr().err
    file = tmp_path / "a" / "experiment.yaml"
    file.write_text(file.read_text().replace("sequences: 48", "sequences: 2"))
    assert cli.run(["status", str(tmp_path / "a")]) == 0
    assert f"{tmp_path / 'a'}: the run began with an" in capsys.readouterr().err


def test_status_is_also_json(tmp_path, capsys):
    verbs.evolve(experiment("cma"), to=tmp_path / "a", on_generation=until(0))
    assert cli.run(["status", "--json", str(tmp_path / "a")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["path"], told["state"]) == (str(tmp_path / "a"), "interrupted")
    assert (told["generation"], told["rate"], told["champion"]) == (0, None, None)
    assert told["processes"][0]["told"]["threads"] == 1


def test_the_command_line_tells_of_all_runs(tmp_path, capsys):
    for name, strategy in (("a", "cma"), ("b", "genetic")):
        verbs.evolve(experiment(strategy, generations=4), to=tmp_path / name)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.sqlite").write_bytes(b"broken")
    (tmp_path / "no run").mkdir()
    assert cli.run(["runs", str(tmp_path)]) == 0
    *rows, last = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[:4] for row in rows] == [[name, "not", "solved", "4/4"] for name in ("a", "b")]
    assert last[0] == "broken" and "expected" in last
    assert cli.run(["runs", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["path"] for each in told] == [str(tmp_path / n) for n in ("a", "b", "broken")]
    assert [each.get("state") for each in told] == ["not solved", "not solved", None]
    assert "expected the rows of a run" in told[2]["error"]


def test_a_run_is_no_folder_of_runs(tmp_path):
    verbs.evolve(experiment("cma", generations=1), to=tmp_path / "a")
    with pytest.raises(RunError, match="but it is a run itself: evo-ntm status .*/a$"):
        verbs.runs(tmp_path / "a")


def test_where_there_is_nothing_a_sentence_says_so(tmp_path):
    with pytest.raises(RunError, match="expected a run, but there is no run.sqlite"):
        verbs.status(tmp_path)
    with pytest.raises(RunError, match="expected a folder with runs, but there is none"):
        verbs.runs(tmp_path / "nowhere")
    with pytest.raises(RunError, match="expected a folder with runs, but this is a file"):
        verbs.runs(__file__)
    assert verbs.runs(tmp_path) == {}


def test_a_run_that_cannot_be_looked_into_hides_no_other(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.sqlite").write_text("no rows")
    is_file = Path.is_file

    def forbidden(path):
        if path.parent.name == "a":
            raise PermissionError(13, "Permission denied")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", forbidden)
    told = statuses(tmp_path)
    assert told[tmp_path / "a"] == f"{tmp_path / 'a'}: cannot be read: Permission denied"
    assert "expected the rows of a run" in told[tmp_path / "b"]
