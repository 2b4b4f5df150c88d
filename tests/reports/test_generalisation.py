"""Ever larger sequences: which sizes, on how many rows, and that answers are counted right."""

from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from evo_ntm.experiment import load, parse
from evo_ntm.experiment.model import UNBOUNDED, most_rows, shown_rows
from evo_ntm.genome import Genome
from evo_ntm.machine import Backend
from evo_ntm.reports import generalisation
from evo_ntm.reports.generalisation import (
    _trials,
    axis_of,
    rows_for,
    sizes_of,
    tell_generalisation,
    trained,
)
from evo_ntm.reports.line import read_line
from evo_ntm.reports.portraits import stations
from evo_ntm.reports.rescoring import paired_rows
from evo_ntm.reports.sidecar import Sidecar
from evo_ntm.tasks import TASKS, make
from tests.evolution.cases import told
from tests.reports.test_rescoring import alone

TAPE = Path(__file__).parents[2] / "tasks" / "entm-copy-8.yaml"
SHIPPED = [path for path in sorted((Path(__file__).parents[2] / "tasks").glob("*.yaml"))
           if load(path).task in TASKS]  # fmt: skip
TORCH = Backend("cpu", fused=False)


def experiment(strategy="evolution_strategy", **changes):
    parts = [
        {"name": "as trained", "rows": 5, "sequences": 8},
        {"name": "length 5", "with": {"shortest": 5, "longest": 5}, "rows": 9, "sequences": 8},
    ]
    exam = {**told(strategy)["exam"], "parts": parts}
    return parse({**told(strategy), "exam": exam, **changes}, name="copy")


def told_of(run, asked, sidecar=None, spread=map):
    line = read_line(run, run.champion())
    known = stations(line, {}, "champion")
    task = make(asked.task, asked.with_)
    sidecar = sidecar or Sidecar(None, "")
    return known, tell_generalisation(known, asked, task, TORCH, sidecar, spread)


def test_sizes_go_from_what_was_trained_to_twice_the_exam():
    asked = experiment()
    axis = axis_of(asked)
    assert axis.name == "length" and trained(axis, asked) == (1, 2)
    assert sizes_of(axis, asked) == [1, 2, 4, 5, 8, 10]
    # Never fewer rows than evolution had at most, and beyond the exam as many more as it is longer.
    assert [rows_for(size, axis, asked) for size in (1, 2, 4, 5, 8, 10)] == [6, 6, 9, 9, 18, 18]


@pytest.mark.parametrize(
    ("overrides", "rows"),
    [
        ([], UNBOUNDED),
        (["machine.rows=16"], UNBOUNDED),
        (["exam.parts=[{name: a ring, rows: 64, sequences: 8}]"], 64),
    ],
)
def test_a_tape_is_as_long_as_in_the_exam_whatever_it_evolved_with(overrides, rows):
    asked = load(TAPE, overrides)
    axis = axis_of(asked)
    assert paired_rows(asked) == rows
    within = [size for size in sizes_of(axis, asked) if size <= 10]
    assert {rows_for(size, axis, asked) for size in within} == {rows}


def test_no_memory_is_more_than_one_without_bounds():
    assert most_rows(3, 128, 5) == 128
    assert most_rows(3, UNBOUNDED, 128) == UNBOUNDED
    assert [shown_rows(1234), shown_rows(UNBOUNDED)] == ["1,234", "unbounded"]


def test_what_was_trained_is_what_all_stages_had():
    curriculum = [{"with": {"longest": 1}, "until": {"bits": 1}},
                  {"with": {"shortest": 3, "longest": 7}}]  # fmt: skip
    asked = experiment(curriculum=curriculum)
    assert trained(axis_of(asked), asked) == (1, 7)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_task_has_sizes_within_and_beyond_what_it_was_trained_with(path):
    asked = load(path)
    axis = axis_of(asked)
    assert axis.name == {
        "associative_recall": "items", "priority_sort": "items", "ngrams": "steps"
    }.get(asked.task, "length")  # fmt: skip
    sized = list(_trials(axis, asked, make(asked.task, asked.with_), TORCH))
    sizes = [size for size, _ in sized]
    assert sizes == sorted({*sizes}) and 3 <= len(sizes) <= 16
    low, high = trained(axis, asked)
    assert min(sizes) <= low and high in sizes and max(sizes) >= 2 * high
    for size, trial in sized:
        assert trial.task.extent()[axis.name] == size
        assert len(trial.episodes.lengths) == generalisation.SEQUENCES
        if (repeats := trial.task.extent().get("repeats")) is not None:
            assert repeats == asked.with_.most


@pytest.mark.parametrize("strategy", ["evolution_strategy", "genetic"])
def test_shares_and_bits_are_those_of_each_machine_alone(evolved, strategy, monkeypatch):
    monkeypatch.setattr(generalisation, "SEQUENCES", 6)
    run, asked = evolved(strategy), experiment(strategy)
    known, told = told_of(run, asked)
    assert told.sequences == 6 and told.trained == (1, 2)
    task = make(asked.task, asked.with_)
    trials = list(_trials(axis_of(asked), asked, task, TORCH))
    assert told.sizes == tuple(size for size, _ in trials)
    assert told.rows == tuple(trial.rows for _, trial in trials)
    for curve, station in zip(told.curves, known, strict=True):
        assert (curve.name, curve.birth) == (station.name, station.birth.number)
        for place, (size, trial) in enumerate(trials):
            bits, wrong_bits = alone(station.genome, trial)
            assert curve.shares[place] == pytest.approx(wrong_bits / size)  # of one bit each
            assert curve.bits[place] == pytest.approx(bits.mean(), rel=1e-4)


def test_what_was_measured_once_is_not_measured_again(evolved, tmp_path, monkeypatch):
    run, asked, path = evolved("cma"), experiment("cma"), tmp_path / "scores.json"
    sidecar = Sidecar(path, "")
    _, cold = told_of(run, asked, sidecar)
    sidecar.save()
    monkeypatch.setattr(generalisation, "answered", None)
    _, warm = told_of(run, asked, Sidecar(path, ""))
    assert warm == cold
    with pytest.raises(TypeError):
        told_of(run, experiment("cma", machine={"units": [4], "rows": [4, 11], "width": 3}),
                Sidecar(path, ""))  # fmt: skip


def test_a_machine_that_answers_with_no_number_costs_without_end(evolved):
    run, asked = evolved("cma"), experiment("cma")
    line = read_line(run, run.champion())
    genome = line[-1].genome
    mad = Genome(genome.topology, np.full_like(genome.genes, 3e38))
    (station,) = stations([replace(line[-1], genome=mad)], {}, "champion")
    task, sidecar = make(asked.task, asked.with_), Sidecar(None, "")
    (curve,) = tell_generalisation([station], asked, task, TORCH, sidecar, map).curves
    assert set(curve.bits) == {inf} and min(curve.shares) > 0


def test_larger_sequences_than_can_be_afforded_are_left_out(monkeypatch):
    asked = experiment()
    task = make(asked.task, asked.with_)
    monkeypatch.setattr(generalisation, "MOST_WORK", 1)
    assert [size for size, _ in _trials(axis_of(asked), asked, task, TORCH)] == [1, 2, 4, 5]


def test_a_task_of_ones_own_has_no_sizes(evolved):
    run = evolved("cma")
    own = parse({**told("cma"), "task": "mine"}, tasks=["mine"])
    known = stations(read_line(run, run.champion()), {}, "champion")
    task, sidecar = make("copy", {"bits": 1}), Sidecar(None, "")
    assert axis_of(own) is None
    assert tell_generalisation(known, own, task, TORCH, sidecar, map) is None
    assert tell_generalisation([], experiment("cma"), task, TORCH, sidecar, map) is None
