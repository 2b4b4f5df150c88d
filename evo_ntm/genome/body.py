"""Operators on controller and memory: more and fewer units, columns and layers, another kind.

Where an operator says that it preserves the answers, the child answers as its parent did, to 1e-5.
Blocks of one unit a bit, in the tied encoding, neither come nor go.
"""

from dataclasses import replace

import numpy as np

from evo_ntm.genome.bounds import USUAL, Bounds, Inapplicable
from evo_ntm.genome.founder import PIECE, Weights, pieces
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.graft import draw, graft, layered, new_births, of_births, role
from evo_ntm.genome.heads import AJAR
from evo_ntm.seeds import Generator
from evo_ntm.topology import Block, Controller, Topology, Wire, wires
from evo_ntm.topology.parts import MOST_LAYERS, ControllerKind
from evo_ntm.topology.wires import hidden

GATES = {"input gate": AJAR, "forget gate": -AJAR, "output gate": AJAR}


def widen_memory(
    genome: Genome, *, generator: Generator, bounds: Bounds = USUAL, columns: int = 1
) -> Genome:
    """Add memory columns that are silent yet.

    Preserves the answers: nothing is added to a new column, no key and no first read mentions it,
    and memory starts at zero. What reads of it will do starts at random, so that it wakes as soon
    as a perturbation makes a writer add to it. Of a tape the new column is written with next to
    nothing, and nobody listens to it yet: the answers are the same unless that turns a jump.
    """
    layered(genome)
    topology = _with_memory(genome)
    room = min(columns, bounds.width[1] - topology.width)
    if room < 1:
        raise Inapplicable(f"memory has at most {bounds.width[1]} columns here, and this one has "
                           f"{topology.width}")  # fmt: skip
    new = pieces(room, 1, new_births(topology, generator))
    births = {block.birth for block in new}

    def silent(wire: Wire, weights: Weights) -> Weights:
        if role(wire) in ("key", "add", "start"):
            weights[of_births(wire.rows, births)] = 0.0
        if topology.tape is not None:
            if role(wire) == "write":
                biases = wire.source == "bias"
                weights[of_births(wire.rows, births)] = -AJAR if biases else 0.0
            weights[:, of_births(wire.columns, births)] = 0.0
        return weights

    wider = replace(topology, columns=topology.columns + new)
    return graft(genome, wider, generator, fresh=silent)


def narrow_memory(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Take a piece of the memory's columns away. Preserves the answers only where it was silent."""
    topology = _with_memory(genome)
    columns = _without_one(topology.columns, bounds.width[0], generator)
    if columns is None:
        raise Inapplicable(f"memory has at least {bounds.width[0]} columns here, and none of the "
                           f"{topology.width} can go")  # fmt: skip
    return graft(genome, replace(topology, columns=columns), generator)


def grow_controller(
    genome: Genome, *, generator: Generator, bounds: Bounds = USUAL, units: int = PIECE
) -> Genome:
    """Add units to which nobody listens yet to a layer of the controller.

    Preserves the answers. What the units hear starts at random, so that they think already; they
    wake as soon as a perturbation makes anything listen.
    """
    topology = genome.topology
    room = [min(units, bounds.units[1] - count) for count in topology.controller.units]
    layers = [number for number, more in enumerate(room) if more > 0]
    if not layers:
        raise Inapplicable(f"a layer has at most {bounds.units[1]} units here, and this machine "
                           f"has {topology.controller.units}")  # fmt: skip
    chosen = draw(layers, generator)
    block = Block(next(new_births(topology, generator)), room[chosen])
    senders = {hidden(chosen + 1), f"{hidden(chosen + 1)} cell"}

    def unheard(wire: Wire, weights: Weights) -> Weights:
        if wire.source not in senders:
            return weights
        among_themselves = of_births(wire.rows, {block.birth})
        return np.where(among_themselves[:, None], weights, np.float32(0.0))

    larger = _with_layer(topology, chosen, (*topology.controller.layers[chosen], block))
    return graft(genome, larger, generator, fresh=unheard)


def shrink_controller(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Take a block of units away. Preserves the answers only where nobody listened to it."""
    topology = genome.topology
    smaller = [
        (number, rest)
        for number, layer in enumerate(topology.controller.layers)
        if (rest := _without_one(layer, bounds.units[0], generator)) is not None
    ]
    if not smaller:
        raise Inapplicable(f"a layer has at least {bounds.units[0]} units here, and no block of "
                           f"{topology.controller.units} can go")  # fmt: skip
    return graft(genome, _with_layer(topology, *draw(smaller, generator)), generator)


def deepen_controller(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Add a layer on top that repeats the one below, which others then listen to in its place.

    Does not preserve the answers, since every layer bends what it repeats.
    """
    topology = genome.topology
    layers = topology.controller.layers
    if not layers:
        raise Inapplicable("expected a layer to repeat, but this controller has none")
    if len(layers) >= min(MOST_LAYERS, bounds.layers[1]):
        raise Inapplicable(f"a controller has at most {min(MOST_LAYERS, bounds.layers[1])} layers "
                           f"here, and this one has {len(layers)}")  # fmt: skip
    births = new_births(topology, generator)
    top = tuple(replace(block, birth=next(births)) for block in layers[-1])
    old, new = hidden(len(layers)), hidden(len(layers) + 1)

    def repeat(wire: Wire, weights: Weights) -> Weights:
        if wire.organ != new:
            return weights
        if wire.source == old and role(wire) in ("", "candidate"):
            return np.eye(len(weights), dtype=np.float32)
        return _ajar(wire, weights)

    deeper = replace(topology, controller=replace(topology.controller, layers=(*layers, top)))
    return graft(
        genome, deeper, generator, fresh=repeat, renamed=_heard_instead(topology, old, new)
    )


def flatten_controller(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Take the top layer away; others listen to the one below in its place, where of equal size.

    Does not preserve the answers.
    """
    topology = genome.topology
    layers = topology.controller.layers
    if len(layers) <= max(1, bounds.layers[0]):
        raise Inapplicable(f"a controller has at least {max(1, bounds.layers[0])} layers here, "
                           f"and this one has {len(layers)}")  # fmt: skip
    flatter = replace(topology, controller=replace(topology.controller, layers=layers[:-1]))
    renamed = _heard_instead(topology, hidden(len(layers)), hidden(len(layers) - 1))
    return graft(genome, flatter, generator, renamed=renamed)


def swap_controller(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Make an LSTM of a dense controller, or the reverse.

    The weights of the dense units and of the LSTM's candidates are carried over. An LSTM starts
    with its gates ajar, so that it remembers almost nothing and lets almost all through, and
    wakes with any perturbation. Does not preserve the answers: tanh comes twice in an LSTM.
    """
    topology = genome.topology
    kind = topology.controller.kind
    other: ControllerKind = "lstm" if kind == "dense" else "dense"
    if not topology.controller.layers:
        raise Inapplicable("expected a layer to swap, but this controller has none")
    if other not in bounds.controllers:
        raise Inapplicable(f"a controller is one of {', '.join(bounds.controllers)} here, "
                           f"not {other}")  # fmt: skip
    renamed = {}
    for wire in wires(topology).values():
        if kind == "dense" and role(wire) == "":
            renamed[f"{wire.organ} candidate < {wire.source}"] = wire.name
        if kind == "lstm" and role(wire) == "candidate":
            renamed[f"{wire.organ} < {wire.source}"] = wire.name
        if wire.source.endswith(" cell"):
            renamed[wire.name.removesuffix(" cell")] = wire.name
    heads = tuple(replace(head, source="hidden") for head in topology.heads)
    if kind == "dense":
        heads = topology.heads
    swapped = Controller(other, topology.controller.layers)
    child = replace(topology, controller=swapped, heads=heads)
    return graft(genome, child, generator, fresh=_ajar, renamed=renamed)


def _ajar(wire: Wire, weights: Weights) -> Weights:
    """Start a layer so that it forgets, and passes on what it hears from below."""
    if not wire.organ.startswith("layer"):
        return weights
    if role(wire) in GATES:
        return np.full_like(weights, GATES[role(wire)] if wire.source == "bias" else 0.0)
    return np.zeros_like(weights)


def _heard_instead(topology: Topology, old: str, new: str) -> dict[str, str]:
    """Rename the wires by which outputs and heads hear a layer."""
    renamed = {}
    for name, wire in wires(topology).items():
        if not wire.organ.startswith("layer") and wire.source in (old, f"{old} cell"):
            renamed[f"{wire.port.name} < {wire.source.replace(old, new)}"] = name
    return renamed


def _with_memory(genome: Genome) -> Topology:
    if not genome.topology.heads:
        raise Inapplicable("expected a head, without which there is no memory, but there is none")
    return genome.topology


def _with_layer(topology: Topology, number: int, blocks: tuple[Block, ...]) -> Topology:
    layers = list(topology.controller.layers)
    layers[number] = blocks
    return replace(topology, controller=replace(topology.controller, layers=tuple(layers)))


def _without_one(
    blocks: tuple[Block, ...], least: int, generator: Generator
) -> tuple[Block, ...] | None:
    """Take one block away, or give None where none can go."""
    units = sum(block.size for block in blocks)
    options = [
        block for block in blocks if not block.per_bit and units - block.size >= max(1, least)
    ]
    if not options:
        return None
    gone = draw(options, generator)
    return tuple(block for block in blocks if block != gone)
