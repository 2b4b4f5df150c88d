"""Small experiments, and turns of a strategy whose scores are made by hand."""

from itertools import count

import numpy as np

from evo_ntm.evolution.engine import evolve
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.strategy import Validation
from evo_ntm.experiment import dump, parse
from evo_ntm.experiment.notation import read_yaml
from evo_ntm.genome.founder import founder
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from evo_ntm.topology import Block

STRATEGIES = {
    "evolution_strategy": {
        "population": 24,
        "starts": 2,
        "start_generations": 4,
        "challenger_every": 5,
        "grace": 2,
        "window": 4,
        "operators": {"add_reader": {}, "widen_memory": {}},
    },
    "genetic": {
        "population": 20,
        "elites": 3,
        "tournament": 2,
        "species_size": 3,
        "operators": {"perturb": {"share": 4}, "add_reader": {}, "cross": {}},
    },
    "neat": {
        "population": 20,
        "species": 4,
        "operators": {"perturb": {"share": 4}, "add_reader": {}, "cross": {}},
    },
    "cma": {"population": 12},
}
GENETIC = STRATEGIES["genetic"]
STRATEGIES["lexicase"] = {
    **GENETIC,
    "strategy": "genetic",
    "lexicase": {"share": 0.5, "within": "deviation"},
}


def told(strategy="evolution_strategy", *, machine=None, **changes):
    """Tell an experiment that takes a moment: copy of one bit. Changes are of `evolve`."""
    part = {"name": "as trained", "rows": 5, "sequences": 32, "at_most": {"wrong_bits": 0}}
    evolve = {"strategy": strategy, "generations": 12, "episodes": 8, "validate_every": 4}
    return {
        "task": "copy",
        "with": {"bits": 1, "longest": 2},
        "exam": {"validation": [part], "parts": [{**part, "sequences": 48}]},
        "machine": {"units": [4], "width": 3, "rows": [4, 6], **(machine or {})},
        "evolve": {**evolve, **STRATEGIES[strategy], **changes},
        "run": {"threads": 1},
    }


def experiment(strategy="evolution_strategy", **changes):
    """Check what `told` tells."""
    return parse(told(strategy, **changes))


def task_of(experiment):
    return make(experiment.task, experiment.with_)


def generations(experiment, toolbox=None):
    """Evolve in this thread."""
    return list(evolve(experiment, task_of(experiment), map, toolbox))


def births(generations):
    """Tell all that is recorded of births."""
    return [
        (birth.number, birth.generation, birth.parents, birth.operators, birth.genome.id)
        for generation in generations
        for birth in generation.births
    ]


def tiny(seed=1, units=(1,), heads=0):
    """Make a founder of a few genes."""
    channels = (Block(1, 1, name="in"),), (Block(101, 1, name="out"),)
    told = {"units": units, "width": 2, "readers": heads, "writers": heads}
    return founder(*channels, **told, generator=derive(seed, "founder"))


class Turns:
    """Generations of a strategy, scored by `judge(genes [rows, G], slot) -> fitness [rows]`."""

    def __init__(self, strategy, judge):
        self.strategy, self.judge = strategy, judge
        self.numbers, self.generation = count(1), 0
        self.born = {}
        self.jobs = []

    def take(self, turns=1):
        """Take some turns, and give the events."""
        events = []
        for _ in range(turns):
            self.jobs = list(self.strategy.generate(self.generation))
            scores = [self._score(job, slot) for slot, job in enumerate(self.jobs)]
            events += self.strategy.update(self.generation, self.jobs, scores)
            self.generation += 1
        return events

    def reflect(self, bits, stage=0, standing=None):
        """Tell the strategy how its best did on the validation set, and where it stands."""
        looked = Validation(self.generation - 1, self.strategy.best(), bits, bits, standing, stage)
        return self.strategy.reflect(looked)

    def _score(self, job, slot):
        fitness = np.asarray(self.judge(np.asarray(job.rows(), np.float64), slot), np.float64)
        if isinstance(job, Individual):
            job.fitness.values = (float(fitness[0]),)
            if job.number is None:
                job.number, job.generation = next(self.numbers), self.generation
                self.born[job.number] = job
        return Scores(fitness, {})


def rewritten(run, **changes):
    """Put other settings into the experiment of a run."""
    path = run / "experiment.yaml"
    path.write_text(dump(parse({**read_yaml(path.read_text(), "run"), **changes})))
