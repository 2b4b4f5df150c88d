"""Gradients for a tape: answers stay those of hard decisions, and slopes say what would help."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.machine import Machine
from evo_ntm.machine.kernels.gradient import differentiable_episode
from evo_ntm.topology import Tape, wires
from evo_ntm.topology.wires import size
from tests.machine.test_tape import bits, machines, taped, total, weights_of


def answered(topology, flat, inputs, rows=0, lengths=None):
    return Machine(topology).episode(flat, inputs, rows=rows, lengths=lengths)


@settings(max_examples=60, deadline=None)
@given(topology=machines(), rows=some.sampled_from([0, 0, 2, 3]), seed=some.integers(0, 999))
def test_who_learns_answers_as_who_does_not(topology, rows, seed):
    flat, inputs = weights_of(topology, 2, seed=seed), bits(7, 3, total(topology), seed)
    for lengths in (None, [7, 2, 5]):
        plain = answered(topology, flat, inputs, rows, lengths)
        learning = answered(topology, flat.clone().requires_grad_(), inputs, rows, lengths)
        torch.testing.assert_close(learning, plain)
        assert learning.requires_grad


@pytest.mark.parametrize("write", ["interpolate", "overwrite"])
def test_everything_that_a_head_is_told_has_a_slope(write):
    topology = taped(tape=Tape(write))
    flat = weights_of(topology, 8).requires_grad_()
    answers = answered(topology, flat, bits(12, 6, 3))
    target = bits(12, 6, 2, seed=9).unsqueeze(1).expand_as(answers)
    torch.nn.functional.binary_cross_entropy_with_logits(answers, target).backward()
    assert flat.grad.isfinite().all()
    for name, wire in wires(topology).items():
        assert flat.grad[..., wire.place].abs().sum() > 0, name


def test_stages_that_are_not_there_have_no_slope_and_break_none():
    from evo_ntm.topology import Head, Stages

    still = Head(7, "tape", target="controller", stages=Stages(False, False, False, False))
    topology = taped(still)
    flat = weights_of(topology, 2).requires_grad_()
    answered(topology, flat, bits(6, 3, 3)).sum().backward()
    assert flat.grad.isfinite().all()


def test_a_machine_with_a_tape_can_be_differentiated_where_others_are_fused():
    topology = taped()
    flat = weights_of(topology, 2).float().requires_grad_()
    inputs = bits(6, 3, 3).float()
    answers = differentiable_episode(topology, 0.01, flat, inputs, rows=0, lengths=[6, 2, 4])
    assert not answers[2:, :, 1].any()
    answers.sum().backward()
    assert flat.grad.isfinite().all() and flat.grad.any()


def test_a_shift_to_the_cell_that_is_needed_is_found_by_its_slope():
    """One cell to the left holds what should be read; the head stays."""
    topology = taped(inputs=1, outputs=1, width=1)
    every = wires(topology)
    flat = torch.zeros(size(topology), dtype=torch.float64)
    bias = every["tape 7 write < bias"], every["tape 7 interpolation < bias"]
    flat[bias[0].place], flat[bias[1].place] = 5.0, -9.0
    flat[every["tape 7 interpolation < input"].place] = 18.0  # the first cell only is written
    flat[every["tape 7 jump < bias"].place] = -5.0
    flat[every["tape 7 shift < bias"].place] = torch.tensor([0.0, 0.5, -1.0]).double()
    flat[every["tape 7 shift < input"].place] = torch.tensor([0.0, 0.0, 9.0]).double()
    flat[every["output < tape 7 before"].place] = 1.0
    flat.requires_grad_()
    inputs = torch.tensor([1.0, 0.0, 0.0, 0.0]).double().view(4, 1, 1)
    answers = answered(topology, flat, inputs)
    assert answers[-1].item() < 0.01
    (-answers[-1]).sum().backward()
    left, stay, right = flat.grad[every["tape 7 shift < bias"].place].tolist()
    assert left < stay
