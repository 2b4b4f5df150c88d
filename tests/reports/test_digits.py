from math import inf, nan

import pytest

from evo_ntm.reports.digits import clock, decimals_of, number, share
from evo_ntm.words import counted


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0"), (12.3456, "12.3"), (0.0123456, "0.0123"), (123456.7, "123,457"),
        (-2.5, "−2.50"), (-0.00001, "0.0000"), (None, "—"), (nan, "—"), (-inf, "—"), (41, "41"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_and_a_true_minus(value, told):
    assert number(value).replace("\u202f", " ") == told


def test_a_gain_has_its_sign():
    assert [number(value, 1, signed=True) for value in (1.25, 0, -1.25)] == ["+1.2", "0.0", "−1.2"]


def test_decimals_are_those_of_the_middle_number():
    assert decimals_of([0.012, 3.1, 700.5]) == 2
    assert decimals_of([1, 20, 3000]) == 0
    assert decimals_of([None, nan]) == 0


def test_shares_and_counts_and_times_are_told_in_their_units():
    assert share(0.123456).replace("\u202f", " ") == "12.3 %"
    assert share(None) == "—"
    assert [counted(1, "birth"), counted(2, "birth")] == ["1 birth", "2 births"]
    told = [clock(seconds).replace("\u202f", " ") for seconds in (5.25, 61, 7300)]
    assert told == ["5.2 s", "1 min 1 s", "2 h 1 min"]
