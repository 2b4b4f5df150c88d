import pytest

from evo_ntm import verbs
from evo_ntm.evolution.breeding import found
from evo_ntm.experiment import parse
from evo_ntm.runs.store import open_run
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from tests.evolution.cases import told as _told


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


@pytest.fixture(scope="session")
def evolved(tmp_path_factory):
    """Evolve a tiny run of a strategy, once for all tests that only read it."""
    made = {}

    def run(strategy, keep="lineage", **changes):
        about = strategy, keep, repr(changes)
        if about not in made:
            folder = tmp_path_factory.mktemp("runs") / "tiny"
            told = {**_told(strategy, **changes), "name": strategy}
            told["run"] = {"threads": 1, "keep": keep, "checkpoint_every": 4}
            verbs.evolve(parse(told), to=folder)
            made[about] = open_run(folder)
        return made[about]

    return run
