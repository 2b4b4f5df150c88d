"""Grafting: a genome carried over to another topology. Every structural operator is one graft."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evo_ntm.errors import GenomeError
from evo_ntm.genome.bounds import Inapplicable
from evo_ntm.genome.founder import Fresh, start
from evo_ntm.genome.genome import Genome
from evo_ntm.seeds import Generator
from evo_ntm.topology import Block, Topology, Wire, wires

T = TypeVar("T")

FIRST_BIRTH, BIRTHS_END = 1_000, 1_000_000


def graft(
    parent: Genome,
    topology: Topology,
    generator: Generator,
    *,
    fresh: Fresh | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Genome:
    """Keep every gene that parent and topology both have, and start the others.

    New genes start by the rule of `starting_weights`, or as `fresh` changes it. `renamed` says of
    wires which of the parent's wires they continue; where the units at the ends differ, in number
    or in where the bits are, the wire starts anew.
    """
    genes = start(topology, parent.encoding, generator, fresh=fresh)
    child = Genome(topology, genes, parent.encoding)
    kept, same = shared(child, parent)
    genes[kept] = parent.genes[same]
    before, after = wires(parent.topology), wires(topology)
    for name, old in (renamed or {}).items():
        if name in after and old in before and _alike(after[name], before[old]):
            places = child.code.expression[after[name].place]
            genes[places] = parent.weights[before[old].place]
    return child.with_genes(genes)


def shared(genome: Genome, other: Genome) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the genes that two genomes both have: their places in the one and in the other.

    Raises GenomeError where the encodings differ.
    """
    if genome.encoding != other.encoding:
        raise GenomeError(f"expected two genomes of one encoding, but they are {genome.encoding} "
                          f"and {other.encoding}")  # fmt: skip
    if genome.code is other.code:
        everywhere = np.arange(genome.genes.size)
        return everywhere, everywhere
    _, here, there = np.intersect1d(
        genome.code.keys, other.code.keys, assume_unique=True, return_indices=True
    )
    return here, there


def layered(genome: Genome) -> Topology:
    """Give the topology of a controller of layers. Raises Inapplicable where it is a graph."""
    if genome.topology.controller.graph is not None:
        raise Inapplicable("expected a controller of layers, but this one is a graph")
    return genome.topology


def new_births(topology: Topology, generator: Generator) -> Iterator[int]:
    """Draw ids for new parts, none of them taken."""
    taken = topology.births()
    while True:
        birth = int(generator.integers(FIRST_BIRTH, BIRTHS_END))
        if birth not in taken:
            taken.add(birth)
            yield birth


def of_births(blocks: tuple[Block, ...], births: set[int]) -> NDArray[np.bool_]:
    """Tell of each unit of an axis whether one of the births brought it."""
    return np.concatenate([np.full(block.size, block.birth in births) for block in blocks])


def role(wire: Wire) -> str:
    """Name what a wire does for its organ: `key`, `erase`, `forget gate`, `start` and so on."""
    return wire.port.name.removeprefix(wire.organ).strip()


def draw(options: Sequence[T], generator: Generator) -> T:
    """Draw one of several options."""
    return options[int(generator.integers(0, len(options)))]


def _alike(wire: Wire, other: Wire) -> bool:
    """Tell whether the units at both ends of two wires are as many, with the bits in one place."""

    def bits(blocks: tuple[Block, ...]) -> list[bool]:
        return [block.per_bit for block in blocks for _ in range(block.size)]

    return bits(wire.rows) == bits(other.rows) and bits(wire.columns) == bits(other.columns)
