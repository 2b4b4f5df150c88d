import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy
import torch

from evo_ntm import __version__
from evo_ntm.experiment import load
from evo_ntm.runs.provenance import commit, provenance

TASKS = Path(__file__).parents[2] / "tasks"


def git(folder, *arguments):
    who = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_where_a_run_comes_from_is_told(small):
    experiment = load(small)
    told = provenance(experiment, "torch on cpu")
    assert told["versions"]["evo_ntm"] == __version__
    assert told["versions"]["torch"] == torch.__version__
    assert told["versions"]["numpy"] == numpy.__version__
    assert told["versions"]["sqlite"] == sqlite3.sqlite_version
    assert told["command"] == sys.argv
    assert (told["device"], told["backend"], told["threads"]) == ("cpu", "torch on cpu", 1)
    assert told["config_hash"] == experiment.config_hash


def test_the_versions_of_an_environment_are_told_with_it():
    known = load(TASKS / "cart-pole.yaml")
    assert known.task_in_words == "gymnasium (CartPole-v1)"
    told = provenance(known, "torch on cpu")["versions"]
    assert told["gymnasium"] == version("gymnasium") and "CartPole-v1" not in told
    foreign = load(TASKS / "cart-pole.yaml", ["with.id=numpy.random:Dice-v0"])
    told = provenance(foreign, "torch on cpu")["versions"]
    assert list(told)[-2:] == ["ray", "gymnasium"] and told["numpy"] == numpy.__version__


def test_the_commit_is_that_of_the_folder_if_it_is_in_it(tmp_path):
    assert commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) is None
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    clean = commit(tmp_path)
    assert len(clean) == 40
    (tmp_path / "code.py").write_text("2\n")
    assert commit(tmp_path) == f"{clean}-dirty"
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "code.py").write_text("1\n")
    assert commit(installed) is None
