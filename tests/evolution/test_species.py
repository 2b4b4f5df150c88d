"""Who is near whom, and who has how many children."""

import numpy as np
import pytest

from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.species import (
    Distances,
    Species,
    adjusted,
    gather,
    places,
    progressed,
)
from evo_ntm.genome.drawing import add_node
from evo_ntm.seeds import derive
from tests.genome.machines import graph

TOLD = {"disjoint": 1.0, "difference": 0.4}


def one(genome, number=1, fitness=0.0, generation=0):
    individual = Individual(genome, operators=("found",))
    individual.number, individual.generation = number, generation
    individual.fitness.values = (fitness,)
    return individual


def test_a_distance_counts_disjoint_genes_and_the_mean_difference_of_shared_ones():
    parent = graph(0.5, nodes=0)
    count = parent.genes.size
    moved = parent.with_genes(parent.genes + np.where(np.arange(count) % 2, 3.0, -1.0))
    grown = add_node(parent, generator=derive(1, "node"))
    distances = Distances([parent, moved, grown], **TOLD)
    mean = np.abs(moved.genes - parent.genes).mean()
    assert distances.of(0) == pytest.approx([0, 0.4 * mean, 2 / (count + 2)], rel=1e-5)
    both = 2 / (count + 2) + 0.4 * mean
    assert distances.of(1) == pytest.approx([0.4 * mean, 0, both], rel=1e-5)
    weighed = Distances([parent, grown], disjoint=3.0, difference=0.4)
    assert weighed.of(0)[1] == pytest.approx(6 / (count + 2))


def test_there_may_be_more_topologies_than_are_remembered():
    parent = graph(0.5, nodes=0)
    several = [add_node(parent, generator=derive(1, "node", number)) for number in range(900)]
    grown = [add_node(each, generator=derive(1, "other", n)) for n, each in enumerate(several)]
    assert len({genome.topology for genome in grown}) > 512
    alone = Distances([parent, grown[-1]], **TOLD).of(0)[1]
    assert Distances([parent, *grown], **TOLD).of(0)[-1] == alone


def gathered(ranked, elder=(), threshold=1.0):
    return gather(ranked, elder, threshold=threshold, generation=5, first=8, **TOLD)


def test_everyone_joins_the_eldest_species_that_is_near_and_others_found_one():
    genome = graph(0.5, nodes=0)
    ranked = [one(genome.with_genes(genome.genes + far), n) for n, far in enumerate((0, 9, 1, 10))]
    found = gathered(ranked)
    assert [[each.number for each in species.members] for species in found] == [[0, 2], [1, 3]]
    assert [(species.number, species.since) for species in found] == [(8, 5), (9, 5)]
    elder = [Species(3, ranked[3], since=1), Species(2, ranked[0], since=2)]
    again = gathered(ranked, elder)
    assert [(species.number, species.since) for species in again] == [(3, 1), (2, 2)]
    assert [[each.number for each in species.members] for species in again] == [[1, 3], [0, 2]]
    (merged,) = gathered(ranked, elder, threshold=100.0)
    assert merged.number == 3
    assert [each.number for each in merged.members] == [0, 1, 2, 3]


def test_progress_is_made_by_a_newcomer_that_beats_its_elder_on_the_same_episodes():
    genome = graph(0.5, nodes=0)
    elder, newcomer = one(genome, 1, -1.0), one(genome, 2, -0.9, generation=5)

    def made(fittest, alive=(1, 2), share=0.01):
        species = Species(1, elder, 0, [fittest])
        return progressed(species, set(alive), generation=5, share=share)

    assert made(newcomer)
    assert not made(newcomer, share=0.2)
    assert not made(elder)
    assert made(newcomer, alive=(2,), share=0.2)  # nobody is left to be compared with


def test_places_go_by_the_mean_fitness_above_the_worst():
    genome = graph(0.5, nodes=0)

    def species(*fitness):
        return Species(1, one(genome), 0, [one(genome, fitness=each) for each in fitness])

    assert places([species(-1.0, -1.0), species(-3.0), species(-4.0)], 30) == [23, 7, 0]
    assert places([species(-1.0), species(-1.0, -1.0)], 9) == [5, 4]
    assert places([species(-1.0), species(-np.inf, -3.0)], 8) == [8, 0]
    assert sum(places([species(-0.1 * n, -n) for n in range(7)], 100)) == 100
    assert places([species(-np.inf), species(-np.inf)], 4) == [2, 2]


def test_the_threshold_follows_the_number_of_species():
    assert adjusted(1.0, 12, wanted=10) == pytest.approx(1.1)
    assert adjusted(1.0, 8, wanted=10) == pytest.approx(1 / 1.1)
    assert adjusted(1.0, 10, wanted=10) == 1.0
