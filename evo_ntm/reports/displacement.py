"""How far every wire of a line moved away from where it began."""

from collections.abc import Sequence

import numpy as np

from evo_ntm.genome import Genome
from evo_ntm.reports.chapters import Displacement
from evo_ntm.reports.difference import difference
from evo_ntm.reports.line import Birth
from evo_ntm.topology import wires

MOST_BIRTHS = 40


def tell_displacement(line: Sequence[Birth]) -> Displacement:
    """Measure every wire at 40 births of a line at most, evenly chosen among those kept.

    Changes are from the first of them that has the wire, which is the founder for most, and are
    told as shares of the length of all the first one's weights. Wires come in the order of the
    last birth, then those that were lost on the way.
    """
    kept = [(birth, birth.genome) for birth in line if birth.genome is not None]
    places = np.linspace(0, len(kept) - 1, MOST_BIRTHS).round().astype(int).tolist()
    chosen = [kept[place] for place in sorted({*places})] if kept else []
    genomes = [genome for _, genome in chosen]
    names: dict[str, None] = {}
    for genome in reversed(genomes):
        names |= dict.fromkeys(wires(genome.topology))
    began = {name: next(n for n, genome in enumerate(genomes) if name in wires(genome.topology))
             for name in names}  # fmt: skip
    moved = [_moved(genomes[: number + 1], began) for number in range(len(genomes))]
    return Displacement(
        births=tuple(birth.number for birth, _ in chosen),
        generations=tuple(birth.generation for birth, _ in chosen),
        wires=tuple(names),
        moved=tuple(tuple(each.get(name) for each in moved) for name in names),
    )


def _moved(genomes: Sequence[Genome], began: dict[str, int]) -> dict[str, float]:
    """Measure the wires of the last of some genomes from the genomes in which they began."""
    here, length = genomes[-1], float(np.linalg.norm(genomes[0].weights.astype(np.float64)))
    moved = {}
    for start in sorted({began[name] for name in wires(here.topology)}):
        for wire in difference(genomes[start], here).wires:
            if began[wire.name] == start:
                moved[wire.name] = wire.change / length if length else 0.0
    return moved
