import threading

import pytest
import torch

from evo_ntm.machine import lanes
from tests.machine.cases import numbers


def scattered(*shape):
    """Make a tensor whose first two axes are innermost in storage."""
    return numbers(*shape[2:], *shape[:2]).movedim((-2, -1), (0, 1))


@pytest.mark.parametrize("make", [numbers, scattered])
@pytest.mark.parametrize("axis", [-1, -2])
def test_sums_and_rings_and_choices_are_those_of_torch(make, axis):
    x, y = make(3, 2, 4, 5), make(3, 2, 4, 5) + 1
    index = torch.tensor([3, 0, 0])
    torch.testing.assert_close(lanes.dot(x, y, axis), (x * y).sum(axis))
    torch.testing.assert_close(lanes.softmax(x), torch.softmax(x, dim=-1))
    assert torch.equal(lanes.take(x, index, axis), x.index_select(x.ndim + axis, index))
    assert torch.equal(lanes.join([x, y], axis), torch.cat([x, y], axis))
    assert torch.equal(lanes.innermost(x), x)


@pytest.mark.parametrize("reach", [1, 2, 7])
def test_a_ring_goes_around_as_often_as_it_is_asked_to(reach):
    ring = lanes.around(torch.tensor([0, 1, 2]), reach)
    assert ring.tolist() == [i % 3 for i in range(-reach, 3 + reach)]


def test_lanes_stay_innermost_in_storage():
    x, y = scattered(3, 2, 4, 5), scattered(3, 2, 1, 5)
    index = torch.tensor([1])
    made = [lanes.dot(x, y, -1), lanes.dot(x, x, -2), lanes.softmax(x), lanes.around(x, 1)]
    made += [lanes.join([x, x], -2), lanes.take(x, index, -1), lanes.innermost(numbers(3, 2, 4))]
    with torch.inference_mode():
        made.append(lanes.product(x, y))
    for tensor in made:
        assert tensor.stride()[:2] == (2, 1)


def test_a_product_in_inference_is_lost_at_the_next_one_of_this_thread_only():
    ones, twos = torch.ones(3), torch.full((3,), 2.0)
    with torch.inference_mode():
        kept = lanes.product(ones, twos)

        def elsewhere():
            with torch.inference_mode():
                lanes.product(ones, ones)

        other = threading.Thread(target=elsewhere)
        other.start()
        other.join()
        assert kept.tolist() == [2, 2, 2]
        lanes.product(twos, twos)
        assert kept.tolist() == [4, 4, 4]


def test_a_product_outside_of_inference_is_kept():
    kept = lanes.product(torch.ones(3), torch.ones(3))
    lanes.product(torch.zeros(3), torch.zeros(3))
    assert kept.tolist() == [1, 1, 1]


def test_many_shapes_of_products_are_forgotten_in_time():
    with torch.inference_mode():
        for size in range(1, 3 * lanes.MOST_PLACES):
            x = torch.full((size,), 2.0)
            assert lanes.product(x, x).sum() == 4 * size
    assert len(lanes.workspace.places) <= lanes.MOST_PLACES


def test_a_huge_product_is_not_kept_for_the_next_one(monkeypatch):
    monkeypatch.setattr(lanes, "MOST_NUMBERS", 5)
    ones = torch.ones(6)
    with torch.inference_mode():
        kept = lanes.product(ones, ones)
        lanes.product(2 * ones, ones)
        assert kept.sum() == 6
