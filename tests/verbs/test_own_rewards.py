"""Runs of a task with reward that only its author has."""

import json

import pytest
import torch

import evo_ntm
from evo_ntm import cli, next_steps, screen, verbs
from evo_ntm.errors import TaskError
from evo_ntm.experiment import parse
from tests.tasks.coins import Coin

PART = {"name": "four throws", "rows": 2, "sequences": 4, "at_most": {"missed": 0}}


def evolved(task, folder, on_generation=None):
    experiment = parse(
        {
            "task": "coin",
            "exam": {"validation": [PART], "parts": [PART]},
            "machine": {"units": [], "width": 1, "rows": 2, "tape_heads": 1},
            "evolve": {"strategy": "genetic", "population": 8, "episodes": 4, "generations": 1,
                       "validate_every": 1, "elites": 1, "operators": {"perturb": {}}},
        },
        tasks=["coin"],
    )  # fmt: skip
    return evo_ntm.evolve(experiment, task=task, to=folder, on_generation=on_generation)


def test_it_is_told_as_lives_and_what_its_author_alone_can_do_is_not_recommended(tmp_path, capsys):
    assert not evolved(Coin(), tmp_path / "run").solved
    screen.show_status(verbs.status(tmp_path / "run"))
    out = capsys.readouterr().out
    assert "1.000 missed, 1.000 less than the best" in out, out
    steps = next_steps.of_run(tmp_path / "run", "interrupted")
    assert steps.splitlines()[1:] == [f"  evo-ntm lineage {tmp_path / 'run'} --report"]
    told = "but came 'coin': .*one's own is told in Python as task="
    with pytest.raises(TaskError, match=told):
        evo_ntm.exam(tmp_path / "run")
    assert evo_ntm.exam(tmp_path / "run", task=Coin()).rows[0].measures["missed"] == 1


def test_what_it_misses_is_told_as_such_while_it_runs_and_where_runs_stand_side_by_side(
    tmp_path, capsys
):
    heard = []
    evolved(Coin(), tmp_path / "run", heard.append)
    assert [(told.counted, told.wrong_bits) for told in heard] == [("missed", 1.0)]
    lines = map(json.loads, (tmp_path / "run" / "log.jsonl").read_text().splitlines())
    (told,) = (line for line in lines if line["kind"] == "generation")
    assert (told["counted"], told["wrong_bits"]) == ("missed", 1.0)
    assert cli.run(["compare", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "Missed a life in the validation set" in out and "Wrong bits" not in out


def test_an_exam_ends_though_lives_do_not_and_though_they_are_over_at_once(tmp_path):
    evolved(Coin(), tmp_path / "run")
    endless = Coin(then={"done": torch.zeros(4, dtype=torch.bool)})
    measures = evo_ntm.exam(tmp_path / "run", task=endless).rows[0].measures
    assert measures["longest tape"] >= 1
    over = Coin(wrong={"done": torch.ones(4, dtype=torch.bool)})
    measures = evo_ntm.exam(tmp_path / "run", task=over).rows[0].measures
    assert (measures["jumps"], measures["shifts"]) == (0, 0)


def test_a_life_that_is_done_and_goes_on_is_refused(tmp_path):
    evolved(Coin(), tmp_path / "run")
    over = {"done": torch.ones(4, dtype=torch.bool)}
    for then in ({"score": torch.ones(4)}, {"done": torch.zeros(4, dtype=torch.bool)}):
        with pytest.raises(TaskError, match="life of task 'coin' that is done to stay as it is"):
            evo_ntm.exam(tmp_path / "run", task=Coin(wrong=over, then=then))


def test_a_reaction_that_is_no_life_is_blamed_on_the_task(tmp_path):
    class Mute(Coin):
        def live(self, fates):
            life = super().live(fates)
            life.react = lambda answer: None
            return life

    with pytest.raises(TaskError, match="lives of task 'coin' to have all that a Life has, but"):
        evolved(Mute(), tmp_path / "run")


def test_one_that_lacks_a_member_leaves_nothing_behind(tmp_path):
    lacking = type("Lacking", (Coin,), {"choice": None})()
    with pytest.raises(TaskError, match="but it has no choice"):
        evolved(lacking, tmp_path / "run")
    with pytest.raises(TaskError, match="score of task 'coin' to be a number, but came nan"):
        evolved(Coin(then={"score": torch.full((8, 4), torch.nan)}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
