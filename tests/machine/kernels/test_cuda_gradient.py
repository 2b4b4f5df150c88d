"""The way back through the CUDA programs against autograd of the reference.

On a GPU where there is one, else in the interpreter, as in test_cuda.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine
from evo_ntm.machine.kernels import cuda_gradient
from evo_ntm.machine.kernels.cuda import FusedCUDA
from evo_ntm.machine.kernels.cuda_gradient import fits, recorded
from evo_ntm.machine.kernels.cuda_layout import arrange, arrange_back, tiles
from evo_ntm.machine.kernels.gradient import differentiable_episode
from evo_ntm.topology import Head
from evo_ntm.topology.wires import size
from tests.machine.cases import (
    READER,
    RECURRENT,
    USUAL,
    WRITER,
    build,
    every,
    finite,
    inputs_of,
    topologies,
    weights_of,
    with_biases,
)
from tests.machine.kernels.gradients import (
    EPS,
    close_to_the_reference,
    squared,
    through_autograd,
    wanted_of,
)
from tests.machine.kernels.races import watched
from tests.machine.kernels.test_cuda import GPU, gpu_only, here

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy, which interprets
SMALL = build("lstm", (3, 2), READER, WRITER, width=2)


def fused(topology, eps=EPS):
    def episode(flat, inputs, *, lengths=None, **options):
        machine = FusedCUDA(topology, eps)
        return cuda_gradient.differentiable_episode(
            machine, flat, inputs, lengths=lengths, **options
        )

    return episode


def close(topology, flat, inputs, *, eps=EPS, **options):
    close_to_the_reference(fused(topology, eps), topology, flat, inputs, eps=eps, here=here,
                           **options)  # fmt: skip


@every
def test_gradients_are_those_of_the_reference(topology):
    close(topology, weights_of(topology), inputs_of(topology, 3, 3), rows=4, lengths=[3, 1, 2])


@pytest.mark.parametrize("topology", [SMALL, build("dense", (3, 2, 2), READER, WRITER)])
def test_a_single_step_on_a_single_row_has_gradients(topology):
    close(topology, weights_of(topology), inputs_of(topology, 1, 1), rows=1)


@given(
    topology=topologies(),
    lengths=some.lists(some.integers(1, 3), min_size=1, max_size=5),
    rows=some.integers(1, 9),
    seed=some.integers(0, 9),
)
@settings(max_examples=60 if GPU else 20)
@pytest.mark.slow
def test_any_topology_on_any_lanes_goes_back_as_the_reference_does(topology, lengths, rows, seed):
    flat = weights_of(topology, 2, seed=seed) * 0.7
    inputs = inputs_of(topology, max(lengths), len(lengths), seed=seed)
    close(topology, flat, inputs, rows=rows, lengths=lengths)


@pytest.mark.slow
@pytest.mark.parametrize("topology", [USUAL, RECURRENT], ids=["dense", "lstm"])
def test_a_hundred_steps_are_gone_back_over(topology):
    close(topology, weights_of(topology, 1) * 0.4, inputs_of(topology, 100, 1), rows=20)


@pytest.mark.slow
def test_the_size_of_a_paper_s_machine_is_gone_back_over():
    topology = build("lstm", (100,), READER, WRITER, inputs=10, outputs=8, width=20)
    close(topology, weights_of(topology) * 0.1, inputs_of(topology, 5, 2), rows=128)


def test_gradients_are_those_of_finite_differences():
    """Along one direction, for float32 leaves few digits."""
    flat, inputs = here(weights_of(SMALL)), here(inputs_of(SMALL, 3, 2))
    direction = here(weights_of(SMALL, seed=8))
    wanted = here(wanted_of(SMALL, inputs))
    _, ours, _ = through_autograd(fused(SMALL), flat, inputs, wanted, rows=4)
    step, machine = 0.01, FusedCUDA(SMALL, EPS)
    above, below = (
        (machine.episode(flat + way * step * direction, inputs, rows=4) * wanted).double().sum()
        for way in (1, -1)
    )
    slope = (above - below) / (2 * step)
    assert float((ours * direction).sum()) == pytest.approx(float(slope), rel=2e-3)


@pytest.mark.parametrize("lanes", [(3,), (2, 1, 3)], ids=["the same", "one thing each"])
def test_a_population_may_be_shown_the_same_or_one_thing_each(lanes):
    close(SMALL, weights_of(SMALL, 2, 1), inputs_of(SMALL, 2, *lanes), rows=3)


def test_a_long_shift_range_goes_round_a_short_ring_several_times():
    wide = build("dense", (3,), Head(1, "reader", shifts=11), Head(2, "writer", shifts=7))
    close(wide, weights_of(wide, 1), inputs_of(wide, 3, 2), rows=2)


def test_several_writers_and_readers_share_a_memory():
    heads = [Head(1 + n, "writer" if n < 3 else "reader") for n in range(6)]
    topology = build("dense", (3,), *heads, width=3)
    close(topology, weights_of(topology), inputs_of(topology, 3, 2), rows=6)


def test_more_senders_than_threads_and_more_receivers_than_go_at_once_are_all_heard():
    wide = build("lstm", (37,), READER, WRITER, inputs=11, outputs=3, width=5)
    close(wide, weights_of(wide, 1) * 0.3, inputs_of(wide, 2, 1), rows=5)


def test_many_threads_share_the_receivers():
    wide = build("lstm", (9,), READER, WRITER, width=17)
    assert tiles(wide, 128, memories=2).warps > cuda_gradient.MOST_COLUMNS // 32
    close(wide, weights_of(wide) * 0.4, inputs_of(wide, 2, 2), rows=100)


@pytest.mark.parametrize(
    "biases",
    [{"strength": 1e3, "sharpening": 1e4, "shift": 50.0},
     {"strength": -1e3, "sharpening": -1e4, "erase": 1e3, "gate": -1e3}, {"key": 1e6}],
    ids=["large", "small", "key"],
)  # fmt: skip
def test_extreme_parameters_have_finite_gradients(biases):
    flat = here(with_biases(SMALL, weights_of(SMALL), **biases))
    inputs = here(inputs_of(SMALL, 4, 2))
    wanted = here(wanted_of(SMALL, inputs))
    assert all(map(finite, through_autograd(fused(SMALL), flat, inputs, wanted, rows=5)))


def test_empty_rows_and_keys_of_zero_have_the_gradients_of_the_reference():
    """With the least epsilon, where nothing is ever written."""
    for topology in (SMALL, build("dense", (3,), READER)):
        flat = torch.zeros_like(weights_of(topology))
        close(topology, flat, inputs_of(topology, 2, 2), eps=1e-6, rows=5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights_that_are_not_finite_end_in_nan_and_harm_nobody_else(bad):
    flat, inputs = here(weights_of(SMALL, 3)), here(inputs_of(SMALL, 1, 3, 2))
    wanted = here(wanted_of(SMALL, inputs, 3))
    whole = through_autograd(squared(fused(SMALL)), flat, inputs, wanted, rows=3)
    flat[1] = bad
    answers, ours, theirs = through_autograd(squared(fused(SMALL)), flat, inputs, wanted, rows=3)
    assert ours[1].isnan().all()
    assert theirs[:, 1].isnan().all()
    for found, before in ((answers, whole[0]), (theirs, whole[2])):
        assert torch.equal(found[:, [0, 2]], before[:, [0, 2]])
    torch.testing.assert_close(ours[[0, 2]], whole[1][[0, 2]])


def test_one_weight_of_nan_is_seen_in_the_gradients_where_it_is_in_the_answers():
    least = build("lstm", (1,), READER, WRITER, inputs=1, outputs=1, width=1)
    flats = here(weights_of(least)).repeat(size(least), 1).fill_diagonal_(math.nan)
    flats = flats if GPU else flats[::11]  # the interpreter takes its time
    inputs = here(inputs_of(least, 2, 1))
    wanted = here(wanted_of(least, inputs, len(flats)))
    answers, ours, _ = through_autograd(squared(fused(least)), flats, inputs, wanted, rows=2)
    spoilt = answers.isnan().any(-1).any(-1).any(0)
    assert spoilt.any()
    assert ours[spoilt].isnan().any(-1).all()


@pytest.mark.parametrize("topology", [SMALL, build("dense", (3,), READER, WRITER)])
def test_nothing_is_heard_from_beyond_the_end(topology):
    lengths = [1, 2]
    flat, inputs = here(weights_of(topology, 1)), here(inputs_of(topology, 2, 2))
    wanted = here(wanted_of(topology, inputs, 1))
    options = {"rows": 4, "lengths": lengths}
    _, ours, theirs = through_autograd(fused(topology), flat, inputs, wanted, **options)
    for lane, length in enumerate(lengths):
        assert not theirs[length:, lane].any()
        assert theirs[:length, lane].all()
        inputs[length:, lane] = math.nan
        wanted[length:, :, lane] = 1e6
    _, again, heard = through_autograd(fused(topology), flat, inputs, wanted, **options)
    assert torch.equal(again, ours)
    assert torch.equal(heard, theirs)


def test_what_would_take_too_much_room_is_gone_over_in_pieces(monkeypatch):
    flat, inputs = here(weights_of(SMALL, 2)), here(inputs_of(SMALL, 2, 3))
    wanted, options = here(wanted_of(SMALL, inputs, 2)), {"rows": 3, "lengths": [2, 1, 1]}
    whole = through_autograd(fused(SMALL), flat, inputs, wanted, **options)
    lane = 2 * recorded(SMALL, rows=3, steps=2)
    monkeypatch.setattr(cuda_gradient, "MOST_RECORDED", 2 * lane)
    pieces = through_autograd(fused(SMALL), flat, inputs, wanted, **options)
    for one, other in zip(whole, pieces, strict=True):
        torch.testing.assert_close(other, one)


@every
def test_a_recording_takes_as_many_bytes_as_are_counted(topology):
    lanes = tiles(topology, 3).lanes  # else some only fill an instance up
    flat, inputs = here(weights_of(topology)), here(inputs_of(topology, 1, lanes))
    _, recording = FusedCUDA(topology, EPS).record(flat, inputs, rows=3)
    bytes_there = sum(part.numel() * part.element_size() for part in recording)
    assert bytes_there == lanes * recorded(topology, rows=3, steps=1)


def test_the_way_back_can_be_gone_twice_but_not_be_differentiated():
    flat, inputs = here(weights_of(SMALL)).requires_grad_(), here(inputs_of(SMALL, 2, 1))
    answers = fused(SMALL)(flat, inputs, rows=3)
    first, second = (
        torch.autograd.grad(answers.sum(), flat, retain_graph=True)[0] for _ in range(2)
    )
    assert torch.equal(first, second)
    with pytest.raises(MachineError, match="differentiated once, got create_graph=True"):
        torch.autograd.grad(answers.sum(), flat, create_graph=True)


def test_gradients_are_given_for_what_needs_them_only():
    flat, inputs = here(weights_of(SMALL)), here(inputs_of(SMALL, 2, 1))
    for tensor, other in ((flat, inputs), (inputs, flat)):
        tensor.requires_grad_()
        fused(SMALL)(flat, inputs, rows=3).sum().backward()
        assert tensor.grad.any()
        assert other.grad is None
        tensor.requires_grad_(False).grad = None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [(lambda flat, x: (flat[1:], x), r"expected \d+ weights .*, got \d+"),
     (lambda flat, x: (flat, x[0]), r"inputs \[steps, lanes, channels\], got \[2, 3\]")],
    ids=["a weight too few", "no lanes"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(change, sentence):
    flat, inputs = change(here(weights_of(SMALL)), here(inputs_of(SMALL, 2, 2)))
    with pytest.raises(MachineError, match=sentence):
        fused(SMALL)(flat.requires_grad_(), inputs, rows=4)


@every
def test_every_weight_lies_in_one_place_on_the_way_there_and_at_most_one_on_the_way_back(topology):
    for index, least in ((arrange(topology).index, 1), (arrange_back(topology).places, 0)):
        counts = np.bincount(index, minlength=size(topology))[: size(topology)]
        assert counts.min() >= least
        assert counts.max() <= 1


def test_it_fits_what_leaves_room_for_as_many_gradients():
    paper = build("lstm", (100,), READER, WRITER, width=20)
    assert fits(paper, 128)
    assert fits(paper, 512)
    assert not fits(paper, 1000)
    assert fits(build("lstm", (100,)), 10**6)
    assert tiles(paper, 128, memories=2) == (1, 8, 128, 32, 2)


@pytest.mark.skipif(GPU, reason="the interpreter is watched")
@pytest.mark.parametrize(
    ("topology", "rows"),
    [(RECURRENT, 5), (build("dense", (3, 2), READER, WRITER), 3), (build("lstm", (3, 2)), 1),
     (build("lstm", (3,), READER, WRITER, width=17), 128)],
    ids=["lstm", "dense", "no heads", "many threads"],
)  # fmt: skip
def test_no_thread_goes_where_another_leaves_something_without_waiting(topology, rows):
    lengths = [2, 1, 2] if rows < 100 else [2]
    flat, inputs = here(weights_of(topology, 1)), here(inputs_of(topology, 2, len(lengths)))
    with watched() as races:
        through_autograd(squared(fused(topology)), flat, inputs, 1.0, rows=rows, lengths=lengths)
    assert not races


@gpu_only
@pytest.mark.parametrize("rows", [20, 1000], ids=["fused", "from a graph"])
def test_on_a_gpu_gradients_are_those_of_the_reference_whoever_takes_them(rows):
    topology = build("lstm", (100,), READER, WRITER, inputs=10, outputs=8, width=20)
    flat, inputs = weights_of(topology) * 0.1, inputs_of(topology, 41, 8)
    assert fits(topology, rows) == (rows == 20)
    wanted = wanted_of(topology, inputs)
    exact = through_autograd(Machine(topology, EPS).episode, flat, inputs, wanted, rows=rows)
    found = through_autograd(
        lambda *told, **options: differentiable_episode(topology, EPS, *told, **options),
        *map(here, (flat, inputs, wanted)), rows=rows,
    )  # fmt: skip
    for one, other in zip(exact, found, strict=True):
        least = 1e-4 * one.abs().max().item()
        torch.testing.assert_close(other.double().cpu(), one, rtol=1e-3, atol=least)
