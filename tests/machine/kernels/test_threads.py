"""What several threads do at once, none of which has met the topology before."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from evo_ntm.machine.kernels import cpu
from evo_ntm.machine.kernels.cpu import FusedCPU
from evo_ntm.machine.kernels.layout import layout
from tests.machine.cases import RECURRENT, inputs_of, weights_of

pytestmark = pytest.mark.skipif(not cpu.available(), reason="installed without the fused kernel")


def test_threads_that_meet_a_topology_at_once_use_no_memory_of_each_other(monkeypatch):
    """The cache of layouts may keep another thread's, and this one's is used all the same."""
    made = []

    def forgetful(topology):
        made.append(layout.__wrapped__(topology))
        return made.pop()

    monkeypatch.setattr(cpu, "layout", forgetful)
    flat, inputs = weights_of(RECURRENT, 4).float(), inputs_of(RECURRENT, 5, 3).float()
    machine = FusedCPU(RECURRENT)
    expected = machine.episode(flat, inputs, rows=6)
    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(lambda _: machine.episode(flat, inputs, rows=6), range(200)):
            assert torch.equal(answers, expected)
