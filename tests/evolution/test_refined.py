"""CMA-ES from the best of a search that has stalled: what it begins with, and what follows it."""

import re

import pytest

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution import refined
from evo_ntm.experiment import parse
from tests.evolution.cases import births, experiment, generations, told

ASKED = {"patience": 2, "progress": 0.9, "validate_every": 1, "generations": 16}


def kinds(run):
    """List who gave up, and when."""
    return [
        (event.kind, event.generation) for generation in run for event in generation.events
        if event.kind in ("refine", "restart")
    ]  # fmt: skip


def test_the_two_take_turns():
    turns = [kind for kind, _ in kinds(generations(experiment("refined", **ASKED)))]
    assert turns[:3] == ["refine", "restart", "refine"]


def test_the_best_by_validation_is_the_only_parent_of_the_first_mean():
    run = generations(experiment("refined", **ASKED))
    (_, stalled), (_, over) = kinds(run)[:2]
    best = min((turn.validation for turn in run[: stalled + 1]), key=lambda v: v[2:]).individual
    assert best is not run[stalled].best  # who was validated last
    (mean,) = run[stalled + 1].births
    assert mean.operators == ("refine",) and mean.parents == (best.number,)
    assert mean.genome.genes.tobytes() == best.genome.genes.tobytes()
    between = [birth for turn in run[stalled + 2 : over + 1] for birth in turn.births]
    assert {birth.operators for birth in between} <= {("recombine",)}
    assert {birth.operators for birth in run[over + 1].births} == {("found",)}


def test_until_the_stall_it_is_the_same_search_as_without():
    run, plain = (generations(experiment(kind, **ASKED)) for kind in ("refined", "genetic"))
    (_, stalled), *_ = kinds(run)
    assert births(run[: stalled + 1]) == births(plain[: stalled + 1])
    assert kinds(plain)[0] == ("restart", stalled)


def test_a_refinement_goes_on_with_the_stage_that_was_come_to():
    stages = [{"with": {"longest": 1}, "until": {"bits": 1000.0}}, {"with": {"longest": 2}}]
    run = generations(parse({**told("refined", **ASKED), "curriculum": stages}))
    (_, stalled), (_, over) = kinds(run)[:2]
    assert run[stalled].stage == run[stalled + 1].stage == run[over].stage == 1
    assert run[over + 1].stage == 0


def test_a_machine_that_has_grown_too_large_is_not_refined(monkeypatch):
    founder = generations(experiment("refined", generations=1))[0].best.genome.genes.size
    monkeypatch.setattr(refined, "MOST_GENES", founder)
    adds = {"operators": {"add_reader": {}}, "elites": 0, "species_size": 1}
    run = generations(experiment("refined", **ASKED, **adds))
    told = [event.text for turn in run for event in turn.events if event.kind == "restart"]
    assert any(
        re.search(r"; not refined, as .* has \d+ genes, more than \d+$", each) for each in told
    )


def test_founders_that_are_too_large_are_refused_before_anything_is_scored(monkeypatch):
    monkeypatch.setattr(refined, "MOST_GENES", 10)
    said = r"evolve.refine: expected machines of up to 10 genes, but dense 4, .* has \d+"
    with pytest.raises(ExperimentError, match=said):
        generations(experiment("refined", **ASKED))


def test_who_asks_for_none_keeps_the_hash():
    plain = experiment("genetic")
    assert experiment("genetic", refine=None).config_hash == plain.config_hash
    assert experiment("genetic", refine={}).config_hash != plain.config_hash


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"population": 3}, "evolve.refine.population: expected at least 4, but came 3"),
        ({"sigma": 0}, "evolve.refine.sigma: expected a number above 0"),
        ({"sgima": 1}, "evolve.refine.sgima: .*did you mean 'sigma'"),
    ],
)
def test_a_refinement_that_cannot_be_is_refused(changes, said):
    with pytest.raises(ExperimentError, match=said):
        experiment("genetic", refine=changes)
