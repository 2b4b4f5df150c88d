"""Genomes with a part taken away, to measure what it is worth."""

from dataclasses import replace

from evo_ntm.errors import GenomeError, nearest
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.graft import graft
from evo_ntm.seeds import derive
from evo_ntm.topology import Head, Stages, Topology


def ablate(genome: Genome, part: str) -> Genome:
    """Take a part away: `reads`, `content`, `shift`, or `head N` by the head's birth.

    Without reads nobody hears a reader; without content (and the interpolation with it) heads stay
    where they were and shift; without shift they go only where content leads. All other weights
    stay. Raises GenomeError where there is no such part.
    """
    topology = _without(genome.topology, part)
    # Nothing is new in a smaller topology, so what the stream would start is never seen.
    return graft(genome, topology, derive(0, "ablation"))


def _without(topology: Topology, part: str) -> Topology:
    if part == "reads":
        return replace(topology, heads=topology.writers)
    if part == "content":
        return replace(topology, heads=tuple(_stages(head, content=False, interpolation=False)
                                             for head in topology.heads))  # fmt: skip
    if part == "shift":
        return replace(topology, heads=tuple(_stages(head, shift=False) for head in topology.heads))
    names = {f"head {head.birth}": head for head in topology.heads}
    if part not in names:
        known = ["reads", "content", "shift", *names]
        raise GenomeError(f"there is no part {part!r} to ablate: {nearest(part, known)} "
                          f"(known: {', '.join(known)})")  # fmt: skip
    return replace(topology, heads=tuple(h for h in topology.heads if h is not names[part]))


def _stages(head: Head, **stages: bool) -> Head:
    kept: Stages = replace(head.stages, **stages)
    return replace(head, stages=kept)
