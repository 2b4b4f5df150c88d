"""The first genome of a run: its topology, and the weights that new wires start with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import count, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo_ntm.errors import GenomeError, nearest
from evo_ntm.genome.encoding import Encoding, code, likes
from evo_ntm.genome.genome import Genome
from evo_ntm.seeds import Generator
from evo_ntm.topology import (
    Block,
    Connection,
    Controller,
    Graph,
    Head,
    Stages,
    Tape,
    Topology,
    Wire,
    wires,
)
from evo_ntm.topology.ends import receivers, senders
from evo_ntm.topology.parts import ControllerKind

Weights = NDArray[np.float32]
Fresh = Callable[[Wire, Weights], Weights]

PIECE = 4  # units that come and go together
LOUD = np.float32(8.0)
STAGES = tuple(field.name for field in fields(Stages))


def founder(
    inputs: tuple[Block, ...],
    outputs: tuple[Block, ...],
    *,
    controller: ControllerKind = "dense",
    units: Sequence[int] = (16,),
    width: int = 10,
    readers: int = 1,
    writers: int = 1,
    tape_heads: int = 0,
    tape: Tape | None = None,
    head: Mapping[str, Any] | None = None,
    connected: float = 1.0,
    recurrent: bool = False,
    per_bit: bool = False,
    alike: bool = False,
    encoding: Encoding = "direct",
    generator: Generator,
) -> Genome:
    """Build the first topology and start its weights.

    Where there are `tape_heads` a `tape` says how their cells are written and found again.
    `head` holds the genes of every head: `source`, `target`, `stages` (a list of names) and
    `shifts`. Hidden units come in blocks of at most 4, memory columns one by one; in the tied
    encoding, or if they are to be `per_bit`, each layer and the memory begin with one block of one
    unit a bit. A graph begins without nodes, and with a share of its connections, `connected`,
    drawn one by one; `recurrent` says whether those that come may close circles. If they are to be
    `alike`, direct genes begin as tied ones would: all bits are treated alike until a gene moves.
    Raises GenomeError where blocks of one unit a bit find no bits, or there are fewer units or
    columns than bits.
    """
    births = _free_births(inputs + outputs)
    genes = _head_genes(head or {})
    heads = [Head(next(births), "writer", **genes) for _ in range(writers)]
    heads += [Head(next(births), "reader", **genes) for _ in range(readers)]
    heads += [Head(next(births), "tape", **genes) for _ in range(tape_heads)]
    bits = _bits(inputs) if per_bit or encoding == "tied" else 0
    layers = tuple(
        _blocks(asked, PIECE, bits, births, f"layer {number}")
        for number, asked in enumerate(units, start=1)
    )
    columns = _blocks(width, 1, bits, births, "the memory")
    if controller == "graph":
        drawn = _graph(inputs, outputs, columns, tuple(heads), connected, generator)
        brain = Controller("graph", graph=replace(drawn, recurrent=recurrent))
    else:
        brain = Controller(controller, layers)
    topology = Topology(inputs, outputs, brain, columns, tuple(heads), tape)
    return Genome(topology, start(topology, encoding, generator, alike=alike), encoding)


def start(
    topology: Topology,
    encoding: Encoding,
    generator: Generator,
    *,
    fresh: Fresh | None = None,
    alike: bool = False,
) -> Weights:
    """Start the genes of a topology: each as the first weight that reads it would start.

    `fresh` may change the weights that a wire starts with. If they are to be `alike`, direct genes
    start as the first weight that one gene would be for in the tied encoding.
    """
    every = wires(topology)
    fans: dict[str, int] = {}
    for wire in every.values():
        units = 0 if wire.source == "bias" else wire.shape[1]
        fans[wire.port.name] = fans.get(wire.port.name, 0) + units
    started = []
    for wire in every.values():
        loud = _decides(wire, topology)
        weights = starting_weights(wire, fans[wire.port.name], generator, loud=loud)
        started.append((fresh(wire, weights) if fresh else weights).ravel())
    expression, keys, _ = code(topology, encoding)
    genes = np.empty(keys.size, dtype=np.float32)
    if not started:
        return genes
    genes[expression[::-1]] = np.concatenate(started)[::-1]  # the first weight is the last to set
    if alike and encoding == "direct":
        kinds = likes(topology)
        _, first = np.unique(kinds, return_index=True)
        genes = genes[first][kinds]
    return genes


def starting_weights(
    wire: Wire, fan_in: int, generator: Generator, *, loud: bool = False
) -> Weights:
    """Start one wire: the only place that knows the rules.

    Weights are normal, with variance 1 / fan-in, all senders of the receiving unit counted; what is
    `loud` has a deviation of 8, biases too. Other biases and learned first states are 0; an LSTM's
    forget gate starts open, at 1 (Gers et al., 2000; Jozefowicz et al., 2015).
    """
    if loud:
        return generator.normal(wire.shape) * LOUD
    if wire.source == "bias":
        forget = wire.port.name.endswith("forget gate")
        return np.full(wire.shape, 1.0 if forget else 0.0, dtype=np.float32)
    return generator.normal(wire.shape) * np.float32(fan_in**-0.5)


def _graph(
    inputs: tuple[Block, ...],
    outputs: tuple[Block, ...],
    columns: tuple[Block, ...],
    heads: tuple[Head, ...],
    connected: float,
    generator: Generator,
) -> Graph:
    """Draw the connections of a graph without nodes, at least one of them."""
    ends = product(senders(inputs, columns, heads), receivers(outputs, columns, heads))
    every = [Connection(*each) for each in ends]
    if connected == 1.0:
        return Graph((), tuple(every))
    drawn = generator.random(len(every))
    chosen = (drawn < connected) | (drawn == drawn.min())
    return Graph((), tuple(each for each, there in zip(every, chosen, strict=True) if there))


def _decides(wire: Wire, topology: Topology) -> bool:
    """Tell whether a wire decides: what a tape's head does, or without layers what is answered.

    A sigmoid has to be near 0 or 1 there, and small weights make it neither.
    """
    answers = wire.organ == "output" and not topology.controller.layers
    return bool(topology.tape_heads) and (answers or wire.organ.startswith("tape"))


def pieces(units: int, size: int, births: Iterator[int]) -> tuple[Block, ...]:
    """Cut units into blocks of at most a size."""
    return tuple(Block(next(births), min(size, units - first)) for first in range(0, units, size))


def _free_births(taken: tuple[Block, ...]) -> Iterator[int]:
    used = {block.birth for block in taken}
    return (birth for birth in count(1) if birth not in used)


def _bits(inputs: tuple[Block, ...]) -> int:
    bits = next((block.size for block in inputs if block.per_bit), None)
    if bits is None:
        raise GenomeError(
            "blocks of one unit a bit expected inputs with exchangeable bits, but they have none"
        )
    return bits


def _blocks(
    asked: int, size: int, bits: int, births: Iterator[int], part: str
) -> tuple[Block, ...]:
    if asked < bits:
        raise GenomeError(f"blocks of one unit a bit expected {part} to have at least one for each "
                          f"of {bits} bits, but it was given {asked}")  # fmt: skip
    tied = (Block(next(births), bits, per_bit=True),) if bits else ()
    return tied + pieces(asked - bits, size, births)


def _head_genes(told: Mapping[str, Any]) -> dict[str, Any]:
    known = ("source", "target", "stages", "shifts")
    for gene in told:
        if gene not in known:
            raise GenomeError(f"a head has no gene {gene!r}: {nearest(gene, known)}")
    genes = dict(told)
    stages = genes.get("stages", Stages())
    if not isinstance(stages, Stages):
        for stage in stages:
            if stage not in STAGES:
                raise GenomeError(f"a head has no stage {stage!r}: {nearest(stage, STAGES)}")
        genes["stages"] = Stages(**{name: name in stages for name in STAGES})
    return genes
