"""How genes become weights: every weight reads one gene.

*Direct*: a gene a weight. *Tied*: on a wire between two blocks of one unit a bit there are two
genes, one for "same bit" and one for "different bit"; between such a block and a plain unit there
is one gene for all bits; between plain units every weight has its own. Bits are then treated
alike, and a genome expresses to any number of bits.

A gene is known by a key made of its wire's name and the ids of the units at both ends. Parents and
children compare genes by key, so an operator need not know where a gene lies.
"""

import hashlib
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from evo_ntm.errors import GenomeError, nearest
from evo_ntm.topology import Block, Graph, Topology, Wire, wires

Encoding = Literal["direct", "tied"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

SAME, DIFFERENT, UNTIED = 1, 2, 0
MIX = np.uint64(0x9E3779B97F4A7C15)


class Code(NamedTuple):
    """The genes of one topology in one encoding.

    `expression` [D] says which gene each weight reads, `keys` [G] names the genes, `units` [G]
    names the receiving unit that a gene belongs to, a head as a whole counting as one unit, but of
    a tape's head every number that it is told, as of a graph.
    """

    expression: NDArray[np.int64]
    keys: NDArray[np.uint64]
    units: NDArray[np.uint64]


@lru_cache(maxsize=512)
def code(topology: Topology, encoding: Encoding) -> Code:
    """Work out the genes of a topology."""
    if encoding not in ENCODINGS:
        raise GenomeError(f"an encoding is one of {', '.join(ENCODINGS)}, not {encoding!r}: "
                          f"{nearest(encoding, ENCODINGS)}")  # fmt: skip
    tied = encoding == "tied"
    if isinstance(graph := topology.controller.graph, Graph):
        if tied:
            raise GenomeError("a graph has a gene for each connection: expected the encoding "
                              "direct, but came tied")  # fmt: skip
        names = ([each.name for each in graph.connections],
                 [each.receiver for each in graph.connections])  # fmt: skip
        keys, units = (np.array(list(map(_hash, told)), dtype=np.uint64) for told in names)
        return Code(np.arange(keys.size), keys, units)
    named = [_wire_keys(wire, tied=tied) for wire in wires(topology).values()]
    weight_keys = np.concatenate([keys.ravel() for keys, _ in named])
    weight_units = np.concatenate([units.ravel() for _, units in named])
    _, first, gene = np.unique(weight_keys, return_index=True, return_inverse=True)
    order = np.argsort(first)  # genes lie in the order in which the weights first read them
    rank = np.argsort(order)
    return Code(rank[gene], weight_keys[first[order]], weight_units[first[order]])


def _wire_keys(wire: Wire, *, tied: bool) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    rows, row_bits = _units(wire.rows, tied=tied)
    columns, column_bits = _units(wire.columns, tied=tied)
    both = (row_bits[:, None] >= 0) & (column_bits >= 0)
    same = np.where(row_bits[:, None] == column_bits, SAME, DIFFERENT)
    tie = np.where(both, same, UNTIED).astype(np.uint64)
    keys = _mix(_mix(_mix(_hash(wire.name), rows[:, None]), columns), tie)
    whole = wire.organ.startswith(("reader", "writer"))
    organ = wire.port.name if wire.organ.startswith("tape") else wire.organ
    units = _mix(_hash(organ), np.zeros_like(rows) if whole else rows)
    return keys, np.broadcast_to(units[:, None], keys.shape)


@lru_cache(maxsize=512)
def likes(topology: Topology) -> NDArray[np.int64]:
    """Number each weight of a machine so that those that are alike but for the bit have one number.

    They are those that read one gene in the tied encoding; of a graph, too, whose units of blocks
    of one unit a bit are told by their places.
    """
    if not isinstance(graph := topology.controller.graph, Graph):
        return code(topology, "tied").expression
    blocks = (*topology.inputs, *topology.outputs, *topology.columns)
    bitwise = {str(block.birth) for block in blocks if block.per_bit and block.size > 1}

    def kind(end: str) -> tuple[str, str]:
        part, _, unit = end.rpartition(" ")
        birth, _, place = unit.partition(".")
        return (f"{part} {birth}", place) if birth in bitwise else (end, "")

    found: dict[tuple[str, str, bool], int] = {}
    numbers = []
    for sender, receiver in graph.connections:
        (one, place), (other, there) = kind(sender), kind(receiver)
        same = bool(place and there) and place == there
        numbers.append(found.setdefault((one, other, same), len(found)))
    return np.array(numbers, dtype=np.int64)


@lru_cache(maxsize=512)
def audience(topology: Topology, encoding: Encoding) -> NDArray[np.int64]:
    """Count for each gene the senders that one unit hears by it: 7 other bits out of 8, say."""
    expression, keys, _ = code(topology, encoding)
    if encoding == "direct":
        return np.ones(keys.size, dtype=np.int64)
    heard = np.zeros(keys.size, dtype=np.int64)
    for wire in wires(topology).values():
        read = expression[wire.place].reshape(wire.shape)
        units, genes = len(read), keys.size
        asked = np.arange(units)[:, None] * genes + read  # a number for each unit and gene
        counts = np.bincount(asked.ravel(), minlength=units * genes).reshape(units, genes)
        np.maximum(heard, counts.max(0), out=heard)
    return heard


@lru_cache(maxsize=1024)
def _units(
    blocks: tuple[Block, ...], *, tied: bool
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Name the units of an axis, and tell which bit each stands for, -1 for none."""
    sizes = [block.size for block in blocks]
    births = np.repeat(np.array([b.birth % 2**64 for b in blocks], dtype=np.uint64), sizes)
    shared = np.repeat([tied and block.per_bit for block in blocks], sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    return _mix(births, np.where(shared, 0, places)), np.where(shared, places, -1)


@lru_cache(maxsize=65536)
def _hash(name: str) -> np.uint64:
    return np.uint64(
        int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    )


def _mix(left: NDArray[np.uint64] | np.uint64, right: NDArray[np.generic]) -> NDArray[np.uint64]:
    """Mix two hashes into one (the finaliser of MurmurHash3, Appleby 2011)."""
    with np.errstate(over="ignore"):
        mixed = (left ^ (right.astype(np.uint64) * MIX)) + MIX
        for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        return np.asarray(mixed ^ (mixed >> np.uint64(33)))
