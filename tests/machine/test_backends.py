"""Which arithmetic is chosen, and that all of them answer alike."""

import subprocess
import sys

import pytest
import torch

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine, choose
from evo_ntm.machine.backends import Backend, Runs
from evo_ntm.machine.kernels import cpu, program
from evo_ntm.machine.kernels.cuda import FusedCUDA
from tests.machine.cases import CASES, every, numbers, weights_of


@pytest.fixture
def without_kernel(monkeypatch):
    monkeypatch.setattr(program, "load", lambda: None)


def test_fused_is_chosen_where_it_is_there():
    assert choose() == Backend("cpu", fused=cpu.available())


def test_torch_is_chosen_where_there_is_no_kernel(without_kernel):
    assert choose() == Backend("cpu", fused=False)
    assert str(choose()) == "torch on cpu"


def test_torch_is_chosen_where_it_is_asked_for():
    assert choose("cpu", "torch") == Backend("cpu", fused=False)


@pytest.mark.skipif(not cpu.available(), reason="installed without the fused kernel")
def test_a_backend_names_itself_and_its_instruction_set():
    assert str(choose("cpu", "fused")) == f"fused on cpu, {program.load().levels[0]}"


def test_asking_for_a_kernel_that_is_not_there_is_refused_with_the_way_to_get_it(without_kernel):
    with pytest.raises(MachineError, match=r"fused on cpu, but .*compiler.*install evo-ntm again"):
        choose("cpu", "fused")


def test_a_backend_that_nobody_knows_is_refused():
    with pytest.raises(MachineError, match="'fusd': .*fused"):
        choose("cpu", "fusd")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_asking_for_a_gpu_that_is_not_there_is_refused_with_the_way_to_get_it():
    assert choose("cuda") == Backend("cuda", fused=False)
    with pytest.raises(
        MachineError, match=r"fused on cuda, but torch finds no GPU; .*pytorch\.org"
    ):
        choose("cuda", "fused")


def test_a_gpu_fuses_what_fits_on_its_chip_and_the_cpu_everything():
    topology = CASES["reader and writer"]
    assert isinstance(Backend("cuda:1", fused=True).machine(topology, 1e-2), FusedCUDA)
    assert Backend("cuda:1", fused=True).fuses(topology, 100)
    assert not Backend("cuda:1", fused=True).fuses(topology, 10**6)
    assert Backend("cpu", fused=True).fuses(topology, 10**6)
    assert not Backend("cuda", fused=False).fuses(topology, 100)


def test_no_device_but_a_gpu_imports_triton():
    code = "import sys, evo_ntm.machine; evo_ntm.machine.choose(); print('triton' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


@every
@pytest.mark.parametrize("fused", [False, True])
def test_every_backend_answers_episodes_as_the_reference_does(topology, fused):
    if fused and not cpu.available():
        pytest.skip("installed without the fused kernel")
    flat = weights_of(topology, 2).float()
    inputs = numbers(5, 3, sum(block.size for block in topology.inputs)).float()
    reference = Machine(topology, 1e-2)
    weights = reference.wire_up(flat)
    state = reference.initial_state(weights, lanes=3, rows=4)
    expected, _ = reference.run(weights, inputs, state, lengths=[5, 2, 4])
    machine = Backend("cpu", fused).machine(topology, 1e-2)
    assert isinstance(machine, Runs)
    answers = machine.episode(flat, inputs, rows=4, lengths=[5, 2, 4])
    torch.testing.assert_close(answers, expected, rtol=1e-4, atol=1e-4)
