from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.evolution.breeding import Bred
from evo_ntm.evolution.cohort import Samples
from evo_ntm.evolution.evolution_strategy import EvolutionStrategy, surpasses
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.search import Adam, agreement, begin, centred_ranks, follow_gradient
from evo_ntm.evolution.state import State
from evo_ntm.evolution.strategy import Standing
from evo_ntm.experiment.evolution_strategy import Finer
from evo_ntm.genome.variation import add_reader, perturb
from evo_ntm.seeds import derive
from tests.evolution.cases import Turns, experiment, tiny

QUICK = {"population": 32, "starts": 1, "challenger_every": 1000}


def grown(genome, *, generator):
    return Bred(add_reader(genome, generator=generator), "add_reader", 1)


def barren(genome, *, generator):
    return None


def strategy(vary=barren, heads=0, finer=None, **changes):
    settings = experiment(**{**QUICK, **changes}).evolve.model_copy(update={"finer": finer})
    return EvolutionStrategy(
        settings,
        found=lambda generator: perturb(tiny(heads=heads), generator=generator),
        vary=vary,
    )


def sphere(genes, slot):
    return -((genes - 3.0) ** 2).sum(1)


def flat(genes, slot):
    return np.zeros(len(genes))


def noisy(genes, slot):
    return derive(int(abs(genes[0, 0]) * 1e6), "noise").normal(len(genes)).astype(np.float64)


def kinds(events):
    return [event.kind for event in events]


def means(turns):
    return [job for job in turns.jobs if isinstance(job, Individual)]


def samples(pairs=8, slot=0, generation=3):
    genome = tiny()
    mean = genome.genes.astype(np.float64)
    return Samples(genome.topology, "direct", mean, 0.05, pairs, 1, generation, slot)


def test_samples_lie_opposite_each_other_about_the_mean():
    drawn = samples()
    rows = drawn.rows().astype(np.float64)
    assert rows.shape == (16, len(drawn.mean))
    np.testing.assert_allclose((rows[:8] + rows[8:]) / 2, np.tile(drawn.mean, (8, 1)), atol=1e-6)
    np.testing.assert_allclose(rows[:8] - drawn.mean, 0.05 * drawn.noise, atol=1e-6)


def test_the_noise_is_drawn_again_from_the_recipe_and_nowhere_else_the_same():
    noise = samples().noise
    assert np.array_equal(noise, samples().noise)
    others = [samples(slot=1).noise, samples(generation=4).noise]
    assert not any(np.array_equal(noise, other) for other in others)
    assert samples(pairs=2000).noise.std() == pytest.approx(1, rel=0.03)


def test_so_many_samples_move_bits_alike_as_are_asked_for():
    (_, drawn) = strategy(alike=0.75).generate(0)
    assert (drawn.pairs, drawn.alike) == (16, 12)
    assert strategy().generate(0)[1].alike == 0


@given(some.lists(some.floats(-1e9, 1e9), min_size=2, max_size=40, unique=True))
def test_ranks_depend_on_the_order_alone_and_are_centred(fitness):
    ranks = centred_ranks(np.array(fitness))
    order = sorted(fitness)
    assert ranks.tolist() == [order.index(value) / (len(order) - 1) - 0.5 for value in fitness]
    assert ranks.sum() == pytest.approx(0)


def test_the_worst_fitness_has_the_lowest_rank():
    assert centred_ranks(np.array([-inf, 2.0, -7.0])).tolist() == [-0.5, 0.5, 0.0]


def test_adam_steps_as_torch_does():
    gradients = derive(1, "gradients").normal((20, 5)).astype(np.float64)
    place = torch.nn.Parameter(torch.zeros(5, dtype=torch.float64))
    optimiser = torch.optim.Adam([place], lr=0.1, maximize=True)
    adam, mean = Adam(np.zeros(5), np.zeros(5)), np.zeros(5)
    for gradient in gradients:
        place.grad = torch.from_numpy(gradient.copy())
        optimiser.step()
        adam, direction = adam.step(gradient)
        mean += 0.1 * direction
        np.testing.assert_allclose(mean, place.detach().numpy(), rtol=1e-12)


def test_the_mean_follows_the_gradient_of_the_ranks():
    individual = Individual(tiny(), operators=("found",))
    individual.number = 7
    search, drawn = begin(individual, 0.02, 0), samples()
    fitness = derive(2, "fitness").normal(16).astype(np.float64)
    noise = drawn.noise.tolist()
    order = sorted(fitness)
    ranks = [order.index(value) / 15 - 0.5 for value in fitness]
    gradient = [
        sum((ranks[pair] - ranks[pair + 8]) * noise[pair][gene] for pair in range(8)) / (8 * 0.05)
        for gene in range(len(search.mean))
    ]
    moved = follow_gradient(search, drawn, fitness)
    # The first step of Adam is the sign of the gradient.
    np.testing.assert_allclose(moved.mean - search.mean, 0.02 * np.sign(gradient), rtol=1e-5)
    np.testing.assert_allclose(moved.adam.first, 0.1 * np.array(gradient), rtol=1e-9)
    assert moved.individual.parents == (7,)
    assert moved.individual.operators == ("follow_gradient",)


def test_a_birth_is_the_average_of_the_means_that_were_sampled_about():
    turns = Turns(strategy(averaging=4, starts=1), sphere)
    turns.take()
    expected = turns.jobs[1].mean
    for _ in range(6):
        turns.take()
        birth, drawn = turns.jobs
        expected = expected + (drawn.mean - expected) / 4
        np.testing.assert_allclose(birth.genome.genes, expected, atol=1e-6)


def test_an_average_wanders_less_than_its_mean_where_there_is_nothing_to_gain():
    turns = Turns(strategy(averaging=20, starts=1, patience=500), noisy)
    paths = []
    for _ in range(60):
        turns.take()
        birth, drawn = turns.jobs
        paths.append((birth.genome.genes, drawn.mean))
    births, drawns = (
        np.diff(np.array(path, dtype=float), axis=0) for path in zip(*paths, strict=True)
    )
    assert np.linalg.norm(births[20:]) < 0.7 * np.linalg.norm(drawns[20:])


def test_what_is_restored_is_sampled_about_at_its_average():
    turns = Turns(strategy(decline=2.0, declines=1, averaging=5, starts=1), sphere)
    for _ in range(4):
        turns.take()
    turns.reflect(10.0)
    turns.take()
    assert kinds(turns.reflect(30.0)) == ["restore"]
    turns.take()
    restored, drawn = turns.jobs
    np.testing.assert_allclose(drawn.mean, restored.genome.genes, atol=1e-6)


def test_the_mean_climbs():
    turns = Turns(strategy(learning_rate=0.1), sphere)
    turns.take(150)
    assert np.abs(turns.strategy.best().genome.genes - 3.0).max() < 0.3


def test_starts_share_the_samples_and_the_better_half_survives_each_round():
    turns = Turns(strategy(starts=4, start_generations=3, population=32), lambda genes, slot: 0)
    worth = {0: 1.0, 1: 4.0, 2: 2.0, 3: 3.0}  # of the starts, by their first births, 1 to 4

    def judge(genes, slot):
        founders = [ancestor(turns, mean) for mean in means(turns)]
        return np.full(len(genes), worth[founders[slot // 2] - 1])

    turns.judge = judge
    assert [turns.strategy.species()] == [4]
    events, counts = [], []
    for _ in range(8):
        events += turns.take()
        counts.append(turns.strategy.species())
        assert sum(len(job.rows()) for job in turns.jobs if isinstance(job, Samples)) <= 32
    assert counts == [4, 4, 2, 2, 2, 1, 1, 1]
    assert kinds(events) == ["halve", "halve"]
    assert [ancestor(turns, mean) for mean in means(turns)] == [2]
    assert [len(job.rows()) for job in turns.jobs] == [1, 32]


def ancestor(turns, individual):
    """Find the founder of a line; an individual that is not yet born is told by its parent."""
    while individual.parents:
        individual = turns.born[individual.parents[0]]
    return individual.number or 1 + means(turns).index(individual)


def test_the_best_is_that_of_the_start_that_does_best():
    turns = Turns(
        strategy(starts=3, start_generations=9), lambda genes, slot: [slot == 2] * len(genes)
    )
    turns.take()
    assert turns.strategy.best() is means(turns)[1]


def challenged(judge, **changes):
    """Take turns until a challenger has been scored once."""
    told = {"challenger_every": 4, "grace": 3, "window": 5, **changes}
    turns = Turns(strategy(grown, heads=1, **told), judge)
    assert kinds(turns.take(4)) == ["challenge"]
    assert turns.strategy.species() == 2
    return turns


def test_a_challenger_is_a_structural_child_and_has_its_share_of_the_samples():
    turns = challenged(flat, population=32, challenger_share=0.25)
    turns.take()
    incumbent, challenger = means(turns)
    assert [len(job.rows()) for job in turns.jobs] == [1, 24, 1, 8]
    assert challenger.operators == ("add_reader",)
    assert len(challenger.topology.readers) == 1 + len(incumbent.topology.readers)
    assert challenger.parents == (turns.born[incumbent.parents[0]].number,)
    assert turns.strategy.best() is incumbent


@pytest.mark.parametrize(("population", "share"), [(2, 0.25), (6, 0.25), (32, 0.0)])
def test_without_a_pair_for_it_there_is_no_challenger(population, share):
    told = {"population": population, "challenger_share": share, "challenger_every": 2}
    turns = Turns(strategy(grown, heads=1, **told), sphere)
    assert turns.take(8) == []


def test_a_challenger_inherits_the_moments_of_the_genes_that_it_shares():
    turns = challenged(sphere)
    incumbent, challenger = turns.strategy._searches
    parent = turns.strategy._scored
    assert parent.adam.first.any()
    moments = dict(zip(parent.genome.code.keys.tolist(), parent.adam.first, strict=True))
    keys = challenger.genome.code.keys.tolist()
    assert set(keys) - moments.keys() and set(keys) & moments.keys()
    assert challenger.adam.first.tolist() == [moments.get(key, 0.0) for key in keys]
    assert challenger.adam.steps == parent.adam.steps > 0


def challengers(gain, noise):
    """Judge challengers by their gain, on episodes that are now easy, now hard for everybody."""
    episodes, individual = derive(1, "episodes"), derive(2, "individual")
    common = 0.0

    def judge(genes, slot):
        nonlocal common
        if slot == 0:
            common = 100 * float(episodes.normal())
        return common + gain * (slot >= 2) + noise * individual.normal(len(genes))

    return judge


def test_a_challenger_that_is_better_on_common_episodes_replaces_the_incumbent():
    turns = challenged(challengers(gain=1.0, noise=0.1))
    assert turns.take(7) == []  # grace and window have not yet passed
    assert kinds(turns.take()) == ["replace"]
    assert turns.strategy.species() == 1
    turns.take()
    assert len(turns.strategy.best().topology.readers) == 2


@pytest.mark.parametrize(("gain", "noise"), [(-1.0, 0.1), (0.0, 1.0), (0.2, 1.0)])
def test_a_challenger_that_is_not_better_beyond_doubt_is_rejected(gain, noise):
    turns = challenged(challengers(gain, noise))
    assert turns.take(7) == []
    assert kinds(turns.take()) == ["reject"]
    turns.take()
    assert len(turns.strategy.best().topology.readers) == 1


def test_the_next_challenger_waits_for_its_turn():
    turns = challenged(flat)
    assert kinds(turns.take(16)) == ["reject", "challenge"]
    assert turns.generation == 20


def test_who_surpasses_does_so_beyond_a_confidence_interval():
    gains = [1.0, 2.0, 3.0]  # mean 2, standard error 1 / sqrt(3)
    margin = 2 - 1.96 / sqrt(3)
    assert surpasses(gains, [margin - 0.001] * 3)
    assert not surpasses(gains, [margin + 0.001] * 3)


@pytest.mark.parametrize("record", [[], [5.0], [-inf, 9.0], [9.0, -inf]])
def test_nobody_surpasses_on_too_little_or_without_being_finite(record):
    assert not surpasses(record, [0.0] * len(record))
    assert not surpasses([0.0] * len(record), [-inf] * len(record))


def test_a_stall_begins_anew_with_other_founders():
    turns = Turns(strategy(starts=2, start_generations=2, patience=5), flat)
    turns.take(3)
    assert turns.reflect(10.0) == []  # generation 2: the best so far
    before = {job.genome.id for job in means(turns)}
    turns.take(4)
    assert turns.reflect(11.0) == []
    turns.take()
    assert kinds(turns.reflect(11.0)) == ["restart"]  # generation 7
    assert turns.strategy.species() == 2
    turns.take()
    assert all(mean.operators == ("found",) and not mean.parents for mean in means(turns))
    assert before.isdisjoint(mean.genome.id for mean in means(turns))
    turns.take(4)
    assert turns.reflect(12.0) == []  # the best since, and worse than before


def test_starts_are_given_their_time_whatever_the_patience():
    turns = Turns(strategy(starts=2, start_generations=20, patience=3), flat)
    for _ in range(15):
        turns.take()
        assert turns.reflect(10.0) == []


def test_a_sustained_decline_restores_the_best_mean_at_half_the_rate():
    turns = Turns(strategy(decline=2.0, declines=2, learning_rate=0.04, averaging=1), sphere)
    turns.take()
    turns.reflect(10.0)
    best = turns.strategy.best()
    turns.take()
    assert turns.reflect(21.0) == []
    turns.take()
    assert turns.reflect(19.0) == []  # worse, but no decline: counted anew
    turns.take()
    assert turns.reflect(21.0) == []
    turns.take()
    assert kinds(turns.reflect(21.0)) == ["restore"]
    turns.take()
    (restored,) = means(turns)
    assert restored.genome.id == best.genome.id
    assert (restored.operators, restored.parents) == (("restore",), (best.number,))
    turns.take()
    step = turns.strategy.best().genome.genes - restored.genome.genes
    assert np.abs(step).max() <= 0.021  # Adam goes no further than its rate at first


def test_a_decline_is_one_where_progress_is_judged_and_another_stage_begins_anew():
    turns = Turns(strategy(decline=2.0, declines=1, starts=1, averaging=1), sphere)

    def told(bits, stage, in_stage):
        turns.take()
        return kinds(turns.reflect(bits, stage, Standing(stage, in_stage, in_stage)))

    assert told(10.0, 0, 10.0) == []
    assert told(90.0, 0, 8.0) == []  # worse at what is not asked yet
    assert told(90.0, 1, 40.0) == []  # a harder stage
    assert told(10.0, 1, 79.0) == []
    assert told(10.0, 1, 81.0) == ["restore"]


def test_all_failing_is_survived():
    turns = Turns(strategy(population=4), lambda genes, slot: np.full(len(genes), -inf))
    turns.take(5)
    assert turns.reflect(inf) == []
    assert np.isfinite(turns.strategy.best().genome.genes).all()


def test_two_halves_that_suggest_the_same_agree_and_opposites_do_not():
    noise = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [3.0, 4.0]])
    assert agreement(np.array([0.5, -0.2, 0.5, -0.2]), noise) == pytest.approx(1.0)
    assert agreement(np.array([0.5, -0.2, -0.5, 0.2]), noise) == pytest.approx(-1.0)
    assert agreement(np.zeros(4), noise) == 0.0


def test_however_often_it_is_restored_a_mean_still_moves():
    turns = Turns(
        strategy(decline=2.0, declines=1, learning_rate=0.04, starts=1, averaging=1), sphere
    )
    turns.take()
    turns.reflect(10.0)
    for _ in range(6):
        turns.take()
        assert kinds(turns.reflect(30.0)) == ["restore"]
    turns.take()
    (restored,) = means(turns)
    turns.take()
    step = turns.strategy.best().genome.genes - restored.genome.genes
    assert np.abs(step).max() == pytest.approx(0.01, rel=0.05)


def test_samples_and_steps_are_finer_from_a_stage_on_and_coarse_again_after_a_restart():
    finer = (Finer(times=0.25, stage=2),)
    turns = Turns(strategy(finer=finer, averaging=1, patience=9, sigma=0.08), sphere)

    def taken():
        before = means(turns)[0].genome.genes
        turns.take()
        (sigma,) = {job.sigma for job in turns.jobs if isinstance(job, Samples)}
        return sigma, float(np.abs(turns.strategy.best().genome.genes - before).max())

    turns.take()
    coarse = taken()
    turns.reflect(10.0, stage=1)
    fine = taken()
    assert (coarse[0], fine[0]) == (0.08, 0.02)
    again = strategy(finer=finer, sigma=0.08)
    again.restore(turns.strategy.state())
    assert {job.sigma for job in again.generate(9) if isinstance(job, Samples)} == {0.02}
    turns.take(9)
    assert kinds(turns.reflect(10.0, stage=1)) == ["restart"]
    turns.take()
    assert {job.sigma for job in turns.jobs if isinstance(job, Samples)} == {0.08}


def test_of_several_the_last_that_has_begun_says_how_fine_samples_are():
    finer = (Finer(times=0.5), Finer(times=0.25, stage=3), Finer(times=0.1, stage=5))
    settings = experiment(**QUICK).evolve
    told, later = (settings.model_copy(update={"finer": each}) for each in (finer, finer[1:]))
    assert [told.finer_begun(stage, 0) for stage in range(6)] == [1, 1, 2, 2, 3, 3]
    assert [later.finer_begun(stage, 0) for stage in range(3)] == [0, 0, 1]
    assert [told.times(begun) for begun in range(4)] == [1.0, 0.5, 0.25, 0.1]
    assert settings.finer_begun(9, 9) == 0 and settings.times(0) == 1.0


def test_samples_are_finer_once_progress_has_failed_for_as_long_as_that_takes():
    finer = (Finer(times=0.5, stage=2), Finer(times=0.25, stage=2, patience=4),
             Finer(times=0.25, stage=3), Finer(times=0.1, stage=3, patience=8))  # fmt: skip
    turns = Turns(strategy(finer=finer, patience=12, progress_in="stage", sigma=0.08), sphere)

    def after(count, bits, stage):  # one turn more is taken after the look
        turns.take(count)
        events = turns.reflect(bits, stage, Standing(stage, bits, bits))
        turns.take()
        (sigma,) = {job.sigma for job in turns.jobs if isinstance(job, Samples)}
        return round(sigma, 4), [(event.kind, event.text) for event in events]

    def finer_by(times):
        return "finer", f"samples of {times} times their usual size, and by and by steps"

    assert after(1, 10.0, 0) == (0.08, [])
    assert after(7, 10.0, 0) == (0.08, [])
    assert after(1, 10.0, 1) == (0.04, [finer_by(0.5)])
    assert after(1, 5.0, 1) == (0.04, [])
    assert after(2, 5.0, 1) == (0.04, [])
    assert after(1, 5.0, 1) == (0.02, [finer_by(0.25)])
    assert after(1, 2.0, 1) == (0.02, [])  # progress does not make them coarse again
    assert after(6, 2.0, 1) == (0.02, [])
    assert after(1, 2.0, 2) == (0.02, [])  # another stage is progress
    assert after(7, 2.0, 2) == (0.008, [finer_by(0.1)])
    again = strategy(finer=finer, sigma=0.08)
    again.restore(turns.strategy.state())
    assert {job.sigma for job in again.generate(99) if isinstance(job, Samples)} == {0.008}
    assert after(4, 2.0, 2) == (0.08, [("restart", "no progress for 12 generations")])


def test_a_checkpoint_from_before_steps_became_finer_with_patience_goes_on():
    finer = (Finer(times=0.5), Finer(times=0.25, stage=2), Finer(times=0.1, patience=1, stage=3))
    state = strategy(finer=finer).state()
    del state.words["finer"]
    for told, sigma in (({}, 0.04), ({"stage": 0}, 0.04), ({"stage": 1}, 0.02)):
        again = strategy(finer=finer, sigma=0.08)
        again.restore(State({**state.words, **told}, state.tensors))
        assert {job.sigma for job in again.generate(9) if isinstance(job, Samples)} == {sigma}


def test_who_begins_anew_was_not_told_of_finer_steps_before():
    turns = Turns(strategy(finer=(Finer(times=0.5, patience=4),), patience=4), sphere)
    turns.take()
    assert turns.reflect(5.0) == []
    turns.take(4)
    assert kinds(turns.reflect(5.0)) == ["restart"]


def test_a_checkpoint_goes_on_where_there_are_fewer_finer_steps_by_now():
    finer = (Finer(times=0.5), Finer(times=0.25, stage=2))
    before = strategy(finer=finer)
    turns = Turns(before, sphere)
    turns.take()
    turns.reflect(5.0, stage=1)
    for left, sigma in ((finer[:1], 0.04), (None, 0.08)):
        again = strategy(finer=left, sigma=0.08)
        again.restore(before.state())
        assert {job.sigma for job in again.generate(9) if isinstance(job, Samples)} == {sigma}


def test_steps_become_as_many_times_shorter_as_samples_while_adam_forgets():
    """The gradients of finer samples are larger, for all ranks are alike."""
    search, sizes = begin(Individual(tiny(), operators=("found",)), 0.02, 0), []
    for generation in range(4000):
        times = 1.0 if generation < 400 else 0.25
        drawn = replace(samples(generation=generation), sigma=0.05 * times)
        fitness = derive(2, "fitness", generation).normal(16).astype(np.float64)
        search.individual.number = generation
        search = follow_gradient(search, drawn, fitness, times=times)
        sizes.append(search.figures["step"])
    usual, soon, late = (np.mean(sizes[of]) for of in
                         (slice(200, 400), slice(400, 420), slice(3600, 4000)))  # fmt: skip
    assert 0.6 * usual < soon < usual
    assert late == pytest.approx(0.25 * usual, rel=0.1)
    fresh = begin(Individual(tiny(), operators=("found",)), 0.02, 0)
    fresh.individual.number = 7
    coarse, fine = (follow_gradient(fresh, drawn, fitness, times=times) for times in (1.0, 0.25))
    np.testing.assert_allclose(fine.mean - fresh.mean, 0.25 * (coarse.mean - fresh.mean))
