"""What a machine with a tape does, in figures."""

import numpy as np
import pytest

from evo_ntm.errors import ReportError
from evo_ntm.evolution.breeding import found
from evo_ntm.experiment import parse, template
from evo_ntm.reports.chapters import Portrait
from evo_ntm.reports.drawings.machine import machine
from evo_ntm.reports.drawings.memory import memories
from evo_ntm.reports.explaining.explaining import explain
from evo_ntm.reports.memory_use import compose
from evo_ntm.reports.observation import level, observe, rows_to_show, task_to_show
from evo_ntm.seeds import derive
from evo_ntm.tasks import make

EXPERIMENT = parse(template("entm_copy"))
TASK = make("entm_copy", EXPERIMENT.with_)
GENOME = found(EXPERIMENT, TASK, derive(1, "founder"))


def seen_at(length):
    task = task_to_show(EXPERIMENT, length)
    rows = rows_to_show(EXPERIMENT, task)
    return observe(GENOME, task, rows=rows, epsilon=0.01), task


def test_the_path_of_a_head_goes_cell_by_cell():
    seen, _ = seen_at(8)
    where = seen.read_weightings[:, 0].argmax(-1)
    assert (seen.read_weightings.sum(-1) == 1).all()
    assert where.min() == 0 and where.max() == seen.rows - 1
    assert set(np.unique(seen.write_weightings)) <= {0.0, 1.0}


def test_a_figure_shows_what_is_written_and_read_and_where():
    seen, task = seen_at(8)
    titles = [axes.get_title(loc="left") for axes in compose(GENOME, task, seen).axes]
    name = GENOME.topology.heads[0].name
    told = {"write vectors", "read vectors", "where it writes", "where it reads"}
    assert {f"{name}: {what}" for what in told} <= set(titles)


def test_tapes_of_different_lengths_stand_side_by_side():
    shorter, longer = seen_at(8)[0], seen_at(8)[0]
    shorter = shorter._replace(
        write_weightings=shorter.write_weightings[..., :1],
        read_weightings=shorter.read_weightings[..., :1],
    )
    assert {seen.rows for seen in level([shorter, longer])} == {longer.rows}
    portraits = [Portrait("one", 1, 0, GENOME.topology, seen) for seen in (shorter, longer)]
    assert len(memories(portraits)) == 2


def test_a_machine_with_a_tape_is_drawn_with_arrows_both_ways():
    drawn = machine(GENOME.topology)
    told = [element.text for element in drawn.iter() if element.text]
    assert any("tape" in text and "read by controller" in text for text in told)


def test_a_tape_is_not_explained_but_refused_in_one_line():
    with pytest.raises(ReportError, match="this machine has a tape: evo-ntm show"):
        explain(GENOME, EXPERIMENT)
