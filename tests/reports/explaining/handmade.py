"""Machines whose program is known, because every weight was set by hand, wire by wire."""

import numpy as np

from evo_ntm.experiment import parse
from evo_ntm.genome import Genome
from evo_ntm.tasks import make
from evo_ntm.topology import Block, Controller, Head, Stages, Topology, wires

BITS = 4
STRONG = 20.0  # a tanh, a sigmoid or a softmax is then as good as certain
SHIFTING = Stages(content=False, interpolation=False)
RECALL = {"bits": BITS, "vectors": 1, "fewest": 2, "most": 4}
WRITER, READER, SECOND = "writer 71", "reader 73", "reader 74"
STEADY, FLAGGED, SHOWN, FIRST = BITS, BITS + 1, BITS + 2, BITS + 3
"""Units behind those that know the bits: always on, on at a flag, on unless the input is blank,
on after the first step."""


def experiment(task="copy", *, told=None, rows=40, sequences=64, part=None):
    """Make an experiment whose exam has one small part."""
    exam = [{"name": "all", "with": part or {}, "rows": rows, "sequences": sequences}]
    settings = {
        "task": task,
        "with": told if told is not None else {"bits": BITS, "longest": 6},
        "exam": {"validation": [{**each, "at_most": {"bits": 0}} for each in exam], "parts": exam},
        "machine": {"units": [8], "width": 6},
        "evolve": {"strategy": "evolution_strategy"},
    }
    return parse(settings, name=task)


def task_of(experiment):
    return make(experiment.task, experiment.with_)


def built(topology, weights):
    """Make a genome of the weights that are told; all others are 0."""
    flat = []
    for name, wire in wires(topology).items():
        flat.append(np.zeros(wire.shape) + weights.pop(name, 0.0))
    assert not weights, f"there are no wires {list(weights)}"
    return Genome(topology, np.concatenate([each.ravel() for each in flat]).astype(np.float32))


def copier(reads, *, writes=+1, erases=False, task="copy", stages=SHIFTING, target="both"):
    """Make a copier: its writer goes on at every step and writes the bits as 1 and -1.

    `reads` says of its readers what they do; the answer is what the first of them reads, and of
    mirror copy the second's is that of the second.

    waits    stays at row 0 while anything comes in, goes on by 1 while blanks do: a blank vector
             misleads it
    follows  goes on by 1 at every step, and jumps back to the first row, less 1, at the flag
    returns  goes on by 1, and back by 1 as soon as blanks come in
    stays    never moves
    """
    known = task_of(experiment(task))
    columns = (Block(61, BITS + 1, name="bits and a mark"),)
    readers = tuple(Head(73 + number, "reader", stages=_stages(does, stages), target=target)
                    for number, does in enumerate(reads))  # fmt: skip
    heads = (Head(71, "writer", stages=stages), *readers)
    units = Controller("dense", ((Block(51, BITS + 4),),))
    topology = Topology(known.inputs, known.outputs, units, columns, heads)
    weights = _controller() | _writer(writes, erases, stages) | _answers(topology)
    for reader, does in zip(readers, reads, strict=True):
        weights |= _reader(reader, does, writes)
    return built(topology, weights)


def _stages(does, stages):
    return Stages() if does == "follows" else stages


def _controller():
    """Let each unit know one thing: 1 where it is so, -1 where it is not."""
    inputs = np.zeros((BITS + 4, BITS + 1))
    inputs[:BITS, :BITS] = 2 * STRONG * np.eye(BITS)
    inputs[FLAGGED, BITS] = inputs[SHOWN] = 2 * STRONG
    bias = np.full((BITS + 4, 1), -STRONG)
    bias[STEADY], bias[FIRST] = STRONG, -3 * STRONG
    mark = np.zeros((BITS + 4, BITS + 1))
    mark[FIRST, BITS] = 2 * STRONG  # of what was read first, which is a learned start
    return {"layer 1 < input": inputs, "layer 1 < bias": bias, f"layer 1 < {READER}": mark}


def _writer(writes, erases, stages):
    add = np.zeros((BITS + 1, BITS + 4))
    add[:BITS, :BITS] = np.eye(BITS)
    add[BITS, [FIRST, STEADY]] = 0.5  # the mark is where the first vector is
    told = {
        f"{WRITER} add < layer 1": add,
        f"{WRITER} erase < bias": STRONG if erases else -STRONG,
        f"{WRITER} shift < layer 1": _decided(writes, writes, STEADY),
    }
    if stages.content:
        told[f"{WRITER} gate < bias"] = -STRONG
    return told


def _reader(reader, does, writes):
    name = reader.name
    begin = 2 * np.eye(BITS + 1)[:, -1:]  # more than any mark in the memory
    told = {f"{name} start < bias": begin if name == READER else 0.0}
    told[f"{name} shift < layer 1"] = {
        "waits": _decided(0, writes, SHOWN),
        "returns": _decided(writes, -writes, SHOWN),
        "follows": _decided(-writes, writes, FLAGGED),
        "stays": _decided(0, 0, STEADY),
    }[does]
    if reader.stages.content:
        told[f"{name} gate < layer 1"] = STRONG * np.eye(BITS + 4)[FLAGGED : FLAGGED + 1]
        told[f"{name} key < bias"] = np.eye(BITS + 1)[:, -1:]
        told[f"{name} strength < bias"] = 3 * STRONG
    return told


def _decided(on, off, unit):
    """Shift by `on` where a unit is on, and by `off` where it is not."""
    told = np.zeros((3, BITS + 4))
    for offset, sign in ((on, 1), (off, -1)):
        told[offset + 1, unit] += sign * STRONG
        told[offset + 1, STEADY] += STRONG
    return told


def _answers(topology):
    """Answer with what is read: the first block with that of the first reader, and so on."""
    told = {}
    for number, reader in enumerate(topology.readers):
        lines = np.zeros((sum(block.size for block in topology.outputs), BITS + 1))
        place = min(number, len(topology.outputs) - 1) * BITS
        lines[place : place + BITS, :BITS] = STRONG * np.eye(BITS)
        told[f"output < {reader.name}"] = lines
    return told


def recaller():
    """Make a machine for associative recall of single vectors, with an LSTM that can latch.

    The writer goes on by 1 at each item's flag and writes its bits, until the query flag is seen.
    The reader jumps to the row of the query when it comes in, goes on by 1 at the flag that
    follows, and stays there for the answer.
    """
    known = make("associative_recall", RECALL)
    shown, latched, item, query, steady = range(2 * BITS, 2 * BITS + 5)
    units, one = 2 * BITS + 5, np.eye(2 * BITS + 5)
    topology = Topology(
        known.inputs, known.outputs, Controller("lstm", ((Block(51, units),),)),
        (Block(61, BITS, name="bits"),),
        (Head(71, "writer", stages=SHIFTING), Head(73, "reader", target="output")),
    )  # fmt: skip
    candidate, bias = np.zeros((units, BITS + 2)), np.zeros((units, 1))
    candidate[:BITS, :BITS] = candidate[BITS : 2 * BITS, :BITS] = STRONG * np.eye(BITS)
    candidate[shown, :BITS] = candidate[item, BITS] = candidate[query, BITS + 1] = STRONG
    bias[[latched, steady]] = STRONG
    entry, always = np.zeros((units, BITS + 2)), np.full((units, 1), STRONG)
    entry[latched, BITS + 1], always[latched] = 2 * STRONG, -STRONG
    closing = np.zeros((units, units))
    closing[:BITS, latched] = -4 * STRONG  # bits are written until the latch falls
    forget = np.full((units, 1), -STRONG)
    forget[latched] = STRONG
    top, on = "layer 1", 1.4 * STRONG  # a unit that is on says tanh(1)
    writing = on * (one[[item, steady, item]] * [[0], [1], [2]] + [[0] * units] * 3)
    reading = on * (one[[query, steady, query]] * [[0], [1], [2]])
    reading[2] -= on * one[item]
    return built(topology, {
        f"{top} candidate < input": candidate, f"{top} candidate < bias": bias,
        f"{top} input gate < input": entry, f"{top} input gate < bias": always,
        f"{top} input gate < {top}": closing, f"{top} forget gate < bias": forget,
        f"{top} output gate < bias": STRONG,
        f"{WRITER} add < {top}": one[:BITS] * 1.3, f"{WRITER} erase < bias": -STRONG,
        f"{WRITER} shift < {top}": writing,
        f"{READER} key < {top}": one[BITS : 2 * BITS],
        f"{READER} strength < bias": 10 * STRONG,
        f"{READER} gate < {top}": on * (2 * one[[shown]] + 2 * one[[latched]] - 3 * one[[steady]]),
        f"{READER} shift < {top}": reading,
        f"output < {READER}": STRONG * np.eye(BITS), "output < bias": -STRONG / 2,
    })  # fmt: skip
