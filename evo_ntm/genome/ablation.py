"""Genomes with a part taken away, to measure what it is worth."""

from collections.abc import Callable
from dataclasses import replace

from evo_ntm.errors import GenomeError
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.graft import graft
from evo_ntm.seeds import derive
from evo_ntm.topology import Head, Topology

STAGES = ("content", "shift", "sharpening")


def ablate(genome: Genome, part: str) -> Genome:
    """Take a part away: `reads`, `writes`, a stage of all heads, `head N` by birth, or its stage.

    Stages are `content`, `shift` and `sharpening`; that of one head is `head N content`. Without
    reads nobody hears a reader; without writes the memory stays blank; without content (and the
    interpolation with it) heads stay where they were and shift; without shift they go only where
    content leads. All other weights stay. Raises GenomeError where there is no such part.
    """
    topology = _without(genome.topology, part)
    # Nothing is new in a smaller topology, so what the stream would start is never seen.
    return graft(genome, topology, derive(0, "ablation"))


def parts(topology: Topology) -> list[str]:
    """List all that can be taken away from a machine, the whole of it before its heads."""
    heads = topology.heads
    several = [("reads", topology.reading), ("writes", topology.writers)]
    found = [part for part, there in several if there]
    found += [stage for stage in STAGES if any(map(_has(stage), heads))]
    for head in heads:
        found.append(f"head {head.birth}")
        found += [f"head {head.birth} {stage}" for stage in STAGES if _has(stage)(head)]
    return found


def _has(stage: str) -> Callable[[Head], bool]:
    return lambda head: bool(getattr(head.stages, stage))


def _without(topology: Topology, part: str) -> Topology:
    known = parts(topology)
    if part not in known:
        whole = [each for each in known if " " not in each.removeprefix("head ")]
        raise GenomeError(f"expected a part that this machine has, to take it away, but came "
                          f"{part!r}; it has: {', '.join(whole) or 'none'}")  # fmt: skip
    if part == "reads":
        return replace(topology, heads=topology.writers)
    if part == "writes":
        return replace(topology, heads=topology.readers)
    if part in STAGES:
        return replace(topology, heads=tuple(_less(head, part) for head in topology.heads))
    names = {f"head {head.birth}": head for head in topology.heads}
    if part in names:
        return replace(topology, heads=tuple(h for h in topology.heads if h is not names[part]))
    name, _, stage = part.rpartition(" ")
    heads = (_less(head, stage) if head is names[name] else head for head in topology.heads)
    return replace(topology, heads=tuple(heads))


def _less(head: Head, stage: str) -> Head:
    gone = ("content", "interpolation") if stage == "content" else (stage,)
    return replace(head, stages=replace(head.stages, **dict.fromkeys(gone, False)))
