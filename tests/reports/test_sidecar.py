"""What was measured is there the next time to the last bit; a strange file is as none."""

import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from evo_ntm.errors import ReportError
from evo_ntm.reports import documents
from evo_ntm.reports.sidecar import FORMAT, VERSION, Sidecar

TASK = "3b5dec62d0acc1d939a164012741bc06"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "report.scores.json"


def kept(path, task=TASK, **results):
    """Keep results of one purpose on disk."""
    sidecar = Sidecar(path, task)
    for genome, result in results.items():
        sidecar.keep("paired", genome, result)
    sidecar.save()
    return sidecar


def test_what_was_kept_is_found_by_another_process(path):
    kept(path, a=[1.5, None], b={"bits": 2})
    found = Sidecar(path, TASK)
    assert found.find("paired", "a") == [1.5, None] and found.find("paired", "b") == {"bits": 2}
    assert found.find("paired", "c") is None and found.find("another", "a") is None
    assert json.loads(path.read_text()) == {
        "format": FORMAT,
        "version": VERSION,
        "task": TASK,
        "results": {"paired": {"a": [1.5, None], "b": {"bits": 2}}},
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=some.lists(some.floats(), max_size=5))
def test_numbers_come_back_to_the_bit_whether_measured_or_read(path, numbers):
    path.unlink(missing_ok=True)

    def read(told):
        return [np.inf if number is None else float(number) for number in told]

    def never():
        raise AssertionError("measured twice")

    sidecar = Sidecar(path, TASK)
    cold = sidecar.recall("all", "a", lambda: numbers, read)
    assert sidecar.recall("all", "a", never, read) == cold
    sidecar.save()
    warm = Sidecar(path, TASK).recall("all", "a", never, read)
    assert np.array(warm).tobytes() == np.array(cold).tobytes()
    finite = [number if np.isfinite(number) else np.inf for number in numbers]
    assert np.array(cold).tobytes() == np.array(finite).tobytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\xff",
        b"[1, 2]",
        b"null",
        b"[" * 100_000,
        b'{"format": "evo_ntm scores", "version": 1, "task": "' + TASK.encode() + b'", "res',
        json.dumps({"format": FORMAT, "version": VERSION, "task": TASK}).encode(),
        json.dumps({"format": FORMAT, "version": VERSION, "task": TASK, "results": [1]}).encode(),
        json.dumps({"format": FORMAT, "version": VERSION + 1, "task": TASK,
                    "results": {"paired": {"a": 1}}}).encode(),
        json.dumps({"format": "other", "version": VERSION, "task": TASK,
                    "results": {"paired": {"a": 1}}}).encode(),
        json.dumps({"format": FORMAT, "version": VERSION, "task": TASK,
                    "results": {"paired": [1]}}).encode(),
    ],
)  # fmt: skip
def test_a_torn_strange_or_other_file_is_ignored_and_written_anew(path, content):
    path.write_bytes(content)
    assert Sidecar(path, TASK).find("paired", "a") is None
    kept(path, b=3)
    assert Sidecar(path, TASK).find("paired", "b") == 3


def test_results_of_another_task_are_not_taken(path):
    kept(path, a=1)
    assert Sidecar(path, "other").find("paired", "a") is None
    kept(path, "other", b=2)
    assert Sidecar(path, TASK).find("paired", "a") is None
    assert Sidecar(path, "other").find("paired", "b") == 2


def test_a_result_that_makes_no_sense_is_measured_anew(path):
    kept(path, a={"bits": "many"}, b=[])
    sidecar = Sidecar(path, TASK)
    for name in ("a", "b"):
        result = sidecar.recall("paired", name, lambda: {"bits": 2.0}, lambda t: float(t["bits"]))
        assert result == 2.0 and sidecar.find("paired", name) == {"bits": 2.0}


def test_the_same_results_make_the_same_file_whatever_their_order(path):
    kept(path, a=1, b=2)
    first = path.read_bytes()
    path.unlink()
    kept(path, b=2, a=1)
    assert path.read_bytes() == first


def test_nothing_is_written_where_nothing_is_new_or_no_file_is_wanted(path):
    kept(path, a=1)
    os.utime(path, (1, 1))
    sidecar = Sidecar(path, TASK)
    sidecar.recall("paired", "a", dict, int)
    sidecar.save()
    assert path.stat().st_mtime == 1
    memory = kept(None, a=1)
    assert memory.find("paired", "a") == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_is_written_whole_or_not_at_all(path, monkeypatch):
    kept(path, a=1)

    def full(part, place):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents.Path, "replace", full)
    with pytest.raises(ReportError, match="scores.json: cannot be written: No space left"):
        kept(path, b=2)
    monkeypatch.undo()
    assert Sidecar(path, TASK).find("paired", "a") == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_place_that_cannot_be_written_is_named_in_one_line(tmp_path):
    for place in (tmp_path, tmp_path / "none" / "report.scores.json"):
        with pytest.raises(ReportError, match="expected an existing folder|it is a folder") as told:
            kept(place, a=1)
        assert str(told.value).startswith(f"{place}: ") and "\n" not in str(told.value)


def test_a_pipe_is_no_file_of_results(path):
    os.mkfifo(path)
    assert Sidecar(path, TASK).find("paired", "a") is None
