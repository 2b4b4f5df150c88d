"""The line of a tiny run: what its rows say, against its rows; what is measured, against sums."""

import json
from dataclasses import replace
from itertools import pairwise
from math import isnan

import numpy as np
import pytest

from evo_ntm.errors import ReportError, RunError
from evo_ntm.experiment import parse
from evo_ntm.machine import Backend
from evo_ntm.reports.line import Birth, commonest, read_line
from evo_ntm.reports.parameters import parameters
from evo_ntm.reports.rescoring import Marks, paired_set, rescore
from evo_ntm.reports.sidecar import Sidecar
from evo_ntm.reports.trunk import VERDICTS, tell_trunk
from evo_ntm.runs.run import Run
from evo_ntm.tasks import make
from tests.evolution.cases import STRATEGIES, tiny, told
from tests.reports.test_rescoring import alone

every = pytest.mark.parametrize("strategy", STRATEGIES)


def trunk_of(run, line):
    """Tell the trunk of a run, scored by torch."""
    experiment = run.experiment
    task = make(experiment.task, experiment.with_)
    trial = paired_set(experiment, task, Backend("cpu", fused=False))
    genomes = [birth.genome for birth in line if birth.genome]
    marks = rescore(genomes, trial, Sidecar(None, ""), map)
    return tell_trunk(line, marks, experiment, rows=trial.rows), trial


@every
def test_the_line_is_as_the_rows_have_it(evolved, strategy):
    run = evolved(strategy)
    line = read_line(run, run.champion())
    rows = {row["number"]: row for row in run.rows("SELECT * FROM births")}
    assert line[0].parents == () and line[-1].number == run.champion()
    for parent, birth in pairwise(line):
        assert birth.parents[0] == parent.number
    for birth in line:
        row = rows[birth.number]
        assert (birth.generation, birth.fitness) == (row["generation"], row["fitness"])
        assert birth.operators == tuple(json.loads(row["operators"]))
        assert birth.id == row["genome"] == birth.genome.id
        assert birth.topology == birth.genome.topology


@every
def test_every_step_is_measured_beside_its_parent(evolved, strategy):
    run = evolved(strategy)
    line = read_line(run, run.champion())
    trunk, trial = trunk_of(run, line)
    genomes = {birth.number: birth.genome for birth in line}
    some = trunk.steps[:1] + trunk.steps[-1:]
    costs = {number: alone(genomes[number], trial) for step in some
             for number in {step.number, *step.parents[:1]}}  # fmt: skip
    for step in some:
        bits, wrong_bits = costs[step.number]
        assert step.measured.bits == pytest.approx(bits.mean(), rel=1e-4)
        assert step.measured.wrong_bits == pytest.approx(wrong_bits)
        if step.parents:
            gains = costs[step.parents[0]][0] - bits
            error = 1.99834 * gains.std(ddof=1) / 8
            assert step.measured.gain == pytest.approx(gains.mean(), abs=1e-4)
            assert step.measured.high - step.measured.low == pytest.approx(2 * error, abs=2e-4)
    assert (trunk.episodes, trunk.rows) == (64, 6)
    assert [step.verdict for step in trunk.steps].count("founder") == 1
    assert sum(trunk.verdicts.values()) == len(line) and tuple(trunk.verdicts) == VERDICTS
    assert trunk.mutations["found"] == 1
    assert sum(trunk.mutations.values()) == sum(len(step.operators) for step in trunk.steps)


def test_a_line_whose_genomes_were_not_kept_is_told_without_measures(evolved):
    run = evolved("genetic", "champions")
    line = read_line(run, run.champion())
    trunk, _ = trunk_of(run, line)
    *rest, champion = trunk.steps
    assert len(rest) > 1
    unkept = [birth.number for birth in line if birth.genome is None]
    assert unkept and champion.number not in unkept
    for step in trunk.steps:
        assert (step.measured is None) == (step.number in unkept)
        if step.parents:
            assert step.verdict == "not measured" and step.displacement is None
    assert champion.measured.bits > 0 and isnan(champion.measured.gain)
    assert trunk.verdicts["not measured"] == len(rest) and trunk.verdicts["founder"] == 1
    assert trunk.steps[0].matters and champion.matters


def test_a_birth_that_is_not_there_is_refused(evolved):
    with pytest.raises(RunError, match="the number of a birth, but there is no 12345"):
        read_line(evolved("cma"), 12345)


def made_up(costs, operators):
    """Make a line of genomes that differ in one weight, with marks of these costs."""
    noise = np.resize([0.01, -0.01], 64)
    founder = tiny(units=(4,), heads=1)
    births, marks = [], {}
    for number, (cost, made) in enumerate(zip(costs, operators, strict=True), start=1):
        genome = founder.with_genes(founder.genes + np.float32(number) * (np.arange(
            founder.genes.size) == 0))  # fmt: skip
        parents = (number - 1,) if number > 1 else ()
        births.append(Birth(number, 2 * number, made, parents, -1.0, genome.topology,
                            genome.id, genome))  # fmt: skip
        if cost is not None:
            marks[genome.id] = Marks((cost + noise * number).astype(np.float32), 1.0)
    return births, marks


EXPERIMENT = parse(told("evolution_strategy"))


def test_what_was_gained_since_the_last_step_that_matters_adds_up_to_the_whole_way():
    costs = [50.0, *np.linspace(50, 48, 60), *np.linspace(47, 3, 40), *np.linspace(3, 2, 60)]
    line, marks = made_up(costs, [("found",)] + [("follow_gradient",)] * 160)
    trunk = tell_trunk(line, marks, EXPERIMENT, rows=9)
    told = [step for step in trunk.steps if step.matters]
    assert 4 <= len(told) <= 40 and trunk.rows == 9
    assert told[0].since is None and all(step.since is None for step in trunk.steps
                                         if not step.matters)  # fmt: skip
    assert sum(step.since.gain for step in told[1:]) == pytest.approx(48.0, abs=1e-3)
    for before, step in pairwise(told):
        assert step.since.gain == pytest.approx(before.measured.bits - step.measured.bits, abs=1e-4)
        assert step.since.bits == step.measured.bits
        assert step.since.low <= step.since.gain <= step.since.high
    assert {step.waited for step in trunk.steps[1:]} == {2} and trunk.steps[0].waited == 0


def test_steps_that_were_not_measured_are_passed_over_by_what_was_gained_since():
    costs = [50.0, None, 45.0, None, 30.0]
    others = [("restore",), ("follow_gradient",), ("add_reader",), ("follow_gradient",)]
    operators = [("found",), *others]
    line, marks = made_up(costs, operators)
    steps = tell_trunk(line, marks, EXPERIMENT, rows=9).steps
    assert [step.matters for step in steps] == [True] * 5
    assert [step.since and round(step.since.gain) for step in steps] == [None, None, 5, None, 15]
    assert [step.verdict for step in steps] == ["founder"] + ["not measured"] * 4


def test_steps_that_gain_much_for_sure_matter_each_and_those_that_may_not_do_not():
    line, marks = made_up([50.0, 40.0, 30.0, 20.0, 10.0], [("found",)] + [("perturb",)] * 4)
    steps = tell_trunk(line, marks, EXPERIMENT, rows=9).steps
    assert [step.matters for step in steps] == [True] * 5
    wild = np.resize([300.0, -300.0], 64)
    for place, birth in enumerate(line):
        sign = (-1) ** place
        marks[birth.id] = Marks((500 - 10 * place + sign * wild).astype(np.float32), 1.0)
    steps = tell_trunk(line, marks, EXPERIMENT, rows=9).steps
    assert {step.verdict for step in steps[1:]} == {"neutral"}
    assert [step.matters for step in steps] == [True, False, False, False, True]


def test_what_most_steps_were_made_by_is_not_told_step_by_step():
    operators = [("found",)] + [("perturb",)] * 30
    operators[12], operators[20] = ("cross", "perturb"), ("restore",)
    line, marks = made_up([9.0] * 31, operators)
    assert commonest(line) == ("perturb",) and commonest(line[:1]) == ()
    steps = tell_trunk(line, marks, EXPERIMENT, rows=9).steps
    assert [place for place, step in enumerate(steps) if step.matters] == [0, 12, 20, 30]
    assert commonest(line[11:13]) == ("perturb",)


def test_a_step_that_changes_the_topology_matters_and_says_what_changed():
    line, marks = made_up([9.0] * 20, [("found",)] + [("perturb",)] * 19)
    wide = replace(line[7].topology, heads=line[7].topology.writers)
    line[7] = replace(line[7], topology=wide, genome=None, id="other")
    steps = tell_trunk(line, marks, EXPERIMENT, rows=9).steps
    assert [place for place, step in enumerate(steps) if step.matters] == [0, 7, 8, 19]
    (lost,), (gained,) = steps[7].changes, steps[8].changes
    assert lost.startswith("reader ") and lost.endswith(" lost") and gained.endswith(" gained")
    assert steps[7].displacement is None and steps[6].displacement > 0
    assert steps[7].measured is None and isnan(steps[8].measured.gain)


def test_what_operators_were_set_to_is_told_in_words():
    assert parameters(EXPERIMENT, ("follow_gradient",)) == (
        "sigma 0.05, learning rate 0.02, averaging 40"
    )
    assert parameters(EXPERIMENT, ("widen_memory",)) == "columns 1"
    assert parameters(EXPERIMENT, ("add_reader",)) == parameters(EXPERIMENT, ("found",)) == ""
    assert parameters(parse(told("cma")), ("recombine",)) == "first sigma 0.5"
    genetic = parse(told("genetic"))
    assert parameters(genetic, ("perturb",)) == "sigma inherited"
    assert parameters(genetic, ("cross", "perturb")) == "perturb: sigma inherited"
    fixed = parse(told("genetic", operators={"perturb": {"sigma": 0.3}}))
    assert parameters(fixed, ("perturb",)) == "sigma 0.3"


def test_a_run_of_the_first_version_is_told_by_the_genomes_that_were_kept(evolved, monkeypatch):
    run = evolved("cma")
    rows = Run.rows

    def early(self, question, *values):
        found = [dict(row) for row in rows(self, question, *values)]
        return [{**row, "shape": None} if "shape" in row else row for row in found]

    expected = read_line(run, run.champion())
    monkeypatch.setattr(Run, "rows", early)
    line = read_line(run, run.champion())
    assert [birth.topology for birth in line] == [birth.topology for birth in expected]
    monkeypatch.setattr(Run, "genomes", lambda self, births: {})
    with pytest.raises(ReportError, match="begun by an early version$"):
        read_line(run, run.champion())
