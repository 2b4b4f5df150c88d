"""Marks on the paired set against a machine run alone in float64, gains against sums by hand."""

from dataclasses import replace
from math import gamma, inf, isnan, pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.errors import GenomeError
from evo_ntm.evolution.workers import Local
from evo_ntm.experiment import parse
from evo_ntm.genome import Genome
from evo_ntm.genome.variation import add_reader, perturb, widen_memory
from evo_ntm.machine import Backend, Machine, choose
from evo_ntm.reports import rescoring
from evo_ntm.reports.rescoring import (
    EPISODES,
    STUDENT,
    Gain,
    Marks,
    gain,
    measured,
    paired_set,
    purpose,
    rescore,
    verdict,
)
from evo_ntm.reports.sidecar import Sidecar
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from tests.evolution.cases import told
from tests.genome.machines import graph

BACKENDS = [Backend("cpu", fused=False)] + ([choose()] if choose().fused else [])


def experiment(**changes):
    curriculum = [{"with": {"longest": 1}, "until": {"wrong_bits": 1}}, {"with": {"longest": 3}}]
    return parse({**told("genetic"), "curriculum": curriculum, **changes}, name="copy")


def trial(backend=BACKENDS[0], **changes):
    asked = experiment(**changes)
    return paired_set(asked, make(asked.task, asked.with_), backend)


def line(founder, encoding="direct"):
    """Make a line of genomes of three shapes."""
    genome, _ = founder(told={"bits": 1, "longest": 2}, units=[5], width=3, encoding=encoding)
    genomes = [genome]
    for number, operator in enumerate([perturb, add_reader, perturb, widen_memory, perturb]):
        genomes.append(operator(genomes[-1], generator=derive(7, "line", number)))
    return [*genomes, *(perturb(genomes[-1], generator=derive(8, "more", n)) for n in range(5))]


def marks(genomes, asked, sidecar=None, spread=map):
    sidecar = sidecar or Sidecar(None, "task")
    found = rescore(genomes, asked, sidecar, spread)
    return [found[genome.id] for genome in genomes]


def alone(genome, asked):
    """Answer every episode in a run of its own, in float64, and count its cost by hand."""
    machine = Machine(genome.topology, asked.epsilon)
    weights = machine.wire_up(torch.tensor(genome.weights, dtype=torch.float64))
    costs, wrongs = [], []
    for lane, length in enumerate(asked.episodes.lengths):
        inputs = asked.episodes.inputs[:length, lane : lane + 1].double()
        state = machine.initial_state(weights, lanes=1, rows=asked.rows)
        logits, _ = machine.run(weights, inputs, state)
        says = 1 / (1 + np.exp(-logits[:, 0].numpy()))
        cost = wrong = 0.0
        for step in range(length):
            if asked.episodes.scored[step, lane]:
                for p, bit in zip(says[step], asked.episodes.targets[step, lane], strict=True):
                    cost -= np.log2(p if bit > 0.5 else 1 - p)
                    wrong += (p > 0.5) != (bit > 0.5)
        costs.append(cost)
        wrongs.append(wrong)
    return np.array(costs), np.mean(wrongs)


@pytest.mark.parametrize("encoding", ["direct", "tied"])
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_every_genome_costs_what_it_costs_alone(founder, backend, encoding):
    asked = trial(backend)
    genomes = line(founder, encoding)
    several = list(zip(genomes, marks(genomes, asked), strict=True))
    for genome, own in several[::4]:
        costs, wrong_bits = alone(genome, asked)
        np.testing.assert_allclose(own.bits, costs, rtol=2e-5, atol=2e-5)
        assert own.wrong_bits == pytest.approx(wrong_bits)
        assert own.cost == pytest.approx(costs.mean(), rel=1e-5)


def test_the_set_is_that_of_the_last_stage_and_of_no_run():
    asked, other = trial(), trial(evolve={**told("genetic")["evolve"], "seed": 9})
    assert len(asked.episodes.lengths) == EPISODES
    assert {(length - 1) // 2 for length in asked.episodes.lengths} == {1, 2, 3}
    assert torch.equal(asked.episodes.inputs, other.episodes.inputs)
    assert asked.rows == other.rows == 6 and asked.epsilon == 0.01
    plain = trial(curriculum=[])
    assert max(plain.episodes.lengths) == 5
    exam = told("genetic")["exam"]
    exam["parts"][0]["rows"] = 9
    assert trial(exam=exam).rows == 9


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_marks_do_not_depend_on_who_is_scored_beside_or_by_how_many_threads(founder, backend):
    asked, genomes = trial(backend), line(founder)
    together = marks(genomes, asked)
    with Local(2, backend) as local:
        threaded = marks(genomes[::-1], asked, spread=local.map)[::-1]
    for genome, one, other in zip(genomes, together, threaded, strict=True):
        (lonely,) = marks([genome], asked)
        assert one.bits.tobytes() == other.bits.tobytes() == lonely.bits.tobytes()
        assert one.wrong_bits == other.wrong_bits == lonely.wrong_bits


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_graphs_of_any_size_are_marked_as_they_would_be_alone(backend):
    asked = trial(backend, **{"with": {"bits": 4, "longest": 2}})
    genomes = [graph(0.4, nodes=nodes, heads=0, seed=nodes) for nodes in (1, 0, 3, 2)]
    for genome, own in zip(genomes, marks(genomes, asked), strict=True):
        costs, wrong_bits = alone(genome, asked)
        np.testing.assert_allclose(own.bits, costs, rtol=2e-5, atol=2e-5)
        assert own.wrong_bits == pytest.approx(wrong_bits)


def test_cold_warm_and_half_warm_give_the_same_numbers_exactly(founder, tmp_path, monkeypatch):
    asked, genomes, path = trial(), line(founder), tmp_path / "scores.json"
    half = Sidecar(path, "task")
    marks(genomes[::2], asked, half)
    half.save()
    rest = Sidecar(path, "task")
    mixed = marks(genomes, asked, rest)
    rest.save()
    monkeypatch.setattr(rescoring, "answered", None)  # nobody is run any more
    warm = marks(genomes, asked, Sidecar(path, "task"))
    monkeypatch.undo()
    cold = marks(genomes, asked)
    for one, other, third in zip(cold, mixed, warm, strict=True):
        assert one.bits.tobytes() == other.bits.tobytes() == third.bits.tobytes()
        assert one.wrong_bits == other.wrong_bits == third.wrong_bits


def test_a_tied_genome_is_scored_with_as_many_bits_as_the_task_has(founder):
    genome, _ = founder(told={"bits": 2}, encoding="tied")
    asked = trial(**{"with": {"bits": 3, "longest": 2}})
    (own,) = marks([genome], asked)
    (wide,) = marks([genome.with_bits(3)], asked)
    assert own.bits.tobytes() == wide.bits.tobytes() and genome.id != genome.with_bits(3).id
    stranger, _ = founder(told={"bits": 2})
    with pytest.raises(GenomeError, match="expected a machine of 4 inputs and 3 outputs"):
        marks([stranger], asked)


@pytest.mark.parametrize("torn", [None, 3, {}, {"bits": [1.0]}, {"bits": "no", "wrong_bits": 1}])
def test_marks_that_make_no_sense_are_made_anew(founder, torn):
    asked, genomes = trial(), line(founder)[:2]
    sidecar = Sidecar(None, "task")
    sidecar.keep(purpose("paired set", asked), genomes[0].id, torn)
    (kept, _), (right, _) = marks(genomes, asked, sidecar), marks(genomes, asked)
    assert kept.bits.tobytes() == right.bits.tobytes()


def test_another_set_another_memory_and_another_arithmetic_are_other_purposes():
    told = {purpose("paired set", each) for each in (
        trial(), replace(trial(), rows=7), replace(trial(), epsilon=0.02), trial(curriculum=[]),
        *(trial(backend) for backend in BACKENDS[1:]),
    )}  # fmt: skip
    assert len(told) == 4 + len(BACKENDS[1:])
    assert purpose("paired set", trial()) != purpose("other", trial())


def test_answers_that_are_no_numbers_cost_without_end(founder):
    genome, _ = founder(told={"bits": 1, "longest": 2}, units=[5], width=3)
    mad = Genome(genome.topology, np.full_like(genome.genes, 3e38))
    sane, insane = marks([genome, mad], trial())
    assert insane.cost == inf and np.isinf(insane.bits).any()
    assert gain(sane, insane) == Gain(-inf, -inf, -inf)
    assert gain(insane, sane) == Gain(inf, inf, inf)
    assert gain(insane, insane) == Gain(0, 0, 0)
    assert [verdict(gain(*pair)) for pair in ((sane, insane), (insane, sane))] == [
        "deleterious", "beneficial"
    ]  # fmt: skip


def of(*bits):
    return Marks(np.array(bits, dtype=np.float32), 0.0)


def test_a_gain_and_its_interval_are_those_that_are_worked_out_by_hand():
    before = of(*[3.0, 5.0, 2.0, 8.0] * 16)
    after = of(*[2.0, 5.5, 1.0, 4.0] * 16)
    # The differences are 1, -0.5, 1 and 4, sixteen times each: their mean is 1.375, and the squares
    # of what they are off it are 0.140625, 3.515625, 0.140625 and 6.890625.
    deviation = sqrt(16 * (0.140625 + 3.515625 + 0.140625 + 6.890625) / 63)
    told = gain(before, after)
    assert told.gain == pytest.approx(1.375, abs=1e-12)
    assert told.high - told.gain == pytest.approx(STUDENT * deviation / 8, rel=1e-12)
    assert told.gain - told.low == pytest.approx(STUDENT * deviation / 8, rel=1e-12)
    assert verdict(told) == "beneficial" and verdict(gain(after, before)) == "deleterious"


def test_the_quantile_is_that_of_students_law():
    # Its density with 63 degrees of freedom, summed up to the quantile.
    freedom, steps = EPISODES - 1, 200_001
    t = np.linspace(-STUDENT, STUDENT, steps)
    scale = sqrt(freedom * pi) * gamma(freedom / 2) / gamma((freedom + 1) / 2)
    density = (1 + t**2 / freedom) ** (-(freedom + 1) / 2) / scale
    assert np.trapezoid(density, t) == pytest.approx(0.95, abs=1e-7)


def test_an_interval_that_holds_zero_is_neutral_and_so_is_what_rounding_may_have_made():
    noise = np.resize([1.0, -1.1], EPISODES)
    assert verdict(gain(of(*[4.0] * EPISODES), of(*(4.0 + noise)))) == "neutral"
    assert verdict(Gain(5e-5, 4e-5, 6e-5)) == verdict(Gain(-5e-5, -6e-5, -4e-5)) == "neutral"
    assert verdict(Gain(5e-4, 4e-4, 6e-4)) == "beneficial"


def test_one_in_twenty_changes_that_are_none_is_taken_for_one():
    drawn = derive(1, "noise").normal((4000, EPISODES)) * 3 + 10
    zero = of(*[10.0] * EPISODES)
    shares = np.mean([verdict(gain(zero, of(*bits))) == "neutral" for bits in drawn])
    assert shares == pytest.approx(0.95, abs=0.015)


@given(
    before=some.lists(some.floats(0, 1e4, width=32), min_size=EPISODES, max_size=EPISODES),
    after=some.lists(some.floats(0, 1e4, width=32), min_size=EPISODES, max_size=EPISODES),
)
def test_a_gain_there_is_a_loss_back(before, after):
    there, back = gain(of(*before), of(*after)), gain(of(*after), of(*before))
    assert there.low <= there.gain <= there.high
    assert (-back.gain, -back.high, -back.low) == pytest.approx(tuple(there), rel=1e-9, abs=1e-9)


def test_who_has_no_parent_here_has_no_gain():
    own = of(*[2.0] * EPISODES)
    first, orphan = measured(own, None, founder=True), measured(own, None)
    assert (first.bits, first.gain, first.low, first.high) == (2.0, 0.0, 0.0, 0.0)
    assert orphan.bits == 2.0 and all(map(isnan, (orphan.gain, orphan.low, orphan.high)))
    assert measured(own, own).gain == 0.0
