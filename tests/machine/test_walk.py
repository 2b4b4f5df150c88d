"""A walk answers step by step what an episode answers at once, whoever is left behind."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine
from evo_ntm.machine.kernels import cpu, program
from evo_ntm.machine.kernels.cpu import FusedCPU, FusedTape, FusedWalk
from evo_ntm.machine.walk import walk
from evo_ntm.topology import Tape
from tests.machine.cases import RECURRENT, inputs_of
from tests.machine.cases import weights_of as weights_of_soft
from tests.machine.test_tape import bits, machines, taped, total, weights_of

needs_kernel = pytest.mark.skipif(not cpu.available(), reason="installed without the fused kernel")


def walked(machine, flat, inputs, rows, leave=None):
    """Answer step by step; after `leave` steps only the last individual and the first go on."""
    steps, answers = len(inputs), []
    with torch.inference_mode():
        way = walk(machine, flat, lanes=inputs.shape[-2], rows=rows, steps=steps)
        for number, seen in enumerate(inputs):
            answers.append(way.answer(seen))
            if number + 1 == leave:
                way.keep(torch.tensor([len(flat) - 1, 0]))
    return answers


@needs_kernel
@settings(max_examples=20, deadline=None)
@given(
    topology=machines(),
    lanes=some.sampled_from([1, 4, 5, 12, 16, 50]),
    steps=some.integers(1, 20),
    rows=some.sampled_from([0, 1, 2, 5]),
    seed=some.integers(0, 999),
)
def test_a_tape_walks_as_in_an_episode_by_every_instruction_set(topology, lanes, steps, rows, seed):
    flat = weights_of(topology, 3, seed=seed).float()
    inputs = bits(steps, lanes, total(topology), seed).float()
    for level in range(len(program.load().levels)):
        machine = FusedTape(topology, level=level)
        expected = machine.episode(flat, inputs, rows=rows)
        assert torch.equal(torch.stack(walked(machine, flat, inputs, rows)), expected)


@pytest.mark.parametrize("kind", ["fused tape", "tape", "soft", "fused"])
def test_who_is_kept_goes_on_as_before(kind):
    if "fused" in kind and not cpu.available():
        pytest.skip("installed without the fused kernel")
    if "tape" in kind:
        topology = taped(tape=Tape(fresh_cell=True))
        flat, inputs = weights_of(topology, 5).float(), bits(9, 6, total(topology)).float()
        machine = (FusedTape if kind == "fused tape" else Machine)(topology)
    else:
        flat, inputs = weights_of_soft(RECURRENT, 5).float(), inputs_of(RECURRENT, 9, 6).float()
        machine = (FusedCPU if kind == "fused" else Machine)(RECURRENT)
    whole = torch.stack(walked(machine, flat, inputs, 7))
    torch.testing.assert_close(whole, machine.episode(flat, inputs, rows=7))
    *_, last = walked(machine, flat, inputs, 7, leave=4)
    torch.testing.assert_close(last, whole[-1, [4, 0]])


@needs_kernel
def test_tapes_that_may_grow_too_long_to_lie_still_are_copied(monkeypatch):
    topology = taped()
    machine, flat = FusedTape(topology), weights_of(topology, 2).float()
    assert isinstance(walk(machine, flat, lanes=2, rows=0, steps=99), FusedWalk)
    monkeypatch.setattr(cpu, "MOST_KEPT", 1000)
    assert not isinstance(walk(machine, flat, lanes=2, rows=0, steps=99), FusedWalk)


@needs_kernel
def test_a_walk_refuses_to_see_what_it_cannot():
    topology = taped()
    way = walk(FusedTape(topology), weights_of(topology, 2).float(), lanes=3, rows=0, steps=5)
    with pytest.raises(MachineError, match=f"expected inputs of {total(topology)} channels, got 9"):
        way.answer(torch.zeros(3, 9))
    with pytest.raises(MachineError, match="expected 3 lanes, got 4"):
        way.answer(torch.zeros(4, total(topology)))
