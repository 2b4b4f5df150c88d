"""How often operators were tried, what came of it, and how often they are on the trunk."""

import json
from collections import Counter
from math import inf

import pytest

from evo_ntm.reports.operators import standing, tell_operators
from evo_ntm.reports.pedigree import read_pedigree
from evo_ntm.runs.ancestry import trunk
from tests.reports.populations import evolved, made

FOUND, PERTURB, CROSS = ["found"], ["perturb"], ["cross", "perturb"]
FAMILY = [
    (0, [], FOUND, 0, -4.0),
    (0, [], FOUND, 0, -3.0),
    (1, [1], PERTURB, 0, -2.0),  # rose from the worst to the middle
    (1, [2], PERTURB, 0, -9.0),  # fell from the best to the worst
    (1, [1, 2], CROSS, 0, -1.0),  # rose to the best
    (2, [3], ["cross", "cross"], 0, -2.0),  # stays in the middle, with its equal
    (2, [5], PERTURB, 0, -2.0),
]


def told(run, birth):
    uses = tell_operators(
        read_pedigree(run), [step.number for step in trunk(run, birth)], run.experiment
    )
    return {use.name: use for use in uses}


def test_uses_are_those_that_are_counted_by_hand(tmp_path):
    uses = told(made(tmp_path / "run", FAMILY), 7)
    counts = {
        name: (use.attempts, use.successes, use.had_children, use.on_trunk)
        for name, use in uses.items()
    }
    assert counts == {
        "perturb": (4, 2, 2, 2),
        "cross": (2, 1, 1, 1),
        "found": (2, 0, 2, 1),
        "add_reader": (0, 0, 0, 0),
    }
    assert list(uses) == ["perturb", "cross", "found", "add_reader"]
    assert uses["perturb"].enrichment == pytest.approx((2 / 3) / (4 / 7))
    assert uses["cross"].enrichment == pytest.approx((1 / 3) / (2 / 7))
    assert uses["add_reader"].enrichment is None
    assert uses["perturb"].parameters == "sigma inherited"


def test_a_birth_stands_above_those_of_its_generation_and_half_of_its_equals(tmp_path):
    births = [(0, [], FOUND, 0, fitness) for fitness in (-1.0, -2.0, -2.0, -inf)]
    births += [(1, [1], PERTURB, 0, -7.0)]
    pedigree = read_pedigree(made(tmp_path / "run", births))
    assert list(standing(pedigree)) == [7 / 8, 4 / 8, 4 / 8, 1 / 8, 1 / 2]


def test_a_birth_that_was_tuned_counts_for_no_operator(tmp_path):
    family = [*FAMILY, (2, [7], ["finetune"], 0, -0.1)]
    uses = told(made(tmp_path / "run", family, tuned=[8]), 8)
    assert "finetune" not in uses
    assert uses["perturb"].attempts == 4 and uses["perturb"].on_trunk == 2


def test_uses_are_those_of_a_run_counted_birth_by_birth(tmp_path):
    run = evolved(tmp_path / "run", generations=40, crossover=0.3)
    rows = run.rows("SELECT * FROM births")
    uses = told(run, len(rows))
    attempts = Counter(name for row in rows for name in {*json.loads(row["operators"])})
    steps = trunk(run, len(rows))
    on_trunk = Counter(name for step in steps for name in step.operators)
    for name in ("found", "perturb", "cross"):
        use = uses[name]
        assert (use.attempts, use.on_trunk) == (attempts[name], on_trunk[name])
        share = on_trunk[name] / len(steps)
        assert use.enrichment == pytest.approx(share / (attempts[name] / len(rows)))
        assert 0 < use.had_children < use.attempts
    assert uses["found"].successes == 0 < uses["perturb"].successes
