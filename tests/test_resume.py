"""Runs that go on: as they would have gone on, or not at all and with a sentence."""

import json
import re
import shutil
import sqlite3
from contextlib import closing

import pytest
from deap import base, tools

import evo_ntm
from evo_ntm import cli, journal, next_steps, verbs
from evo_ntm.errors import ExperimentError, RunError, TaskError
from evo_ntm.experiment import parse
from evo_ntm.reports.status import statuses
from evo_ntm.runs.limits import given_since
from evo_ntm.runs.store import Recorder, open_run
from evo_ntm.tasks import make
from tests.evolution.cases import STRATEGIES, told
from tests.runs.disk import room_for
from tests.verbs.test_verbs import COPY, Plain, dump, exploding, gauge

every = pytest.mark.parametrize("strategy", STRATEGIES)


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def asked(strategy="genetic", run=None, **changes):
    changes = {"generations": 14, "validate_every": 3, **changes}
    return parse({**told(strategy, **changes), "run": {"threads": 1, "checkpoint_every": 4,
                                                       **(run or {})}})  # fmt: skip


def until(generation):
    """Stop a run once a generation is recorded."""

    def stop(progress):
        if progress.generation == generation:
            raise KeyboardInterrupt

    return stop


def cut(folder, generation, *about, **changes):
    experiment = asked(*about, **changes)
    assert verbs.evolve(experiment, to=folder, on_generation=until(generation)).interrupted
    return folder


def edit(folder, statement, *values):
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        assert rows.execute(statement, values).rowcount
        rows.commit()


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_that_lost_its_champions_goes_on_and_keeps_those_to_come(tmp_path):
    folder = cut(tmp_path / "run", 9)
    shutil.rmtree(folder / "champions")
    assert verbs.resume(folder).generation == 13
    assert (folder / "champions").is_dir()


@every
@pytest.mark.parametrize("stop", [0, 3, 4, 9, 13])
def test_a_run_that_goes_on_leaves_what_it_would_have_left(tmp_path, strategy, stop):
    verbs.evolve(asked(strategy), to=tmp_path / "whole")
    cut(tmp_path / "cut", stop, strategy)
    heard = []
    outcome = verbs.resume(tmp_path / "cut", on_generation=heard.append)
    assert (outcome.generation, outcome.interrupted) == (13, False)
    since = stop // 4 * 4 + 3 if stop % 4 == 3 else stop // 4 * 4 - 1
    since = 13 if stop == 13 else since
    assert [progress.generation for progress in heard] == list(range(since + 1, 14))
    assert dump(tmp_path / "cut") == dump(tmp_path / "whole")
    assert verbs.digest(tmp_path / "cut") == verbs.digest(tmp_path / "whole")


@every
def test_a_run_may_be_interrupted_again_and_again(tmp_path, strategy):
    verbs.evolve(asked(strategy), to=tmp_path / "whole")
    cut(tmp_path / "cut", 2, strategy)
    for generation in (3, 6, 9):
        assert verbs.resume(tmp_path / "cut", on_generation=until(generation)).interrupted
    verbs.resume(tmp_path / "cut")
    assert dump(tmp_path / "cut") == dump(tmp_path / "whole")
    processes = open_run(tmp_path / "cut").rows("SELECT * FROM processes ORDER BY number")
    assert [row["generation"] for row in processes] == [0, 3, 4, 7, 10]
    assert {json.loads(row["told"])["threads"] for row in processes} == {1}


def test_the_seconds_of_all_processes_are_counted(folder):
    cut(folder, 5)
    outcome = verbs.resume(folder)
    rows = open_run(folder).rows("SELECT seconds FROM generations ORDER BY number")
    checkpoint, last = rows[3]["seconds"], rows[-1]["seconds"]
    assert outcome.seconds >= last > checkpoint + rows[6]["seconds"] - checkpoint > checkpoint


def test_a_run_that_has_ended_is_refused_and_left_alone(folder):
    verbs.evolve(asked(generations=3), to=folder)
    before = everything(folder)
    with pytest.raises(RunError) as refusal:
        verbs.resume(folder)
    assert str(refusal.value) == (
        f"{folder}: expected a run that was interrupted, but it has ended, after 3 generations; "
        "--set evolve.generations=6 lets it go on"
    )
    assert everything(folder) == before


@every
@pytest.mark.parametrize("first", [6, 8])
def test_a_run_that_is_given_more_goes_on(tmp_path, strategy, first):
    """As with that from the first, where the look at its end was due anyway."""
    verbs.evolve(asked(strategy), to=tmp_path / "whole")
    verbs.evolve(asked(strategy, generations=first), to=tmp_path / "given")
    outcome = verbs.resume(tmp_path / "given", overrides=["evolve.generations=14"])
    assert (outcome.generation, outcome.interrupted) == (13, False)
    if first % 3 == 0:
        assert verbs.digest(tmp_path / "given") == verbs.digest(tmp_path / "whole")
    run = open_run(tmp_path / "given")
    (event,) = run.rows("SELECT generation, told FROM events WHERE kind = 'limits'")
    assert tuple(event) == (first - 1, f"evolve.generations was {first}, but is now 14")
    assert given_since(run) == {"generations": 14} and run.edited() is None
    assert verbs.status(tmp_path / "given").generations == 14
    report = verbs.lineage(tmp_path / "given")
    assert any("evolve.generations: 14 after" in warning for warning in report.header.warnings)
    assert report.again.commands[0].endswith(" --set evolve.generations=14")


def test_a_run_that_was_given_more_is_compared_by_the_limits_it_has(tmp_path):
    verbs.evolve(asked(), to=tmp_path / "whole")
    verbs.evolve(asked(generations=6), to=tmp_path / "given")
    verbs.evolve(asked(generations=6, seed=2), to=tmp_path / "other")
    verbs.resume(tmp_path / "given", overrides=["evolve.generations=14"])
    names = [group.name for group in verbs.compare([tmp_path]).groups]
    assert sorted(names) == ["experiment, generations 14", "experiment, generations 6"]


@every
@pytest.mark.parametrize("first", [6, 8])
def test_what_a_run_was_given_is_kept_when_it_is_interrupted_again(tmp_path, strategy, first):
    for name in ("at once", "cut"):
        verbs.evolve(asked(strategy, generations=first), to=tmp_path / name)
    more = ["evolve.generations=14"]
    verbs.resume(tmp_path / "at once", overrides=more)
    cut = tmp_path / "cut"
    assert verbs.resume(cut, overrides=more, on_generation=until(first)).interrupted
    assert verbs.resume(cut, on_generation=until(10)).interrupted
    assert not verbs.resume(cut).interrupted
    assert verbs.digest(cut) == verbs.digest(tmp_path / "at once")


@every
@pytest.mark.parametrize("first", [7, 8, 9])
def test_a_run_that_was_given_more_goes_on_from_before_its_first_end(tmp_path, strategy, first):
    """Where the validation set was looked at out of turn, and so it is again."""
    for name in ("whole", "torn"):
        verbs.evolve(asked(strategy, generations=first), to=tmp_path / name)
        more = ["evolve.generations=14"]
        verbs.resume(tmp_path / name, overrides=more, on_generation=until(11))
    verbs.resume(tmp_path / "whole")
    shutil.rmtree(tmp_path / "torn" / "checkpoints")
    verbs.resume(tmp_path / "torn", from_older=True)
    assert verbs.digest(tmp_path / "torn") == verbs.digest(tmp_path / "whole")


def test_what_a_run_was_given_is_known_though_it_was_killed_at_once(folder, monkeypatch):
    verbs.evolve(asked(generations=6), to=folder)

    class Killed(BaseException):
        pass

    def kill(*about):
        raise Killed

    with monkeypatch.context() as change:
        change.setattr(Recorder, "record", kill)
        with pytest.raises(Killed):
            verbs.resume(folder, overrides=["evolve.generations=14"])
    run = open_run(folder)
    assert given_since(run) == {"generations": 14}
    assert len(run.rows("SELECT 1 FROM events WHERE kind = 'limits'")) == 1
    assert verbs.resume(folder).generation == 13


def test_a_run_may_be_given_less_or_no_limit_but_its_generations(folder):
    cut(folder, 5, minutes=60)
    outcome = verbs.resume(folder, overrides=["evolve.generations=9", "evolve.minutes=null"])
    assert (outcome.generation, outcome.interrupted) == (8, False)
    (event,) = open_run(folder).rows("SELECT told FROM events WHERE kind = 'limits'")
    assert event["told"] == (
        "evolve.generations was 14, but is now 9, evolve.minutes was 60.0, but is now unlimited"
    )
    verbs.resume(folder, overrides=["evolve.generations=14"])
    assert given_since(open_run(folder)) == {"minutes": None}


@pytest.mark.parametrize(("given", "told"), [
    ("evolve.generations=3", "evolve.generations=3 4 are spent"),
    ("evolve.evaluations=4", r"evolve.evaluations=4 \d+ are spent"),
    ("evolve.minutes=1.0e-9", r"evolve.minutes=1e-09 [\d.e-]+ are spent"),
])  # fmt: skip
@pytest.mark.parametrize("ended", [True, False])
def test_a_limit_that_is_spent_already_is_refused_and_nothing_changes(folder, given, told, ended):
    """Also where the rows reach further than the last checkpoint."""
    if ended:
        verbs.evolve(asked(generations=4), to=folder)
    else:
        cut(folder, 3, run={"checkpoint_every": 50})
    before = everything(folder)
    with pytest.raises(RunError) as refusal:
        verbs.resume(folder, overrides=["evolve.generations=20", given])
    assert re.fullmatch(f"{folder}: expected limits that leave room for more, but of {told}",
                        str(refusal.value))  # fmt: skip
    assert everything(folder) == before


@pytest.mark.parametrize("killed", [False, True])
def test_a_run_that_passed_its_exam_is_given_no_more(folder, killed):
    experiment = told("genetic", generations=3)
    part = {**experiment["exam"]["parts"][0], "at_most": {"wrong_bits": 999}}
    easily = parse({**experiment, "exam": {"validation": [part], "parts": [part]}})
    assert verbs.evolve(easily, to=folder).solved
    if killed:  # before it was told that it has ended
        edit(folder, "UPDATE facts SET value = 'true' WHERE name = 'interrupted'")
    with pytest.raises(RunError, match="as it has passed its exam$"):
        verbs.resume(folder, overrides=["evolve.generations=14"])


def test_a_run_that_was_tuned_since_is_given_no_more(folder):
    verbs.evolve(asked(generations=3), to=folder)
    verbs.finetune(folder, steps=1)
    with pytest.raises(RunError, match="as it was tuned since$"):
        verbs.resume(folder, overrides=["evolve.generations=14"])


def test_what_is_no_limit_is_not_for_a_run_that_goes_on(folder):
    cut(folder, 3)
    with pytest.raises(ExperimentError, match="expected an override of its limits or of where"):
        verbs.resume(folder, overrides=["evolve.population=9"])
    with pytest.raises(ExperimentError, match=r"evolve\.minutes: expected"):
        verbs.resume(folder, overrides=["evolve.minutes=-1"])
    with pytest.raises(ExperimentError, match="expected a list of overrides"):
        verbs.resume(folder, overrides=[5])


@pytest.mark.parametrize("value", [
    "[1, 2]", "5", "null", '{"generations": null}', '{"generations": 9.5}', '{"minutes": -1}',
    '{"minutes": 1e400}', '{"seed": 5}', '{"generations": true}', '{"evaluations": "x"}',
])  # fmt: skip
def test_limits_that_are_none_are_told_in_one_line_of_the_run_that_has_them(folder, value):
    cut(folder, 3)
    edit(folder, "INSERT INTO facts VALUES ('limits', ?)", value)
    complaint = f"{folder / 'run.sqlite'}: expected limits of generations, minutes, evaluations"
    for ask in (verbs.resume, verbs.status, verbs.lineage):
        with pytest.raises(RunError, match=re.escape(complaint)):
            ask(folder)
    assert statuses(folder.parent)[folder].startswith(complaint)


def test_a_run_that_is_written_is_refused(folder):
    cut(folder, 5)
    with Recorder(open_run(folder)):
        with pytest.raises(RunError, match="run: is being written by another process"):
            verbs.resume(folder)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="expected a run, but there is no run.sqlite in it"):
        verbs.resume(tmp_path)


@pytest.mark.parametrize(
    ("column", "value"), [("genome", "0" * 32), ("fitness", -0.5), ("operators", '["restore"]')]
)
def test_a_birth_that_comes_out_otherwise_is_refused_unless_drift_is_accepted(
    tmp_path, folder, column, value
):
    verbs.evolve(asked(), to=tmp_path / "whole")
    cut(folder, 5)
    birth = "(SELECT max(number) FROM births WHERE generation = 4)"
    edit(folder, f"UPDATE births SET {column} = ? WHERE number = {birth}", value)
    before = dump(folder)
    with pytest.raises(RunError, match="expected generation 4 to come out as it did, but birth "):
        verbs.resume(folder)
    assert [line for line in dump(folder) if "INTO \"births\"" in line] == [
        line for line in before if "INTO \"births\"" in line
    ]  # fmt: skip
    outcome = verbs.resume(folder, accept_drift=True)
    assert (outcome.generation, outcome.interrupted) == (13, False)
    (event,) = open_run(folder).rows("SELECT * FROM events WHERE kind = 'drift'")
    assert event["generation"] == 4 and "but is now [" in event["told"]
    assert verbs.digest(folder) == verbs.digest(tmp_path / "whole")


def test_births_that_are_gone_are_drift(folder):
    cut(folder, 5)
    edit(folder, "DELETE FROM births WHERE number = (SELECT max(number) FROM births "
                 "WHERE generation = 4)")  # fmt: skip
    with pytest.raises(RunError, match="there were .* births, but now there are "):
        verbs.resume(folder)


def test_the_backend_is_that_of_the_beginning(folder):
    cut(folder, 5, run={"backend": "torch"})
    text = (folder / "experiment.yaml").read_text()
    assert "backend: torch" in text
    (folder / "experiment.yaml").write_text(text.replace("backend: torch", "backend: auto"))
    verbs.resume(folder)
    assert open_run(folder).facts()["backend"] == "torch on cpu"


def test_a_backend_that_is_not_to_be_had_is_refused_or_recorded(folder, monkeypatch):
    cut(folder, 5, run={"backend": "torch"})
    edit(folder, "UPDATE facts SET value = '\"fused on cpu, avx2\"' WHERE name = 'backend'")
    text = (folder / "experiment.yaml").read_text()
    (folder / "experiment.yaml").write_text(text.replace("backend: torch", "backend: auto"))
    monkeypatch.setattr("evo_ntm.machine.kernels.program.load", lambda: None)
    before = everything(folder)
    with pytest.raises(RunError, match="'fused on cpu, avx2', which is not to be had: .*--accept"):
        verbs.resume(folder)
    assert everything(folder) == before
    assert not verbs.resume(folder, accept_drift=True).interrupted
    assert open_run(folder).facts()["backend"] == "torch on cpu"
    last = open_run(folder).rows("SELECT told FROM processes ORDER BY number")[-1]["told"]
    assert json.loads(last)["backend"] == "torch on cpu"


def test_a_torn_checkpoint_stops_it_and_an_older_one_goes_on_to_the_same(tmp_path, folder):
    verbs.evolve(asked(), to=tmp_path / "whole")
    cut(folder, 9)
    older, last = sorted((folder / "checkpoints").iterdir())
    last.write_bytes(last.read_bytes()[:-9])
    with pytest.raises(RunError, match=f"^{last}: .* it is torn; --from-older goes back"):
        verbs.resume(folder)
    heard = []
    verbs.resume(folder, from_older=True, on_generation=heard.append)
    assert heard[0].generation == int(older.stem) + 1
    assert dump(folder) == dump(tmp_path / "whole")


def test_without_any_checkpoint_it_begins_again_and_comes_to_the_same(tmp_path, folder):
    verbs.evolve(asked(), to=tmp_path / "whole")
    cut(folder, 9)
    for path in (folder / "checkpoints").iterdir():
        path.unlink()
    verbs.resume(folder, from_older=True)
    assert dump(folder) == dump(tmp_path / "whole")


def test_a_full_disk_leaves_a_run_that_goes_on_to_the_same(tmp_path, folder):
    def fill(progress):
        if progress.generation == 6:
            size = (folder / "run.sqlite").stat().st_size
            resource.append(room_for(min(size, 20_000)))
            resource[0].__enter__()

    resource = []
    verbs.evolve(asked(), to=tmp_path / "whole")
    try:
        with pytest.raises(RunError, match=f"^{folder}: cannot be written: "):
            verbs.evolve(asked(), to=folder, on_generation=fill)
    finally:
        resource[0].__exit__(None, None, None)
    verbs.resume(folder)
    assert dump(folder) == dump(tmp_path / "whole")


def test_a_task_of_one_s_own_is_asked_for(folder):
    experiment = parse(gauge(generations=6), tasks=["gauge"])
    verbs.evolve(experiment, task=Plain(), to=folder, on_generation=until(2))
    with pytest.raises(TaskError, match="the name of a task, but came 'gauge'"):
        verbs.resume(folder)
    with pytest.raises(TaskError, match="expected 'gauge', as the experiment says"):
        verbs.resume(folder, task=COPY)
    assert verbs.resume(folder, task=Plain()).generation == 5


def test_operators_of_one_s_own_are_asked_for(tmp_path, folder):
    def toolbox():
        filled = base.Toolbox()
        filled.register("select", tools.selTournament, tournsize=2)
        return filled

    verbs.evolve(asked(), to=tmp_path / "whole", toolbox=toolbox())
    verbs.evolve(asked(), to=folder, toolbox=toolbox(), on_generation=until(5))
    with pytest.raises(ExperimentError, match="expected a toolbox that brings select, .* nothing"):
        verbs.resume(folder)
    verbs.resume(folder, toolbox=toolbox())
    assert dump(folder) == dump(tmp_path / "whole")


def test_a_strategy_of_one_s_own_is_not_resumed(folder):
    size = evo_ntm.founder(asked("cma")).genes.size
    verbs.evolve(asked("cma"), to=folder, toolbox=exploding(size), on_generation=until(5))
    with pytest.raises(ExperimentError, match=f"^{folder}: a run with `generate` .* cannot be"):
        verbs.resume(folder, toolbox=exploding(size))


def test_a_run_that_passed_its_exam_before_it_was_told_has_nothing_left_to_do(folder):
    experiment = asked(generations=2)
    verbs.evolve(experiment, to=folder)
    edit(folder, "UPDATE facts SET value = 'true' WHERE name = 'interrupted'")
    heard = []
    outcome = verbs.resume(folder, on_generation=heard.append)
    assert (heard, outcome.generation, outcome.interrupted) == ([], 1, False)


def test_the_command_line_goes_on_and_tells_the_digest(tmp_path, folder, capsys):
    verbs.evolve(asked(), to=tmp_path / "whole")
    cut(folder, 5)
    assert cli.run(["resume", str(folder)]) == 1
    out, beside = capsys.readouterr()
    assert out.startswith(f"{folder}: not solved after 14 generations")
    assert f"{folder}: goes on after 6 generations" in beside
    assert cli.run(["resume", str(folder)]) == 2
    assert capsys.readouterr().err == (
        f"evo-ntm: {folder}: expected a run that was interrupted, but it has ended, "
        "after 14 generations; --set evolve.generations=28 lets it go on\n"
    )
    digests = []
    for name in (folder, tmp_path / "whole"):
        assert cli.run(["digest", str(name)]) == 0
        digests.append(capsys.readouterr().out)
    assert digests[0] == digests[1] == f"{verbs.digest(folder)}\n"
    assert cli.run(["resume", str(folder), "--set", "evolve.generations=15"]) == 1
    assert capsys.readouterr().out.startswith(f"{folder}: not solved after 15 generations")


def test_a_known_task_is_made_from_its_settings(folder):
    cut(folder, 5)
    with pytest.raises(TaskError, match="expected 'copy', as the experiment says"):
        verbs.resume(folder, task=make("ngrams"))


@pytest.mark.parametrize(("limits", "more"), [
    ({"generations": 3}, "evolve.generations=6"),
    ({"minutes": 0.000001}, "evolve.minutes=1"),
    ({"evaluations": 8}, r"evolve.evaluations=\d+"),
])  # fmt: skip
def test_what_is_next_for_a_run_that_has_ended_at_a_limit_is_twice_that(folder, limits, more):
    verbs.evolve(asked(**limits), to=folder)
    steps = next_steps.of_run(folder, "ended").splitlines()
    found = re.fullmatch(rf"  evo-ntm resume {folder} --set ({more})", steps[1])
    assert found and not verbs.resume(folder, overrides=[found[1]]).interrupted
