"""What a card claims is held against what is measured."""

import json
from dataclasses import asdict, replace
from math import nan

import pytest

from evo_ntm.errors import ReportError
from evo_ntm.evolution.exam import ExamRow
from evo_ntm.reports.card import VERSION
from evo_ntm.reports.claims import Verdict, held_against, read_claims
from evo_ntm.runs.database import finite
from tests.evolution.cases import experiment, tiny

ROW = ExamRow("up to 20", {"length": 20}, 128, 100, 0.5, 8.0, {"chance": 85.0}, True)
LIFE = replace(ROW, bits=nan, wrong_bits=nan, measures={"missed": 2.0, "longest_tape": 4.0})
GENOME = tiny()
EXPERIMENT = experiment("genetic")
TRUE = {
    "version": VERSION,
    "genome": GENOME.id,
    "topology": str(GENOME.topology),
    "encoding": "direct",
    "weights": GENOME.weights.size,
    "task": "copy",
    "task_hash": EXPERIMENT.task_hash,
    "seed": 1,
    "passed": True,
}


def written(folder, *rows, **changes):
    told = {**TRUE, "exam": [asdict(row) for row in rows], **changes}
    (folder / "card.json").write_text(json.dumps(finite(told)))
    return folder / "card.json"


def held(folder, *rows):
    return held_against(folder, GENOME, EXPERIMENT, rows)


def test_a_card_that_is_none_is_refused(tmp_path):
    with pytest.raises(ReportError, match="expected the card of a genome, but there is none"):
        read_claims(tmp_path)
    for content in ("{", json.dumps({"version": 1}), "[]", "[" * 100_000):
        (tmp_path / "card.json").write_text(content)
        with pytest.raises(ReportError, match="expected (the|a) card"):
            read_claims(tmp_path)


@pytest.mark.parametrize("row", [ROW, LIFE])
def test_a_card_that_holds_says_the_same(tmp_path, row):
    path = written(tmp_path, row)
    assert held(tmp_path, row) == Verdict(True, f"{path} says the same of genome and exam")


@pytest.mark.parametrize(("claimed", "otherwise"), [
    ({"bits": 8.05}, "the same of genome and exam"),  # as another processor rounds
    ({"bits": 8.2}, "otherwise: up to 20, bits: 8.2, but it is 8.0"),
    ({"bits": 10**400}, f"otherwise: up to 20, bits: {10**400}, but it is 8.0"),
    ({"wrong_bits": 0.0}, "otherwise: up to 20, wrong bits: 0.0, but it is 0.5"),
    ({"wrong_bits": False}, "otherwise: up to 20, wrong bits: False, but it is 0.5"),
    ({"passed": False}, "otherwise: up to 20, passed: False, but it is True"),
    ({"passed": 1}, "otherwise: up to 20, passed: 1, but it is True"),
    ({"passed": None}, "otherwise: up to 20, passed: None, but it is True"),
    ({"bits": nan}, "otherwise: up to 20, bits: None, but it is 8.0"),
    ({"extent": {"length": 5}},
     "otherwise: up to 20, extent: {'length': 5}, but it is {'length': 20}"),
    ({"measures": {"chance": 90.0}}, "otherwise: up to 20, chance: 90.0, but it is 85.0"),
    ({"measures": {"chance": 85.0, "luck": 1.0}},
     "otherwise: up to 20, luck: 1.0, but it is None"),
    ({"measures": {}, "bits": 0.1},
     "otherwise: up to 20, bits: 0.1, but it is 8.0; up to 20, chance: None, but it is 85.0"),
])  # fmt: skip
def test_what_a_card_says_otherwise_is_named(tmp_path, claimed, otherwise):
    path = written(tmp_path, replace(ROW, **claimed))
    same = otherwise.startswith("the same")
    assert held(tmp_path, ROW) == Verdict(same, f"{path} says {otherwise}")


@pytest.mark.parametrize(("key", "claimed"), [
    ("weights", 3), ("seed", 2), ("seed", True), ("topology", "dense 9"), ("encoding", "tied"),
    ("passed", None), ("task_hash", "0a7b"), ("task", "a\nlong\x1b[31mone"),
])  # fmt: skip
def test_what_a_card_says_otherwise_of_a_genome_is_named_too(tmp_path, key, claimed):
    path = written(tmp_path, ROW, **{key: claimed})
    told = f"{path} says otherwise: {key.replace('_', ' ')}: {claimed!r}, but it is "
    verdict = held(tmp_path, ROW)
    assert not verdict.holds and verdict.told.startswith(told)


def test_small_costs_are_not_taken_for_nothing(tmp_path):
    low = replace(ROW, bits=0.0078)
    path = written(tmp_path, replace(low, bits=0.001))
    told = f"{path} says otherwise: up to 20, bits: 0.001, but it is 0.0078"
    assert held(tmp_path, low) == Verdict(False, told)


def test_the_card_of_something_else_is_told_from_one_that_errs(tmp_path):
    path = written(tmp_path, ROW, ROW)
    assert held(tmp_path, ROW) == Verdict(False, f"{path} is of another exam")
    path = written(tmp_path, ROW, genome="77aa")
    assert held(tmp_path, ROW) == Verdict(False, f"{path} is of another genome, '77aa'")


@pytest.mark.parametrize(
    "exam", [None, [None], [{"name": "up to 20"}], [{**asdict(ROW), "measures": 1}]]
)
def test_a_card_that_is_laid_out_otherwise_is_refused(tmp_path, exam):
    written(tmp_path, exam=exam)
    with pytest.raises(ReportError, match="expected a card with the rows of an exam"):
        held(tmp_path, ROW)
