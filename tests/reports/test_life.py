"""What a machine does in one life, in arrays and figures."""

import numpy as np
import pytest

from evo_ntm.errors import ReportError
from evo_ntm.evolution.breeding import found
from evo_ntm.experiment import parse
from evo_ntm.genome.founder import founder
from evo_ntm.reports import life
from evo_ntm.reports.life import observe_life
from evo_ntm.reports.memory_use import compose, draw
from evo_ntm.reports.observation import rows_to_show, task_to_show
from evo_ntm.seeds import derive
from evo_ntm.tasks import make

TAPE = {"units": [], "width": 2, "rows": 3, "tape_heads": 1}
TASKS = {
    "t_maze": {"maze": "single", "trials": 2},
    "season": {"years": 2, "most_days": 2, "fewest_days": 1, "foods": 2, "poisonous": 1},
    "memory_length": {"bits": 2, "longest": 6},
}
every_task = pytest.mark.parametrize("name", TASKS)


def shown(name):
    part = {"name": "one", "rows": 3, "sequences": 1}
    asked = {
        "task": name,
        "with": TASKS[name],
        "machine": TAPE,
        "evolve": {"strategy": "genetic"},
        "exam": {"validation": [{**part, "at_most": {"missed": 0}}], "parts": [part]},
    }
    experiment = parse(asked)
    task = task_to_show(experiment)
    genome = found(experiment, make(name, experiment.with_), derive(1, "founder"))
    genome = genome.with_genes(2 * derive(2, "genes").normal(genome.genes.shape))
    rows = rows_to_show(experiment, task)
    return experiment, task, genome, observe_life(genome, task, rows=rows, epsilon=0.01)


@every_task
def test_a_life_is_told_as_it_was_led(name):
    _, task, _, seen = shown(name)
    steps = len(seen.inputs)
    assert seen.rows <= 3 and seen.earned.shape == (steps,)
    assert seen.earned.sum() == pytest.approx(seen.measures["reward"], abs=1e-6)
    assert seen.answers.shape == (steps, sum(block.size for block in task.outputs))
    assert (seen.read_weightings.sum(-1) == 1).all() and not seen.wrong.any()
    if task.choice:
        assert (seen.answers.sum(-1) == 1).all()


@every_task
def test_a_life_is_drawn(name, tmp_path):
    experiment, task, genome, seen = shown(name)
    titles = [axes.get_title(loc="left") for axes in compose(genome, task, seen).axes]
    assert {"inputs", "answers"} <= set(titles)
    assert any(title.startswith("rewards, ±") for title in titles)
    assert any(title.startswith("runs 1 to ") for title in titles) == (name == "t_maze")
    draw(genome, experiment, to=tmp_path / "life.png")
    assert (tmp_path / "life.png").stat().st_size > 10_000


def test_the_way_through_a_maze_begins_each_run_at_the_start():
    _, task, _, seen = shown("t_maze")
    way = seen.way
    assert len(way.x) == len(seen.inputs) + 1
    assert sorted(set(way.run.tolist())) == list(range(task.runs))
    for run in range(task.runs):
        first = np.flatnonzero(way.run == run)[0]
        assert (way.x[first], way.y[first]) == (way.x[0], way.y[0])
    assert np.hypot(np.diff(way.x), np.diff(way.y))[np.diff(way.run) == 0].max() < 0.1001


@pytest.fixture
def broken():
    """A task whose environment fails, and what a machine is for it; of somebody's own `options`."""
    gymnasium = pytest.importorskip("gymnasium")

    class Broken(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(0, 1, (2,))
        action_space = gymnasium.spaces.Discrete(2)

        def __init__(self, *, begins):
            self.begins = begins

        def reset(self, **_):
            if not self.begins:
                raise RuntimeError("no beginning")
            return np.zeros(2, dtype=np.float32), {}

        def step(self, action):
            raise RuntimeError("no end")

    def made(**options):
        task = make("gymnasium", {"id": "Broken-v0", "options": options})
        return task, founder(task.inputs, task.outputs, units=(2,), generator=derive(1, "f"))

    gymnasium.register("Broken-v0", entry_point=Broken)
    yield made
    del gymnasium.registry["Broken-v0"]


def test_a_life_that_fails_before_its_first_step_is_refused(broken):
    task, genome = broken(begins=False)
    with pytest.raises(ReportError, match="failed before: .*no beginning"):
        observe_life(genome, task, seed=1, rows=4, epsilon=0.01)


def test_a_life_that_fails_says_so_and_counts_its_only_step(broken):
    task, genome = broken(begins=True)
    seen = observe_life(genome, task, seed=1, rows=4, epsilon=0.01)
    figure = compose(genome, task, seen)
    figure.canvas.draw()
    words = [text.get_text() for text in figure.texts]
    assert any(word.startswith("the environment failed in step 0 · ") for word in words)
    timed = [axes for axes in figure.axes if axes.get_xlabel() == "time (steps)"]
    assert timed and all([n for n in axes.get_xticks() if abs(n) < 0.5] == [0] for axes in timed)
    assert all(float(n).is_integer() for axes in timed for n in axes.get_xticks())


def test_a_life_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr(life, "MOST_STEPS", 5)
    with pytest.raises(ReportError, match="expected a life of at most 5 steps to show, but it go"):
        shown("t_maze")
