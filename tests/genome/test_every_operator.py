"""What every operator promises, whichever it is."""

import re
from functools import cache
from inspect import signature

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.experiment import operators as settable
from evo_ntm.genome.bounds import Bounds, Inapplicable
from evo_ntm.genome.files import read_genome, write_genome
from evo_ntm.genome.variation import OPERATORS, bind, parents_needed, perturb
from evo_ntm.seeds import derive
from evo_ntm.topology import wires
from tests.genome.machines import (
    SPECIMENS,
    answers,
    children,
    distance,
    new_genes,
    sequences,
    specimen,
)

WAKING = (
    "add_reader",
    "add_writer",
    "add_tape_head",
    "widen_memory",
    "grow_controller",
    "add_node",
    "add_connection",
)
CHANCE = OPERATORS.keys() - {"swap_controller"}
KEEPING = OPERATORS.keys() - {
    "perturb",
    "cross",
    "swap_controller",
    "deepen_controller",
    "flatten_controller",
    "change_source",
}
TIGHT = Bounds(
    readers=(0, 3), writers=(1, 2), width=(4, 8), units=(4, 12), layers=(1, 2), shifts=(3, 5)
)


def vary(name, genome, generator, **parameters):
    """Apply an operator, with a perturbed twin as the second parent where it needs one."""
    operator = OPERATORS[name]
    others = [perturb(genome, generator=derive(6, "other"))] * (parents_needed(operator) - 1)
    return operator(genome, *others, generator=generator, **parameters)


@cache
def offspring(name):
    """Apply an operator to every specimen that it applies to."""
    return bred(name)


def bred(name):
    return children(lambda parent, generator: vary(name, parent, generator))


@pytest.mark.parametrize("name", OPERATORS)
def test_the_parent_stays_as_it_was(name):
    before = {sort: (genome.topology, genome.genes.tobytes()) for sort, genome in SPECIMENS.items()}
    for sort, parent, child in offspring(name):
        assert (parent.topology, parent.genes.tobytes()) == before[sort]
        assert child.id != parent.id
        assert not np.shares_memory(child.genes, parent.genes)


@pytest.mark.parametrize("name", OPERATORS)
def test_the_child_is_whole(name):
    for _, parent, child in offspring(name):
        assert child.encoding == parent.encoding
        assert np.isfinite(child.genes).all()
        assert {wire: weights.shape for wire, weights in child.express().items()} == {
            wire: told.shape for wire, told in wires(child.topology).items()
        }
        assert answers(child).isfinite().all()


@pytest.mark.parametrize("name", OPERATORS)
def test_the_same_generator_makes_the_same_child(name):
    once, again = offspring(name), bred(name)
    assert [child.id for *_, child in once] == [child.id for *_, child in again]


@pytest.mark.parametrize("name", sorted(CHANCE))
def test_another_generator_makes_another_child_somewhere(name):
    ids = set()
    for _, parent, _ in offspring(name):
        ids |= {(parent.id, vary(name, parent, derive(7, name, slot)).id) for slot in range(6)}
    assert len(ids) > len(offspring(name))


@pytest.mark.parametrize("name", sorted(KEEPING))
def test_genes_that_parent_and_child_share_are_kept(name):
    for _, parent, child in offspring(name):
        old = dict(zip(parent.code.keys.tolist(), parent.genes.tolist(), strict=True))
        new = dict(zip(child.code.keys.tolist(), child.genes.tolist(), strict=True))
        shared = old.keys() & new.keys()
        assert shared
        assert {key: new[key] for key in shared} == {key: old[key] for key in shared}


@pytest.mark.parametrize("name", WAKING)
def test_what_is_added_does_not_change_the_answers(name):
    for sort, parent, child in offspring(name):
        if name == "widen_memory" and parent.topology.tape is not None:
            continue  # another column may turn a jump
        inputs = sequences(parent.topology.inputs, steps=20)
        assert distance(answers(child, inputs), answers(parent, inputs)) < 1e-5, sort
        assert child.genes.size > parent.genes.size


@pytest.mark.parametrize("encoding", ["direct", "tied"])
@pytest.mark.parametrize("name", ["add_reader", "add_writer", "widen_memory"])
def test_nor_does_it_where_no_layer_stands_between(name, encoding):
    parent = specimen("dense", encoding, units=())
    child = vary(name, parent, derive(5, name))
    inputs = sequences(parent.topology.inputs, steps=20)
    assert distance(answers(child, inputs), answers(parent, inputs)) < 1e-5


@pytest.mark.parametrize("name", WAKING)
def test_what_is_added_wakes_by_a_perturbation_of_the_new_genes(name):
    woken, of_graphs = 0, name in settable.OF_GRAPHS
    for _, parent, child in offspring(name):
        readers, writers = parent.topology.reading, parent.topology.writers
        writers = writers or parent.topology.tape_heads
        if name != "grow_controller" and not of_graphs and not (readers and writers):
            continue  # where nothing is written and read, no memory has a say
        # What a graph says to a tape is yes or no: not every small step tips it over.
        sigma = 5.0 if of_graphs else 0.05
        step = perturb(child, generator=derive(8, name), sigma=sigma).genes - child.genes
        woken_child = child.with_genes(child.genes + step * new_genes(child, parent))
        moved = distance(answers(woken_child), answers(child)) > 1e-4
        assert moved or of_graphs
        woken += moved
    assert woken >= 4


@settings(max_examples=10, deadline=None)
@given(
    seed=some.integers(0, 10**6),
    encoding=some.sampled_from(["direct", "tied"]),
    kind=some.sampled_from(["dense", "lstm"]),
    names=some.lists(some.sampled_from(sorted(OPERATORS)), min_size=12, max_size=12),
)
def test_however_long_a_lineage_it_stays_within_the_bounds(seed, encoding, kind, names):
    genome = specimen(kind, encoding)
    assert TIGHT.holds(genome.topology)
    for slot, name in enumerate(names):
        takes = signature(OPERATORS[name]).parameters
        bounds = {"bounds": TIGHT} if "bounds" in takes else {}
        try:
            genome = vary(name, genome, derive(seed, "lineage", slot), **bounds)
        except Inapplicable:
            continue
        assert TIGHT.holds(genome.topology)
        parts = [head.birth for head in genome.topology.heads]
        hidden = [block.birth for layer in genome.topology.controller.layers for block in layer]
        parts += hidden + [block.birth for block in genome.topology.columns]
        assert len(set(parts)) == len(parts)


def test_a_child_of_every_operator_can_be_kept_in_a_file(tmp_path):
    for name in OPERATORS:
        _, _, child = offspring(name)[-1]
        write_genome(tmp_path / name, child)
        assert read_genome(tmp_path / name).id == child.id


def test_every_operator_says_whether_it_preserves_the_answers():
    for name, operator in OPERATORS.items():
        assert name in ("perturb", "cross") or re.search("reserves? the answers", said(operator))
    for name in WAKING:
        assert "Preserves the answers" in said(OPERATORS[name])
        assert "wake" in said(OPERATORS[name])


def said(operator):
    return " ".join(operator.__doc__.split())


def test_task_files_know_the_same_operators_and_only_parameters_that_exist():
    assert set(settable.OPERATORS) == {*OPERATORS, "finetune"}  # which needs the task, too
    for name in OPERATORS:
        fields = settable.operator_settings(name).model_fields.keys() - {"share"}
        bind(name, bounds=Bounds(), parameters=dict.fromkeys(fields, 1))
