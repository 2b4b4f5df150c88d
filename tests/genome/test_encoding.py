"""The tied encoding treats bits alike, and scales to other numbers of bits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.errors import EvoNTMError, GenomeError
from evo_ntm.genome.encoding import code
from evo_ntm.genome.founder import founder
from evo_ntm.genome.genome import Genome
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, wires
from evo_ntm.topology.wires import size
from tests.genome.machines import (
    BITS,
    SPECIMENS,
    answers,
    distance,
    sequences,
    topologies,
)

TIED = [name for name in SPECIMENS if name.startswith("tied")]
ORDER = [2, 0, 3, 1]


def turned(genome):
    """Answer with the input bits in another order, and put the answers back in theirs."""
    inputs = sequences(genome.topology.inputs)
    mixed = inputs.clone()
    mixed[..., :BITS] = inputs[..., ORDER]
    back = torch.empty_like(answers(genome))
    back[..., ORDER] = answers(genome, mixed)
    return distance(back, answers(genome))


@pytest.mark.parametrize("name", TIED)
def test_bits_put_in_come_out_in_the_same_order_whatever_it_is(name):
    assert turned(SPECIMENS[name]) < 1e-9


def test_a_direct_genome_does_not_treat_bits_alike():
    assert turned(SPECIMENS["direct dense, one of each"]) > 1e-2


def test_there_is_one_gene_for_the_same_bit_and_one_for_different_bits():
    genome = SPECIMENS["tied dense, one of each"]
    wire = genome.express()["layer 1 < input"]
    assert wire.shape == (8, BITS + 1)
    same = np.eye(BITS, dtype=bool)
    assert len(set(wire[:BITS, :BITS][same].tolist())) == 1
    assert len(set(wire[:BITS, :BITS][~same].tolist())) == 1
    assert wire[0, 0] != wire[0, 1]
    assert len(set(wire[:BITS, BITS].tolist())) == 1
    assert len(set(wire[:, BITS].tolist())) == 8 - BITS + 1


@pytest.mark.parametrize("name", TIED)
def test_a_tied_genome_expresses_to_another_number_of_bits_and_back(name):
    genome = SPECIMENS[name]
    wide = genome.with_bits(64)
    assert wide.topology.bits == 64
    assert answers(wide).shape[-1] == 64
    assert answers(wide).isfinite().all()
    np.testing.assert_allclose(wide.with_bits(BITS).genes, genome.genes, rtol=1e-6)
    assert genome.with_bits(BITS).id == genome.id


@pytest.mark.parametrize("name", TIED)
def test_the_sum_over_bits_that_all_say_the_same_does_not_grow_with_their_number(name):
    """What a unit hears on a wire is the row's sum, whether 4 bits or 64 speak."""
    genome = SPECIMENS[name]
    wide = genome.with_bits(64)
    for wire, weights in genome.express().items():
        here, there = weights.sum(1), wide.express()[wire].sum(1)
        np.testing.assert_allclose(np.unique(here.round(4)), np.unique(there.round(4)), atol=2e-4)


def test_what_a_unit_hears_by_one_gene_is_scaled_with_its_senders():
    genome = SPECIMENS["tied dense, one of each"]
    narrow, wide = (g.express()["layer 1 < input"] for g in (genome, genome.with_bits(64)))
    assert wide[0, 0] == narrow[0, 0]  # the same bit
    assert wide[0, 1] == pytest.approx(narrow[0, 1] * (BITS - 1) / 63, rel=1e-6)
    assert wide[66, 0] == pytest.approx(narrow[6, 0] * BITS / 64, rel=1e-6)  # a plain unit
    assert wide[0, 64] == narrow[0, BITS]  # the flag


def test_a_wide_tied_machine_treats_its_bits_alike_too():
    wide = SPECIMENS["tied lstm"].with_bits(16)
    inputs = torch.zeros(10, 1, 17, dtype=torch.float64)
    inputs[3, 0, 5] = 1.0
    out = answers(wide, inputs)[:, 0]
    others = out[:, [bit for bit in range(16) if bit != 5]]
    assert distance(others, others[:, :1]) < 1e-9
    assert (out[:, 5] - out[:, 6]).abs().max() > 1e-3


def test_only_a_tied_genome_expresses_to_other_bits():
    with pytest.raises(GenomeError, match="direct .* cannot be expressed to 8 bits"):
        SPECIMENS["direct dense, one of each"].with_bits(8)


def test_a_single_bit_can_be_expressed_to_itself_only():
    with pytest.raises(GenomeError, match="cannot go from 4 bits to 1: a single bit"):
        SPECIMENS["tied dense, one of each"].with_bits(1)
    bit = Block(1, 1, per_bit=True)
    single = founder((bit,), (bit,), encoding="tied", generator=derive(1, "founder"))
    with pytest.raises(GenomeError, match="cannot go from 1 bits to 8: a single bit"):
        single.with_bits(8)
    assert single.with_bits(1).id == single.id


def test_no_bits_at_all_are_refused():
    with pytest.raises(EvoNTMError, match="at least 1 unit, but was given 0"):
        SPECIMENS["tied dense, one of each"].with_bits(0)


@settings(max_examples=30, deadline=None)
@given(topology=topologies())
def test_with_the_direct_encoding_every_weight_has_its_own_gene(topology):
    expression, keys, units = code(topology, "direct")
    assert expression.tolist() == list(range(size(topology)))
    assert len(set(keys.tolist())) == keys.size == units.size == size(topology)


@settings(max_examples=30, deadline=None)
@given(topology=topologies(per_bit=True), seed=some.integers(0, 99))
def test_tied_weights_read_the_gene_that_they_should(topology, seed):
    """Compare with the rule in words, weight by weight."""
    genome = Genome(topology, derive(seed, "g").normal(code(topology, "tied").keys.size), "tied")
    expressed, genes = genome.express(), {}
    for name, wire in wires(topology).items():
        for row, (unit, bit) in enumerate(units_of(wire.rows)):
            for column, (other, other_bit) in enumerate(units_of(wire.columns)):
                tie = bit == other_bit if None not in (bit, other_bit) else None
                weight = float(expressed[name][row, column])
                genes.setdefault((name, unit, other, tie), set()).add(weight)
    assert all(len(values) == 1 for values in genes.values())
    assert [values.pop() for values in genes.values()] == genome.genes.tolist()


def units_of(blocks):
    """Name the units of an axis: those of one block a bit share a name, and each has its bit."""
    return [
        ((block.birth, 0), place) if block.per_bit else ((block.birth, place), None)
        for block in blocks
        for place in range(block.size)
    ]
