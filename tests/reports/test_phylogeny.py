"""Selection and phylogeny, beside what phylotrackpy says and what can be counted by hand."""

from math import isclose

import numpy as np
import pytest
from phylotrackpy.systematics import Systematics

from evo_ntm.reports import phylogeny
from evo_ntm.reports.pedigree import NOBODY, read_pedigree
from evo_ntm.reports.phylogeny import (
    ancestors_back,
    common_ancestors,
    distances,
    effective_parents,
    fecund,
    tell_population,
)
from tests.reports.populations import evolved, made

FOUND, PERTURB = ["found"], ["perturb"]
ROOT = 0


def systematics(pedigree):
    """Live through a run with phylotrackpy, and give it after each generation.

    Founders are children of one root, which is born and dies before them.
    """
    told = Systematics(lambda number: number, True, True, False, False)
    root = told.add_org(ROOT)
    taxa, before = {}, {}
    for generation in range(pedigree.generations):
        told.set_update(generation)
        alive = dict.fromkeys(pedigree.alive(generation).tolist())
        for place in range(*pedigree.born(generation).indices(len(pedigree))):
            parent = pedigree.primary[place]
            elder = root if parent == NOBODY else taxa[int(parent)]
            taxa[place] = told.add_org(int(pedigree.numbers[place]), elder)
        if not generation:
            told.remove_org(root)
        for place in before.keys() - alive.keys():
            told.remove_org(taxa[place])
        before = alive
        yield generation, told


WORLDS = {
    "elites": {"elites": 4},
    "no elites": {"elites": 0},
    "neutral": {"tournament": 1, "generations": 50},
    "strict": {"tournament": 7},
    "two": {"size": 2, "elites": 1},
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
@pytest.mark.parametrize("seed", range(4))
def test_ancestors_distances_and_diversity_are_those_of_phylotrackpy(tmp_path, world, seed):
    pedigree = read_pedigree(evolved(tmp_path / "run", seed=seed, **world))
    common = common_ancestors(pedigree)
    found = 0
    for generation, told in systematics(pedigree):
        place = int(common[generation])
        number = ROOT if place == NOBODY else pedigree.numbers[place]
        assert told.get_mrca().get_info() == number
        distance, diversity = distances(pedigree, generation, place)
        assert distance == told.get_mean_pairwise_distance(False)
        # It counts the edges from the root to the common ancestor, too.
        assert diversity == told.get_phylogenetic_diversity() - told.mrca_depth()
        found += place != NOBODY
    assert found


def test_a_population_that_is_founded_anew_has_other_ancestors(tmp_path):
    run = evolved(tmp_path / "run", generations=60, founded=(0, 25, 27))
    pedigree = read_pedigree(run)
    common = common_ancestors(pedigree)
    lines = [lines_of(pedigree, generation) for generation in range(60)]
    for place, alive in zip(common, lines, strict=True):
        shared = set.intersection(*alive)
        assert place == max(shared, default=NOBODY)
    assert common[24] != NOBODY and common[59] != NOBODY
    assert (common[25:28] == NOBODY).all()
    chapter, _ = tell_population(pedigree)
    assert chapter.common_ancestor[25] is chapter.age[25] is None
    assert chapter.mean_pairwise_distance[27] == 2.0  # founders, by way of the root
    assert len(chapter.ancestors_back) <= 33


def lines_of(pedigree, generation):
    """Follow the line of everybody alive, birth by birth."""
    lines = []
    for place in pedigree.alive(generation).tolist():
        line = {place}
        while (place := int(pedigree.primary[place])) != NOBODY:
            line.add(place)
        lines.append(line)
    return lines


def test_a_founder_who_comes_late_keeps_the_others_from_a_common_ancestor(tmp_path):
    births = [(0, [], FOUND, 0, -1.0), (1, [1], PERTURB, 0, -1.0), (1, [], FOUND, 0, -1.0),
              (2, [3], PERTURB, 0, -1.0)]  # fmt: skip
    run = made(tmp_path / "run", births, survivors={2: [2]})
    assert list(common_ancestors(read_pedigree(run))) == [0, NOBODY, NOBODY]


@pytest.fixture
def family(tmp_path):
    """One founder and two children; the first lives on and has two more, the second has one."""
    births = [(0, [], FOUND, 0, -1.0), (1, [1], PERTURB, 0, -1.0), (1, [1], PERTURB, 2, -1.0),
              (2, [2], PERTURB, 0, -1.0), (2, [2], PERTURB, 0, -1.0),
              (2, [3, 2], ["cross"], 0, -1.0)]  # fmt: skip
    return read_pedigree(made(tmp_path / "run", births, survivors={2: [2]}))


def test_a_small_population_is_told_as_it_is_counted_by_hand(family):
    chapter, warnings = tell_population(family)
    assert chapter.generations == (0, 1, 2)
    assert chapter.alive == (1, 2, 4)
    assert chapter.common_ancestor == (1, 1, 1)
    assert chapter.age == (0, 1, 2)
    # 2 is a parent of 4 and 5; 3, of 6, is dead: 1 + 1 + 2 and thrice as far as 6.
    assert chapter.mean_pairwise_distance == (0.0, 2.0, (1 + 1 + 2 + 3 + 4 + 4) / 6)
    assert chapter.phylogenetic_diversity == (0, 2, 5)
    assert chapter.effective_parents == (0.0, 1.0, 9 / 5)
    assert chapter.sweeps == ()
    assert chapter.ancestors_back == (4, 2, 1)
    assert [(parent.number, parent.children) for parent in chapter.fecund] == [
        (1, 2), (2, 2), (3, 1),
    ]  # fmt: skip
    assert chapter.fecund[2].topology.endswith("2 readers, 2 writers, width 2")
    assert warnings == ("which lines live on is not settled yet in the newest 2 generations",)


def test_sweeps_are_the_generations_in_which_the_common_ancestor_changes(tmp_path):
    pedigree = read_pedigree(evolved(tmp_path / "run", generations=300, tournament=3))
    chapter, _ = tell_population(pedigree)
    common = [None if place == NOBODY else int(pedigree.numbers[place])
              for place in common_ancestors(pedigree)]  # fmt: skip
    changed = [(n, common[n]) for n in range(1, 300) if common[n] != common[n - 1]]
    assert list(chapter.sweeps) == changed and len(changed) > 10
    assert len(chapter.generations) == 200 and len(chapter.age) == 200
    for number, ancestor, age in zip(
        chapter.generations, chapter.common_ancestor, chapter.age, strict=True
    ):
        assert ancestor == common[number]
        assert age is None or age == number - pedigree.generation[ancestor - 1]


def test_the_ancestors_of_those_alive_become_fewer_until_they_are_one(tmp_path):
    pedigree = read_pedigree(evolved(tmp_path / "run", generations=80))
    counts = ancestors_back(pedigree)
    age = 79 - pedigree.generation[common_ancestors(pedigree)[-1]]
    assert counts[0] == 16 and counts[-1] == 1 and len(counts) == age + 1
    assert all(more >= fewer for more, fewer in zip(counts, counts[1:], strict=False))
    lines = lines_of(pedigree, 79)
    for back, count in enumerate(counts):
        then = {max(place for place in line if pedigree.generation[place] <= 79 - back)
                for line in lines}  # fmt: skip
        assert len(then) == count


def test_equally_many_children_make_as_many_effective_parents(tmp_path):
    births = [*[(0, [], FOUND, 0, -1.0)] * 4, *[(1, [1 + n % 4], PERTURB, 0, -1.0)
              for n in range(8)]]  # fmt: skip
    pedigree = read_pedigree(made(tmp_path / "run", births))
    assert isclose(effective_parents(pedigree, 1), 4.0)
    assert effective_parents(pedigree, 0) == 0.0
    assert len(fecund(pedigree, 2)) == 2


@pytest.mark.parametrize("strategy", ["evolution_strategy", "cma"])
def test_of_means_no_population_is_told(tmp_path, strategy):
    births = [(0, [], FOUND, 0, -1.0), (1, [1], ["follow_gradient"], 0, -1.0)]
    run = made(tmp_path / "run", births, strategy=strategy)
    assert tell_population(read_pedigree(run)) == (None, ())


def test_what_is_not_known_is_warned_of(tmp_path):
    births = [(0, [], FOUND, 0, -1.0), (1, [1], PERTURB, 0, -1.0), (1, [1], PERTURB, 0, -1.0)]
    run = made(tmp_path / "old", births, scored={1: 3})
    assert tell_population(read_pedigree(run)) == (None, (phylogeny.UNKNOWN,))
    births = [(generation, [], ["generate"], 0, -1.0) for generation in (0, 0, 1, 1)]
    run = made(tmp_path / "own", births)
    assert tell_population(read_pedigree(run)) == (None, (phylogeny.PARENTLESS,))


def test_a_deep_line_is_told_without_recursion(tmp_path):
    births = [(number, [number] if number else [], PERTURB, 0, -1.0) for number in range(3000)]
    chapter, _ = tell_population(read_pedigree(made(tmp_path / "run", births)))
    assert np.ptp(chapter.age) == 0 and chapter.ancestors_back == (1,)
    assert len(chapter.sweeps) == 2999
