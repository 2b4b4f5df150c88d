"""The log of a run: whole lines, whatever ends the process that writes them."""

import json
from math import inf, nan
from threading import Thread

import pytest

from evo_ntm.errors import RunError
from evo_ntm.exits import stopped
from evo_ntm.runs.log import LOG, Log, read_log
from evo_ntm.runs.run import Run
from tests.runs.disk import room_for


def kinds(folder):
    return [line["kind"] for line in read_log(Run(folder))]


def test_a_line_says_when_what_happened_and_how_grave_it_is(tmp_path):
    log = Log()
    with log.within(tmp_path):
        log.tell("worker lost", "warning", worker=3, told="no answer\nfor 15 s", rate=nan, most=inf)
    text = (tmp_path / LOG).read_text("utf-8")
    assert text.count("\n") == 1 and text.endswith("\n")
    line = json.loads(text)
    assert list(line)[:4] == ["version", "time", "level", "kind"]
    assert line["version"] == 1
    assert (line["level"], line["kind"], line["worker"]) == ("warning", "worker lost", 3)
    assert line["time"].endswith("Z") and len(line["time"]) == len("2026-05-01T09:30:00.125Z")
    assert (line["rate"], line["most"]) == (None, None)
    assert read_log(Run(tmp_path)) == [line]


def test_names_that_are_no_text_are_told_all_the_same(tmp_path):
    log = Log()
    with log.within(tmp_path):
        log.tell("began", command=["evo-ntm", "evolve", "\udcff.yaml", "caf\u00e9.yaml"])
    assert read_log(Run(tmp_path))[0]["command"][2:] == ["\udcff.yaml", "caf\u00e9.yaml"]


def test_every_line_is_on_its_way_to_the_disk_at_once(tmp_path):
    log = Log()
    with log.within(tmp_path):
        for number in range(3):
            log.tell("generation", number=number)
            assert len(read_log(Run(tmp_path))) == number + 1


def test_what_is_told_before_there_is_a_folder_is_not_lost(tmp_path):
    log = Log()
    log.tell("worker lost")
    assert read_log(Run(tmp_path)) == []
    with log.within(tmp_path):
        log.tell("began")
    assert kinds(tmp_path) == ["worker lost", "began"]


def test_the_next_process_begins_on_a_line_of_its_own(tmp_path):
    log = Log()
    with log.within(tmp_path):
        log.tell("began")
        log.tell("generation")
    whole = (tmp_path / LOG).read_bytes()
    for length in range(len(whole)):
        (tmp_path / LOG).write_bytes(whole[:length])
        with log.within(tmp_path):
            log.tell("again")
        first = whole.index(b"\n")
        expected = ["began"] * (length >= first) + ["generation"] * (length == len(whole) - 1)
        assert kinds(tmp_path) == [*expected, "again"], length
        assert (tmp_path / LOG).read_bytes().startswith(whole[:length])


def test_lines_of_several_threads_stay_whole(tmp_path):
    log = Log()
    with log.within(tmp_path):
        threads = [Thread(target=lambda: [log.tell("x") for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert kinds(tmp_path) == ["x"] * 200


def test_a_full_disk_is_told_in_one_line_and_tears_one_line_only(tmp_path):
    log = Log()
    with log.within(tmp_path):
        with room_for(300), pytest.raises(RunError) as refusal:
            for _ in range(5):
                log.tell("generation")
        assert str(refusal.value) == f"{tmp_path}: cannot be written: File too large"
        assert stopped(refusal.value)
        there = len(kinds(tmp_path))
        log.tell("stopped")
        assert kinds(tmp_path) == ["generation"] * there + ["stopped"]


def test_a_log_that_cannot_be_opened_is_told_in_one_line(tmp_path):
    (tmp_path / LOG).mkdir()
    with pytest.raises(RunError, match="cannot be written: Is a directory"):
        with Log().within(tmp_path):
            pass
    with pytest.raises(RunError, match="Is a directory"):
        read_log(Run(tmp_path))
