import pickle
from dataclasses import dataclass
from math import inf

import numpy as np
import pytest
import torch

from evo_ntm.evolution.cohort import Cohort, Samples
from evo_ntm.evolution.evaluate import Trial, chunks, score, score_weights
from evo_ntm.evolution.individual import Individual
from evo_ntm.genome.founder import founder
from evo_ntm.genome.variation import add_reader, perturb, widen_memory
from evo_ntm.machine import Backend, Machine
from evo_ntm.seeds import derive
from evo_ntm.tasks import grade, make

TASK = make("copy", {"bits": 3, "longest": 4})
LANES = 6


def trial(task=TASK, device="cpu"):
    episodes = task.episodes(derive(1, "episodes"), LANES)
    return Trial(task, episodes, rows=7, epsilon=0.01, backend=Backend(device, fused=False))


def genome(encoding="direct", seed=1):
    told = {"units": [5], "width": 4, "encoding": encoding}
    return founder(TASK.inputs, TASK.outputs, **told, generator=derive(seed, "founder"))


def individual(genome):
    return Individual(genome, operators=("found",))


def jobs():
    """Give individuals and samples of several shapes and encodings, in no order."""
    one, tied = genome(), genome("tied")
    wide = widen_memory(one, generator=derive(2, "wide"))
    reader = add_reader(one, generator=derive(3, "reader"))
    mean = wide.genes.astype(np.float64)
    return [
        individual(one),
        Samples(wide.topology, "direct", mean, 0.1, 3, seed=1, generation=2, slot=0),
        individual(tied),
        individual(reader),
        individual(perturb(one, generator=derive(4, "perturb"))),
        Samples(tied.topology, "tied", tied.genes.astype(np.float64), 0.1, 2, 1, 2, 1),
        individual(wide),
    ]


def alone(job, trial):
    """Grade the machines of a job one by one."""
    code = genome(job.encoding).code if job.encoding == "tied" else None
    bits, wrong = [], []
    for genes in job.rows():
        machine = Machine(job.topology, trial.epsilon)
        weights = torch.tensor(genes if code is None else genes[code.expression])
        wired = machine.wire_up(weights)
        for lane in range(LANES):
            length = trial.episodes.lengths[lane]
            state = machine.initial_state(wired, lanes=1, rows=trial.rows)
            answers, _ = machine.run(wired, trial.episodes.inputs[:length, lane : lane + 1], state)
            padded = torch.zeros(len(trial.episodes.inputs), LANES, 3)
            padded[:length, lane] = answers[:, 0]
            grades = grade(trial.episodes, padded)
            bits.append(grades.bits[lane])
            wrong.append(grades.wrong_bits[lane])
    shape = (len(job.rows()), LANES)
    return np.reshape(bits, shape).mean(1), np.reshape(wrong, shape).mean(1)


def test_every_job_gets_the_scores_that_its_machines_get_alone():
    asked = trial()
    for job, scores in zip(jobs(), score(jobs(), asked, map), strict=True):
        bits, wrong_bits = alone(job, asked)
        np.testing.assert_allclose(-scores.fitness, bits, rtol=1e-4)
        np.testing.assert_allclose(scores.measures["bits"], bits, rtol=1e-4)
        np.testing.assert_allclose(scores.measures["wrong_bits"], wrong_bits, rtol=1e-6)
        assert scores.failures == 0


def test_machines_of_one_shape_run_together():
    pieces = []

    def spread(function, items):
        pieces.extend(items)
        return map(function, items)

    score(jobs(), trial(), spread)
    cohorts = {}
    for _, cohort, start, stop in pieces:
        key = cohort.topology.shape_key
        cohorts[key] = cohorts.get(key, 0) + stop - start
    assert sorted(cohorts.values()) == [1, 7, 7]  # the tied machines are no others when expressed


@pytest.mark.parametrize("population", [1, 2, 3, 700])
def test_chunks_are_the_whole_cohort_in_its_order(population):
    weights = np.arange(population, dtype=np.float32)[:, None] + np.zeros(genome().genes.size)
    cohort = Cohort(genome().topology, (weights,))
    pieces = [cohort.weights(start, stop) for _, _, start, stop in chunks(trial(), cohort)]
    assert np.array_equal(np.concatenate(pieces), weights)
    assert len(pieces) == 1 or len(pieces) % 2 == 0
    assert max(map(len, pieces)) - min(map(len, pieces)) <= 1


def test_a_mean_beside_its_samples_makes_no_more_pieces_of_them():
    def count(population):
        weights = np.zeros((population, genome().genes.size), dtype=np.float32)
        return len(chunks(trial(), Cohort(genome().topology, (weights,))))

    assert count(256) == count(257) == 2
    assert count(512) == count(514) == 4


def test_what_is_not_finite_is_the_worst_and_harms_nobody_else():
    weights = np.tile(genome().genes, (4, 1))
    weights[1] = np.nan
    weights[2] = np.inf
    scores = score_weights(trial(), genome().topology, weights)
    good = score_weights(trial(), genome().topology, weights[[0, 3]])
    assert scores.fitness[[1, 2]].tolist() == [-inf, -inf]
    assert scores.failures == 2 and good.failures == 0
    for name, values in scores.measures.items():
        assert values[[1, 2]].tolist() == [inf, inf]
        np.testing.assert_allclose(values[[0, 3]], good.measures[name], rtol=1e-5)


@dataclass(frozen=True)
class Moody:
    """Copying, with a measure of its own that is not always a number."""

    inputs = TASK.inputs
    outputs = TASK.outputs

    def episodes(self, generator, lanes):
        return TASK.episodes(generator, lanes)

    def measures(self, episodes, grades):
        bits = grades.bits.mean(-1)
        mood = torch.full_like(bits, torch.nan)
        mood[..., :1] = 1.0
        return {"mood": mood}


def test_a_measure_of_a_task_is_never_nan():
    weights = np.tile(genome().genes, (3, 1))
    scores = score_weights(trial(Moody()), genome().topology, weights)
    assert scores.measures["mood"].tolist() == [1.0, inf, inf]
    assert scores.failures == 0


def test_a_trial_knows_what_it_measures():
    assert trial().measures() == {"bits", "wrong_bits"}
    asked = make("ngrams", {"steps": 12})
    assert trial(asked).measures() == {"bits", "wrong_bits", "regret"}


def test_a_device_is_given_more_at_once():
    weights = np.zeros((5000, genome().genes.size), dtype=np.float32)
    cohort = Cohort(genome().topology, (weights,))
    pieces = [len(chunks(trial(device=device), cohort)) for device in ("cpu", "meta")]
    assert pieces[0] > 2 and pieces[1] == 1


def test_the_steps_of_a_trial_are_those_of_its_sequences_without_what_pads_them():
    inputs = trial().episodes.inputs
    flags = inputs[..., -1].argmax(0)  # as many vectors come before the end flag as after it
    assert trial().steps == int((2 * flags + 1).sum()) < inputs[..., 0].numel()


def test_the_episodes_are_on_the_device_only_where_they_are_answered():
    asked = trial(device="meta")
    told = pickle.loads(pickle.dumps(asked))
    for one in (asked, told):
        assert {part.device.type for part in one.shown[:3]} == {"meta"}
        assert {part.device.type for part in one.episodes[:3]} == {"cpu"}
    assert all(map(torch.equal, asked.episodes[:3], told.episodes[:3]))
