"""Variation: how children differ from their parents, and the list of all operators.

An operator is called as `operator(genome, *parents, generator=generator)` and gives a new genome;
its parents are never changed. What else it takes is keyword-only and has a default. Where it finds
nothing to change within the bounds it raises Inapplicable, and another should be picked.
"""

from collections.abc import Callable, Mapping
from functools import partial, wraps
from importlib.metadata import entry_points
from inspect import Parameter, signature
from typing import Any

import numpy as np

from evo_ntm.errors import GenomeError, nearest, somebody_elses
from evo_ntm.genome.body import (
    deepen_controller,
    flatten_controller,
    grow_controller,
    narrow_memory,
    shrink_controller,
    swap_controller,
    widen_memory,
)
from evo_ntm.genome.bounds import Bounds, Inapplicable
from evo_ntm.genome.drawing import add_connection, add_node, drop_connection
from evo_ntm.genome.encoding import likes
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.graft import graft, shared
from evo_ntm.genome.heads import (
    add_reader,
    add_tape_head,
    add_writer,
    change_source,
    change_target,
    drop_reader,
    drop_tape_head,
    drop_writer,
    narrow_shift,
    toggle_stage,
    widen_shift,
)
from evo_ntm.seeds import Generator

__all__ = [
    "OPERATORS",
    "Bounds",
    "Inapplicable",
    "Operator",
    "bind",
    "brought",
    "cross",
    "graft",
    "parents_needed",
    "perturb",
]

Operator = Callable[..., Genome]
ENTRY_POINTS = "evo_ntm.operators"


def perturb(
    genome: Genome,
    *,
    generator: Generator,
    sigma: float = 0.05,
    chance: float = 1.0,
    few: float = 0.0,
    alike: float = 0.0,
) -> Genome:
    """Move genes by Gaussian steps of the size `sigma`; each gene with so much `chance`.

    A share `few` of the time it is as many genes as `some` says, from one to all. A share `alike`
    of the time direct genes of all bits move alike, where the machine has blocks of one unit a bit:
    what was found for one bit may then serve the others, and need not.
    """
    size, where = genome.genes.size, None
    if alike and genome.encoding == "direct" and float(generator.random()) < alike:
        where = likes(genome.topology)
        size = 1 + int(where.max(initial=0))
    steps = generator.normal(size) * np.float32(sigma)
    if few and float(generator.random()) < few:
        chance *= some(genome, generator)
    if chance < 1.0:
        steps *= generator.random(size) < chance
    return genome.with_genes(genome.genes + (steps if where is None else steps[where]))


def some(genome: Genome, generator: Generator) -> float:
    """Draw a chance for each gene by its logarithm: one gene is as likely moved as are all."""
    spread: float = max(genome.genes.size, 1) ** -float(generator.random())
    return spread


def cross(genome: Genome, other: Genome, *, generator: Generator, chance: float = 0.5) -> Genome:
    """Take whole units of another parent, each with so much `chance`.

    Units are matched by the birth ids of the parts at both ends: hidden units and outputs one by
    one with all they hear, heads as a whole, those of a tape number by number that they are told.
    So are graphs, whose connections are matched by innovation: weights that decide together, say
    whether to jump, are worth little one without the other.
    Everything else, the topology above all, comes from the first parent, which should be the
    fitter. Raises Inapplicable where nothing is shared.
    """
    here, there = shared(genome, other)
    if here.size == 0:
        raise Inapplicable(f"expected parents that share a unit, but {genome.topology} "
                           f"and {other.topology} share none")  # fmt: skip
    units, unit = np.unique(genome.code.units[here], return_inverse=True)
    taken = (generator.random(units.size) < chance)[unit]
    genes = genome.genes.copy()
    genes[here[taken]] = other.genes[there[taken]]
    return genome.with_genes(genes)


OPERATORS: dict[str, Operator] = {
    "perturb": perturb,
    "cross": cross,
    "add_reader": add_reader,
    "drop_reader": drop_reader,
    "add_writer": add_writer,
    "drop_writer": drop_writer,
    "add_tape_head": add_tape_head,
    "drop_tape_head": drop_tape_head,
    "widen_memory": widen_memory,
    "narrow_memory": narrow_memory,
    "grow_controller": grow_controller,
    "shrink_controller": shrink_controller,
    "deepen_controller": deepen_controller,
    "flatten_controller": flatten_controller,
    "swap_controller": swap_controller,
    "widen_shift": widen_shift,
    "narrow_shift": narrow_shift,
    "toggle_stage": toggle_stage,
    "change_source": change_source,
    "change_target": change_target,
    "add_node": add_node,
    "add_connection": add_connection,
    "drop_connection": drop_connection,
}


def brought(name: str) -> Operator:
    """Load an operator that an installed package offers under `evo_ntm.operators`.

    What it raises later names it, and the line. Raises GenomeError.
    """
    points = entry_points(group=ENTRY_POINTS)
    for point in points.select(name=name):
        try:
            operator: Operator = point.load()
        except Exception as error:
            raise GenomeError(f"the operator {name!r} expected {point.value}, which cannot "
                              f"be loaded: {error!r}") from error  # fmt: skip
        return _answerable(name, operator)
    known = {*OPERATORS, *(point.name for point in points)}
    raise GenomeError(f"there is no operator {name!r}: {nearest(name, known)}")


def _answerable(name: str, operator: Operator) -> Operator:
    @wraps(operator)
    def asked(*genomes: Genome, **settings: Any) -> Genome:
        with somebody_elses(f"a genome of the operator {name!r}", GenomeError):
            return operator(*genomes, **settings)

    return asked


def parents_needed(operator: Operator) -> int:
    """Count the genomes that an operator must be given, the first one included."""
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return sum(
        parameter.kind in positional and parameter.default is Parameter.empty
        for parameter in signature(operator).parameters.values()
    )


def bind(name: str, *, bounds: Bounds, parameters: Mapping[str, Any] | None = None) -> Operator:
    """Give the operator of a name, with the bounds if it heeds any, and its own parameters.

    Raises GenomeError where there is no such operator, or no such parameter of it.
    """
    operator = OPERATORS.get(name) or brought(name)
    takes = signature(operator).parameters.values()
    anything = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in takes)
    own = {parameter.name for parameter in takes if parameter.kind is Parameter.KEYWORD_ONLY}
    settable = own - {"generator", "bounds", "birth"}
    for parameter in parameters or {}:
        if parameter not in settable and not anything:
            raise GenomeError(f"the operator {name} has no parameter {parameter!r}: "
                              f"{nearest(parameter, settable)}")  # fmt: skip
    given = dict(parameters or {})
    if "bounds" in own:
        given["bounds"] = bounds
    return partial(operator, **given)
