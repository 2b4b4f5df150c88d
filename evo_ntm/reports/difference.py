"""How two genomes differ: parts gained, lost and changed, in words, and weights wire by wire.

Parts are matched by the ids of the births that brought them, and weights by their wire and the
units at both ends, whatever the encodings. Genomes that share nothing differ, too.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from evo_ntm.genome import Genome
from evo_ntm.genome.encoding import code
from evo_ntm.topology import Block, Graph, Head, Stages, Topology, wires
from evo_ntm.topology.parts import total
from evo_ntm.topology.wires import hidden
from evo_ntm.words import counted

Indices = NDArray[np.int64]
Numbers = NDArray[np.float64]

STAGES = tuple(field.name for field in fields(Stages))
SOURCES = {"hidden": "the hidden units", "cell": "the cell"}
TARGETS = {"controller": "controller", "output": "output", "both": "controller and output"}


@dataclass(frozen=True)
class WireChange:
    """How far the shared weights of a wire moved: the length of the change, and of what it was."""

    name: str
    change: float
    before: float

    @property
    def relative(self) -> float | None:
        """Tell the change as a share of what was, None where all was zero."""
        return self.change / self.before if self.before else None


@dataclass(frozen=True)
class Difference:
    """What a genome has otherwise than another.

    `changes` are those of the topology, in words. `wires` are those that both have, in the order
    of the second genome, `gained` and `lost` the names of the others. `displacement` is the length
    of the change of all shared weights over that of what they were; None where there is none.
    """

    changes: tuple[str, ...]
    wires: tuple[WireChange, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    displacement: float | None


def difference(before: Genome, after: Genome) -> Difference:
    """Tell how a genome differs from another."""
    old, new = wires(before.topology), wires(after.topology)
    here, there = _shared(after, before)
    change, was = np.zeros((2, len(after.weights)))
    change[here], was[here] = _change(before, after, here, there)
    is_shared = np.zeros(len(change), dtype=bool)
    is_shared[here] = True
    return Difference(
        changes=topology_changes(before.topology, after.topology),
        wires=tuple(
            WireChange(name, _length(change[wire.place]), _length(was[wire.place]))
            for name, wire in new.items()
            if name in old and is_shared[wire.place].any()
        ),
        gained=tuple(name for name in new if name not in old),
        lost=tuple(name for name in old if name not in new),
        displacement=_displacement(change, was),
    )


def displacement(before: Genome, after: Genome) -> float | None:
    """Tell how far shared weights moved: the length of the change over that of what they were.

    None where nothing is shared, or all of it was zero.
    """
    return _displacement(*_change(before, after, *_shared(after, before)))


def topology_changes(before: Topology, after: Topology) -> tuple[str, ...]:
    """Say in words what a topology has otherwise than another."""
    return tuple(_changes(before, after))


def _changes(before: Topology, after: Topology) -> Iterator[str]:
    was, now = before.controller, after.controller
    if was.kind != now.kind:
        yield f"controller: {now.kind} (was {was.kind})"
    for number, (old, new) in enumerate(zip(was.layers, now.layers, strict=False), start=1):
        yield from _resized(hidden(number), "unit", old, new)
    for number, layer in enumerate(now.layers[len(was.layers) :], start=len(was.layers) + 1):
        yield f"{hidden(number)} gained, of {counted(total(layer), 'unit')}"
    for number, layer in enumerate(was.layers[len(now.layers) :], start=len(now.layers) + 1):
        yield f"{hidden(number)} lost, of {counted(total(layer), 'unit')}"
    if isinstance(was.graph, Graph) and isinstance(now.graph, Graph):
        yield from _redrawn("nodes", was.graph.nodes, now.graph.nodes)
        yield from _redrawn("connections", was.graph.connections, now.graph.connections)
    yield from _resized("memory", "column", before.columns, after.columns)
    yield from _resized("inputs", "channel", before.inputs, after.inputs)
    yield from _resized("outputs", "channel", before.outputs, after.outputs)
    old_heads, new_heads = ({head.name: head for head in t.heads} for t in (before, after))
    yield from (f"{name} gained" for name in new_heads if name not in old_heads)
    yield from (f"{name} lost" for name in old_heads if name not in new_heads)
    for name in new_heads:
        if name in old_heads:
            yield from _rebuilt(old_heads[name], new_heads[name])


def _resized(
    what: str, unit: str, before: tuple[Block, ...], after: tuple[Block, ...]
) -> Iterator[str]:
    """Tell how many units came and went. A block of the same birth may have changed its size."""
    old, new = ({block.birth: block.size for block in blocks} for blocks in (before, after))
    grown = {birth: new.get(birth, 0) - old.get(birth, 0) for birth in {**old, **new}}
    gained = sum(size for size in grown.values() if size > 0)
    lost = -sum(size for size in grown.values() if size < 0)
    told = [
        f"{counted(number, unit)} {verb}" for number, verb in ((gained, "gained"), (lost, "lost"))
        if number
    ]  # fmt: skip
    if told:
        yield f"{what}: {', '.join(told)} ({total(before)} to {total(after)})"


def _redrawn(what: str, before: Collection[object], after: Collection[object]) -> Iterator[str]:
    """Tell how many nodes or connections of a graph came and went."""
    old, new = set(before), set(after)
    counts = (len(new - old), "gained"), (len(old - new), "lost")
    told = [f"{number} {verb}" for number, verb in counts if number]
    if told:
        yield f"{what}: {', '.join(told)} ({len(old)} to {len(new)})"


def _rebuilt(before: Head, after: Head) -> Iterator[str]:
    for stage in STAGES:
        used, uses = getattr(before.stages, stage), getattr(after.stages, stage)
        if used != uses:
            yield f"{after.name}: {'uses' if uses else 'no longer uses'} {stage}"
    if before.shifts != after.shifts:
        yield f"{after.name}: shifts by one of {after.shifts} offsets (was {before.shifts})"
    if before.source != after.source:
        yield (f"{after.name}: takes its orders from {SOURCES[after.source]} "
               f"(was {SOURCES[before.source]})")  # fmt: skip
    if before.target != after.target:
        yield (f"{after.name}: is heard by {TARGETS[after.target]} "
               f"(was {TARGETS[before.target]})")  # fmt: skip


def _shared(genome: Genome, other: Genome) -> tuple[Indices, Indices]:
    """Find the weights that two genomes both have: their places in the one and in the other."""
    one, two = (code(each.topology, "direct").keys for each in (genome, other))
    if one is two:
        everywhere = np.arange(len(one))
        return everywhere, everywhere
    _, here, there = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    return here, there


def _change(
    before: Genome, after: Genome, here: Indices, there: Indices
) -> tuple[Numbers, Numbers]:
    was = before.weights[there].astype(np.float64)
    return after.weights[here] - was, was


def _displacement(change: Numbers, was: Numbers) -> float | None:
    length = _length(was)
    return _length(change) / length if length else None


def _length(vector: Numbers) -> float:
    return float(np.sqrt(vector @ vector))
