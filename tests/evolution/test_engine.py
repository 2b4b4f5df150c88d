import random
from itertools import pairwise
from math import inf

import pytest
from deap import base, tools

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.engine import evolve
from evo_ntm.experiment import parse
from tests.evolution.cases import STRATEGIES, births, experiment, generations, task_of, told


def passing(limit, **changes):
    """Tell an experiment whose exam and validation are passed at so many wrong bits."""
    part = {"name": "as trained", "rows": 5, "sequences": 16, "at_most": {"wrong_bits": limit}}
    return parse({**told(**changes), "exam": {"validation": [part], "parts": [part]}})


def toolbox(**functions):
    filled = base.Toolbox()
    for name, function in functions.items():
        filled.register(name, function)
    return filled


def numbers(run):
    return [generation.number for generation in run]


def test_a_run_goes_on_for_as_many_generations_as_it_has():
    assert numbers(generations(experiment(generations=5))) == [0, 1, 2, 3, 4]


def test_a_run_ends_when_its_evaluations_are_spent():
    run = generations(experiment(generations=100, evaluations=100, starts=1, challenger_every=99))
    assert [generation.scored for generation in run] == [25, 25, 25, 25]


def test_a_run_ends_when_its_time_is_spent():
    assert numbers(generations(experiment(generations=100, minutes=1e-9))) == [0]


@pytest.mark.parametrize("budget", [{"minutes": 1e-9}, {"evaluations": 1}, {"generations": 1}])
def test_whatever_ends_a_run_its_last_generation_is_validated(budget):
    last = generations(experiment(validate_every=1000, **budget))[-1]
    assert last.validation is not None and last.champion is last.best


def test_generations_are_validated_in_turn():
    run = generations(experiment(generations=10, validate_every=4))
    validated = [generation.number for generation in run if generation.validation]
    assert validated == [3, 7, 9]


def test_a_run_ends_when_the_exam_is_passed():
    run = generations(passing(1000, validate_every=2))
    assert numbers(run) == [0, 1]
    assert run[-1].sitting.solved and run[-1].sitting.individual is run[-1].champion
    assert run[0].sitting is None


def test_who_does_not_pass_the_validation_does_not_sit_the_exam():
    run = generations(passing(0, generations=8, validate_every=1, learning_rate=1.0e-6))
    assert all(generation.validation for generation in run)
    assert not any(generation.sitting for generation in run)


def test_an_exam_that_is_failed_is_sat_again():
    part = {"name": "as trained", "rows": 5, "sequences": 16}
    exam = {
        "validation": [{**part, "at_most": {"wrong_bits": 1000}}],
        "parts": [{**part, "at_most": {"bits": 0.0}}],
    }
    run = generations(parse({**told(validate_every=3, generations=9), "exam": exam}))
    sittings = [generation.sitting for generation in run if generation.sitting]
    assert [sitting.solved for sitting in sittings] == [False, False, False]


def test_the_champion_is_the_best_on_the_validation_set():
    run = generations(experiment("genetic", generations=16, validate_every=1, sigma=0.3))
    best = (inf, inf)
    for generation in run:
        validation = generation.validation
        mark = validation.wrong_bits, validation.bits
        assert (generation.champion is not None) == (mark < best)
        assert generation.champion in (None, generation.best)
        best = min(best, mark)


def test_a_stage_that_opens_is_told_and_begins_with_the_next_generation():
    stages = [{"with": {"longest": 1}, "until": {"bits": 1000.0}}, {"with": {"longest": 3}}]
    asked = {**told(generations=6, validate_every=2), "curriculum": stages}
    run = generations(parse({**asked, "with": {"bits": 1, "longest": 3}}))
    assert [generation.stage for generation in run] == [0, 0, 1, 1, 1, 1]
    opened = [(event.generation, event.text) for g in run for event in g.events]
    assert (1, "stage 2 opens") in opened
    assert len([text for _, text in opened if text.startswith("stage")]) == 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_who_begins_anew_begins_with_the_first_stage(strategy):
    stages = [{"with": {"longest": 1}, "until": {"bits": 1000.0}}, {"with": {"longest": 2}}]
    stalls = {"patience": 1} if strategy == "cma" else {"patience": 3, "progress": 0.9}
    changes = {"generations": 12, "validate_every": 1, **stalls}
    run = generations(parse({**told(strategy, **changes), "curriculum": stages}))
    restarts = [g.number for g in run if any(event.kind == "restart" for event in g.events)]
    assert restarts and restarts[0] < 11
    for before, after in pairwise(run):
        assert after.stage == (0 if before.number in restarts else 1)


def test_a_generation_says_what_was_done():
    run = generations(experiment(generations=6))
    for generation in run:
        order = [generation.statistics[name] for name in
                 ("worst", "lower", "median", "upper", "best")]  # fmt: skip
        assert order == sorted(order) and order[0] > -inf
        assert generation.failures == 0
        assert generation.rows in (4, 5, 6)
        assert generation.timesteps >= 8 * 3 * generation.scored
        assert 0 < generation.lasted <= generation.seconds
    assert [generation.seconds for generation in run] == sorted(g.seconds for g in run)


def test_what_others_draw_from_the_global_generators_changes_nothing():
    def noisy(function, items):
        random.random()
        return map(function, items)

    quiet = generations(experiment("genetic", generations=4))
    assert births(generations(experiment("genetic", generations=4), toolbox(map=noisy))) == (
        births(quiet)
    )


def test_a_map_of_ones_own_spreads_the_work():
    counts = []

    def counted(function, items):
        counts.append(len(items))
        return map(function, items)

    run = generations(experiment(generations=3, validate_every=3), toolbox(map=counted))
    assert len(run) == 3 and len(counts) == 4  # three generations and a validation


def test_the_users_toolbox_is_left_as_it_was():
    mine = toolbox(select=tools.selBest)
    before = dict(mine.__dict__)
    generations(experiment("genetic", generations=1), mine)
    assert mine.__dict__ == before


@pytest.mark.parametrize(
    ("strategy", "names", "sentence"),
    [
        ("genetic", ["evaluate"], "expected no `evaluate`, as scoring is the task's"),
        ("genetic", ["generate"], "expected `generate` and `update`, but came only `generate`"),
        ("genetic", ["update"], "expected `generate` and `update`, but came only `update`"),
        ("evolution_strategy", ["select"], "expected no `select`, as the strategy is evolution_s"),
        ("evolution_strategy", ["mate"], "expected no `mate`, as the strategy is evolution_s"),
        ("cma", ["mutate"], "expected no `mutate`, as the strategy is cma; it is heard by the"),
    ],
)
def test_a_toolbox_that_would_not_be_heard_is_refused(strategy, names, sentence):
    asked = experiment(strategy)
    with pytest.raises(ExperimentError, match=f"^toolbox: {sentence}"):
        evolve(asked, task_of(asked), map, toolbox(**dict.fromkeys(names, map)))


def test_too_large_a_machine_for_cma_is_refused_before_anything_is_computed():
    asked = experiment("cma", machine={"units": [64]})
    with pytest.raises(ExperimentError, match="cma is for machines of up to 500 genes"):
        evolve(asked, task_of(asked), map)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_progress_is_looked_for_in_the_stage_where_that_is_asked_for(strategy):
    stages = [{"with": {"longest": 1}, "until": {"bits": 1000.0}}, {"with": {"longest": 2}}]
    asked = {**told(strategy, generations=6, validate_every=2), "curriculum": stages}
    plain = generations(parse(asked))
    judged = generations(parse({**asked, "evolve": {**asked["evolve"], "progress_in": "stage"}}))
    looked = [done for done in judged if done.validation is not None]
    assert [done.validation.standing.stage for done in looked] == [done.stage for done in looked]
    assert {done.stage for done in looked} == {0, 1}
    assert all(done.validation.standing is None for done in plain if done.validation)
    assert births(judged) == births(plain)  # as long as nobody has waited in vain
