"""A process with a small disk of its own, which it fills while runs are on it.

Run as `python -m tests.filling FOLDER` in namespaces of its own; prints what came of it as JSON.
"""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml

from evo_ntm import cli, journal, verbs
from evo_ntm.tuning import journal as diary
from evo_ntm.tuning.assignment import publish
from evo_ntm.verbs import reporting
from tests.evolution.cases import told

SIZE = 8 << 20


def said(*words):
    """Call the command line; give its status and what it complained of."""
    beside = io.StringIO()
    with redirect_stderr(beside), redirect_stdout(io.StringIO()):
        status = cli.run([str(word) for word in words])
    return {"status": status, "said": beside.getvalue()}


def everything(folder):
    """Read all files but the index of the log."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"]
    return {str(path): path.read_bytes() for path in paths}


def fill(ballast, left):
    """Leave so many bytes of the disk."""
    with ballast.open("ab", buffering=0) as file:
        while True:
            try:
                file.write(bytes(1 << 12))
            except OSError:
                break
    size = ballast.stat().st_size - left
    with ballast.open("r+b") as file:
        file.truncate(max(size, 0))


def main(folder):
    """Fill a disk under a run, before a run, and make it read-only; tell what was said."""
    journal.SECONDS_BETWEEN_COMMITS = 0.0
    task, whole, disk = folder / "task.yaml", folder / "whole", folder / "disk"
    run, ballast = disk / "run", disk / "ballast"
    experiment = told("genetic", generations=40, validate_every=3)
    experiment["run"] = {"threads": 1, "keep": "all", "checkpoint_every": 3}
    task.write_text(yaml.safe_dump(experiment))
    came = {"whole": said("evolve", task, "--to", whole, "--quiet")}
    digest = verbs.digest(whole)

    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", disk], check=True)
    fill(ballast, 0)
    came["no room to begin"] = said("evolve", task, "--to", run, "--quiet")
    came["left"] = sorted(path.name for path in disk.iterdir())
    ballast.unlink()
    fill(ballast, 3 << 20)
    came["stopped"] = said("evolve", task, "--to", run, "--quiet")
    stopped = verbs.status(run)
    came["state"], came["generation"] = stopped.state, stopped.generation
    fill(ballast, 0)
    before = everything(run)
    came["no room to go on"] = said("resume", run, "--quiet")
    came["unchanged"] = everything(run) == before
    came["status"] = said("status", run)

    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    came["read-only to begin"] = said("evolve", task, "--to", disk / "other", "--quiet")
    came["read-only to go on"] = said("resume", run, "--quiet")
    came["read-only status"] = said("status", run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reporting, "lineage_of", None)
        came["read-only to report"] = said("lineage", run, "--report", "--quiet")
    came["read-only unchanged"] = everything(run) == before
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)

    ballast.unlink()
    subprocess.run(["mount", "-o", f"remount,size={8 * SIZE}", disk], check=True)
    came["resumed"] = said("resume", run, "--quiet")
    came["same"] = verbs.digest(run) == digest

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diary, "SECONDS_BETWEEN_PLACES", 0.0)
        patch.setattr(diary, "publish", lambda *about: fill(ballast, 0) or publish(*about))
        came["tuning stopped"] = said("finetune", run, "--steps", "40", "--quiet")
    came["tuning status"] = said("status", run)
    ballast.unlink()
    came["tuning resumed"] = said("resume", run, "--quiet")
    came["tuned"] = verbs.status(run).tunings

    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    came["read-only digest"] = verbs.digest(run) == digest
    print(json.dumps(came))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
