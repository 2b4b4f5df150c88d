"""Grafting: what is kept, what starts anew, and the ids of new parts."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from evo_ntm.errors import GenomeError
from evo_ntm.genome.body import flatten_controller
from evo_ntm.genome.founder import start
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.graft import graft, new_births, shared
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Controller, Head
from tests.genome.machines import BITS, SPECIMENS, specimen

PARENT = SPECIMENS["direct dense, one of each"]
TIED = SPECIMENS["tied dense, one of each"]


def draws(slot=0):
    return derive(13, "graft", slot)


def layered(encoding, *layers):
    """Make a dense genome of certain blocks in each layer."""
    topology = replace(TIED.topology, controller=Controller("dense", layers))
    return Genome(topology, start(topology, encoding, draws()), encoding)


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_genome_grafted_onto_its_own_topology_is_the_same(name):
    parent = SPECIMENS[name]
    assert graft(parent, parent.topology, draws()).id == parent.id


def test_what_both_have_is_kept_whatever_the_order_and_the_rest_starts_as_told():
    head = replace(PARENT.topology.readers[0], birth=70)  # sorts before the others of its kind
    topology = replace(PARENT.topology, heads=(head, *PARENT.topology.heads))
    told = set()

    def sevens(wire, weights):
        told.add(wire.name)
        return np.full_like(weights, 7.0)

    child = graft(PARENT, topology, draws(), fresh=sevens).express()
    assert told == set(child)
    for wire, weights in child.items():
        expected = 7.0 if "reader 70" in wire else PARENT.express()[wire]
        assert (weights == expected).all(), wire


def test_renamed_wires_go_on_where_they_fit():
    topology = replace(PARENT.topology, heads=(Head(71, "writer"), Head(75, "reader")))
    renamed = {
        "output < reader 75": "output < reader 73",
        "reader 75 key < layer 1": "reader 73 gate < layer 1",
        "reader 75 add < layer 1": "writer 71 add < layer 1",
        "reader 75 gate < bias": "reader 99 gate < bias",
    }
    child, old = graft(PARENT, topology, draws(), renamed=renamed).express(), PARENT.express()
    assert (child["output < reader 75"] == old["output < reader 73"]).all()
    assert not (child["reader 75 key < layer 1"] == old["reader 73 gate < layer 1"]).any()


def test_layers_in_other_pieces_but_with_the_same_bits_go_on():
    parent = layered("direct", (Block(5, 2), Block(6, 4)), (Block(7, 4), Block(8, 2)))
    child = flatten_controller(parent, generator=draws(1))
    assert (child.express()["output < layer 1"] == parent.express()["output < layer 2"]).all()


def test_a_layer_whose_bits_are_elsewhere_starts_anew():
    bits = Block(6, BITS, per_bit=True)
    parent = layered("tied", (Block(5, 4), bits), (replace(bits, birth=7), Block(8, 4)))
    child = flatten_controller(parent, generator=draws(1))
    assert not (child.express()["output < layer 1"] == parent.express()["output < layer 2"]).any()


def test_shared_genes_are_found_by_what_they_join():
    other = specimen("dense", "direct", "all sorts")
    here, there = shared(PARENT, other)
    assert (PARENT.code.keys[here] == other.code.keys[there]).all()
    same = ("layer 1 < input", "layer 1 < bias", "output < layer 1", "output < bias")
    assert here.size == sum(PARENT.express()[wire].size for wire in same)


def test_genomes_of_two_encodings_share_nothing_that_could_be_compared():
    with pytest.raises(GenomeError, match="direct and tied"):
        shared(PARENT, TIED)


def test_a_new_part_never_has_an_id_that_is_taken():
    first, second = islice(new_births(PARENT.topology, draws()), 2)
    assert first != second
    taken = replace(PARENT.topology, heads=(Head(first, "reader"),))
    assert next(new_births(taken, draws())) == second
    assert all(1_000 <= birth < 1_000_000 for birth in (first, second))
