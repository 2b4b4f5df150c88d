import json
from dataclasses import replace
from math import inf

import pytest

from evo_ntm.commands.account import explanation_json, tell_explanation
from evo_ntm.reports.explanation import Ablation, Asked, Explanation, Failing

TOLD = Explanation(
    summary=("It answers all.", "It needs shift."),
    program=("while answers are due do", "  emit output", "end while"),
    evidence=("It was watched.",),
    ablations=(Ablation("shift", 12.5, 4.0, 0.0, 12.25, 11.0, 13.5, True),
               Ablation("content", 0.25, 0.0, 0.0, 0.0, -0.1, 0.1, False)),
    sequences=1064,
    wrong_sequences=50,
    failings=(Failing("contains an all-zero vector", 41, 0.925, 0.0),
              Failing("it is the first answer", 1000, 0.02, 0.0, "answers")),
    rows=40,
    asked=(Asked("the task", 40, 1000, 50), Asked("exam", 128, 64, 0)),
)  # fmt: skip


def test_an_explanation_is_printed_from_what_it_does_to_the_evidence(capsys):
    tell_explanation(TOLD)
    out = capsys.readouterr().out
    headings = ["What it does", "The program it runs", "What its parts are worth",
                "What it was asked", "Where it fails", "Evidence"]  # fmt: skip
    assert [line for line in out.splitlines() if line in headings] == headings
    assert "  while answers are due do\n    emit output\n  end while\n" in out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "shift +12.25 +11.00 to +13.50 12.50 4.00 needed" in lines
    assert "content +0.00 -0.10 to +0.10 0.25 0.00 not needed" in lines
    assert "the task 40 1,000 50" in lines
    assert "contains an all-zero vector sequences 41 92.5 % 0.0 %" in lines


def test_what_there_is_nothing_of_is_not_printed(capsys):
    tell_explanation(replace(TOLD, ablations=(), failings=()))
    out = capsys.readouterr().out
    assert "parts are worth" not in out and "Where it fails" not in out


def test_the_same_is_told_in_json():
    read = json.loads(explanation_json(TOLD))
    assert read["program"] == list(TOLD.program)
    assert read["ablations"][0] == {"part": "shift", "bits": 12.5, "wrong_bits": 4.0,
                                    "whole_wrong_bits": 0.0, "loss": 12.25, "low": 11.0,
                                    "high": 13.5, "matters": True}  # fmt: skip
    assert read["failings"][1]["of"] == "answers"
    assert read["wrong_means"] == "at least one bit is wrong"


@pytest.mark.parametrize("what", ["bits", "loss", "low", "high"])
def test_what_is_not_finite_is_null_in_json(what):
    endless = replace(TOLD, ablations=(replace(TOLD.ablations[0], **{what: inf}),))
    assert json.loads(explanation_json(endless))["ablations"][0][what] is None
