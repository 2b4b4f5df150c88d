import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_ntm.evolution.cohort import Cohort, Noise, Samples, gather
from evo_ntm.evolution.individual import Individual
from evo_ntm.genome.encoding import likes
from evo_ntm.genome.founder import founder
from evo_ntm.seeds import derive
from evo_ntm.tasks import make

TASK = make("copy", {"bits": 3, "longest": 4})


def genome(encoding="direct", seed=1):
    told = {"units": [5], "width": 4, "encoding": encoding}
    return founder(TASK.inputs, TASK.outputs, **told, generator=derive(seed, "founder"))


def samples(of, pairs, slot=0, alike=0):
    mean = of.genes.astype(np.float64)
    return Samples(of.topology, of.encoding, mean, 0.1, pairs, 1, 2, slot, alike)


def expressed(of, genes):
    return genes if of.encoding == "direct" else genes[:, of.code.expression]


@given(st.integers(1, 9), st.integers(1, 23), st.data())
def test_noise_is_the_same_however_it_is_sliced(pairs, genes, data):
    whole = derive(1, "noise").normal((pairs, genes))
    start = data.draw(st.integers(0, pairs))
    stop = data.draw(st.integers(start, pairs))
    noise = Noise(derive(1, "noise"), (pairs, genes))
    assert np.array_equal(noise.rows(start, stop), whole[start:stop])
    assert np.array_equal(noise.rows(0, pairs), whole)


@pytest.mark.parametrize("encoding", ["direct", "tied"])
@given(data=st.data())
def test_any_rows_of_a_cohort_are_those_of_its_jobs_one_after_the_other(encoding, data):
    one = genome(encoding)
    alike = 1 if encoding == "direct" else 0
    jobs = [Individual(one, operators=("found",)), samples(one, 3, alike=alike),
            samples(one, 2, slot=1),
            Individual(genome(encoding, seed=2), operators=("found",))]  # fmt: skip
    whole = np.concatenate([expressed(one, job.rows()) for job in jobs])
    start = data.draw(st.integers(0, 11))
    stop = data.draw(st.integers(start + 1, 12))
    cohort = pickle.loads(pickle.dumps(gather(jobs)))
    assert len(cohort) == len(whole) == 12
    found = cohort.weights(start, stop)
    assert np.array_equal(found, whole[start:stop])
    assert found.flags.c_contiguous and found.flags.writeable


def test_a_recipe_travels_without_its_noise():
    recipe = samples(genome(), 500)
    assert recipe.noise.nbytes > 100_000
    told = pickle.dumps(gather([recipe, recipe]))
    assert len(told) < 20_000
    (first, _) = pickle.loads(told).parts
    assert np.array_equal(first.rows(), recipe.rows())


def test_some_pairs_move_all_bits_alike_and_the_others_each_gene_for_itself():
    one = genome()
    kinds = likes(one.topology)
    drawn = samples(one, 5, alike=2).noise
    together, apart = drawn[:2], drawn[2:]
    assert len(np.unique(kinds)) < one.genes.size
    for noise in together:
        assert len(np.unique(noise)) == len(np.unique(kinds))
        assert all(len(np.unique(noise[kinds == kind])) == 1 for kind in kinds)
    assert all(len(np.unique(noise)) == one.genes.size for noise in apart)
    assert samples(one, 4000, alike=4000).noise.std() == pytest.approx(1, rel=0.03)


def test_a_recipe_of_bits_alike_travels_too():
    recipe = samples(genome(), 6, alike=4)
    assert np.array_equal(pickle.loads(pickle.dumps(recipe)).rows(), recipe.rows())


def test_what_is_only_to_be_read_is_copied():
    weights = np.zeros((3, 5), dtype=np.float32)
    weights.flags.writeable = False
    assert Cohort(genome().topology, (weights,)).weights(1, 3).flags.writeable
