"""Selection by single episodes: against the definition, read slowly, and in a search."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.lexicase import deviation, lexicase
from evo_ntm.seeds import derive
from tests.evolution.cases import births, experiment, generations

DRAWS = 3000


def chances(worths, slack):
    """Work out how likely everyone is to be chosen, over all orders of the episodes."""
    orders = list(permutations(range(len(worths[0]))))
    chance = [0.0] * len(worths)
    for order in orders:
        left = list(range(len(worths)))
        for episode in order:
            best = max(worths[row][episode] for row in left)
            left = [row for row in left if worths[row][episode] >= best - slack[episode]]
        for row in left:
            chance[row] += 1 / len(left) / len(orders)
    return chance


tables = st.integers(1, 4).flatmap(
    lambda episodes: st.lists(
        st.lists(st.sampled_from([0.0, 0.5, 1.0, -np.inf]), min_size=episodes, max_size=episodes),
        min_size=1,
        max_size=6,
    )
)


@given(tables, st.sampled_from([0.0, 0.5]), st.integers(0, 1000))
def test_only_who_may_be_chosen_is_chosen(table, within, seed):
    worths = np.array(table)
    slack = np.full(worths.shape[1], within)
    chosen = lexicase(worths, slack, 20, generator=derive(seed, "lexicase"))
    chance = chances(table, slack)
    assert len(chosen) == 20
    assert all(chance[row] > 0 for row in chosen)


def test_everyone_is_chosen_as_often_as_the_definition_says():
    table = [[1, 0, 0.5], [0, 1, 0], [0.5, 0.5, 1], [0.5, 0.5, 1], [0.9, 0.9, 0.9]]
    worths = np.array(table)
    for within in (0.0, 0.2):
        slack = np.full(3, within)
        chosen = lexicase(worths, slack, DRAWS, generator=derive(1, "lexicase"))
        shares = np.bincount(chosen, minlength=len(table)) / DRAWS
        assert shares == pytest.approx(chances(table, slack), abs=0.04)


def test_a_specialist_is_a_parent_though_all_others_have_a_better_mean():
    worths = np.array([[0.0, 0.0, 1.0], *[[0.9, 0.9, 0.0]] * 9])
    chosen = lexicase(worths, np.zeros(3), 300, generator=derive(1, "lexicase"))
    assert 60 < chosen.count(0) < 140


def test_the_deviation_is_the_median_one_and_none_where_nothing_is_a_number():
    worths = np.array([[0, 1.0, -np.inf], [1, -np.inf, -np.inf], [5, 3.0, -np.inf]])
    assert deviation(worths).tolist() == [1.0, 1.0, 0.0]


SETTINGS = {"share": 0.5, "within": "deviation"}


@pytest.mark.parametrize("within", ["ties", "deviation"])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_search_by_episodes_goes_another_way_and_always_the_same(within, share):
    settings = {"share": share, "within": within}
    plain = generations(experiment("genetic", generations=5))
    one, same = (generations(experiment("genetic", generations=5, lexicase=settings)) for _ in "12")
    assert births(one) == births(same) != births(plain)


def test_a_share_of_none_leaves_everything_as_it_is():
    plain = generations(experiment("genetic", generations=5))
    none = generations(experiment("genetic", generations=5, lexicase={"share": 0.0}))
    assert births(plain) == births(none)


def test_a_run_without_it_keeps_its_hash():
    plain = experiment("genetic")
    assert experiment("genetic", lexicase=None).config_hash == plain.config_hash
    assert experiment("genetic", lexicase=SETTINGS).config_hash != plain.config_hash


@pytest.mark.parametrize(
    ("lexicase", "said"),
    [
        ({"share": 1.5}, "evolve.lexicase.share: expected at most 1, but came 1.5"),
        ({"within": "mad"}, "evolve.lexicase.within: expected .*ties.*deviation.*, but came 'mad'"),
        ({"shar": 1}, "evolve.lexicase.shar: .*did you mean 'share'"),
        (0.5, "evolve.lexicase: "),
    ],
)
def test_bad_settings_are_refused_in_one_line(lexicase, said):
    with pytest.raises(ExperimentError, match=said):
        experiment("genetic", lexicase=lexicase)
