"""How many machines to run in one call: enough to outweigh Python, few enough for the cache.

The answer depends on shapes only, never on the number of threads or workers, so that the
arithmetic of an individual is the same wherever it is scored.
"""

from evo_ntm.machine.tape import longest
from evo_ntm.topology import Topology
from evo_ntm.topology.parts import total
from evo_ntm.topology.wires import size

MACHINES = 128  # so that a usual population is work for several threads
FUSED_MACHINES = 64
MEMORY = 1_400_000  # numbers; a step was fastest per lane with 0.7 to 1.4 million in its memory
ANSWERS = 2_000_000
WEIGHTS = 8_000_000


def chunk_size(
    topology: Topology, *, lanes: int, rows: int, steps: int, fused: bool = False
) -> int:
    """Say how many machines of one topology to run in one call: a power of two.

    A power of two, that round populations may split evenly.
    """
    units, outputs = max(topology.controller.units, default=1), total(topology.outputs)
    if topology.tape_heads:
        rows = longest(topology, rows, steps)
    remembered = lanes * (rows * topology.width if topology.heads else units)
    answered = lanes * steps * outputs
    if fused:  # each machine's memory is in the cache alone, and so are its weights
        fit = min(FUSED_MACHINES, ANSWERS // answered)
    else:
        fit = min(MACHINES, MEMORY // remembered, ANSWERS // answered, WEIGHTS // size(topology))
    return 1 << max(fit, 1).bit_length() - 1
