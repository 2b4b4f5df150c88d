"""What a strategy knows between two generations, as a file can hold it: words and tensors."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo_ntm.evolution.individual import Individual
from evo_ntm.genome import Genome
from evo_ntm.genome.notation import read_topology, topology_json

Words = Mapping[str, Any]
Tensors = Mapping[str, NDArray[Any]]


class State(NamedTuple):
    """Words, which are what JSON has, and named tensors. Nothing in it is an object of ours."""

    words: Words
    tensors: Tensors


def exact(value: float) -> float | str:
    """Write a number so that JSON gives it back bit for bit, also one that is not finite."""
    return float(value) if isfinite(value) else str(float(value))


def pack(individuals: Sequence[Individual]) -> State:
    """Write individuals: one twice in the list is one thing still when it is read back.

    The score of the last generation is left out: whoever is needed again is scored again. Genes
    are stacked, [individuals, genes], a tensor for each topology and encoding.
    """
    places: dict[int, int] = {}
    topologies: dict[int, str] = {}  # by identity, for it takes long to tell whether they are alike
    kinds: dict[tuple[str, str], int] = {}
    stacks: list[list[NDArray[np.float32]]] = []
    rows = []
    for individual in individuals:
        if id(individual) in places:
            continue
        places[id(individual)] = len(places)
        genome = individual.genome
        told = topologies.get(id(genome.topology))
        if told is None:
            told = topologies[id(genome.topology)] = topology_json(genome.topology)
        kind = kinds.setdefault((told, genome.encoding), len(kinds))
        if kind == len(stacks):
            stacks.append([])
        rows.append({
            "kind": kind,
            "row": len(stacks[kind]),
            "operators": list(individual.operators),
            "parents": list(individual.parents),
            "sigma": individual.sigma,
            "number": individual.number,
            "generation": individual.generation,
        })  # fmt: skip
        stacks[kind].append(genome.genes)
    words = {
        "kinds": [{"topology": told, "encoding": encoding} for told, encoding in kinds],
        "individuals": rows,
        "order": [places[id(individual)] for individual in individuals],
    }
    return State(words, {f"genes {kind}": np.stack(stack) for kind, stack in enumerate(stacks)})


def unpack(state: State) -> list[Individual]:
    """Read individuals back. Raises GenomeError where a genome cannot be one."""
    kinds = [
        (read_topology(told["topology"], f"topology {kind}"), told["encoding"])
        for kind, told in enumerate(state.words["kinds"])
    ]
    individuals = []
    for told in state.words["individuals"]:
        topology, encoding = kinds[told["kind"]]
        genes = state.tensors[f"genes {told['kind']}"][told["row"]]
        individual = Individual(
            Genome(topology, genes, encoding),
            operators=tuple(told["operators"]),
            parents=tuple(told["parents"]),
            sigma=told["sigma"],
        )
        individual.number, individual.generation = told["number"], told["generation"]
        individuals.append(individual)
    return [individuals[place] for place in state.words["order"]]
