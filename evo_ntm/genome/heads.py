"""Operators on heads: more of them, fewer, and each head's own genes.

Where an operator says that it preserves the answers, the child answers as its parent did, to 1e-5.
A head is drawn among those that the operator can change, unless `birth` names one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np

from evo_ntm.genome.bounds import USUAL, Bounds, Inapplicable
from evo_ntm.genome.founder import Weights
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.graft import draw, graft, layered, new_births, role
from evo_ntm.seeds import Generator
from evo_ntm.topology import Head, Stages, Topology, Wire, wires
from evo_ntm.topology.parts import HeadKind, Target
from evo_ntm.topology.wires import before, hidden

SHUT = 18.0  # 1.5e-8 is let through: nothing, in the arithmetic of float32
AJAR = 4.0  # 1.8e-2 is let through: little, but enough to be noticed
NEAR = 0.05  # to a threshold: a perturbation of the usual size steps over it


def add_reader(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Add a reader to which nobody listens yet, with the genes of an elder head.

    Preserves the answers. Its orders start at random, so that it reads already; it wakes as soon
    as a perturbation makes controller or output listen.
    """
    head = _newcomer(genome, "reader", bounds.readers, generator)
    return graft(genome, _with_head(genome.topology, head), generator, fresh=_unheard(head))


def drop_reader(
    genome: Genome, *, generator: Generator, bounds: Bounds = USUAL, birth: int | None = None
) -> Genome:
    """Take a reader away. Preserves the answers only where nobody listened to it."""
    return _drop(genome, "reader", bounds.readers, birth, generator)


def add_writer(
    genome: Genome, *, generator: Generator, bounds: Bounds = USUAL, shut: float = SHUT
) -> Genome:
    """Add a writer that neither erases nor adds, with the genes of an elder head.

    Preserves the answers. It aims at random and adds nothing: it wakes as soon as a perturbation
    makes it add. Its erase starts with a bias of -`shut`, and at 18 sleeps until something much
    stronger than a perturbation opens it; with a smaller `shut`, such as 4, it can be learned
    sooner, and the answers are not preserved.
    """
    head = _newcomer(genome, "writer", bounds.writers, generator)

    def idle(wire: Wire, weights: Weights) -> Weights:
        if wire.organ != head.name or role(wire) not in ("erase", "add"):
            return weights
        closed = role(wire) == "erase" and wire.source == "bias"
        return np.full_like(weights, -shut if closed else 0.0)

    return graft(genome, _with_head(genome.topology, head), generator, fresh=idle)


def drop_writer(
    genome: Genome, *, generator: Generator, bounds: Bounds = USUAL, birth: int | None = None
) -> Genome:
    """Take a writer away. Preserves the answers only where it wrote nothing."""
    return _drop(genome, "writer", bounds.writers, birth, generator)


def add_tape_head(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Add a head to a tape that does not write and stays where it is, and to which nobody listens.

    Preserves the answers. What it would write or look for starts at random. It reads already and
    wakes as soon as a perturbation makes anybody listen; the same makes it jump and step.
    """
    head = _newcomer(genome, "tape", bounds.tape_heads, generator)
    idle = {"interpolation": -SHUT, "jump": -NEAR, "shift": -NEAR}

    unheard = _unheard(head)

    def still(wire: Wire, weights: Weights) -> Weights:
        weights = unheard(wire, weights)
        if wire.organ != head.name or role(wire) not in idle:
            return weights
        return _biased(wire, weights, idle[role(wire)])

    return graft(genome, _with_head(genome.topology, head), generator, fresh=still)


def drop_tape_head(
    genome: Genome, *, generator: Generator, bounds: Bounds = USUAL, birth: int | None = None
) -> Genome:
    """Take a head of a tape away. Preserves the answers only where it did nothing."""
    return _drop(genome, "tape", bounds.tape_heads, birth, generator)


def widen_shift(
    genome: Genome,
    *,
    generator: Generator,
    bounds: Bounds = USUAL,
    birth: int | None = None,
    shut: float = AJAR,
) -> Genome:
    """Let a head shift by one row more either way.

    Does not quite preserve the answers: a new offset follows the outermost old one on its side,
    with a bias lower by `shut`, and so takes at most exp(-`shut`) of that one's share, 0.018 at 4.
    So it is awake at once. At a `shut` of 18 the answers are preserved, and it sleeps: a
    perturbation changes a share of 1.5e-8 by a twentieth.
    """
    head = _pick(
        genome,
        lambda head: _widens(head) and head.shifts + 2 <= bounds.shifts[1],
        birth,
        generator,
        f"no head can shift further within {bounds.shifts[1]} offsets",
    )
    parent = genome.express()

    def follow(wire: Wire, weights: Weights) -> Weights:
        if wire.organ != head.name or role(wire) != "shift":
            return weights
        wider = np.pad(parent[wire.name], ((1, 1), (0, 0)), mode="edge")
        if wire.source == "bias":
            wider[[0, -1]] -= shut
        return wider

    wider = _with_head(genome.topology, replace(head, shifts=head.shifts + 2))
    return graft(genome, wider, generator, fresh=follow)


def narrow_shift(
    genome: Genome, *, generator: Generator, bounds: Bounds = USUAL, birth: int | None = None
) -> Genome:
    """Let a head shift by one row less either way. Does not preserve the answers."""
    head = _pick(
        genome,
        lambda head: _widens(head) and head.shifts - 2 >= bounds.shifts[0],
        birth,
        generator,
        f"no head can do with fewer offsets than {bounds.shifts[0]}",
    )
    narrower = _with_head(genome.topology, replace(head, shifts=head.shifts - 2))
    return graft(genome, narrower, generator)


def toggle_stage(genome: Genome, *, generator: Generator, birth: int | None = None) -> Genome:
    """Give a head an addressing stage that it lacks, or take one that it has.

    Content comes and goes with interpolation. Does not preserve the answers. A stage that is
    given starts ajar: it moves the weighting by about 2 %, and wakes with any perturbation. The
    head of a tape has content, its jump, and shift; given either, it stays until a perturbation.
    """
    layered(genome)
    head = _pick(genome, lambda head: True, birth, generator, "there is no head")
    taped = head.kind == "tape"
    every = ("content", "shift") if taped else ("content", "interpolation", "shift", "sharpening")
    stage = draw(every, generator)
    if stage == "interpolation" and not head.stages.content:
        stage = "content"
    given = not getattr(head.stages, stage)
    toggled = ("content", "interpolation") if stage == "content" else (stage,)
    stages: Stages = replace(head.stages, **dict.fromkeys(toggled, given))
    ajar = {"gate": AJAR if head.stages.content else -AJAR, "sharpening": -AJAR, "shift": -AJAR}
    ajar = {"jump": -NEAR, "shift": -NEAR} if taped else ajar

    def start_ajar(wire: Wire, weights: Weights) -> Weights:
        if wire.organ != head.name or role(wire) not in ajar:
            return weights
        return _biased(wire, weights, ajar[role(wire)])

    changed = _with_head(genome.topology, replace(head, stages=stages))
    return graft(genome, changed, generator, fresh=start_ajar)


def change_source(genome: Genome, *, generator: Generator, birth: int | None = None) -> Genome:
    """Let a head take its orders from the cell instead of the hidden state, or the reverse.

    The weights are carried over. Does not preserve the answers. LSTM controllers only.
    """
    topology = genome.topology
    if topology.controller.kind != "lstm":
        raise Inapplicable(f"expected an LSTM, which has cells, not a {topology.controller.kind} "
                           "controller")  # fmt: skip
    head = _pick(genome, lambda head: True, birth, generator, "there is no head")
    top = hidden(len(topology.controller.layers))
    old, new = (top, f"{top} cell") if head.source == "hidden" else (f"{top} cell", top)
    changed = replace(head, source="cell" if head.source == "hidden" else "hidden")
    renamed = {
        f"{wire.port.name} < {new}": name
        for name, wire in wires(topology).items()
        if wire.organ == head.name and wire.source == old
    }
    return graft(genome, _with_head(topology, changed), generator, renamed=renamed)


def change_target(genome: Genome, *, generator: Generator, birth: int | None = None) -> Genome:
    """Let another part listen to a head that reads: the controller, the output or both.

    Preserves the answers where a listener comes and none goes: one that comes starts with weights
    of 0, which wake with any perturbation.
    """
    layered(genome)
    head = _pick(genome, lambda head: head.kind != "writer", birth, generator, "no head reads")
    every: tuple[Target, ...] = get_args(Target)
    targets = [target for target in every if target != head.target]

    changed = _with_head(genome.topology, replace(head, target=draw(targets, generator)))
    return graft(genome, changed, generator, fresh=_unheard(head))


def _unheard(head: Head) -> Callable[[Wire, Weights], Weights]:
    """Let nobody hear yet what a head reads, or read the step before, as where no layers are."""

    def unheard(wire: Wire, weights: Weights) -> Weights:
        heard = wire.source in (head.name, before(head))
        return np.zeros_like(weights) if heard else weights

    return unheard


def _newcomer(genome: Genome, kind: HeadKind, span: tuple[int, int], generator: Generator) -> Head:
    topology = layered(genome)
    if (kind == "tape") != (topology.tape is not None):
        other = "a tape" if topology.tape is not None else "no tape"
        raise Inapplicable(f"expected a machine that a {_called(kind)} is for, but it has {other}")
    if len(topology.of_kind(kind)) >= span[1]:
        raise Inapplicable(f"a machine has at most {span[1]} {_called(kind)}s here, and this has "
                           f"{len(topology.of_kind(kind))}")  # fmt: skip
    elders = topology.of_kind(kind) or topology.heads or (Head(0, kind),)
    return replace(elders[0], birth=next(new_births(topology, generator)), kind=kind)


def _drop(
    genome: Genome,
    kind: HeadKind,
    span: tuple[int, int],
    birth: int | None,
    generator: Generator,
) -> Genome:
    topology = genome.topology
    if len(topology.of_kind(kind)) <= max(0, span[0]):
        raise Inapplicable(f"a machine has at least {span[0]} {_called(kind)}s here, and this has "
                           f"{len(topology.of_kind(kind))}")  # fmt: skip
    gone = _pick(
        genome, lambda head: head.kind == kind, birth, generator, f"there is no {_called(kind)}"
    )
    heads = tuple(head for head in topology.heads if head != gone)
    return graft(genome, replace(topology, heads=heads), generator)


def _called(kind: HeadKind) -> str:
    return "tape head" if kind == "tape" else kind


def _widens(head: Head) -> bool:
    """Tell whether a head's shift may have another range, which that of a tape may not."""
    return head.stages.shift and head.kind != "tape"


def _biased(wire: Wire, weights: Weights, bias: float) -> Weights:
    """Say always the same: a bias, and of shifts 0 for staying."""
    if wire.source != "bias":
        return np.zeros_like(weights)
    biases = np.full_like(weights, bias)
    if role(wire) == "shift":
        biases[len(biases) // 2] = 0.0
    return biases


def _pick(
    genome: Genome,
    fits: Callable[[Head], bool],
    birth: int | None,
    generator: Generator,
    otherwise: str,
) -> Head:
    """Choose a head to change, or raise Inapplicable."""
    heads = [head for head in genome.topology.heads if fits(head)]
    if birth is not None:
        heads = [head for head in heads if head.birth == birth]
        otherwise = f"expected a head of birth {birth} to change, but {otherwise}"
    if not heads:
        raise Inapplicable(otherwise)
    return draw(heads, generator)


def _with_head(topology: Topology, head: Head) -> Topology:
    others = tuple(other for other in topology.heads if other.birth != head.birth)
    return replace(topology, heads=(*others, head))
