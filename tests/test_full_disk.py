"""Runs on a disk that is full, or fills, or may not be written: a small real one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WAYS = (["unshare", "-m"], ["unshare", "-Urm"])  # as root, and as anybody


def own_mounts():
    """Find how to begin a process that may mount a disk for itself; None where none may."""
    for way in WAYS if shutil.which("unshare") else ():
        mount = [*way, "mount", "-t", "tmpfs", "none", "/tmp"]
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            return way
    return None


@pytest.fixture(scope="module")
def came(tmp_path_factory):
    way = own_mounts()
    if way is None:
        pytest.skip("no process may mount a disk of its own here")
    command = [*way, sys.executable, "-m", "tests.filling", str(tmp_path_factory.mktemp("disk"))]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def line(told, status):
    assert told["status"] == status, told
    assert told["said"].startswith("evo-ntm: ") and told["said"].count("\n") == 1, told
    return told["said"]


def test_a_run_is_not_begun_on_a_full_disk_and_nothing_is_left_of_it(came):
    assert "disk: cannot be written: No space left on device" in line(came["no room to begin"], 2)
    assert came["left"] == ["ballast"]


def test_a_disk_that_fills_stops_a_run_with_one_line_and_it_can_be_read(came):
    assert "run: cannot be written: " in line(came["stopped"], 3)
    assert came["state"] == "interrupted" and 0 < came["generation"] < 39
    assert came["status"] == {"status": 0, "said": ""}


def test_a_run_is_not_gone_on_with_where_there_is_no_room_and_is_left_as_it_was(came):
    assert "run: cannot be written: No space left on device" in line(came["no room to go on"], 2)
    assert came["unchanged"]


def test_a_disk_that_fills_stops_a_tuning_with_one_line_and_it_can_be_gone_on_with(came):
    assert "run: cannot be written: No space left on device" in line(came["tuning stopped"], 3)
    assert came["tuning status"] == {"status": 0, "said": ""}
    assert came["tuning resumed"]["status"] in (0, 1) and came["tuned"] == 1


def test_once_there_is_room_the_run_goes_on_to_the_same_end(came):
    assert came["resumed"] == came["whole"] == {"status": 1, "said": ""}
    assert came["same"]


def test_where_nothing_may_be_written_runs_are_read_but_not_begun_or_gone_on_with(came):
    for what in ("begin", "go on"):
        said = line(came[f"read-only to {what}"], 2)
        assert "cannot be written: Read-only file system" in said
    said = line(came["read-only to report"], 3)
    assert "report.html: cannot be written: Read-only file system" in said
    assert came["read-only status"] == {"status": 0, "said": ""}
    assert came["read-only unchanged"] and came["read-only digest"]
