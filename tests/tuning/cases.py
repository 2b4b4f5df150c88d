"""Small tunings: copy of one bit, taught in this thread."""

import json
from dataclasses import replace

from evo_ntm.evolution.breeding import found
from evo_ntm.evolution.school import school
from evo_ntm.experiment import parse
from evo_ntm.machine import choose
from evo_ntm.runs.checkpoints import Words
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from evo_ntm.training import descent_of
from evo_ntm.tuning import tune
from evo_ntm.tuning.loop import Lesson

PART = {"name": "as trained", "rows": 6, "sequences": 32, "at_most": {"wrong_bits": 0}}
QUICK = {"optimiser": "adam", "learning_rate": 0.03, "batch": 8, "validate_every": 20, "steps": 400}


def told(*, exam=None, curriculum=(), machine=None, **finetune):
    """Tell an experiment that is learned in a moment."""
    parts = exam or [{**PART, "sequences": 48}]
    return {
        "name": "tiny",
        "task": "copy",
        "with": {"bits": 1, "longest": 2},
        "curriculum": list(curriculum),
        "exam": {"validation": [PART], "parts": parts},
        "machine": {"units": [8], "width": 4, "rows": [5, 7], **(machine or {})},
        "evolve": {"strategy": "cma", "generations": 4, "population": 8},
        "finetune": {**QUICK, **finetune},
        "run": {"threads": 1},
    }


def genome_of(experiment, seed=1):
    task = make(experiment.task, experiment.with_)
    return found(experiment, task, derive(seed, "founder"))


def lesson(genome=None, **changes):
    """Prepare a lesson, and whom it is for."""
    experiment = parse(told(**changes))
    task, settings = make(experiment.task, experiment.with_), experiment.finetune
    genome = genome or genome_of(experiment)
    backend = choose()
    descent = descent_of(genome, settings, epsilon=experiment.machine.epsilon, backend=backend)
    return Lesson(experiment, settings, school(experiment, task, backend), descent, map), genome


def looks(**changes):
    return list(tune(*lesson(**changes)))


def plain(place):
    """Tell all that a place is but for the clocks, as a file would."""
    curve = tuple(replace(point, seconds=0.0) for point in place.curve)
    words: Words = replace(place, seconds=0.0, curve=curve).words
    tensors = {name: tensor.tobytes() for name, tensor in place.tensors.items()}
    return json.dumps(words, allow_nan=False, sort_keys=True), tensors
