"""Gradients by autograd of the reference, to which those of any other backend are compared."""

import torch

from evo_ntm.machine import Machine
from tests.machine.cases import numbers

EPS = 1e-2


def wanted_of(topology, inputs, *population, seed=7):
    """Draw what a loss makes of each answer."""
    outputs = sum(block.size for block in topology.outputs)
    return numbers(len(inputs), *population, inputs.shape[-2], outputs, seed=seed)


def through_autograd(episode, flat, inputs, wanted, **options):
    """Differentiate the answers, weighed by what is wanted, by weights and inputs."""
    flat, inputs = (x.clone().requires_grad_() for x in (flat, inputs))
    answers = episode(flat, inputs, **options)
    return answers.detach(), *torch.autograd.grad((answers * wanted).sum(), (flat, inputs))


def squared(episode):
    """Square the answers, so that the gradients of those that are NaN are NaN."""
    return lambda *told, **options: episode(*told, **options).square()


def close_to_the_reference(
    episode, topology, flat, inputs, *, eps=EPS, here=torch.Tensor.float, tolerance=1e-4, **options
):
    """Compare with the reference in float64, each number and beside the largest.

    `here` brings a tensor to where, and to what precision, the episode is computed.
    """
    wanted = wanted_of(topology, inputs, *flat.shape[:-1])
    exact = through_autograd(Machine(topology, eps).episode, flat, inputs, wanted, **options)
    found = through_autograd(episode, *map(here, (flat, inputs, wanted)), **options)
    for one, other in zip(exact, found, strict=True):
        least = tolerance / 10 * max(one.abs().max().item(), 1e-6)
        torch.testing.assert_close(other.double().cpu(), one, rtol=tolerance, atol=least)
