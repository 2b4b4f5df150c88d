"""A scene of a machine on a task, without any scoring."""

from evo_ntm.reports.explaining.behaviour import behaviours
from evo_ntm.reports.explaining.program import Cast, program
from evo_ntm.reports.explaining.scene import scene
from evo_ntm.reports.explaining.traces import trace
from evo_ntm.seeds import derive


def watched(genome, task, *, rows=40, lanes=64, seed=1):
    episodes = task.episodes(derive(seed, "watched"), lanes)
    return scene(trace(genome, episodes, rows=rows, epsilon=1e-2), task)


def told(genome, task, **how):
    """Write the program of all heads, as if all of them mattered."""
    seen = watched(genome, task, **how)
    return "\n".join(program(Cast(seen, behaviours(seen), seen.names, True)))
