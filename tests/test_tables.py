"""Tables fit wherever they are looked at, and no word of theirs is cut."""

import math

import pytest

from evo_ntm import tables
from evo_ntm.evolution.exam import ExamRow
from evo_ntm.journal import Progress
from evo_ntm.screen import exam_table, progress_line
from evo_ntm.tables import new_table, show_facts, show_table

EXAM = [
    ExamRow("lengths 1 to 20", {"length": (1, 20)}, 128, 1000, 0.25, 4.04, {"chance": 85.1}, True),
    ExamRow("length 500", {"length": 500}, 512, 20, 1.5, 184.557, {"chance": 3999.578}, None),
]


def shown(capsys, monkeypatch, width, table):
    monkeypatch.setattr(tables, "_terminal", lambda: width)
    show_table(table)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("width", [*range(30, 100, 3), 200])
def test_no_word_is_cut_and_no_line_is_too_long(capsys, monkeypatch, width):
    table = exam_table(EXAM)
    words = [word for column in tables._cells(table) for cell in column for word in cell.split()]
    lines = shown(capsys, monkeypatch, width, table)
    assert max(map(len, lines)) <= width
    there = " ".join(lines).replace("20:", "20").replace("500:", "500").split()
    assert {*words} - {"part"} <= {*there}
    assert not any("\N{HORIZONTAL ELLIPSIS}" in line for line in lines)


def test_a_wide_terminal_and_a_pipe_show_the_same(capsys, monkeypatch):
    table = new_table("name", "told")
    table.add_row("long", "word " * 100)
    lines = shown(capsys, monkeypatch, None, table)
    assert lines == shown(capsys, monkeypatch, 1000, table)
    assert lines[2].split() == ["long", *["word"] * 100]


def test_what_does_not_fit_is_a_list_a_row(capsys, monkeypatch):
    lines = shown(capsys, monkeypatch, 40, exam_table(EXAM))
    assert lines[:4] == [
        "lengths 1 to 20: passed",
        "  length      1 to 20",
        "  rows        128",
        "  sequences   1000",
    ]
    assert "length 500: reported" in lines


def test_facts_are_wrapped_between_words(capsys, monkeypatch):
    monkeypatch.setattr(tables, "_terminal", lambda: 30)
    show_facts({"champion": "birth 771, dense 4, 1 reader", "seed": "1"})
    assert capsys.readouterr().out == (
        "champion  birth 771, dense 4,\n          1 reader\nseed      1\n"
    )
    monkeypatch.setattr(tables, "_terminal", lambda: None)
    show_facts({"champion": "birth 771, " * 30})
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize("width", [10, 40, 60, 80, 99, None])
def test_a_line_of_progress_ends_with_a_whole_part(width):
    told = Progress(223, 1500, -36.85, 8.69, 2, 0, 1.17e6, 56.0, 9.0, 0, ())
    whole = progress_line(told)
    assert whole.endswith("2 species  0:56 left  1.17M sequence-timesteps/s")
    line = progress_line(told, width)
    assert len(line) <= (math.inf if width is None else width)
    assert whole == line or whole.startswith(f"{line}  ") or not line
