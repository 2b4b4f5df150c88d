"""The births of a run as columns: everybody is there, with parents, and who was alive when."""

import json
from itertools import pairwise

import numpy as np
import pytest

from evo_ntm import verbs
from evo_ntm.errors import ReportError
from evo_ntm.experiment import parse
from evo_ntm.reports.pedigree import NOBODY, evenly, read_pedigree
from evo_ntm.runs.store import create, open_run
from tests.evolution.cases import STRATEGIES, told
from tests.reports.populations import TOPOLOGIES, made

FOUND, PERTURB, CROSS = ["found"], ["perturb"], ["cross", "perturb"]
FAMILY = [
    (0, [], FOUND, 0, -3.0),
    (0, [], FOUND, 0, -float("inf")),
    (1, [1], PERTURB, 0, -2.5),
    (1, [2, 1], CROSS, 1, -2.0),
    (2, [4, 1, 3], CROSS, 1, -1.0),
]
SURVIVORS = {1: [1], 2: [1, 4]}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_birth_of_a_run_is_there_as_the_rows_tell_it(tmp_path, strategy):
    verbs.evolve(parse({**told(strategy, generations=14), "run": {"threads": 1}}),
                 to=tmp_path / "run")  # fmt: skip
    run = open_run(tmp_path / "run")
    pedigree = read_pedigree(run)
    rows = run.rows("SELECT births.*, told FROM births JOIN topologies ON topology = "
                    "topologies.number ORDER BY births.number")  # fmt: skip
    assert len(pedigree) == len(rows) and pedigree.generations == 14 and pedigree.whole
    for place, row in enumerate(rows):
        assert pedigree.numbers[place] == row["number"]
        assert pedigree.generation[place] == row["generation"]
        assert pedigree.fitness[place] == row["fitness"]
        assert pedigree.recipes[pedigree.recipe[place]] == tuple(json.loads(row["operators"]))
        kind = pedigree.kinds[pedigree.kind[place]]
        assert kind.told == str(kind.like) == row["told"]
        parents = json.loads(row["parents"])
        assert [pedigree.numbers[parent] for parent in parents_of(pedigree, place)] == parents
    assert pedigree.means is (strategy not in ("genetic", "lexicase", "neat"))
    alive = {len(pedigree.alive(generation)) for generation in range(14)}
    assert alive == ({20} if not pedigree.means else alive & {1, 2})


def parents_of(pedigree, place):
    primary = pedigree.primary[place]
    others = pedigree.others[pedigree.others_begin[place] : pedigree.others_begin[place + 1]]
    return [] if primary == NOBODY else [primary, *others]


def test_who_is_alive_are_survivors_and_births(tmp_path):
    pedigree = read_pedigree(made(tmp_path / "run", FAMILY, survivors=SURVIVORS))
    assert [list(pedigree.numbers[pedigree.alive(number)]) for number in range(3)] == [
        [1, 2], [1, 3, 4], [1, 4, 5],
    ]  # fmt: skip
    assert parents_of(pedigree, 4) == [3, 0, 2]
    assert pedigree.fitness[1] == -np.inf
    assert [kind.like for kind in pedigree.kinds] == TOPOLOGIES


def test_births_are_found_by_their_numbers_where_they_are_of_evolution(tmp_path):
    family = [*FAMILY, (2, [5], ["finetune"], 1, -0.5)]
    pedigree = read_pedigree(made(tmp_path / "run", family, survivors=SURVIVORS, tuned=[6]))
    assert len(pedigree) == 5 and ("finetune",) not in pedigree.recipes
    assert list(pedigree.alive(2)) == [0, 3, 4]
    assert list(pedigree.places([5, 1, 6, 999])) == [4, 0]


def test_survivors_that_were_not_recorded_are_known_where_all_who_were_scored_were_born(tmp_path):
    assert read_pedigree(made(tmp_path / "whole", FAMILY)).whole
    pedigree = read_pedigree(made(tmp_path / "part", FAMILY, scored={2: 4}))
    assert not pedigree.whole
    assert [survivors is None for survivors in pedigree.survivors] == [False, False, True]
    assert list(pedigree.alive(2)) == [4]


def test_a_run_without_a_generation_is_refused(tmp_path):
    with create(tmp_path / "run", parse(told("genetic"))) as recorder:
        pass
    with pytest.raises(ReportError) as refusal:
        read_pedigree(recorder.run)
    expected = "expected a generation that is over, but there is none yet"
    assert str(refusal.value) == f"{tmp_path / 'run'}: {expected}"


def test_generations_are_chosen_evenly_from_the_first_to_the_last():
    assert evenly(3) == (0, 1, 2)
    chosen = evenly(2000, 50)
    assert len(chosen) == 50 and chosen[0] == 0 and chosen[-1] == 1999
    assert {after - before for before, after in pairwise(chosen)} <= {40, 41}
