import torch

from evo_ntm.machine import Machine, memory
from tests.machine.cases import CASES, every, finite, numbers, weights_of
from tests.machine.test_run import begin, inputs_of, tensors


def check(topology, steps, lanes, lengths=None, **thoroughness):
    machine = Machine(topology, 1e-2)
    inputs = inputs_of(topology, steps=steps, lanes=lanes)

    def run(flat):
        weights = machine.wire_up(flat)
        state = machine.initial_state(weights, lanes=lanes, rows=4)
        answers, end = machine.run(weights, inputs, state, lengths=lengths)
        return (answers, *(tensor for tensor in tensors(end) if tensor.requires_grad))

    flat = weights_of(topology).requires_grad_()
    assert torch.autograd.gradcheck(run, (flat,), **thoroughness)


@every
def test_gradients_are_those_of_finite_differences(topology):
    check(topology, steps=2, lanes=1)


@every
def test_gradients_of_a_ragged_batch_are_those_of_finite_differences(topology):
    check(topology, steps=4, lanes=3, lengths=[3, 1, 4], fast_mode=True)


def test_gradients_reach_every_weight_of_a_population():
    topology = CASES["reader and writer"]
    flat = weights_of(topology, 2).requires_grad_()
    machine, weights, state = begin(topology, flat)
    answers, _ = machine.run(weights, inputs_of(topology), state)
    answers.square().sum().backward()
    assert finite(flat.grad)
    assert (flat.grad != 0).all()


@every
def test_gradients_are_finite_when_memory_and_keys_are_zero(topology):
    flat = torch.zeros_like(weights_of(topology)).requires_grad_()
    machine = Machine(topology, 1e-6)
    weights = machine.wire_up(flat)
    state = machine.initial_state(weights, lanes=3, rows=4)
    answers, end = machine.run(weights, inputs_of(topology), state)
    (answers + 1).square().sum().backward()
    assert finite(flat.grad)


def test_writing_has_gradients_for_all_that_it_is_told():
    told = [numbers(5, 3), torch.rand(2, 5).double(), torch.rand(2, 3).double(), numbers(2, 3)]
    assert torch.autograd.gradcheck(memory.write, [tensor.requires_grad_() for tensor in told])
