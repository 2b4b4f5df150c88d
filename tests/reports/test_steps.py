from dataclasses import replace

import pytest

from evo_ntm.reports.chapters import Measured
from evo_ntm.reports.steps import beside, digits, forest, listed, machines, reach, story
from tests.reports.made_up import STRUCTURE, searched

TRUNK = searched().trunk


def test_the_story_tells_every_step_once_and_in_order():
    told = story(TRUNK)
    numbers = []
    for item in told:
        numbers += [step.number for step in item.steps] if item.folded else [item.step.number]
    assert numbers == [step.number for step in TRUNK.steps]
    assert listed(told) == set(numbers)


def test_steps_that_matter_are_never_folded_and_no_step_is_folded_alone():
    for item in story(TRUNK):
        if item.folded:
            assert item.count >= 2 and not any(step.matters for step in item.steps)
            first, last = item.steps[0].generation, item.steps[-1].generation
            assert item.told.startswith(f"{item.count} steps from generation {first} to {last}: ")


def test_of_a_very_long_stretch_some_are_shown_and_all_are_counted():
    plain = next(step for step in TRUNK.steps if not step.matters)
    steps = tuple(replace(plain, number=n, matters=n in (0, 9999)) for n in range(10_000))
    (_, stretch, _) = story(replace(TRUNK, steps=steps))
    assert stretch.count == 9998 and 1000 < len(stretch.steps) < 1600


def test_a_step_is_put_beside_the_row_above_it():
    since, own = Measured(1.0, 0.0, 5.0, 4.0, 6.0), Measured(1.0, 0.0, 0.1, 0.0, 0.2)
    step = replace(TRUNK.steps[3], measured=own, since=since)
    assert beside(step, alone=True) is since and beside(step, alone=False) is own
    assert beside(replace(step, since=None), alone=True) is own
    assert beside(replace(step, verdict="founder"), alone=True) is None


def test_a_forest_places_a_gain_by_its_share_of_the_cost_before():
    drawn = forest(Measured(5.0, 0.0, 5.0, 2.5, 7.5), "beneficial", 1.0)
    low, high = (float(drawn[1].get(name)) for name in ("x1", "x2"))
    middle = float(drawn[2].get("cx"))
    assert middle == pytest.approx(56 + 50 * 0.5)
    assert (low, high) == pytest.approx((56 + 50 * 0.25, 56 + 50 * 0.75))
    assert forest(Measured(5.0, 0.0, float("nan")), "neutral", 1.0) is None
    assert forest(Measured(-5.0, 0.0, 5.0), "neutral", 1.0) is None
    assert forest(None, "neutral", 1.0) is None


def test_a_forest_reaches_as_far_as_the_largest_gain_needs():
    assert reach(story(TRUNK)) in (0.2, 0.5)
    assert reach([]) == 0.05


def test_machines_are_told_where_they_changed():
    told = machines(TRUNK)
    assert [step.number for step, _ in told] == [TRUNK.steps[n].number for n in (0, *STRUCTURE)]
    assert [before.number for _, before in told[1:]] == [
        TRUNK.steps[n - 1].number for n in STRUCTURE
    ]


def test_decimals_are_one_or_two():
    assert digits(TRUNK) in (1, 2)
