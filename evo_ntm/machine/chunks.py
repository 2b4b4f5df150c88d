"""How many machines to run at once: enough to outweigh Python, few enough for the cache.

The answer depends on shapes only, never on the number of threads or workers, so that the
arithmetic of an individual is the same wherever it is scored.
"""

from evo_ntm.topology import Topology

NUMBERS = 500_000


def chunk_size(topology: Topology, *, lanes: int, rows: int, steps: int) -> int:
    """Say how many machines to run in one call."""
    each = lanes * max(rows * topology.width, sum(topology.controller.units))
    return max(1, NUMBERS // each)
