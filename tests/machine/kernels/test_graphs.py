"""What CUDA graphs record, done step by step where there is no GPU to record it."""

from contextlib import nullcontext

import pytest
import torch

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine
from evo_ntm.machine.kernels import graphs
from tests.machine.cases import USUAL, every, inputs_of, weights_of

EPS = 1e-2


class Repeated:
    """Does again what was recorded, into the same places."""

    def __init__(self, act, found):
        self.act, self.found = act, found

    def replay(self):
        for place, now in zip(self.found, self.act(), strict=True):
            place.copy_(now)


@pytest.fixture
def without_a_gpu(monkeypatch):
    def captured(act, device):
        found = [part.detach().clone() for part in act()]
        return Repeated(act, found), found

    monkeypatch.setattr(graphs, "_captured", captured)
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    graphs._recorded.cache_clear()
    yield
    graphs._recorded.cache_clear()


@every
@pytest.mark.parametrize("lengths", [None, [3, 1]])
def test_gradients_from_a_graph_are_those_of_the_reference(without_a_gpu, topology, lengths):
    machine = Machine(topology, EPS)
    for seed in (1, 2):  # the second time from the graph that is there
        flat, inputs = weights_of(topology, 2, seed=seed).float(), inputs_of(topology, 3, 2).float()
        found = []
        for episode in (machine.episode, lambda *given, **told: graphs.differentiable_episode(
            machine, *given, **told)):  # fmt: skip
            leaves = flat.clone().requires_grad_(), inputs.clone().requires_grad_()
            answers = episode(*leaves, rows=4, lengths=lengths)
            answers.square().sum().backward()
            found.append([answers.detach(), *(leaf.grad for leaf in leaves)])
        for expected, came in zip(*found, strict=True):
            torch.testing.assert_close(came, expected, rtol=1e-4, atol=1e-5)


def test_a_graph_can_be_differentiated_once(without_a_gpu):
    machine = Machine(USUAL, EPS)
    flat = weights_of(USUAL).float().requires_grad_()
    answers = graphs.differentiable_episode(
        machine, flat, inputs_of(USUAL, 2, 1).float(), rows=3, lengths=None
    )
    with pytest.raises(MachineError, match="differentiated once, got create_graph=True"):
        torch.autograd.grad(answers.sum(), flat, create_graph=True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@every
def test_on_a_gpu_gradients_are_those_of_the_reference(topology):
    machine = Machine(topology, EPS)
    flat, inputs = weights_of(topology, 2).float().cuda(), inputs_of(topology, 5, 3).float().cuda()
    found = []
    for graphed in (False, True):
        leaf = flat.clone().requires_grad_()
        answers = (
            graphs.differentiable_episode(machine, leaf, inputs, rows=4, lengths=None)
            if graphed
            else machine.episode(leaf, inputs, rows=4)
        )
        answers.square().sum().backward()
        found.append(leaf.grad)
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-5)
