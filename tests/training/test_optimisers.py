"""Optimisers against what their sources say, written out in plain Python, and against torch's."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.training.optimisers import Adam, RMSProp, clip_elements, clip_norm, norm

GRADIENTS = some.lists(some.floats(-10, 10, width=32), min_size=1, max_size=30)


def graves(gradients):
    """Write equations 38 to 45 of Graves (2013) out for one weight."""
    aleph, beth, gimel, daleth = 0.95, 0.9, 0.0001, 0.0001  # eq. 42 to 45
    n = g = delta = w = 0.0
    weights = []
    for epsilon in gradients:
        n = aleph * n + (1 - aleph) * epsilon**2  # eq. 38
        g = aleph * g + (1 - aleph) * epsilon  # eq. 39
        delta = beth * delta - gimel * epsilon / math.sqrt(n - g**2 + daleth)  # eq. 40
        w = w + delta  # eq. 41
        weights.append(w)
    return weights


def walked(optimiser, gradients, rate, kind=torch.float64):
    """Go where an optimiser leads from 0."""
    weight = torch.zeros(1, dtype=kind)
    moments, weights = optimiser.begin(weight), []
    for step, gradient in enumerate(gradients):
        told = torch.tensor([gradient], dtype=kind)
        change, moments = optimiser.change(told, moments, rate=rate, step=step)
        weight = weight + change
        weights.append(weight.item())
    return weights


@given(GRADIENTS)
def test_rmsprop_is_that_of_graves(gradients):
    assert walked(RMSProp(), gradients, 1e-4) == pytest.approx(graves(gradients), rel=1e-9)


def test_epsilon_stands_within_the_root():
    (weight,) = walked(RMSProp(), [1e-6], 1e-4)
    assert weight == pytest.approx(-1e-4 * 1e-6 / 1e-2)  # outside of it, this were a hundredth


def test_gradients_that_hardly_vary_move_weights_far():
    steady, varied = walked(RMSProp(), [1.0] * 60, 1e-4), walked(RMSProp(), [1.0, -0.9] * 30, 1e-4)
    assert abs(steady[-1]) > 20 * abs(varied[-1])


@pytest.mark.parametrize("size", [1e3, 1e6, 1e12])
def test_a_steady_gradient_of_any_size_stays_finite(size):
    assert all(map(math.isfinite, walked(RMSProp(), [size] * 500, 1e-4, torch.float32)))


@pytest.mark.parametrize("told", [{}, {"momentum": 0.7, "decay": 0.9, "epsilon": 1e-3}])
@settings(max_examples=30)
@given(gradients=GRADIENTS)
def test_adam_is_that_of_torch(told, gradients):
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    ours = Adam(**told)
    theirs = torch.optim.Adam(
        [weight], lr=0.01, betas=(ours.momentum, ours.decay), eps=ours.epsilon
    )
    weights = []
    for gradient in gradients:
        weight.grad = torch.full_like(weight, gradient)
        theirs.step()
        weights.append(weight.item())
    assert walked(ours, gradients, 0.01) == pytest.approx(weights, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("optimiser", [RMSProp(), Adam()])
def test_nothing_is_changed_in_place(optimiser):
    gradient, weights = torch.ones(3), torch.zeros(3)
    before = optimiser.begin(weights)
    copies = {name: moment.clone() for name, moment in before.items()}
    optimiser.change(gradient, before, rate=0.1, step=0)
    assert torch.equal(gradient, torch.ones(3)) and torch.equal(weights, torch.zeros(3))
    assert all(torch.equal(before[name], copies[name]) for name in copies)


@pytest.mark.parametrize("optimiser", [RMSProp(), Adam()])
def test_machines_beside_each_other_go_their_own_ways(optimiser):
    together = torch.tensor([[0.3, -2.0], [5.0, 0.01]])
    moments = optimiser.begin(together)
    change, moments = optimiser.change(together, moments, rate=0.1, step=0)
    change, moments = optimiser.change(together / 3, moments, rate=0.1, step=1)
    for row, gradient in enumerate(together):
        alone = optimiser.begin(gradient)
        one, alone = optimiser.change(gradient, alone, rate=0.1, step=0)
        one, alone = optimiser.change(gradient / 3, alone, rate=0.1, step=1)
        assert torch.equal(change[row], one)


def test_a_gradient_is_clipped_component_by_component():
    clipped = clip_elements(torch.tensor([-11.0, -10.0, 3.0, 400.0]), 10.0)
    assert clipped.tolist() == [-10.0, -10.0, 3.0, 10.0]


def test_a_gradient_that_is_too_long_is_cut_to_length():
    assert clip_norm(torch.tensor([30.0, -40.0]), 10.0).tolist() == pytest.approx([6.0, -8.0])


def test_a_gradient_that_is_short_enough_stays():
    short = torch.tensor([3.0, -4.0])
    assert torch.equal(clip_norm(short, 5.0), short)


def test_each_of_several_gradients_is_cut_by_itself():
    clipped = clip_norm(torch.tensor([[30.0, -40.0], [0.3, 0.4]]), 10.0)
    assert clipped.tolist() == [pytest.approx([6.0, -8.0]), pytest.approx([0.3, 0.4])]


def test_a_gradient_of_nothing_stays_nothing():
    assert torch.equal(clip_norm(torch.zeros(4), 10.0), torch.zeros(4))


def test_a_gradient_beyond_the_squares_of_its_precision_has_a_length():
    assert norm(torch.tensor([3e30, 4e30])).item() == pytest.approx(5e30)
    assert clip_norm(torch.tensor([3e30, 4e30]), 10.0).tolist() == pytest.approx([6.0, 8.0])


@pytest.mark.parametrize("size", [1, 1023, 1024, 1025, 100_000])
def test_a_length_is_the_same_on_any_number_of_threads(size):
    gradient = torch.linspace(-1, 3, size) ** 3
    before, lengths = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            lengths.append(norm(gradient).item())
    finally:
        torch.set_num_threads(before)
    assert len(set(lengths)) == 1
    assert lengths[0] == pytest.approx(gradient.double().norm().item())
