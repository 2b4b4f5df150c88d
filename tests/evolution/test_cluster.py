"""Scoring by Ray: the same births on any number of workers, whatever happens to these."""

import os
import signal
from pathlib import Path

import pytest

from evo_ntm.errors import ClusterError, TaskError
from evo_ntm.evolution.engine import FAILURE, evolve
from evo_ntm.evolution.workers import Cluster
from evo_ntm.evolution.workers.session import token
from evo_ntm.evolution.workers.worker import Introduction, versions
from evo_ntm.experiment.run import RunSettings
from evo_ntm.machine import choose
from tests.evolution.cases import STRATEGIES, births, experiment, generations, task_of
from tests.evolution.faults import Faulty

pytest.importorskip("ray", reason="needs the extra `ray`")
pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def workers():
    with Cluster(RunSettings(workers=2, timeout=4), None) as opened:
        yield opened


def evolved(asked, workers, task=None):
    return list(evolve(asked, task or task_of(asked), workers.map, backend=workers.backend))


def fitness(generations):
    return [birth.fitness.values for each in generations for birth in each.births]


@pytest.mark.parametrize("encoding", ["direct", "tied"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_births_are_those_of_this_process(workers, strategy, encoding):
    asked = experiment(strategy, machine={"encoding": encoding})
    here, there = generations(asked), evolved(asked, workers)
    assert births(there) == births(here)
    assert fitness(there) == fitness(here)
    assert not any(each.unscored for each in there)


@pytest.mark.parametrize(
    ("part", "other", "told"),
    [
        ("versions", {"python": "3.9"}, "with python .*, but one has 3.9"),
        ("arithmetic", {"numpy": "0.1"}, "with numpy .*, but one has 0.1"),
        ("arithmetic", {"instructions": "NO AVX"}, "with instructions .*, but one has NO AVX"),
        ("arithmetic", {"triton": "3"}, "with triton none, but one has 3"),
    ],
)
def test_a_worker_that_would_compute_otherwise_is_not_taken_in(workers, part, other, told):
    here = choose()
    facts = {**here.facts, "arithmetic": {**here.arithmetic, **other}}
    who = Introduction(1, "node", {**versions(), **other}, here, here.facts, "")
    who = who._replace(versions=versions(), facts=facts) if part == "arithmetic" else who
    with pytest.raises(ClusterError, match=f"expected workers {told}"):
        workers._welcome(None, who)
    assert workers.facts == here.facts


@pytest.mark.parametrize("way", [
    "raise",
    "die",
    pytest.param("hang", marks=pytest.mark.slow),
    pytest.param("stop", marks=pytest.mark.slow),
])  # fmt: skip
def test_a_chunk_that_goes_wrong_once_is_done_again(workers, tmp_path, way):
    asked = experiment("genetic", generations=4)
    task = Faulty(task_of(asked).settings, tmp_path, way, at=5)
    there = evolved(asked, workers, task)
    assert task.attempts >= 2
    assert births(there) == births(generations(asked))
    assert not any(each.unscored for each in there)


def test_a_chunk_that_goes_wrong_three_times_is_the_worst_and_the_run_goes_on(workers, tmp_path):
    asked = experiment("genetic", generations=4, validate_every=10)
    task = Faulty(task_of(asked).settings, tmp_path, "raise", at=5, times=3)
    there = evolved(asked, workers, task)
    assert task.attempts == 3 and len(there) == 4
    (failed,) = [each for each in there if each.unscored]
    (told,) = [event.text for event in failed.events if event.kind == FAILURE]
    assert "in 3 attempts: ValueError: there is no luck in this line" in told
    assert failed.checkpoint is not None  # though none was due
    assert 0 < failed.failures < failed.scored
    assert [each.failures for each in there if each is not failed] == [0, 0, 0]


def test_what_a_task_refuses_on_purpose_is_raised(workers, tmp_path):
    asked = experiment("genetic", generations=4)
    task = Faulty(task_of(asked).settings, tmp_path, "refuse", at=5)
    with pytest.raises(TaskError, match="^gauge: expected luck$"):
        evolved(asked, workers, task)
    assert task.attempts == 1


def test_a_worker_that_is_killed_between_two_generations_is_replaced(workers):
    asked = experiment("evolution_strategy", generations=6)
    loop = evolve(asked, task_of(asked), workers.map, backend=workers.backend)
    there = [next(loop)]
    killed = workers.processes[0]
    os.kill(killed, signal.SIGKILL)
    there += loop
    assert f"process {killed}: the worker died" in workers.lost()
    assert workers.lost() == []
    assert births(there) == births(generations(asked))
    assert 1 <= workers.alive <= 2


@pytest.mark.parametrize("home", [None, "unreadable"])
def test_who_has_no_home_or_none_to_be_read_gets_a_token_all_the_same(monkeypatch, home):
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)

    def expanduser(path):
        raise RuntimeError("Could not determine home directory.")

    def exists(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, *(("expanduser", expanduser) if home is None else ("exists", exists)))
    assert len(token()["RAY_AUTH_TOKEN"]) == 64
