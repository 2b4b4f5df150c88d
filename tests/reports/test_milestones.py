"""Which places of a line are told of: few, always the same, and enough to see the way."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.reports.milestones import MOST, NOTABLE, SINGLES, milestones
from evo_ntm.seeds import derive


def chosen(costs, *, marked=(), gains=None):
    count = len(costs)
    return milestones(
        marked=[place in marked for place in range(count)],
        costs=costs,
        gains=[0.0] * count if gains is None else gains,
    )


def off(costs, places):
    """Tell how far a line drawn through some places is from the costs at most."""
    return np.abs(np.interp(range(len(costs)), places, np.array(costs)[places]) - costs).max()


def test_the_ends_are_always_told_of():
    assert chosen([3.0]) == [0]
    assert chosen([3.0, 2.0]) == [0, 1]
    assert chosen([5.0] * 100) == [0, 99]
    assert chosen([None] * 100) == [0, 99]


def test_a_straight_way_needs_no_waypoints_and_a_bend_needs_one():
    assert chosen(np.linspace(50, 0, 1001).tolist()) == [0, 1000]
    bent = [*np.linspace(50, 40, 500), *np.linspace(40, 0, 501)[1:]]
    assert chosen(bent) == [0, 499, 999]


def test_a_long_way_of_tiny_steps_is_drawn_by_few_waypoints():
    time = np.arange(2000)
    costs = (60 / (1 + np.exp((time - 700) / 90)) + np.sin(time / 40) * 0.3).tolist()
    places = chosen(costs)
    assert 5 < len(places) < MOST
    assert off(costs, places) <= NOTABLE * np.ptp(costs)
    assert places == chosen(costs)


def test_marked_places_are_told_of_and_those_of_large_effect_first_where_they_are_many():
    costs = [10.0] * 200
    assert chosen(costs, marked=(7, 31, 150)) == [0, 7, 31, 150, 199]
    gains = [float(place % 50) * (-1) ** place for place in range(200)]
    places = chosen(costs, marked=range(200), gains=gains)
    assert len(places) == MOST
    least = min(abs(gains[place]) for place in places[1:-1])
    assert all(abs(gains[place]) <= least for place in range(1, 199) if place not in places)


def test_steps_that_gain_or_lose_much_are_told_of_and_small_ones_are_not():
    costs = np.linspace(100, 50, 300)
    costs[100:] -= 20
    costs[200:] += 10
    gains = [0.0] * 300
    gains[100], gains[200], gains[250] = 20.0, -10.0, 0.5
    places = chosen(costs.tolist(), gains=gains)
    assert {100, 200} <= {*places} and 250 not in places
    many = chosen([50.0, *[10.0] * 298, 0.0], gains=[9.0] * 300)
    assert len(many) <= SINGLES + 4


def test_places_that_were_measured_stand_for_those_that_were_not():
    costs = [None] * 90
    for place, cost in ((20, 9.0), (40, 8.9), (41, 3.0), (80, 1.0)):
        costs[place] = cost
    assert chosen(costs) == [0, 20, 40, 41, 80, 89]


def test_costs_and_gains_without_end_are_no_trouble():
    costs = [inf, 5.0, 4.0, inf, 3.0, 1.0]
    gains = [0.0, inf, 1.0, -inf, inf, nan]
    assert {0, 1, 3, 4, 5} <= {*chosen(costs, gains=gains)}
    assert chosen([inf] * 5) == [0, 4]


@given(
    costs=some.lists(some.none() | some.floats(0, 100), min_size=1, max_size=200),
    seed=some.integers(0, 99),
)
def test_no_more_are_told_of_than_there_is_room_for(costs, seed):
    gains = (derive(seed, "gains").normal(len(costs)) * 10).tolist()
    marked = set(np.flatnonzero(derive(seed, "marked").random(len(costs)) < 0.3).tolist())
    places = chosen(costs, marked=marked, gains=gains)
    assert places == sorted({*places}) and {0, len(costs) - 1} <= {*places} <= {*range(len(costs))}
    assert len(places) <= MOST
    assert len(marked) > MOST - 2 or marked <= {*places}


@pytest.mark.parametrize("count", [10, 100, 1000])
def test_noise_is_told_of_only_as_far_as_it_is_part_of_the_way(count):
    costs = (derive(1, "noise").normal(count) * 0.01 + np.linspace(50, 1, count)).tolist()
    assert chosen(costs) == [0, count - 1]
