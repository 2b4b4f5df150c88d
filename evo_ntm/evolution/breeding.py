"""How children are made: an operator is drawn by its share and applied within the bounds."""

from collections.abc import Mapping
from typing import NamedTuple

from evo_ntm.errors import ExperimentError
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.operators import UNSTRUCTURED, FinetuneChildren
from evo_ntm.genome import Genome
from evo_ntm.genome.bounds import Bounds, Inapplicable
from evo_ntm.genome.founder import founder
from evo_ntm.genome.variation import Operator, bind, parents_needed
from evo_ntm.seeds import Generator
from evo_ntm.tasks import Task
from evo_ntm.topology import Graph, Tape


class Choice(NamedTuple):
    """An operator: how often it is drawn, of how many parents, and whether it inherits sigma."""

    share: float
    operator: Operator
    parents: int = 1
    inherits: bool = False


class Bred(NamedTuple):
    """A child: its genome, the operator that made it, and of how many parents."""

    genome: Genome
    operator: str
    parents: int


def found(experiment: Experiment, task: Task, generator: Generator) -> Genome:
    """Make a founder of the machine that a task file asks for.

    Raises ExperimentError where it is a graph of more or fewer connections than it may have.
    """
    machine = experiment.machine
    made = founder(
        task.inputs,
        task.outputs,
        controller=machine.controller,
        units=machine.units,
        width=machine.width,
        readers=machine.readers,
        writers=machine.writers,
        tape_heads=machine.tape_heads,
        tape=Tape(**machine.tape.model_dump()) if machine.tape_heads else None,
        head=machine.heads.model_dump(),
        connected=machine.connected,
        recurrent=machine.recurrent,
        per_bit=machine.per_bit,
        alike=machine.alike,
        encoding=machine.encoding,
        generator=generator,
    )
    graph, (least, most) = made.topology.controller.graph, machine.bounds.connections
    if isinstance(graph, Graph) and not least <= (count := len(graph.connections)) <= most:
        raise ExperimentError(f"machine.bounds.connections: expected room for the {count} that a "
                              f"founder has, but came {least} to {most}")  # fmt: skip
    return made


def operators_of(experiment: Experiment) -> dict[str, Choice]:
    """Look up the operators of a task file: their shares, and each with its parameters set."""
    bounds = Bounds(**experiment.machine.bounds.model_dump())
    chosen = {}
    for name, settings in experiment.evolve.operators.items():
        if isinstance(settings, FinetuneChildren):
            continue  # which is applied to children that others made
        told = settings.model_dump(exclude={"share"}, exclude_none=True)
        operator = bind(name, bounds=bounds, parameters=told)
        inherits = name == "perturb" and "sigma" not in told
        chosen[name] = Choice(settings.share, operator, parents_needed(operator), inherits)
    return chosen


def structural(operators: Mapping[str, Choice]) -> dict[str, Choice]:
    """Keep the operators that change a topology."""
    return {name: chosen for name, chosen in operators.items() if name not in UNSTRUCTURED}


def vary(
    operators: Mapping[str, Choice],
    *parents: Genome,
    generator: Generator,
    sigma: float | None = None,
) -> Bred | None:
    """Make a child by an operator drawn by share; None where none applies.

    An operator that finds nothing to change, or needs more parents than there are, makes room for
    the others. `sigma` is the step size that `perturb` inherits.
    """
    left = {
        name: chosen
        for name, chosen in operators.items()
        if chosen.share > 0 and chosen.parents <= len(parents)
    }
    while left:
        names = sorted(left)
        name = names[generator.choice([left[name].share for name in names])]
        chosen = left.pop(name)
        inherited = {"sigma": sigma} if chosen.inherits and sigma is not None else {}
        taken = parents[: chosen.parents]
        try:
            return Bred(chosen.operator(*taken, generator=generator, **inherited), name, len(taken))
        except Inapplicable:
            continue
    return None
