"""Runs that are killed, at any instant and between any two steps, and go on to the same end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evolution.cases import STRATEGIES

ROOT = Path(__file__).parents[1]
STEPS = {"written", "synced", "renamed", "folder synced", "recorded", "committed", "pruned"}
MAKING = ["folders made", "experiment written", "rows made", "run synced", "run renamed",
          "run published", "opened"]  # fmt: skip

every = pytest.mark.parametrize("strategy", STRATEGIES)


def all_but(*slow):
    """Take every strategy, some of them where there is time."""
    return pytest.mark.parametrize("strategy", [
        pytest.param(name, marks=pytest.mark.slow) if name in slow else name for name in STRATEGIES
    ])  # fmt: skip


# Lexicase is the genetic algorithm but for who is chosen.
most = all_but("lexicase")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")


def killed(folder, strategy, way, count):
    command = [sys.executable, "-m", "tests.killing", str(folder), strategy, way, str(count)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@forks
@all_but("cma", "lexicase", "neat")  # between which steps is no matter of the strategy
def test_a_run_killed_between_any_two_steps_goes_on_to_the_same_end(tmp_path, strategy):
    told = killed(tmp_path, strategy, "steps", 12)
    assert len(set(told["digests"])) == 1
    assert len(told["killed"]) == 12 and set(told["killed"]) == STEPS


@forks
def test_a_run_killed_while_it_is_made_is_there_whole_or_not_at_all(tmp_path):
    told = killed(tmp_path, "cma", "making", len(MAKING))
    assert told["killed"] == MAKING
    assert len(set(told["digests"])) == 1
    # What was left beside is taken for no run: one a kill, and three that were let alone.
    assert told["listed"] == ["not solved"] * (len(MAKING) + 3)
    assert len(list(tmp_path.glob(".*.part"))) == MAKING.index("run renamed")


@forks
@most
def test_a_run_killed_at_random_goes_on_to_the_same_end(tmp_path, strategy):
    told = killed(tmp_path, strategy, "instants", 3)
    assert len(set(told["digests"])) == 1 and told["kills"] == 3


@forks
@pytest.mark.slow
@every
def test_a_run_killed_25_times_goes_on_to_the_same_end(tmp_path, strategy):
    told = killed(tmp_path, strategy, "instants", 25)
    assert len(set(told["digests"])) == 1 and told["kills"] == 25


@forks
@pytest.mark.slow
@every
def test_a_run_killed_after_every_step_of_its_later_part_goes_on_to_the_same_end(
    tmp_path, strategy
):
    told = killed(tmp_path, strategy, "steps", 1000)
    assert len(set(told["digests"])) == 1 and set(told["killed"]) == STEPS
