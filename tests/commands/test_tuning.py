"""What is typed to tune, what is printed where, and the status that it ends with."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from evo_ntm import cli, exits, verbs
from evo_ntm.experiment import load, parse
from evo_ntm.tuning import journal, loop
from tests.evolution.cases import told as experiment_of
from tests.tuning.cases import told as asked
from tests.verbs.test_tuning import ENDLESS, lose_the_way, rows, written


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def told(capsys):
    """Run a command in this process: its status, its stdout and its stderr."""

    def run(*arguments):
        status = cli.run([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "made"
    verbs.evolve(parse(asked()), to=folder)
    return folder


@pytest.fixture
def file(tmp_path):
    return written(tmp_path / "tiny.yaml")


def test_a_run_is_tuned_and_told_of(made, tmp_path, told):
    run = shutil.copytree(made, tmp_path / "run")
    status, out, heard = told("finetune", run, "--seed", 4)
    (row,) = rows(run, "tunings")
    assert status == 0
    first, *table = out.splitlines()
    assert first.startswith(f"{run}: birth ")
    assert f"Kept as birth {row['birth']}, the champion: solved, " in first
    assert "passed" in table[-1]
    assert "tuned by gradients" in heard and "evo-ntm exam" in heard
    assert json.loads(row["settings"])["seed"] == 4


def test_from_scratch_the_next_free_place_is_taken(file, told):
    for number in (1, 2):
        status, out, _ = told("finetune", file, "--from-scratch", "--steps", 20)
        assert status == 1
        assert out.startswith(f"runs/tiny-{number}: birth 1 tuned for 20 steps, 160 sequences, ")
        assert "The exam was not sat, as validation was not passed:" in out


def test_quiet_there_are_results_only(file, told):
    status, out, heard = told("finetune", file, "--from-scratch", "--quiet", "--to", "here")
    assert (status, heard) == (0, "")
    assert out.startswith("here: birth 1 tuned for ")


def test_a_child_that_is_no_champion_is_named_in_what_comes_next(made, tmp_path, told):
    run = shutil.copytree(made, tmp_path / "run")
    told("finetune", run)
    status, out, heard = told("finetune", run, "--birth", 1, "--steps", 20)
    child = max(row["birth"] for row in rows(run, "tunings"))
    assert status == 1 and f"Kept as birth {child}: not solved" in out
    assert f"evo-ntm exam {run} --birth {child}" in heard


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", "0"], "--steps 0: finetune.steps: expected at least 1, but came 0"),
        (["--seed", "-1"], "--seed -1: finetune.seed: expected at least 0, but came -1"),
        (["--set", "finetune.optimiser=sgd"], "--set finetune.optimiser=sgd: finetune.optimiser: "
         "expected one of adam, rmsprop, but came 'sgd'"),
        (["--device", "tpu"], "--device tpu: run.device: expected one of cpu, cuda, "
         "but came 'tpu'"),
    ],
)  # fmt: skip
def test_bad_input_ends_in_one_line_and_leaves_nothing(file, told, arguments, sentence):
    status, out, heard = told("finetune", file, "--from-scratch", "--to", "here", *arguments)
    assert (status, out) == (2, "")
    assert heard == f"evo-ntm: {file} {sentence}\n"
    assert not (file.parent / "here").exists()


def test_a_run_that_was_interrupted_goes_on_with_resume(file, told, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(journal, "SECONDS_BETWEEN_PLACES", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr("evo_ntm.screen.ProgressLine.__call__", interrupt)
        status, out, heard = told("finetune", file, "--from-scratch", "--to", "here")
    assert status == 130
    assert "Interrupted." in out and "evo-ntm resume here" in heard
    status, out, heard = told("finetune", "here")
    assert (status, out) == (2, "")
    assert heard == ("evo-ntm: here: a tuning of birth 1 was interrupted: evo-ntm resume here "
                     "goes on with it, --anew drops it\n")  # fmt: skip
    status, out, heard = told("resume", "here")
    assert status == 0 and "goes on with its tuning" in heard
    assert "solved" in out


def test_a_tuning_that_diverges_says_at_which_step(file, told, monkeypatch):
    lose_the_way(monkeypatch, at=31)
    status, out, _ = told("finetune", file, "--from-scratch", "--to", "here")
    assert status == 1
    assert "Diverged: cost, gradient or genes were no numbers any more in step 31." in out


def test_an_exam_that_is_not_passed_is_shown(tmp_path, told):
    hard = written(tmp_path / "hard.yaml", exam=ENDLESS, steps=200)
    status, out, _ = told("finetune", hard, "--from-scratch", "--to", "here")
    assert status == 1
    assert "endless" in out and "not passed" in out and "The exam was not sat" not in out


def test_the_line_of_a_tuning_fits_the_terminal():
    from evo_ntm import screen
    from evo_ntm.tuning.tuned import Progress

    progress = Progress(120, 4000, 960, 1, 3.25, 0.5, 4.125, 0.75, 5581.0, 61.0, 125.0)
    assert screen.tuning_line(progress) == (
        "step 120/4,000  stage 2  bits 3.25  validation 4.12  wrong bits 0.75  960 sequences  "
        "2:05 left  5581 sequences/s"
    )
    assert screen.tuning_line(progress, 40) == "step 120/4,000  stage 2  bits 3.25"


def test_the_status_of_a_run_tells_of_what_was_tuned(made, tmp_path, capsys):
    from evo_ntm import screen

    run = shutil.copytree(made, tmp_path / "run")
    screen.show_status(verbs.status(run))
    assert "tuned" not in capsys.readouterr().out
    verbs.finetune(run, overrides=["finetune.steps=20"])
    status = verbs.status(run)
    assert status.tunings == 1 and status.tuning_seconds > 0
    screen.show_status(replace(status, tuning_seconds=61.0))
    assert "tuned        1 birth by gradients, 1:01\n" in capsys.readouterr().out
    screen.show_runs({run: replace(status, seconds=2.0, tuning_seconds=61.0)})
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.search(r" (\d+)/\1, tuned +1:03 ", last)


def test_the_status_of_a_run_tells_how_far_its_tuning_has_come(made, tmp_path, capsys, monkeypatch):
    from evo_ntm import screen

    run = shutil.copytree(made, tmp_path / "run")
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_PLACES", 0.0)
    seen = []

    def look(progress):
        seen.append(verbs.status(run))
        if progress.step == 40:
            raise KeyboardInterrupt

    verbs.finetune(run, on_look=look, overrides=["finetune.early_stop=false"])
    assert [status.tuning and status.tuning.step for status in seen] == [0, 20, 40]
    last = verbs.status(run)
    assert (last.tuning.step, last.tuning.steps, last.state) == (40, 400, "interrupted")
    assert seen[2].state == "running"
    screen.show_status(seen[2])
    out = capsys.readouterr().out
    assert re.search(r"tuned +birth [0-9]+, not to its end: step 40 of 400, [0-9.]+ bits of ", out)
    assert re.search(r"time +0:[0-9]+\n", out)
    screen.show_runs({run: last})
    assert re.search(r"interrupted +4/4, tuned ", capsys.readouterr().out)
    (run / "log.jsonl").write_text('{"kind": "tuning", "step": "many"}\n')
    assert verbs.status(run).tuning is None


def asks_for_a_tuning(path):
    part = {"name": "as trained", "rows": 5, "sequences": 32, "at_most": {"wrong_bits": 0}}
    experiment = experiment_of("genetic", generations=2, validate_every=2)
    experiment["exam"] = {"validation": [part], "parts": [part]}
    experiment["finetune"] = {"after_evolution": True, "steps": 4, "validate_every": 2}
    path.write_text(json.dumps(experiment))
    return path


def test_a_task_file_may_ask_for_a_tuning_once_evolution_has_ended(tmp_path, told):
    asks_for_a_tuning(tmp_path / "task.yaml")
    status, out, _ = told("evolve", "task.yaml", "--to", "run", "--quiet")
    assert status == exits.NOT_PASSED
    assert "not solved after 2 generations" in out
    assert "Kept as birth" in out
    assert not verbs.is_to_be_tuned("run")
    assert len(verbs.lineage("run", explain=False).tuned) == 1


def test_a_series_goes_on_with_a_tuning_that_was_interrupted_or_never_begun(
    tmp_path, told, monkeypatch
):
    task = asks_for_a_tuning(tmp_path / "task.yaml")
    verbs.evolve(load(task, ["evolve.seed=2"]), to="series/seed-2")

    def interrupt(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(loop, "_descend", interrupt)
        status, *_ = told("evolve", task, "--seeds", "1-2", "--to", "series", "--quiet")
    assert status == exits.INTERRUPTED and verbs.is_being_tuned("series/seed-1")

    _, out, _ = told("status", "series/seed-1")
    assert re.search("tuned .*birth [0-9]+, not to its end", out)
    status, _, err = told("resume", "series/seed-1", "--from-older")
    assert status == exits.BAD_INPUT and "series/seed-1 is being tuned" in err
    for words in (["--workers", "2"], ["--timeout", "9"], ["--tensorboard"]):
        status, _, err = told("resume", "series/seed-1", *words)
        assert status == exits.BAD_INPUT
        assert err == (f"evo-ntm: {words[0]}: expected a run that evolves, but series/seed-1 is "
                       "being tuned, which has no workers\n")  # fmt: skip
    status, _, err = told("resume", "series/seed-1", "--set", "evolve.minutes=9")
    assert status == exits.BAD_INPUT and "--set: expected a run that evolves, but" in err

    status, out, _ = told("evolve", task, "--seeds", "1-2", "--to", "series", "--quiet")
    assert status == exits.NOT_PASSED and out.count("Kept as birth") == 2
    for seed in (1, 2):
        run = Path(f"series/seed-{seed}")
        assert not verbs.is_being_tuned(run)
        assert len(rows(run, "tunings")) == 1
    before = [rows(Path(f"series/seed-{seed}"), "tunings") for seed in (1, 2)]
    told("evolve", task, "--seeds", "1-2", "--to", "series", "--quiet")
    assert [rows(Path(f"series/seed-{seed}"), "tunings") for seed in (1, 2)] == before
