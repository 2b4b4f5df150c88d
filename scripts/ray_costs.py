"""What Ray costs and brings: its overhead a generation, and two workers against one.

`python scripts/benchmark.py --ray` calls this. Workers compute on one thread each.
"""

import multiprocessing
import statistics
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import torch

from evo_ntm.evolution.evaluate import Trial, score
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.workers import Cluster
from evo_ntm.experiment.run import RunSettings
from evo_ntm.genome import Genome
from evo_ntm.genome.founder import founder
from evo_ntm.genome.variation import perturb
from evo_ntm.seeds import derive
from evo_ntm.tasks import make

ROWS, WIDTH, LENGTH = 128, 20, 20
OVERHEAD = ("dense", 153, 512, 8)  # about 20,000 weights
SPEEDUPS = [("lstm", 100, 256, 16), ("lstm", 100, 256, 8)]  # episodes as in tasks/, and half
Row = dict[str, object]
Shape = tuple[str, int, int, int]


def prepared(
    controller: str, units: int, population: int, sequences: int
) -> tuple[list[Individual], Trial]:
    """Make a population, every one of them other, and what it is shown."""
    task = make("copy", {"longest": LENGTH, "shortest": LENGTH})
    first = founder(task.inputs, task.outputs, controller=controller, units=(units,), width=WIDTH,
                    generator=derive(1, "founder"))  # fmt: skip
    genomes: list[Genome] = [
        perturb(first, generator=derive(1, "perturb", slot), sigma=0.05)
        for slot in range(population)
    ]
    jobs = [Individual(genome, operators=("perturb",)) for genome in genomes]
    return jobs, Trial(task, task.episodes(derive(1, "episodes"), sequences), ROWS, 0.01)


def timed(workers: Cluster, shape: Shape, repeats: int) -> list[list[float]]:
    """Measure generations: the seconds of each, and those that its busiest worker scored."""
    jobs, trial = prepared(*shape)
    found = []
    for repeat in range(repeats + 2):
        while workers.alive < workers.asked:  # the last is up later than the first
            score(jobs, trial, workers.map)
        begun = time.perf_counter()
        score(jobs, trial, workers.map)
        if repeat > 1:
            found.append([time.perf_counter() - begun, workers.busiest])
    return found


def overhead(repeats: int) -> list[Row]:
    """Measure what a generation takes beyond the scoring of its busiest worker."""
    with Cluster(RunSettings(workers=2), None) as workers:
        found = timed(workers, OVERHEAD, repeats)
    size = len(prepared(*OVERHEAD)[0][0].genome.weights)
    beyond = statistics.median(whole - busiest for whole, busiest in found)
    return [{
        "kind": "ray",
        "what": f"overhead a generation, {OVERHEAD[2]} genomes of {size} weights, 2 workers",
        "milliseconds": round(1e3 * beyond, 1),
        "of": round(1e3 * statistics.median(whole for whole, _ in found), 1),
        "at_most": 40,
    }]  # fmt: skip


def speedup(shape: Shape, repeats: int) -> list[Row]:
    """Measure two workers against one, and two processes that know nothing of Ray against one."""
    seconds = []
    for count in (1, 2):
        with Cluster(RunSettings(workers=count), None) as workers:
            found = timed(workers, shape, repeats)
        seconds.append(statistics.median(whole for whole, _ in found))
    name = "{}-{}/128x20/{}x{}".format(*shape)
    one, two = (alone(shape, count, repeats) for count in (1, 2))
    return [
        {"kind": "ray", "what": f"two workers against one, {name}",
         "times": round(seconds[0] / seconds[1], 2), "at_least": 1.6},
        {"kind": "ray", "what": f"two processes without Ray against one, {name}",
         "times": round(2 * one / two, 2)},
    ]  # fmt: skip


def alone(shape: Shape, count: int, repeats: int) -> float:
    """Measure the seconds of a generation in each of some processes that run at the same time."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(count), context.Queue()
    told = shape, barrier, answers, repeats
    processes = [context.Process(target=_score_alone, args=told) for _ in range(count)]
    for process in processes:
        process.start()
    found = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return statistics.median(found)


def _score_alone(shape: Shape, barrier: Barrier, answers: "Queue[float]", repeats: int) -> None:
    torch.set_num_threads(1)
    jobs, trial = prepared(*shape)
    score(jobs, trial, map)
    seconds = []
    for _ in range(repeats):
        barrier.wait()
        begun = time.perf_counter()
        score(jobs, trial, map)
        seconds.append(time.perf_counter() - begun)
    answers.put(statistics.median(seconds))


def costs(repeats: int) -> list[Row]:
    """Measure both."""
    return overhead(repeats) + [row for shape in SPEEDUPS for row in speedup(shape, repeats)]
