"""Within which bounds a machine may evolve, and what an operator raises that cannot apply."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from evo_ntm.errors import GenomeError
from evo_ntm.topology import Graph, Topology

Range = tuple[int, int]


class Inapplicable(GenomeError):
    """An operator that has nothing to change, or no room: a strategy picks another."""


@dataclass(frozen=True)
class Bounds:
    """The least and the most of every part, both included; units are those of each layer.

    Raises GenomeError where a range is not one.
    """

    readers: Range = (0, 4)
    writers: Range = (0, 4)
    tape_heads: Range = (0, 4)
    width: Range = (1, 64)
    units: Range = (1, 128)
    layers: Range = (1, 3)
    shifts: Range = (3, 7)
    nodes: Range = (0, 64)
    connections: Range = (1, 4096)
    controllers: tuple[str, ...] = ("dense", "lstm")

    def __post_init__(self) -> None:
        for field in fields(self):
            value = tuple(getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            if field.name != "controllers" and not (len(value) == 2 and value[0] <= value[1]):
                raise GenomeError(
                    f"the bounds of {field.name} are the least and the most, not {list(value)}"
                )

    def holds(self, topology: Topology) -> bool:
        """Tell whether a machine lies within the bounds."""
        controller = topology.controller
        counts = [
            (self.readers, [len(topology.readers)]),
            (self.writers, [len(topology.writers)]),
            (self.tape_heads, [len(topology.tape_heads)]),
            (self.width, [topology.width]),
            (self.units, controller.units),
            (self.layers, [len(controller.layers)] if controller.layers else []),
            (self.shifts, [head.shifts for head in topology.heads]),
        ]
        if isinstance(graph := controller.graph, Graph):
            counts.append((self.nodes, [len(graph.nodes)]))
            counts.append((self.connections, [len(graph.connections)]))
        within = all(_within(span, values) for span, values in counts)
        return within and controller.kind in self.controllers


USUAL = Bounds()


def _within(span: Range, values: Sequence[int]) -> bool:
    return all(span[0] <= value <= span[1] for value in values)
