"""Machines to try things on: every controller, encoding and kind of head, and random ones."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import strategies as some

from evo_ntm.genome.bounds import Inapplicable
from evo_ntm.genome.drawing import add_connection, add_node
from evo_ntm.genome.founder import founder, start
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.variation import perturb
from evo_ntm.machine import Machine
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Controller, Head, Stages, Tape, Topology

BITS = 4
INPUTS = (Block(1, BITS, per_bit=True, name="bits"), Block(2, 1, name="end flag"))
OUTPUTS = (Block(101, BITS, per_bit=True, name="bits"),)

HEADS = {
    "no heads": (),
    "one of each": (Head(71, "writer"), Head(73, "reader")),
    "only a reader": (Head(71, "reader", shifts=5),),
    "only a writer": (Head(71, "writer"),),
    "all sorts": (
        Head(81, "writer", stages=Stages(content=False, interpolation=False), shifts=5),
        Head(82, "writer", stages=Stages(sharpening=False)),
        Head(83, "reader", target="output", stages=Stages(interpolation=False, shift=False)),
        Head(84, "reader", target="controller", shifts=7),
        Head(85, "reader", stages=Stages(False, False, False, False)),
    ),
}
TAPES = {
    "one tape head": ((), (Head(71, "tape", target="controller"),), Tape("overwrite")),
    "two tape heads": (
        (8,),
        (Head(72, "tape"), Head(74, "tape", target="output", stages=Stages(False, False))),
        Tape(fresh_cell=True, least_similarity=0.6),
    ),
}


def specimen(kind, encoding, heads="one of each", units=(8,), width=6):
    """Make a genome whose biases are as random as its weights."""
    told = dict(controller=kind, units=units, width=width, readers=0, writers=0)
    bare = founder(INPUTS, OUTPUTS, **told, encoding=encoding, generator=derive(1, "founder"))
    topology = replace(bare.topology, heads=HEADS[heads])
    genes = start(topology, encoding, derive(2, "start"))
    return perturb(Genome(topology, genes, encoding), generator=derive(3, "perturb"), sigma=0.3)


def graph(connected=0.6, nodes=3, width=2, heads=1, seed=1, tape=None, recurrent=False):
    """Make a graph with nodes, of which some hear others, and weights that all count."""
    genome = founder(
        INPUTS,
        OUTPUTS,
        controller="graph",
        units=(),
        width=width,
        readers=0,
        writers=0,
        tape_heads=heads,
        tape=tape or Tape("overwrite"),
        head={"target": "controller"},
        connected=connected,
        recurrent=recurrent,
        generator=derive(seed, "founder"),
    )
    for slot in range(nodes):
        genome = add_node(genome, generator=derive(seed, "node", slot))
        for more in range(4):
            genome = add_connection(genome, generator=derive(seed, "connection", slot, more))
    return perturb(genome, generator=derive(seed, "perturb"), sigma=0.3)


def specimens():
    """Make one of each sort, by a name that says which."""
    found = {}
    for encoding in ("direct", "tied"):
        for heads in HEADS:
            found[f"{encoding} dense, {heads}"] = specimen("dense", encoding, heads)
        lstm = specimen("lstm", encoding, "all sorts", units=(8, 6))
        found[f"{encoding} lstm"] = lstm
        cells = tuple(replace(head, source="cell") for head in lstm.topology.heads[1:4])
        changed = replace(lstm.topology, heads=(lstm.topology.heads[0], *cells))
        genes = start(changed, encoding, derive(4, "cells"))
        found[f"{encoding} lstm, cells"] = Genome(changed, genes, encoding)
        for name, (units, heads, tape) in TAPES.items():
            bare = specimen("dense", encoding, "no heads", units=units).topology
            taped = replace(bare, heads=heads, tape=tape)
            genes = start(taped, encoding, derive(2, "start"))
            genome = Genome(taped, genes, encoding)
            moved = perturb(genome, generator=derive(3, "perturb"), sigma=0.3)
            found[f"{encoding} dense, {name}"] = moved
    found["graph"] = graph()
    found["graph without nodes"] = graph(1.0, nodes=0)
    tape = Tape(fresh_cell=True, least_similarity=0.6)
    found["graph of two tape heads"] = graph(0.3, nodes=20, width=5, heads=2, tape=tape)
    found["sparse graph"] = graph(0.1, nodes=6, seed=2)
    found["graph without heads"] = graph(0.5, nodes=4, heads=0)
    found["recurrent graph"] = graph(0.3, nodes=5, seed=3, recurrent=True)
    return found


SPECIMENS = specimens()
SOFT = {name: one for name, one in SPECIMENS.items() if not one.topology.tape_heads}
"""Those without a tape."""


def children(operator, **parameters):
    """Apply an operator to all specimens that it applies to; give (specimen, parent, child)."""
    found = []
    for name, parent in SPECIMENS.items():
        try:
            generator = derive(5, name)
            found.append((name, parent, operator(parent, generator=generator, **parameters)))
        except Inapplicable:
            continue
    assert found
    return found


def sequences(inputs, steps=20, lanes=3, seed=0):
    """Make inputs of random bits."""
    drawn = derive(seed, "inputs").bits((steps, lanes, sum(block.size for block in inputs)))
    return torch.tensor(drawn, dtype=torch.float64)


def answers(genome, inputs=None, rows=9, eps=1e-2):
    """Run a genome in float64 and give its answers in logits."""
    machine = Machine(genome.topology, eps)
    weights = machine.wire_up(torch.tensor(genome.weights, dtype=torch.float64))
    inputs = sequences(genome.topology.inputs) if inputs is None else inputs
    state = machine.initial_state(weights, lanes=inputs.shape[-2], rows=rows)
    return machine.run(weights, inputs, state)[0]


def distance(one, other):
    """Measure how far apart two sets of answers are at most."""
    return (one - other).abs().max().item()


def new_genes(child, parent):
    """Tell of each gene of a child whether its parent lacks it."""
    return ~np.isin(child.code.keys, parent.code.keys)


def blocks(most=3):
    """Draw the plain blocks of an axis, with birth ids of their own."""
    sizes = some.lists(some.integers(1, 4), min_size=1, max_size=most)
    return sizes.map(lambda drawn: tuple(Block(9 + n, size) for n, size in enumerate(drawn)))


def stages():
    """Draw the addressing stages of a head."""
    drawn = some.tuples(*[some.booleans()] * 4)
    return drawn.map(lambda use: Stages(use[0], use[0] and use[1], use[2], use[3]))


def tapes():
    """Draw how the cells of a tape are written and found again."""
    modes, shares = some.sampled_from(["interpolate", "overwrite"]), some.floats(0, 1)
    return some.builds(Tape, modes, shares, some.booleans(), shares, shares)


@some.composite
def topologies(draw, per_bit=False):
    """Draw any machine that can be built; with one block of one unit a bit everywhere, or none."""
    bits = (Block(1, draw(some.integers(2, 4)), per_bit=True),) if per_bit else ()
    kind = draw(some.sampled_from(["dense", "lstm"]))
    layers = draw(some.lists(blocks(), min_size=kind == "lstm", max_size=3))
    taped = draw(some.booleans())
    sources = ["hidden", "cell"] if kind == "lstm" else ["hidden"]
    births = draw(some.lists(some.integers(1, 10**6), max_size=4, unique=True))
    heads = [
        Head(
            birth,
            "tape" if taped else draw(some.sampled_from(["reader", "writer"])),
            draw(some.sampled_from(sources)),
            draw(some.sampled_from(["controller", "output", "both"])),
            draw(stages()),
            3 if taped else draw(some.sampled_from([3, 5, 7])),
        )
        for birth in births
    ]
    return Topology(
        inputs=bits + draw(blocks()),
        outputs=bits + draw(blocks()),
        controller=Controller(kind, tuple(bits + layer for layer in layers)),
        columns=bits + draw(blocks()),
        heads=tuple(heads),
        tape=draw(tapes()) if taped else None,
    )
