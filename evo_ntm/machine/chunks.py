"""How many machines to run in one call: enough to outweigh Python, few enough for the cache.

The answer depends on shapes only, never on the number of threads or workers, so that the
arithmetic of an individual is the same wherever it is scored.
"""

from evo_ntm.topology import Topology
from evo_ntm.topology.wires import size

CACHE = 400_000  # numbers in memory at which a step was fastest per lane, measured on 2 MiB of L2
MOST_WEIGHTS = 8_000_000


def chunk_size(topology: Topology, *, lanes: int, rows: int, steps: int) -> int:
    """Say how many machines of one topology to run in one call.

    A run keeps the memory of every lane, and the answers of all steps; its weights lie twice.
    """
    widest = max(topology.controller.units)
    kept = lanes * (rows * topology.width if topology.heads else widest)
    answered = lanes * steps * sum(block.size for block in topology.outputs)
    fits = min(CACHE // kept, 4 * CACHE // answered, MOST_WEIGHTS // size(topology))
    return max(1, fits)
