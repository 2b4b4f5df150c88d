import threading

import pytest
import torch

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.workers import Local, backend_of
from evo_ntm.experiment.run import RunSettings


def test_results_come_in_the_order_of_the_items():
    slower = threading.Event()

    def double(item):
        if item == 0:
            slower.wait(10)
        if item == 3:
            slower.set()
        return 2 * item

    with Local(2) as local:
        assert list(local.map(double, range(4))) == [0, 2, 4, 6]


def test_each_thread_computes_alone_and_torch_is_left_as_it_was():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Local(2) as local:
            counts = set(local.map(lambda _: torch.get_num_threads(), range(8)))
        assert counts == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_an_error_of_a_chunk_is_raised():
    with Local(2) as local, pytest.raises(ZeroDivisionError):
        list(local.map(lambda item: 1 / item, [1, 0]))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there_is_refused():
    assert backend_of(RunSettings()).device == "cpu"
    with pytest.raises(ExperimentError, match="torch finds no GPU, but came 'cuda'"):
        backend_of(RunSettings(device="cuda"))


def test_a_backend_that_is_not_there_is_refused_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr("evo_ntm.machine.kernels.program.load", lambda: None)
    assert backend_of(RunSettings()) == backend_of(RunSettings(backend="torch"))
    with pytest.raises(ExperimentError, match=r"run\.backend: .*compiler.*install evo-ntm again"):
        backend_of(RunSettings(backend="fused"))
