"""A genome never changes, is known by what it is, and refuses what it cannot be."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from evo_ntm.errors import GenomeError
from evo_ntm.genome.genome import Genome
from evo_ntm.topology import Block, wires
from tests.genome.machines import SPECIMENS

GENOME = SPECIMENS["direct dense, one of each"]
TIED = SPECIMENS["tied dense, one of each"]


def test_nothing_about_a_genome_can_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        GENOME.genes[0] = 1.0
    with pytest.raises(FrozenInstanceError):
        GENOME.genes = np.zeros(3)
    with pytest.raises(FrozenInstanceError):
        GENOME.topology = TIED.topology


def test_a_genome_keeps_nothing_of_the_array_that_it_was_made_of():
    genes = GENOME.genes.copy()
    genome = GENOME.with_genes(genes)
    genes[:] = 7.0
    assert genome.id == GENOME.id


def test_weights_that_are_given_away_can_be_changed_without_changing_the_genome():
    for genome in (GENOME, TIED):
        before = genome.genes.tobytes()
        for weights in genome.express().values():
            weights[:] = 7.0
        assert genome.genes.tobytes() == before


def test_the_id_tells_apart_topology_genes_and_encoding():
    genes = GENOME.genes.copy()
    genes[-1] += 1.0
    columns = GENOME.topology.columns
    renumbered = replace(GENOME.topology, columns=(*columns[:-1], Block(999_999, 1)))
    others = [
        GENOME.with_genes(genes),
        Genome(renumbered, GENOME.genes),
        TIED,
        GENOME.with_genes(-0.0 * genes),
        GENOME.with_genes(0.0 * np.abs(genes)),
    ]
    assert len({GENOME.id, *(other.id for other in others)}) == 6
    assert Genome(GENOME.topology, list(GENOME.genes)).id == GENOME.id


def test_the_genes_of_a_direct_genome_are_its_weights_wire_after_wire():
    expressed = GENOME.express()
    assert list(expressed) == list(wires(GENOME.topology))
    assert np.concatenate([w.ravel() for w in expressed.values()]).tolist() == GENOME.genes.tolist()


def test_a_wrong_count_of_genes_is_refused_with_both_counts():
    size = GENOME.genes.size
    with pytest.raises(GenomeError, match=rf"has {size} genes, but .* shape \({size - 1},\)"):
        GENOME.with_genes(GENOME.genes[:-1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_gene_that_is_no_number_is_refused_by_its_place(value):
    genes = GENOME.genes.copy()
    genes[5] = value
    with pytest.raises(GenomeError, match=f"gene 5 is {value}"):
        GENOME.with_genes(genes)
