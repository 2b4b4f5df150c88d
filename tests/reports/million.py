"""What it takes to tell of a million births from rows alone, in seconds and in memory.

Run as `python -m tests.reports.million FOLDER`, where the store is made unless it is there. What
is measured is a process of its own: this one, with `--told`.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from evo_ntm.reports.chapters import Displacement
from evo_ntm.reports.exports import export
from evo_ntm.reports.operators import tell_operators
from evo_ntm.reports.pedigree import read_pedigree
from evo_ntm.reports.phylogeny import tell_population
from evo_ntm.reports.search import tell_search
from evo_ntm.reports.species import tell_species
from evo_ntm.runs.ancestry import ancestors, children, common_ancestor, descendants, trunk
from evo_ntm.runs.store import open_run
from tests.reports.populations import evolved

SIZE, GENERATIONS = 512, 2000


def fill(folder, size=SIZE, generations=GENERATIONS):
    """Make the store: a quarter of the births have two parents, and a few another topology."""
    return evolved(folder, size=size, generations=generations, elites=size // 64, crossover=0.25)


def tell(folder, exports):
    """Tell everything, and what each part took; memory is the most so far."""
    took, run = {}, open_run(folder)

    def part(name, ask, *about):
        begun, worked = time.perf_counter(), time.process_time()
        came = ask(*about)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds, worked = time.perf_counter() - begun, time.process_time() - worked
        took[name] = {"seconds": round(seconds, 2), "of CPU": round(worked, 2), "MiB": round(peak)}
        return came

    part("nothing", lambda: None)
    pedigree = part("pedigree", read_pedigree, run)
    last, middle = int(pedigree.numbers[-1]), int(pedigree.numbers[len(pedigree) // 2])
    steps = part("trunk", trunk, run, last)
    part("population", tell_population, pedigree)
    part("operators", tell_operators, pedigree, [step.number for step in steps], run.experiment)
    part("species", tell_species, pedigree)
    part("search", tell_search, run, pedigree, Displacement((), (), (), ()))
    part("ancestors", ancestors, run, last)
    part("descendants", descendants, run, middle)
    part("common ancestor", common_ancestor, run, [last, last - 1, middle])
    part("children", children, run)
    part("exports", export, run, exports)
    return {"births": len(pedigree), "generations": pedigree.generations, "took": took}


def main(folder, size=SIZE, generations=GENERATIONS):
    """Fill a store and tell of it in a process of its own."""
    if not (folder / "run.sqlite").exists():
        fill(folder, size, generations)
    command = [sys.executable, "-m", "tests.reports.million", "--told", str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


if __name__ == "__main__":
    if sys.argv[1] == "--told":
        print(json.dumps(tell(Path(sys.argv[2]), Path(sys.argv[2]) / "exports")))
    else:
        print(json.dumps(main(Path(sys.argv[1])), indent=2))
