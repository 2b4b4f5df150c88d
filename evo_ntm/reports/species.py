"""The species of a run: when each was there, how large it was, and how many births it had."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from evo_ntm.reports.chapters import SpeciesLife, SpeciesStream
from evo_ntm.reports.pedigree import Numbers, Pedigree, evenly
from evo_ntm.topology import Head, Topology
from evo_ntm.words import counted

MOST_SPECIES = 11  # that a stream shows by name; the others are the rest
REST = "rest"
ORDER = "content", "interpolation", "shift", "sharpening"
UNKNOWN = (
    "the rows kept topologies in words only before their version 2: nothing is told of species"
)
BIRTHS_ONLY = "the rows recorded no survivors before their version 4: species count births only"


def tell_species(pedigree: Pedigree) -> tuple[SpeciesStream | None, tuple[str, ...]]:
    """Tell how large every species was in some generations, and warn of what is not known.

    A species is a topology but for units and width. The lives are those of all, in the order in
    which they came up, and tell of all generations, also where a species was away in between.
    """
    topologies = [kind.like for kind in pedigree.kinds]
    known = [topology for topology in topologies if topology is not None]
    if len(known) < len(topologies):
        return None, (UNKNOWN,)
    species_of, names = _grouped(known, pedigree)
    count, last = len(names), pedigree.generations - 1
    chosen = evenly(pedigree.generations)
    kept, rows = {*chosen}, []
    begun, ended, peak, peaked = np.full((4, count), -1)
    for generation in range(pedigree.generations):
        sizes = np.bincount(species_of[pedigree.alive(generation)], minlength=count)
        here = sizes > 0
        begun[here & (begun < 0)] = generation
        ended[here] = generation
        peaked[sizes > peak] = generation
        peak = np.maximum(peak, sizes)
        if generation in kept:
            rows.append(sizes)
    births = np.bincount(species_of, minlength=count)
    lives = tuple(
        SpeciesLife(
            name=names[place],
            born=int(begun[place]),
            last_seen=None if ended[place] == last else int(ended[place]),
            births=int(births[place]),
            peak=int(peak[place]),
            peak_generation=int(peaked[place]),
        )
        for place in range(count)
    )
    shown, largest = _largest(np.array(rows).T, peak, names)
    stream = SpeciesStream(chosen, shown, largest, lives)
    return stream, () if pedigree.whole else (BIRTHS_ONLY,)


def species_name(topology: Topology) -> str:
    """Say in words what machines of one species share, and no other: controller and heads."""
    kind, layers = topology.controller.kind, len(topology.controller.layers)
    plain = layers == 1 or topology.controller.graph is not None
    parts = [kind if plain else f"{kind} of {layers} layers"]
    several = [(topology.readers, "reader"), (topology.writers, "writer")]
    for heads, noun in [(topology.tape_heads, "tape head")] if topology.tape else several:
        alike = Counter(sorted(map(_peculiar, heads))) or {"": 0}
        for peculiar, count in alike.items():
            parts.append(f"{counted(count, noun)}{peculiar}")
    return ", ".join(parts)


def _peculiar(head: Head) -> str:
    """Say what a head has otherwise than those that a task file gives without asking."""
    usual = Head(head.birth, head.kind)
    used, has = head.stages, usual.stages
    off = [name for name in ORDER if getattr(has, name) and not getattr(used, name)]
    told = [f"no {name}" for name in off]
    if head.source != usual.source:
        told.append(f"from the {head.source}")
    if head.kind == "reader" and head.target != usual.target:
        told.append(f"to the {head.target}")
    if head.stages.shift and head.shifts != usual.shifts:
        told.append(f"{head.shifts} shifts")
    return f" ({'; '.join(told)})" if told else ""


def _grouped(topologies: Sequence[Topology], pedigree: Pedigree) -> tuple[Numbers, list[str]]:
    """Tell of every birth its species, numbered as they came up [N], and give each a name."""
    numbers: dict[Hashable, int] = {}
    names: list[str] = []
    found = np.zeros(len(topologies), dtype=np.int64)
    places, first = np.unique(pedigree.kind, return_index=True)
    for place in places[np.argsort(first)]:
        key = topologies[place].species_key
        if key not in numbers:
            numbers[key] = len(numbers)
            names.append(species_name(topologies[place]))
        found[place] = numbers[key]
    return found[pedigree.kind], names


def _largest(
    sizes: Numbers, peak: Numbers, names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Choose the rows of the largest species, and make one row of the rest, if there are more."""
    largest = np.sort(np.argsort(-peak, kind="stable")[:MOST_SPECIES])
    shown, rows = [names[place] for place in largest], sizes[largest]
    if len(names) > len(largest):
        shown.append(REST)
        rows = np.vstack([rows, sizes.sum(axis=0) - rows.sum(axis=0)])
    return tuple(shown), tuple(tuple(map(int, row)) for row in rows)
