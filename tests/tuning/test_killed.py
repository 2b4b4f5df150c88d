"""Tunings that are killed between any two steps, and go on to the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")


def killed(folder, count):
    command = [sys.executable, "-m", "tests.tuning.killing", str(folder), str(count)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@forks
def test_a_tuning_killed_at_some_steps_goes_on_to_the_same_bits(tmp_path):
    told = killed(tmp_path, 4)
    assert len(told["killed"]) == 4 and told["killed"][0] == "run renamed"
    assert len(set(told["hashes"])) == 1


@forks
@pytest.mark.slow
def test_a_tuning_killed_at_many_steps_goes_on_to_the_same_bits(tmp_path):
    told = killed(tmp_path, 40)
    assert len(set(told["hashes"])) == 1
    assert {"written", "synced", "renamed", "recorded", "committed"} <= set(told["killed"])
