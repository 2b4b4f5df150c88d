import numpy as np
import pytest

from evo_ntm.evolution.evaluate import score_weights
from evo_ntm.evolution.exam import prepare
from evo_ntm.experiment.exam import Part
from evo_ntm.machine import choose
from evo_ntm.reports.explaining.ablations import ablations, interval
from evo_ntm.reports.explaining.marks import mark, marks
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from tests.genome.machines import SPECIMENS
from tests.reports.explaining.handmade import BITS, copier


def trials(task, *, sequences=100, rows=30):
    part = Part.model_validate({"name": "some", "rows": rows, "sequences": sequences})
    [asked] = prepare([part], task, "marks", epsilon=1e-2, backend=choose("cpu", "torch"))
    return asked.trials


COPY = make("copy", {"bits": BITS, "longest": 5})


@pytest.mark.parametrize("name", SPECIMENS)
def test_marks_add_up_to_the_measures_of_a_generation(name):
    genome = SPECIMENS[name]
    for trial in trials(COPY):
        given, scores = (
            mark(trial, genome),
            score_weights(trial, genome.topology, genome.weights[None]),
        )
        assert given.bits.mean() == pytest.approx(scores.measures["bits"][0], rel=1e-5)
        assert given.wrong_bits.mean() == pytest.approx(scores.measures["wrong_bits"][0])
        assert given.wrong_bits.sum() == given.channels.sum()
        assert (given.steps.any(0) == (given.wrong_bits > 0)).all()


def test_everybody_answers_the_same_sequences():
    genomes = list(SPECIMENS.values())[:3]
    one, other = marks(genomes, trials(COPY), map), marks(genomes[::-1], trials(COPY), map)[::-1]
    for left, right in zip(one, other, strict=True):
        assert all((a.bits == b.bits).all() for a, b in zip(left, right, strict=True))


def test_what_a_broken_machine_says_is_wrong_and_costs_all_there_is():
    genome = SPECIMENS["direct dense, one of each"]
    mad = genome.with_genes(np.full_like(genome.genes, 3e38))
    given = mark(trials(COPY)[0], mad)
    assert np.isinf(given.bits).any() and not np.isnan(given.bits).any()
    assert ablations(mad, trials(COPY), map)


def test_parts_are_worth_what_the_machine_is_without_them():
    genome = copier(["follows", "stays"])
    worth = {each.part: each for each in ablations(genome, trials(COPY), map)}
    needed = {name for name, each in worth.items() if each.matters}
    assert needed == {"writer 71", "reader 73", "reads", "shift", "content", "writer 71 shift",
                      "reader 73 shift"}  # fmt: skip
    idle = worth["reader 74"]
    assert idle.loss == idle.low == idle.high == 0.0
    silent = worth["reads"]
    assert silent.bits == pytest.approx(silent.loss)  # the whole costs nothing
    assert silent.bits == pytest.approx(3 * BITS, abs=1)  # a bit a bit: it says nothing
    assert set(list(worth)[: len(needed)]) == needed
    losses = [worth[part].loss for part in worth if part in needed]
    assert losses == sorted(losses, reverse=True)


def test_an_interval_holds_the_mean_of_differences_in_19_of_20_cases():
    held = 0
    for seed in range(200):
        drawn = derive(seed, "interval").normal((60,)).astype(float) + 0.3
        mean, low, high = interval(drawn)
        assert low < mean < high
        held += low <= 0.3 <= high
    assert 182 <= held <= 198


def test_an_infinite_cost_has_an_infinite_interval():
    assert interval(np.array([1.0, np.inf])) == (np.inf, np.inf, np.inf)
