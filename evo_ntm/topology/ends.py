"""The ends of a graph: what nodes may hear, and what they may tell, by name.

A unit is named by the part it belongs to and the birth of its block, with its place where the block
has several: `input 1.3`, `tape 5 read 12`, `tape 5 write 12`, `tape 5 shift -1`, `output 101.0`.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from evo_ntm.topology.graph import Graph
from evo_ntm.topology.parts import Block, Head, Stages
from evo_ntm.topology.ports import Port, ports

BIAS = "bias"
ORDERS = ("write", "interpolation", "jump", "shift")
ANSWER = Port("output", "sigmoid", "(0, 1)", "answer")
THOUGHT = Port("node", "sigmoid", "(0, 1)", "hidden")

Blocks = tuple[Block, ...]


def units(part: str, blocks: Blocks) -> tuple[str, ...]:
    """Name the units of some blocks."""
    return tuple(
        f"{part} {block.birth}" if block.size == 1 else f"{part} {block.birth}.{place}"
        for block in blocks
        for place in range(block.size)
    )


@lru_cache(maxsize=1024)
def senders(inputs: Blocks, columns: Blocks, heads: tuple[Head, ...]) -> dict[str, int]:
    """Say of all that a graph may hear, but for its nodes, where it stands among them.

    Inputs first, then what each head read, then the bias.
    """
    names = [*units("input", inputs)]
    for head in heads:
        names += units(f"{head.name} read", columns)
    return {name: place for place, name in enumerate([*names, BIAS])}


@lru_cache(maxsize=1024)
def receivers(outputs: Blocks, columns: Blocks, heads: tuple[Head, ...]) -> dict[str, int]:
    """Say of all that a graph may tell, but for its nodes, where it stands among them.

    Each order of all heads, then the outputs. Orders of a stage that a head does not use keep
    their place, and have no name.
    """
    found: dict[str, int] = {}
    place = 0
    for name, used in _orders(outputs, columns, heads):
        if used:
            found[name] = place
        place += 1
    return found


@lru_cache(maxsize=1024)
def slots(outputs: Blocks, columns: Blocks, heads: tuple[Head, ...]) -> int:
    """Count the places of all that a graph may tell."""
    return sum(1 for _ in _orders(outputs, columns, heads))


def _orders(
    outputs: Blocks, columns: Blocks, heads: tuple[Head, ...]
) -> Iterator[tuple[str, bool]]:
    for order in ORDERS:
        for head in heads:
            used = {port.name for port, _ in ports(head, columns)}
            for port, rows in ports(replace(head, stages=Stages()), columns):
                if port.name == f"{head.name} {order}":
                    yield from ((name, port.name in used) for name in units(port.name, rows))
    yield from ((name, True) for name in units("output", outputs))


def port_of(name: str, heads: tuple[Head, ...], columns: Blocks) -> tuple[Port, str]:
    """Say what is made of the sum that arrives at an end, and what organ it is of."""
    for port in _ports(heads, columns):
        if name.startswith(f"{port.name} "):
            organ = port.name.rpartition(" ")[0]
            return replace(port, name=name), organ
    return (replace(ANSWER, name=name), "output") if name.startswith("output") else (
        replace(THOUGHT, name=name), name)  # fmt: skip


def _ports(heads: tuple[Head, ...], columns: Blocks) -> Iterator[Port]:
    for head in heads:
        yield from (port for port, _ in ports(head, columns))


def fitting(
    graph: Graph, inputs: Blocks, outputs: Blocks, columns: Blocks, heads: tuple[Head, ...]
) -> Graph:
    """Cut what leads from or to parts that are not there off a graph."""
    heard = senders(inputs, columns, heads).keys() | graph.names.keys()
    told = receivers(outputs, columns, heads).keys() | graph.names.keys()
    kept = tuple(
        each for each in graph.connections if each.sender in heard and each.receiver in told
    )
    return graph if len(kept) == len(graph.connections) else replace(graph, connections=kept)
