from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.reports.explaining.odds import fisher, set_apart
from evo_ntm.seeds import derive


@given(some.data())
def test_the_odds_are_those_of_counting_all_tables(data):
    everyone = data.draw(some.integers(1, 40))
    failed, having = (data.draw(some.integers(0, everyone)) for _ in range(2))
    least = max(0, failed + having - everyone)
    wrong = data.draw(some.integers(least, min(failed, having)))
    tables = sum(
        comb(failed, each) * comb(everyone - failed, having - each)
        for each in range(wrong, min(failed, having) + 1)
    )
    exact = Fraction(tables, comb(everyone, having))
    assert fisher(wrong, having, failed, everyone) == pytest.approx(float(exact), rel=1e-9)


def planted(count=2000, noise=0.01):
    """Make failures that have one cause, beside others that have none."""
    draw = derive(1, "planted")
    cause = draw.random(count) < 0.1
    failed = np.where(cause, draw.random(count) < 0.9, draw.random(count) < noise)
    others = {f"other {number}": draw.random(count) < 0.3 for number in range(30)}
    wider = cause | (draw.random(count) < 0.1)  # goes with the cause
    part = cause & (draw.random(count) < 0.5)
    return failed, {**others, "wider": wider, "part": part, "cause": cause}


def test_the_cause_is_found_and_nothing_that_only_goes_with_it():
    failed, predicates = planted()
    [found] = set_apart(failed, predicates)
    assert found.name == "cause"
    assert found.having == predicates["cause"].sum()
    assert found.share == pytest.approx(failed[predicates["cause"]].mean())
    assert found.otherwise == pytest.approx(failed[~predicates["cause"]].mean())


def test_a_second_cause_is_told_of_those_that_lack_the_first():
    failed, predicates = planted()
    draw = derive(2, "second")
    second = draw.random(2000) < 0.05
    failed = failed | (second & (draw.random(2000) < 0.5))
    first, other = set_apart(failed, {**predicates, "second": second})
    assert (first.name, other.name) == ("cause", "second")
    assert other.having == (second & ~predicates["cause"]).sum()


@pytest.mark.parametrize("seed", range(5))
def test_chance_alone_sets_nothing_apart(seed):
    draw = derive(seed, "chance")
    failed = draw.random(2000) < 0.2
    predicates = {f"{n}": draw.random(2000) < (n + 1) / 60 for n in range(60)}
    assert set_apart(failed, predicates) == []


def test_those_that_could_fail_more_often_are_not_blamed_for_it():
    draw = derive(3, "length")
    length = draw.integers(1, 25, 4000)
    chances = np.minimum(length, 1 + np.floor(np.log(draw.random(4000)) / np.log(0.97)).astype(int))
    failed = (chances < length) | ((chances == length) & (draw.random(4000) < 0.03))
    long = {"long": length > 12}
    assert set_apart(failed, long, chances) == []
    assert [found.name for found in set_apart(failed, long)] == ["long"]


def test_what_everybody_has_or_nobody_says_nothing():
    failed = np.arange(200) < 50
    assert set_apart(failed, {"all": failed | True, "none": failed & False}) == []
    assert set_apart(failed & False, {"half": np.arange(200) % 2 == 0}) == []
