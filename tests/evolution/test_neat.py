from multiprocessing.pool import ThreadPool

import numpy as np

from evo_ntm.evolution.breeding import Choice
from evo_ntm.evolution.engine import evolve
from evo_ntm.evolution.neat import NEAT
from evo_ntm.genome.drawing import add_connection, add_node, drop_connection
from evo_ntm.genome.variation import perturb
from tests.evolution.cases import Turns, births, experiment, generations, task_of
from tests.genome.machines import graph

OPERATORS = {
    "perturb": Choice(6.0, perturb, inherits=True),
    "add_node": Choice(1.0, add_node),
    "add_connection": Choice(1.0, add_connection),
    "drop_connection": Choice(1.0, drop_connection),
}
TAPED = {"tape_heads": 1, "rows": 20, "width": 2}
GRAPH = {"controller": "graph", "units": [], "connected": 0.5, **TAPED}
GROWING = {name: {} for name in OPERATORS}


def strategy(operators=OPERATORS, **changes):
    settings = experiment("neat", **{"population": 40, "operators": {}, **changes}).evolve

    def found(generator):
        return graph(0.3, nodes=0, heads=0)

    return NEAT(settings, found=found, operators=operators)


def heavy(genes, slot):
    return -np.abs(genes - 2.0).mean(1)


def test_the_population_climbs_in_about_as_many_species_as_asked_for():
    turns = Turns(strategy(species=4), heavy)
    turns.take()
    before = turns.strategy.best().fitness.values[0]
    counts = []
    for _ in range(40):
        turns.take()
        counts.append(turns.strategy.species())
    assert turns.strategy.best().fitness.values[0] > before / 2
    assert 2 <= np.median(counts) <= 8


def test_graphs_grow_and_their_lineage_says_by_what():
    turns = Turns(strategy(), lambda genes, slot: genes.sum(1))  # the more, the better
    turns.take(30)
    told = turns.strategy.figures()
    assert told["nodes"] > 0
    operators = {born.operators for born in turns.born.values()}
    assert ("add_node", "perturb") in operators
    assert ("cross", "perturb") in operators
    assert ("cross", "add_connection", "perturb") in operators


def test_the_best_lives_on_unchanged_and_the_population_keeps_its_size():
    turns = Turns(strategy(), heavy)
    for _ in range(10):
        turns.take()
        assert len(turns.jobs) == 40
        best = turns.strategy.best()
        assert best in turns.strategy.generate(turns.generation)


def test_genes_stay_within_their_bounds():
    turns = Turns(strategy(largest=3.0, sigma=10.0), lambda genes, slot: genes.sum(1))
    turns.take(20)
    genes = np.concatenate([job.genome.genes for job in turns.jobs])
    assert np.abs(genes).max() == 3.0


def test_a_mutation_moves_few_genes_as_often_as_is_asked_for():
    def moved(**told):
        moving, asked = {"perturb": OPERATORS["perturb"]}, {"perturb": told}
        changes = {"operators": asked, "crossover": 0.0, "largest": 1000.0}
        settings = experiment("neat", **{"population": 40, **changes}).evolve
        neat = NEAT(settings, found=lambda _: graph(0.3, nodes=0, heads=0), operators=moving)
        turns = Turns(neat, lambda genes, slot: [-1.0])
        turns.take(3)
        families = [(job, turns.born[job.parents[0]]) for job in turns.jobs if job.parents]
        return [np.mean(child.genome.genes != parent.genome.genes) for child, parent in families]

    assert min(moved(few=0)) == 1.0
    assert np.median(moved()) <= 0.5
    assert 0.3 < np.mean(np.array(moved(few=0.5)) == 1.0) < 0.8


def test_a_species_without_progress_has_no_children_but_for_that_of_the_best():
    turns = Turns(strategy(species=8, stagnation=1), lambda genes, slot: [-1.0])
    turns.take(4)
    (living,) = turns.strategy._living(turns.generation + 5)
    assert living.members[0] is turns.strategy.best()


def test_a_run_of_graphs_is_the_same_on_two_threads():
    asked = experiment("neat", machine=GRAPH, operators=GROWING, generations=6)
    once = births(generations(asked))
    with ThreadPool(2) as pool:
        task = task_of(asked)
        again = births(evolve(asked, task, lambda score, chunks: pool.imap(score, chunks)))
    assert once == again
    assert any("add_node" in operators for *_, operators, _ in once)
