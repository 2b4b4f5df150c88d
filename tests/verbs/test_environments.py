"""Runs in environments of Gymnasium that go wrong, or that have become others."""

import numpy as np
import pytest

from evo_ntm import journal, screen, verbs
from evo_ntm.errors import EvoNTMError, TaskError
from evo_ntm.experiment import parse
from evo_ntm.runs.run import Run
from evo_ntm.tasks import gymnasium as tasks
from evo_ntm.tasks import make

gymnasium = pytest.importorskip("gymnasium")
from gymnasium.spaces import Box, Discrete, Text  # noqa: E402


class Moody(gymnasium.Env):
    """Lasts three steps; some of its episodes fail, if it is told to let them."""

    wide, action = 2, Discrete(2)

    def __init__(self, *, fails=False):
        self.observation_space, self.action_space = Box(-1, 1, (self.wide,)), self.action
        self.fails = fails

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count, self.bad = 0, self.np_random.integers(2) == 1
        return np.zeros(self.wide, dtype=np.float32), {}

    def step(self, action):
        self.count += 1
        if self.fails and self.bad:
            raise RuntimeError("it broke")
        shown = np.full(self.wide, self.count / 3, dtype=np.float32)
        return shown, float(action) / 3, self.count == 3, False, {}


@pytest.fixture(autouse=True)
def moody():
    gymnasium.register("Moody-v0", entry_point=Moody)
    yield
    del gymnasium.registry["Moody-v0"]


def evolved(folder, on_generation=None, **options):
    part = {"name": "episodes", "rows": 2, "sequences": 8, "at_most": {"shortfall": 0}}
    asked = {
        "task": "gymnasium",
        "with": {"id": "Moody-v0", "steps": 3, "options": options},
        "exam": {"validation": [part], "parts": [part]},
        "machine": {"units": [], "width": 2, "rows": 2, "tape_heads": 1},
        "evolve": {"strategy": "genetic", "population": 8, "elites": 1, "generations": 3,
                   "episodes": 4},
        "run": {"checkpoint_every": 1},
    }  # fmt: skip
    return verbs.evolve(parse(asked), to=folder, on_generation=on_generation)


def test_a_run_goes_on_where_episodes_fail_and_tells_why_once_a_generation(tmp_path):
    outcome = evolved(tmp_path / "run", fails=True)
    assert outcome.generation == 2 and not outcome.solved
    events = Run(tmp_path / "run").rows("SELECT generation, told FROM events "
                                        "WHERE kind = 'failure' ORDER BY generation")  # fmt: skip
    told = "expected Moody-v0 to go on, but an episode of it failed: RuntimeError: it broke"
    assert events and {row["told"] for row in events} == {told}
    assert len({row["generation"] for row in events}) == len(events) == outcome.failing
    said = f" Scoring failed in {len(events)} generation{'s' * (len(events) > 1)}, the last time: "
    assert screen.summary(outcome).endswith(said + told)
    sat = verbs.exam(tmp_path / "run")
    assert sat.rows[0].measures["shortfall"] > 0.5
    assert sat.failures == (told,)  # once, however many episodes failed
    with pytest.raises(TaskError, match=f"{tmp_path / 'run'}: {told}"):
        verbs.publish(tmp_path / "run", "moody", to=tmp_path)
    assert not (tmp_path / "moody").exists()
    (warning,) = [each for each in verbs.lineage(tmp_path / "run").header.warnings if told in each]
    assert warning == f"nothing could be measured again: {told}"


def test_what_failed_for_a_moment_is_measured_once_it_does_not(tmp_path, monkeypatch):
    evolved(tmp_path / "run")
    monkeypatch.setattr(Moody, "step", lambda self, action: 1 / 0)
    assert not verbs.lineage(tmp_path / "run").trunk.steps[-1].measured
    monkeypatch.undo()
    assert verbs.lineage(tmp_path / "run").trunk.steps[-1].measured


def test_the_line_is_told_though_the_environment_shows_more_than_it_did(tmp_path, monkeypatch):
    evolved(tmp_path / "run")
    monkeypatch.setattr(make("gymnasium", {"id": "Moody-v0"}).__class__, "spaces", property(
        lambda self: (gymnasium.spaces.Box(-1, 1, (3,)), gymnasium.spaces.Discrete(2))
    ))  # fmt: skip
    told = verbs.lineage(tmp_path / "run")
    assert told.trunk.steps and not told.trunk.steps[-1].measured
    assert any("expected a machine of 3 inputs" in each for each in told.header.warnings)


def test_an_environment_that_does_not_say_what_it_shows_is_refused():
    class Bare(gymnasium.Env):
        pass

    gymnasium.register("Bare-v0", entry_point=Bare)
    try:
        with pytest.raises(TaskError, match="expected Bare-v0 to say what it shows .* Attribute"):
            _ = make("gymnasium", {"id": "Bare-v0"}).inputs
    finally:
        del gymnasium.registry["Bare-v0"]


def test_an_exam_without_failures_tells_of_none(tmp_path):
    assert "failed" not in screen.summary(evolved(tmp_path / "run"))
    assert verbs.exam(tmp_path / "run").failures == ()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"wide": 3},
         "expected a machine of 3 inputs and 2 outputs, as gymnasium asks, but genome .* has 2 "
         "and 2"),
        ({"action": Discrete(5)},
         "expected a machine of 2 inputs and 5 outputs, as gymnasium asks, but genome .* has 2 "
         "and 2"),
        ({"action": Text(3)},
         "expected actions of Discrete, .* but those of Moody-v0 are Text"),
    ],
    ids=["observations", "actions", "a kind of actions that is not supported"],
)  # fmt: skip
def test_a_genome_that_does_not_fit_the_environment_is_refused_in_one_line(
    changed, told, tmp_path, monkeypatch
):
    evolved(tmp_path / "run")

    def interrupt(progress):
        if progress.generation:  # after the checkpoint of the first one
            raise KeyboardInterrupt

    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)
    assert evolved(tmp_path / "interrupted", interrupt).interrupted
    for name, value in changed.items():
        monkeypatch.setattr(Moody, name, value)
    tasks._spaces.cache_clear()
    for ask, run in ((verbs.exam, "run"), (verbs.explain, "run"), (verbs.resume, "interrupted")):
        with pytest.raises(EvoNTMError, match=told) as refusal:
            ask(tmp_path / run)
        assert "\n" not in str(refusal.value) and str(tmp_path / run) in str(refusal.value)
    tasks._spaces.cache_clear()
