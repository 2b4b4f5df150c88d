"""Whether a genome is for a task, and for how many of its bits."""

from evo_ntm.errors import GenomeError
from evo_ntm.genome import Genome
from evo_ntm.tasks import Task
from evo_ntm.topology.parts import total


def express(genome: Genome, task: Task) -> Genome:
    """Express a tied genome to as many bits as a task has; another stays as it is."""
    bits = bits_of(task)
    if genome.encoding == "tied" and bits is not None and bits != genome.topology.bits:
        return genome.with_bits(bits)
    return genome


def for_the_task(genome: Genome, task: Task) -> Genome:
    """Express a genome to a task's bits. Raises GenomeError where it has other channels."""
    fitting = express(genome, task)
    asked = total(task.inputs), total(task.outputs)
    has = total(fitting.topology.inputs), total(fitting.topology.outputs)
    if asked != has:
        name = getattr(task, "name", "the task")  # somebody's own may have none
        raise GenomeError(
            "expected a machine of {} inputs and {} outputs, as {} asks, "
            "but genome {} has {} and {}".format(*asked, name, genome.id[:12], *has)
        )
    return fitting


def bits_of(task: Task) -> int | None:
    """Count the exchangeable bits of a task, None where it has none."""
    return next((block.size for block in task.inputs if block.per_bit), None)
