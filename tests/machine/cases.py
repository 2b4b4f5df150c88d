"""Machines to try: random topologies, their weights, inputs and lanes, all in float64."""

import numpy as np
import pytest
import torch
from hypothesis import strategies as some

from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Controller, Head, Stages, Topology
from evo_ntm.topology.wires import size, wires


def build(kind="dense", units=(5,), *heads, inputs=3, outputs=2, width=3):
    layers = tuple((Block(10 + number, count),) for number, count in enumerate(units))
    channels = (Block(1, inputs),), (Block(2, outputs),)
    return Topology(*channels, Controller(kind, layers), (Block(3, width),), heads)


def numbers(*shape, seed=1, scale=1.0):
    drawn = derive(seed, "numbers", *shape[:2]).normal(shape).astype(np.float64)
    return torch.from_numpy(drawn * scale)


def weights_of(topology, *population, seed=1):
    return numbers(*population, size(topology), seed=seed)


def inputs_of(topology, steps, *lanes, seed=5):
    return numbers(steps, *lanes, sum(block.size for block in topology.inputs), seed=seed)


def named(topology, flat):
    """Take flat weights apart into lists by wire name, a row for each receiving unit."""
    return {
        name: flat[wire.place].reshape(wire.shape).tolist()
        for name, wire in wires(topology).items()
    }


def with_biases(topology, flat, **biases):
    """Set the biases of what heads are told, by the port's last word."""
    changed = flat.clone()
    for name, wire in wires(topology).items():
        port, source = name.split(" < ")
        if source == "bias" and port.split()[-1] in biases and port.split()[0] != "layer":
            changed[..., wire.place] = biases[port.split()[-1]]
    return changed


@some.composite
def heads(draw, birth, kind, sources):
    content = draw(some.booleans())
    interpolation = content and draw(some.booleans())
    stages = Stages(content, interpolation, draw(some.booleans()), draw(some.booleans()))
    source = draw(some.sampled_from(sources))
    target = draw(some.sampled_from(["controller", "output", "both"]))
    return Head(birth, kind, source, target, stages, draw(some.sampled_from([3, 5, 7])))


@some.composite
def topologies(draw):
    kind = draw(some.sampled_from(["dense", "lstm"]))
    sources = ["hidden"] if kind == "dense" else ["hidden", "cell"]
    units = draw(some.lists(some.integers(1, 5), min_size=1, max_size=3))
    kinds = ["writer"] * draw(some.integers(0, 3)) + ["reader"] * draw(some.integers(0, 3))
    births = draw(some.permutations(range(20, 20 + len(kinds))))
    bodies = [draw(heads(birth, k, sources)) for birth, k in zip(births, kinds, strict=True)]
    sizes = {name: draw(some.integers(1, 4)) for name in ("inputs", "outputs", "width")}
    return build(kind, units, *bodies, **sizes)


READER, WRITER = Head(20, "reader"), Head(21, "writer")
USUAL = build("dense", (16,), READER, WRITER, width=9)
RECURRENT = build("lstm", (6, 5), READER, WRITER, Head(22, "writer"), Head(23, "reader"), width=5)
CASES = {
    "no heads": build("lstm", (3, 2)),
    "reader and writer": build("dense", (4,), READER, WRITER),
    "reader and writer, lstm": build("lstm", (3,), READER, WRITER),
    "only a reader": build("dense", (3,), READER),
    "only a writer": build("dense", (3,), WRITER),
    "all sorts": build(
        "lstm",
        (3, 2),
        Head(30, "writer", "cell", stages=Stages(content=False, interpolation=False), shifts=5),
        Head(31, "writer", stages=Stages(sharpening=False)),
        Head(32, "reader", "cell", "output", Stages(interpolation=False, shift=False)),
        Head(33, "reader", target="controller", shifts=7),
        Head(34, "reader", stages=Stages(False, False, False, False)),
    ),
}


def every(test):
    """Run a test on every case."""
    return pytest.mark.parametrize("topology", CASES.values(), ids=CASES.keys())(test)


def finite(tensor):
    return bool(torch.isfinite(tensor).all())
