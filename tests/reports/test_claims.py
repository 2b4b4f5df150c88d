"""What a card claims is held against what is measured."""

import json
from dataclasses import asdict, replace
from math import nan

import pytest

from evo_ntm.errors import ReportError
from evo_ntm.evolution.exam import ExamRow
from evo_ntm.reports.card import VERSION
from evo_ntm.reports.claims import held_against, read_claims
from evo_ntm.runs.database import finite

ROW = ExamRow("up to 20", {"length": 20}, 128, 100, 0.5, 8.0, {"chance": 85.0}, True)
LIFE = replace(ROW, bits=nan, wrong_bits=nan, measures={"missed": 2.0, "longest_tape": 4.0})
GENOME = "2c5b"


def written(folder, *rows, **changes):
    told = {"version": VERSION, "genome": GENOME, "exam": [asdict(row) for row in rows], **changes}
    (folder / "card.json").write_text(json.dumps(finite(told)))
    return folder / "card.json"


def test_a_card_that_is_none_is_refused(tmp_path):
    with pytest.raises(ReportError, match="expected the card of a genome, but there is none"):
        read_claims(tmp_path)
    for content in ("{", json.dumps({"version": 1}), "[]"):
        (tmp_path / "card.json").write_text(content)
        with pytest.raises(ReportError, match="expected (the|a) card"):
            read_claims(tmp_path)


@pytest.mark.parametrize("row", [ROW, LIFE])
def test_a_card_that_holds_says_the_same(tmp_path, row):
    path = written(tmp_path, row)
    assert held_against(tmp_path, GENOME, [row]) == f"{path} says the same"


@pytest.mark.parametrize(("claimed", "otherwise"), [
    ({"bits": 8.05}, "the same"),  # as another processor rounds
    ({"bits": 8.2}, "otherwise: up to 20, bits: 8.2"),
    ({"wrong_bits": 0.0}, "otherwise: up to 20, wrong bits: 0.0"),
    ({"passed": False}, "otherwise: up to 20, passed: False"),
    ({"passed": None}, "otherwise: up to 20, passed: None"),
    ({"bits": nan}, "otherwise: up to 20, bits: None"),
    ({"measures": {"chance": 90.0}}, "otherwise: up to 20, chance: 90.0"),
    ({"measures": {}, "bits": 0.1}, "otherwise: up to 20, bits: 0.1; up to 20, chance: None"),
])  # fmt: skip
def test_what_a_card_says_otherwise_is_named(tmp_path, claimed, otherwise):
    path = written(tmp_path, replace(ROW, **claimed))
    assert held_against(tmp_path, GENOME, [ROW]) == f"{path} says {otherwise}"


def test_the_card_of_something_else_is_told_from_one_that_errs(tmp_path):
    path = written(tmp_path, ROW, ROW)
    assert held_against(tmp_path, GENOME, [ROW]) == f"{path} is of another exam"
    assert held_against(tmp_path, "77aa", [ROW]) == f"{path} is of another genome, {GENOME}"


@pytest.mark.parametrize(
    "exam", [None, [None], [{"name": "up to 20"}], [{**asdict(ROW), "measures": 1}]]
)
def test_a_card_that_is_laid_out_otherwise_is_refused(tmp_path, exam):
    written(tmp_path, exam=exam)
    with pytest.raises(ReportError, match="expected a card with an exam, but it has none"):
        held_against(tmp_path, GENOME, [ROW])
