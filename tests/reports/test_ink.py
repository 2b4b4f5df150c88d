import numpy as np
import pytest

from evo_ntm.reports.ink import BITS, VECTORS, WEIGHTS, WRONG, ink, largest


def lightness(colour):
    return float(colour @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scale", [BITS, WEIGHTS])
def test_nothing_is_white_and_more_is_darker(scale):
    shown = ink(scale, np.linspace(0, 1, 50)[None])[0]
    assert shown[0] == pytest.approx([1, 1, 1])
    assert (np.diff([lightness(colour) for colour in shown]) < 0).all()


def test_zero_is_white_among_signed_numbers_and_signs_differ():
    below, zero, above = ink(VECTORS, np.array([[-2.0, 0.0, 2.0]]), -2, 2)[0]
    assert zero == pytest.approx([1, 1, 1], abs=0.01)
    assert below[0] > below[2] and above[2] > above[0]  # brown, and teal


def test_no_wrong_answer_is_inked_like_a_right_one():
    numbers = np.linspace(0, 1, 50)[None]
    right, wrong = ink(BITS, numbers)[0], ink(WRONG, numbers)[0]
    assert np.abs(wrong[:, None] - right).max(-1).min() > 0.2


def test_what_is_beyond_a_scale_has_the_ink_of_its_end():
    shown = ink(WEIGHTS, np.array([[-1.0, 0.0, 1.0, np.inf]]))[0]
    assert (shown[0] == shown[1]).all() and (shown[2] == shown[3]).all()


def test_what_is_no_number_stays_white():
    assert (ink(WEIGHTS, np.array([[np.nan]])) == 1).all()


def test_the_largest_size_counts_signs_out_and_infinities():
    assert largest(np.array([1.0, -3.0]), np.array([2.0, np.inf, np.nan])) == 3.0


def test_the_largest_of_nothing_or_of_zeros_is_one():
    assert largest(np.empty(0), np.zeros(3)) == largest(np.array([np.nan])) == 1.0
