import numpy as np
import pytest

from evo_ntm.reports.explaining.readout import explained, readout
from evo_ntm.seeds import derive

COUNT, BITS, WIDTH = 400, 5, 8


@pytest.fixture
def coded():
    """Make bits, and vectors that are a linear code of them."""
    bits = derive(1, "bits").bits((COUNT, BITS)) > 0
    code = derive(2, "code").normal((BITS, WIDTH)).astype(float)
    return bits, (2 * bits - 1) @ code + 3.0, np.arange(COUNT) % 2 == 1


def test_bits_that_are_in_the_vectors_are_read_out(coded):
    bits, vectors, held_out = coded
    found = readout(vectors, bits, held_out)
    assert found.right == 1.0 and found.gained == 1.0
    assert 0.5 <= found.chance < 0.6


def test_bits_that_are_not_in_the_vectors_come_out_by_chance(coded):
    bits, vectors, held_out = coded
    noise = derive(3, "noise").normal(vectors.shape).astype(float)
    found = readout(noise, bits, held_out)
    assert abs(found.right - 0.5) < 0.06 and found.gained < 0.15


def test_what_was_learned_by_heart_does_not_count(coded):
    bits, _, held_out = coded
    by_heart = np.eye(COUNT)  # every vector is its own
    assert readout(by_heart, bits, held_out).right < 0.6


def test_too_few_vectors_and_bits_that_never_change_tell_nothing(coded):
    bits, vectors, held_out = coded
    assert readout(vectors[:20], bits[:20], held_out[:20]) is None
    assert readout(vectors, np.ones_like(bits), held_out) is None


def test_silent_vectors_tell_no_more_than_a_constant(coded):
    bits, vectors, held_out = coded
    found = readout(np.zeros_like(vectors), bits, held_out)
    assert found.right <= found.chance


def test_a_value_that_decides_on_the_row_is_told_from_one_that_does_not():
    value = derive(4, "value").random(2000)
    other = derive(5, "value").random(2000)
    rows = np.floor(value * 60).astype(int)
    assert explained(value, rows, 128) > 0.95
    assert explained(other, rows, 128) < 0.05
    assert explained(value, (rows + 90) % 128, 128) > 0.95  # over the end of the ring
    assert explained(value, np.zeros(2000, int), 128) == 0
