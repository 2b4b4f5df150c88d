"""Where what is in a run comes from: what every process that wrote to it was."""

import os
import platform
import sqlite3
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evo_ntm import __version__
from evo_ntm.experiment import Experiment

PACKAGES = ("torch", "numpy", "deap", "safetensors", "ray")


def provenance(experiment: Experiment, backend: str, workers: int = 0) -> dict[str, Any]:
    """Tell versions, command, git commit, device, backend, threads and experiment as JSON."""
    return {
        "versions": {
            "evo_ntm": __version__,
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{
                package: found
                for package in (*PACKAGES, *_players(experiment))
                if (found := _version(package))
            },
        },
        "platform": platform.platform(),
        "command": sys.argv,
        "commit": commit(Path(__file__).parent),
        "device": experiment.run.computes_on,
        "backend": backend,
        "threads": experiment.run.threads,
        "workers": workers,
        "config_hash": experiment.config_hash,
    }


def commit(folder: Path) -> str | None:
    """Name the git commit that a folder is checked out from, with `-dirty` where it was changed."""
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    tracked = ["git", "ls-files", "--error-unmatch", "."]
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    told = ""
    for command in (tracked, describe):
        try:
            ended = subprocess.run(command, cwd=folder, env=quiet, capture_output=True, text=True,
                                   check=False, timeout=10)  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        if ended.returncode:
            return None
        told = ended.stdout.strip()
    return told


def _players(experiment: Experiment) -> list[str]:
    """List the packages in which the environment of an experiment may be, if it has one."""
    if experiment.environment is None:
        return []
    module, colon, _ = experiment.environment.partition(":")
    return ["gymnasium", *([module.partition(".")[0]] if colon else [])]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
