import random
from functools import partial

import numpy as np
import pytest
from deap import base, tools

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.breeding import Choice, vary
from evo_ntm.evolution.genetic import Genetic
from evo_ntm.genome.bounds import Inapplicable
from evo_ntm.genome.variation import add_reader, cross, perturb
from tests.evolution.cases import Turns, experiment, tiny

QUICK = {"population": 12, "elites": 2, "tournament": 2, "crossover": 0.0, "operators": {}}
PERTURB = {"perturb": Choice(1.0, perturb, inherits=True)}


def strategy(operators=PERTURB, toolbox=None, heads=0, **changes):
    settings = experiment("genetic", **{**QUICK, **changes}).evolve
    return Genetic(
        settings,
        found=lambda generator: perturb(tiny(heads=heads), generator=generator),
        operators=operators,
        toolbox=toolbox or base.Toolbox(),
    )


def sphere(genes, slot):
    return -((genes - 3.0) ** 2).sum(1)


def flat(genes, slot):
    return np.zeros(len(genes))


def numbers(turns):
    return [individual.number for individual in turns.jobs]


def newborn(turns):
    return [one for one in turns.jobs if one.generation == turns.generation - 1]


def test_everybody_in_the_first_generation_is_a_founder_of_their_own():
    turns = Turns(strategy(), flat)
    turns.take()
    assert numbers(turns) == list(range(1, 13))
    assert {one.operators for one in turns.jobs} == {("found",)}
    assert len({one.genome.id for one in turns.jobs}) == 12


def test_the_population_climbs():
    random.seed(1)
    turns = Turns(strategy(population=40), sphere)
    turns.take(60)
    assert np.abs(turns.strategy.best().genome.genes - 3.0).max() < 0.5


def test_elites_live_on_under_their_number_and_are_scored_anew():
    random.seed(1)
    turns = Turns(strategy(), sphere)
    turns.take()
    best = sorted(turns.jobs, key=lambda one: -one.fitness.values[0])[:2]
    turns.judge = lambda genes, slot: sphere(genes, slot) - 1000
    turns.take()
    assert turns.jobs[:2] == best
    assert [one.generation for one in best] == [0, 0]
    assert all(one.fitness.values[0] < -1000 for one in best)
    assert len(newborn(turns)) == len(turns.jobs) - 2 == 10


def test_children_are_of_the_generation_before():
    random.seed(1)
    turns = Turns(strategy(), sphere)
    turns.take()
    before = set(numbers(turns))
    turns.take()
    for child in newborn(turns):
        assert child.operators == ("perturb",)
        assert len(child.parents) == 1 and set(child.parents) <= before


def test_step_sizes_do_not_shrink_to_none_where_no_step_gains_anything():
    turns = Turns(strategy(sigma=0.1, least_sigma=0.09, population=100), flat)
    turns.take(5)
    sizes = [child.sigma for child in turns.jobs]
    assert min(sizes) == 0.09 < max(sizes)


def test_step_sizes_are_inherited_and_drift():
    random.seed(1)
    turns = Turns(strategy(sigma=0.1, population=100), flat)
    turns.take(2)
    drift = np.log([child.sigma / 0.1 for child in newborn(turns)])
    genes = tiny().genes.size
    assert drift.std() == pytest.approx(1 / np.sqrt(2 * np.sqrt(genes)), rel=0.3)
    assert abs(drift.mean()) < 0.2
    parents = {one.number: one.sigma for one in turns.jobs}
    before = dict(parents)
    turns.take()
    ratios = [child.sigma / before[child.parents[0]] for child in newborn(turns)]
    assert np.log(ratios).std() == pytest.approx(1 / np.sqrt(2 * np.sqrt(genes)), rel=0.3)


def test_step_sizes_that_are_drawn_are_of_every_scale_alike_whatever_the_parents_was():
    turns = Turns(strategy(sigma=0.1, least_sigma=0.01, most_sigma=1.0, population=400), flat)
    turns.take(6)
    scales = np.log10([child.sigma for child in newborn(turns)])
    assert -2 <= scales.min() < -1.95 and -0.05 < scales.max() <= 0
    assert scales.mean() == pytest.approx(-1, abs=0.1)
    assert scales.std() == pytest.approx(2 / np.sqrt(12), abs=0.05)


@pytest.mark.parametrize("least", [0.0, 2.0])
def test_bounds_of_drawn_step_sizes_that_cannot_be_are_refused(least):
    with pytest.raises(ExperimentError, match=r"least_sigma: expected above 0 and at most most_s"):
        experiment("genetic", least_sigma=least, most_sigma=1.0)


def test_step_sizes_that_are_inherited_keep_the_hash():
    plain = experiment("genetic")
    assert experiment("genetic", most_sigma=None).config_hash == plain.config_hash
    assert experiment("genetic", most_sigma=1.0).config_hash != plain.config_hash


def test_a_crossed_child_has_two_parents_the_fitter_first():
    random.seed(1)
    turns = Turns(strategy(crossover=1.0, elites=0), sphere)
    turns.take()
    fitness = {one.number: one.fitness.values[0] for one in turns.jobs}
    turns.take()
    crossed = [child for child in turns.jobs if len(child.parents) == 2]
    assert len(crossed) > 6
    for child in crossed:
        assert child.operators == ("cross", "perturb")
        assert fitness[child.parents[0]] >= fitness[child.parents[1]]


def test_an_operator_of_two_parents_is_given_both():
    random.seed(1)
    turns = Turns(strategy({"cross": Choice(1.0, cross, parents=2)}, elites=0), sphere)
    turns.take(2)
    told = {(child.operators, len(child.parents)) for child in turns.jobs}
    # Who was drawn twice has nobody to be crossed with.
    assert told <= {(("cross",), 2), (("perturb",), 1)} and (("cross",), 2) in told


def test_parents_that_share_nothing_are_not_crossed():
    def apart(genome, other, *, generator):
        raise Inapplicable("nothing is shared")

    random.seed(1)
    genetic = strategy(crossover=1.0)
    genetic._mate = apart
    turns = Turns(genetic, sphere)
    turns.take(2)
    assert {child.operators for child in newborn(turns)} == {("perturb",)}


def spurned(genes, slot):
    """Judge the small to be far better than the large."""
    return np.full(len(genes), -float(genes.shape[1]))


def species(turns, heads):
    return [one for one in turns.jobs if len(one.topology.readers) == heads]


def grow(genome, *, generator):
    if len(genome.topology.readers) > 1:
        raise Inapplicable("large enough")
    return add_reader(genome, generator=generator)


def growing(**changes):
    """Take turns until somebody has one more reader."""
    random.seed(1)
    operators = {**PERTURB, "add_reader": Choice(0.1, grow)}
    told = {"population": 30, "elites": 1, "species_size": 4, "tournament": 6, **changes}
    turns = Turns(strategy(operators, heads=1, **told), spurned)
    while not (turns.jobs and species(turns, 2)):
        turns.take()
    turns.strategy._vary = partial(vary, PERTURB)  # nobody grows any more
    return turns


def test_a_young_species_is_granted_places_until_it_is_of_age():
    turns = growing(species_age=6)
    assert turns.strategy.species() == 2
    sizes = []
    for _ in range(8):
        turns.take()
        sizes.append(len(species(turns, 2)))
    assert sizes[1:6] == [5] * 5  # its best, and four children of its own
    assert sizes[6:] == [0, 0]
    assert turns.strategy.species() == 1


def test_without_such_a_time_it_dies_at_once():
    turns = growing(species_age=0)
    turns.take(2)
    assert species(turns, 2) == []


def test_the_population_stays_as_large_as_it_is():
    random.seed(1)
    operators = {"add_reader": Choice(1.0, add_reader), **PERTURB}
    turns = Turns(strategy(operators, heads=1, population=10, elites=6, species_size=10), flat)
    for _ in range(10):
        turns.take()
        assert len(turns.jobs) == 10


def test_a_stall_begins_anew_and_forgets_how_old_species_were():
    turns = growing(patience=4, species_age=3)
    turns.take(6)
    turns.reflect(5.0)
    turns.take(4)
    assert [event.kind for event in turns.reflect(5.0)] == ["restart"]
    turns.take()
    assert {one.operators for one in turns.jobs} == {("found",)}
    turns.strategy._vary = partial(vary, {"add_reader": Choice(1.0, grow)})
    turns.take()
    turns.strategy._vary = partial(vary, PERTURB)
    turns.take()
    assert len(species(turns, 2)) >= 4  # granted once more, though there were some before


def own(**operators):
    toolbox = base.Toolbox()
    for name, (function, *given) in operators.items():
        toolbox.register(name, function, **dict(*given))
    return toolbox


def test_selection_crossover_and_mutation_of_a_deap_user_are_heard():
    toolbox = own(
        select=(tools.selBest,),
        mate=(tools.cxUniform, {"indpb": 0.5}),
        mutate=(tools.mutGaussian, {"mu": 0, "sigma": 0.01, "indpb": 1.0}),
    )
    turns = Turns(strategy(toolbox=toolbox, crossover=1.0, elites=0, population=6), sphere)
    turns.take()
    ranked = sorted(turns.jobs, key=lambda one: -one.fitness.values[0])
    turns.take()
    # The best of six are six: the pairs go round.
    pairs = [(ranked[n], ranked[n + 1]) for n in (0, 2, 4, 0, 2, 4)]
    assert [one.parents for one in turns.jobs] == [(a.number, b.number) for a, b in pairs]
    assert {one.operators for one in turns.jobs} == {("mate", "mutate")}
    for child, (one, other) in zip(turns.jobs, pairs, strict=True):
        nearest = np.minimum(
            abs(child.genome.genes - one.genome.genes), abs(child.genome.genes - other.genome.genes)
        )
        assert 0 < nearest.max() < 0.1


def test_a_mutation_of_ones_own_takes_the_share_of_perturb():
    mutate = own(mutate=(tools.mutShuffleIndexes, {"indpb": 0.5}))
    operators = {"perturb": Choice(3.0, perturb, inherits=True), "grow": Choice(1.0, grow)}
    turns = Turns(strategy(operators, mutate, heads=1, population=400), flat)
    turns.take(2)
    made = [child.operators for child in newborn(turns)]
    assert set(made) == {("mutate",), ("grow",)}
    assert made.count(("mutate",)) / len(made) == pytest.approx(0.75, abs=0.05)


def test_a_mutation_of_ones_own_steps_in_where_no_operator_applies():
    mutate = own(mutate=(tools.mutShuffleIndexes, {"indpb": 0.5}))
    turns = Turns(strategy({}, toolbox=mutate), flat)
    turns.take(2)
    assert {child.operators for child in newborn(turns)} == {("mutate",)}


def test_without_any_operator_children_are_perturbed():
    turns = Turns(strategy({}), flat)
    turns.take(2)
    assert {child.operators for child in newborn(turns)} == {("perturb",)}


def test_a_selection_that_chooses_nobody_is_refused():
    turns = Turns(strategy(toolbox=own(select=(lambda individuals, count: [],))), flat)
    with pytest.raises(ExperimentError, match="expected `select` to choose parents, but it chose"):
        turns.take()
