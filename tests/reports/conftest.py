import pytest

from evo_ntm.evolution.breeding import found
from evo_ntm.experiment import parse
from evo_ntm.seeds import derive
from evo_ntm.tasks import make


@pytest.fixture
def founder():
    """Make the founder of a task, and its experiment."""

    def built(task="copy", *, told=None, part=None, rows=24, **machine):
        exam = [{"name": "all", "with": part or {}, "rows": rows, "sequences": 1}]
        settings = {
            "task": task,
            "with": told or {},
            "exam": {
                "validation": [{**part, "at_most": {"bits": 0}} for part in exam],
                "parts": exam,
            },
            "machine": {"units": [8], "width": 6, **machine},
            "evolve": {"strategy": "evolution_strategy"},
        }
        experiment = parse(settings, name=task)
        known = make(experiment.task, experiment.with_)
        return found(experiment, known, derive(1, "founder")), experiment

    return built
