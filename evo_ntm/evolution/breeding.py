"""How children are made: an operator is drawn by its share and applied within the bounds."""

from collections.abc import Mapping

from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.genome.bounds import Bounds, Inapplicable
from evo_ntm.genome.founder import founder
from evo_ntm.genome.variation import Operator, bind
from evo_ntm.seeds import Generator
from evo_ntm.tasks import Task

UNSTRUCTURED = ("perturb", "cross")


def found(experiment: Experiment, task: Task, generator: Generator) -> Genome:
    """Make a founder of the machine that a task file asks for."""
    machine = experiment.machine
    return founder(
        task.inputs,
        task.outputs,
        controller=machine.controller,
        units=machine.units,
        width=machine.width,
        readers=machine.readers,
        writers=machine.writers,
        head=machine.heads.model_dump(),
        encoding=machine.encoding,
        generator=generator,
    )


def operators_of(experiment: Experiment) -> dict[str, tuple[float, Operator]]:
    """Look up the operators of a task file: their shares, and each with its parameters set."""
    bounds = Bounds(**experiment.machine.bounds.model_dump())
    chosen = {}
    for name, settings in experiment.evolve.operators.items():
        told = settings.model_dump(exclude={"share"}, exclude_none=True)
        chosen[name] = settings.share, bind(name, bounds=bounds, parameters=told)
    return chosen


def structural(operators: Mapping[str, tuple[float, Operator]]) -> dict[str, tuple[float, Operator]]:
    """Keep the operators that change a topology."""
    return {name: chosen for name, chosen in operators.items() if name not in UNSTRUCTURED}


def vary(
    operators: Mapping[str, tuple[float, Operator]],
    genome: Genome,
    generator: Generator,
    *,
    sigma: float | None = None,
) -> tuple[Genome, str] | None:
    """Change a genome by an operator drawn by share, and name it; None where none applies.

    An operator that finds nothing to change makes room for the others. `sigma` is the step size
    that `perturb` inherits.
    """
    left = {name: chosen for name, chosen in operators.items() if chosen[0] > 0}
    while left:
        names = sorted(left)
        name = names[generator.choice([left[name][0] for name in names])]
        inherited = {"sigma": sigma} if name == "perturb" and sigma is not None else {}
        try:
            return left.pop(name)[1](genome, generator=generator, **inherited), name
        except Inapplicable:
            continue
    return None
