"""Who stands for a line, and that all do the same sequence."""

from dataclasses import replace

import numpy as np
import pytest

from evo_ntm.errors import ReportError
from evo_ntm.experiment import parse
from evo_ntm.reports.line import read_line
from evo_ntm.reports.observation import observe, task_to_show
from evo_ntm.reports.portraits import stations, tell_portraits
from evo_ntm.reports.rescoring import Marks
from evo_ntm.tasks import make
from tests.evolution.cases import told
from tests.reports.test_displacement import births, walk


def marks(line, costs):
    return {
        birth.id: Marks(np.full(64, cost, dtype=np.float32), 0.0)
        for birth, cost in zip(line, costs, strict=True)
        if cost is not None
    }


def line_of(count, kept=lambda number: True):
    first, *rest = births(walk(count), kept)
    return [replace(first, parents=(), operators=("found",)), *rest]


def chosen(line, costs):
    return [(name, birth.number) for name, birth, _ in stations(line, marks(line, costs), "end")]


def test_the_one_halfway_is_who_costs_most_nearly_half_of_the_way():
    line = line_of(6)
    assert chosen(line, [9, 8, 7.1, 5.2, 2, 1]) == [("founder", 1), ("halfway", 4), ("end", 6)]
    assert chosen(line, [9, 8, 7.1, None, 2, 1]) == [("founder", 1), ("halfway", 3), ("end", 6)]
    assert chosen(line, [9, 9, 9, 9, 9, 9]) == [("founder", 1), ("halfway", 2), ("end", 6)]
    assert [genome.id for _, _, genome in stations(line, {}, "end")] == [line[0].id, line[-1].id]


def test_only_who_was_kept_can_stand_for_a_line():
    line = line_of(6, kept=lambda number: number in (3, 6))
    assert chosen(line, [None, None, 7, None, None, 1]) == [("earliest kept", 3), ("end", 6)]
    alone = line_of(6, kept=lambda number: number == 6)
    assert chosen(alone, [None] * 5 + [1]) == [("end", 6)]
    assert chosen(line_of(6, kept=lambda number: False), [None] * 6) == []
    assert chosen(line_of(1), [4]) == [("end", 1)]


def test_all_portraits_are_of_one_sequence(evolved):
    run = evolved("evolution_strategy")
    experiment, line = run.experiment, read_line(run, run.champion())
    known = stations(line, marks(line, np.linspace(4, 1, len(line))), "champion")
    task = make(experiment.task, experiment.with_)
    portraits = tell_portraits(known, experiment, task, rows=6)
    assert [portrait.name for portrait in portraits] == ["founder", "halfway", "champion"]
    assert portraits[-1].birth == run.champion()
    first = portraits[0].seen
    for portrait, birth in zip(portraits, (each.birth for each in known), strict=True):
        seen = portrait.seen
        assert (seen.inputs == first.inputs).all() and (seen.targets == first.targets).all()
        alone = observe(birth.genome, task_to_show(experiment), rows=10, epsilon=0.01)
        assert seen.rows == 10 and (seen.answers == alone.answers).all()
        assert portrait.topology == birth.topology
    assert tell_portraits(known, experiment, task, rows=40)[0].seen.rows == 40


def test_a_task_of_ones_own_is_shown_as_it_is(evolved):
    run = evolved("cma")
    line = read_line(run, run.champion())
    known = stations(line, {}, "champion")
    own = parse({**told("cma"), "task": "mine"}, tasks=["mine"])
    shown = tell_portraits(known, own, make("copy", {"bits": 1, "shortest": 3, "longest": 3}),
                           rows=6)  # fmt: skip
    assert len(shown[0].seen.inputs) == 7 and shown[0].seen.rows == 11
    with pytest.raises(ReportError, match="at most 2500 steps"):
        tell_portraits(known, own, make("copy", {"bits": 1, "shortest": 1300, "longest": 1300}),
                       rows=6)  # fmt: skip
