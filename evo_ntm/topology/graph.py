"""Graphs: controllers of single nodes and connections, as NEAT evolves them.

A connection leads from what may be heard (an input, what a head read the step before, the bias, a
node) to a node, an order of a head or an output; `evo_ntm.topology.ends` names them all. It is the
wire `RECEIVER < SENDER`, of one weight. Its innovation number is a hash of this name, and that of a
node one of the connection that it split. So the same novelty has the same number in whichever
genome, generation or process it comes about, and no counter has to be kept or shared.

Source: Stanley and Miikkulainen (2002), who count innovations instead.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

from evo_ntm.errors import TopologyError

STEEPNESS = 4.9
"""By how much all sums in a graph are multiplied before the sigmoid, as in the sources."""
NODES_AT_ONCE = 16


class Connection(NamedTuple):
    """Who hears whom."""

    sender: str
    receiver: str

    @property
    def name(self) -> str:
        """Name the wire that this is."""
        return f"{self.receiver} < {self.sender}"

    @property
    def innovation(self) -> int:
        """Number the connection, the same wherever it comes about."""
        return numbered(self.name)

    def split(self, taken: Collection[int]) -> int:
        """Number the node that splits the connection: the first such that is not taken."""
        numbers = (numbered(f"{self.name} split {time}") for time in count())
        return next(number for number in numbers if number not in taken)


def numbered(told: str) -> int:
    """Make a number of 31 bits of what is told, always the same."""
    return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=4).digest(), "big") >> 1


def node(number: int) -> str:
    """Name a node."""
    return f"node {number}"


class Frame(NamedTuple):
    """Room for any graph of so many nodes, none further than so many levels from what it hears.

    What is framed has a weight for every connection that there could be.
    """

    nodes: int
    levels: int
    recurrent: bool = False


@dataclass(frozen=True)
class Graph:
    """Hidden nodes, by their innovation numbers, and connections.

    Both are kept in order of their names, so that equal graphs are equal however they came about.
    Without circles, unless it is `recurrent`: then nodes hear what nodes, themselves maybe, said
    the step before, and all others what they say now.
    """

    nodes: tuple[int, ...] = ()
    connections: tuple[Connection, ...] = ()
    recurrent: bool = False

    def __post_init__(self) -> None:
        connections = (Connection(*told) for told in self.connections)
        ordered = sorted(connections, key=lambda told: (told.receiver, told.sender))
        object.__setattr__(self, "nodes", tuple(sorted(self.nodes)))
        object.__setattr__(self, "connections", tuple(ordered))
        if len(set(self.nodes)) < len(self.nodes) or len(set(ordered)) < len(ordered):
            raise TopologyError("a graph has every node and every connection once")
        if len(self.levels) < len(self.nodes):
            circle = next(number for number in self.nodes if number not in self.levels)
            raise TopologyError(f"a graph has no circles, but {node(circle)} hears of itself")

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        """Travel without what was worked out: a hash is another in another process."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def _hash(self) -> int:
        return hash((self.nodes, self.connections, self.recurrent))

    @cached_property
    def names(self) -> dict[str, int]:
        """List the nodes by name."""
        return {node(number): number for number in self.nodes}

    @cached_property
    def among(self) -> tuple[tuple[int, int], ...]:
        """List the connections from node to node."""
        names = self.names
        return tuple(
            (names[told.sender], names[told.receiver])
            for told in self.connections
            if told.sender in names and told.receiver in names
        )

    @cached_property
    def levels(self) -> dict[int, int]:
        """Tell of each node how many nodes the longest path to it passes, itself included.

        In the order in which nodes can be computed. Nodes of a circle, or behind one, are missing.
        In a recurrent graph no node waits for another.
        """
        if self.recurrent:
            return dict.fromkeys(self.nodes, 1)
        heard: dict[int, set[int]] = {number: set() for number in self.nodes}
        for sender, receiver in self.among:
            heard[receiver].add(sender)
        found: dict[int, int] = {}
        while ready := [n for n in self.nodes if n not in found and heard[n] <= found.keys()]:
            found |= {n: 1 + max((found[each] for each in heard[n]), default=0) for n in ready}
        return found

    @cached_property
    def frame(self) -> Frame:
        """Give the room that graphs of about this size share: nodes to the next 16."""
        deepest = max(self.levels.values(), default=0)
        levels = 1 << (deepest - 1).bit_length() if deepest else 0
        nodes = -(-len(self.nodes) // NODES_AT_ONCE) * NODES_AT_ONCE
        return Frame(nodes, levels, self.recurrent)

    def after(self, name: str) -> set[str]:
        """List the nodes that hear of one, itself included, if only by way of others."""
        found, left = {name}, [name]
        while left:
            here = left.pop()
            for told in self.connections:
                if told.sender == here and told.receiver in self.names.keys() - found:
                    found.add(told.receiver)
                    left.append(told.receiver)
        return found
