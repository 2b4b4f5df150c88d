"""The way back through the fused kernel against autograd of the reference."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine
from evo_ntm.machine.kernels import cpu, program
from evo_ntm.machine.kernels.cpu import FusedCPU, FusedTape
from evo_ntm.machine.kernels.gradient import differentiable_episode
from evo_ntm.topology import Head, Stages, Tape
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

pytestmark = pytest.mark.skipif(not cpu.available(), reason="installed without the fused kernel")


def fused(topology, eps=EPS):
    def episode(flat, inputs, **options):
        return differentiable_episode(topology, eps, flat, inputs, **options)

    return episode


def close(topology, flat, inputs, *, eps=EPS, **options):
    close_to_the_reference(fused(topology, eps), topology, flat, inputs, eps=eps, **options)


@every
def test_gradients_are_those_of_the_reference(topology):
    close(topology, weights_of(topology, 2), inputs_of(topology, 6, 3), rows=4)


@every
def test_a_single_machine_that_answers_once_has_gradients(topology):
    close(topology, weights_of(topology), inputs_of(topology, 1, 1), rows=1)


@given(
    topology=topologies(),
    lengths=some.lists(some.integers(1, 5), min_size=1, max_size=20),
    rows=some.integers(1, 20),
    seed=some.integers(0, 9),
)
@settings(max_examples=100)
def test_any_topology_on_any_lanes_goes_back_as_the_reference_does(topology, lengths, rows, seed):
    flat = weights_of(topology, 2, seed=seed) * 0.7
    inputs = inputs_of(topology, max(lengths), len(lengths), seed=seed)
    close(topology, flat, inputs, rows=rows, lengths=lengths)


@pytest.mark.parametrize("topology", [USUAL, RECURRENT], ids=["dense", "lstm"])
def test_a_hundred_steps_are_gone_back_over(topology):
    """More than are summed at once, and not a multiple of them."""
    close(topology, weights_of(topology, 1) * 0.4, inputs_of(topology, 100, 3), rows=20)


def test_a_population_may_be_shown_one_thing_each():
    close(RECURRENT, weights_of(RECURRENT, 3), inputs_of(RECURRENT, 4, 3, 5), rows=6)


def test_many_heads_over_many_rows():
    heads = [Head(1 + n, "writer" if n < 5 else "reader") for n in range(10)]
    topology = build("lstm", (4,), *heads, width=17)
    close(topology, weights_of(topology, 1) * 0.3, inputs_of(topology, 4, 3), rows=67)


def test_many_units_fill_every_block_of_a_product():
    topology = build("lstm", (37, 21), READER, WRITER, inputs=19, outputs=18, width=23)
    close(topology, weights_of(topology) * 0.2, inputs_of(topology, 7, 18), rows=11)


def test_a_long_shift_range_goes_round_a_short_ring_several_times():
    wide = build("dense", (3,), Head(1, "reader", shifts=11), Head(2, "writer", shifts=7))
    close(wide, weights_of(wide, 2), inputs_of(wide, 5, 3), rows=2)


def test_heads_without_stages_only_stay():
    still = Stages(content=False, interpolation=False, shift=False, sharpening=False)
    heads = Head(1, "reader", stages=still), Head(2, "writer", stages=still)
    topology = build("dense", (3,), *heads)
    close(topology, weights_of(topology, 1), inputs_of(topology, 4, 2), rows=5)


@pytest.mark.parametrize(
    "biases",
    [{"strength": 1e3}, {"sharpening": 1e4}, {"strength": 1e3, "sharpening": 1e4, "shift": 50.0},
     {"strength": -1e3, "sharpening": -1e4, "erase": 1e3, "gate": -1e3}, {"gate": 1e3},
     {"key": 1e6}],
    ids=["strength", "sharpening", "all", "shut", "open", "key"],
)  # fmt: skip
def test_extreme_parameters_have_finite_gradients(biases):
    flat = with_biases(USUAL, weights_of(USUAL, 4), **biases).float()
    inputs = inputs_of(USUAL, 20, 5).float()
    wanted = wanted_of(USUAL, inputs, 4).float()
    assert all(map(finite, through_autograd(fused(USUAL), flat, inputs, wanted, rows=12)))


def test_empty_rows_and_keys_of_zero_have_finite_gradients():
    """With the least epsilon, at the first step, and where nothing is ever written."""
    for topology in (USUAL, build("dense", (3,), READER)):
        flat = torch.zeros_like(weights_of(topology, 2)).float()
        inputs = inputs_of(topology, 3, 2).float()
        wanted = wanted_of(topology, inputs, 2).float()
        found = through_autograd(fused(topology, 1e-6), flat, inputs, wanted, rows=5)
        assert all(map(finite, found))
        close(topology, flat.double(), inputs.double(), eps=1e-6, rows=5)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_end_in_nan_and_harm_nobody_else(bad):
    flat, inputs = weights_of(RECURRENT, 3).float(), inputs_of(RECURRENT, 4, 3, 2).float()
    wanted = wanted_of(RECURRENT, inputs, 3).float()
    whole = through_autograd(squared(fused(RECURRENT)), flat, inputs, wanted, rows=5)
    flat[1] = bad
    answers, ours, theirs = through_autograd(
        squared(fused(RECURRENT)), flat, inputs, wanted, rows=5
    )
    assert ours[1].isnan().all()
    assert theirs[:, 1].isnan().all()
    for found, before in ((answers, whole[0]), (theirs, whole[2])):
        assert torch.equal(found[:, [0, 2]], before[:, [0, 2]])
    assert torch.equal(ours[[0, 2]], whole[1][[0, 2]])


@every
def test_one_weight_of_nan_is_seen_in_the_gradients_where_it_is_in_the_answers(topology):
    flat = weights_of(topology).float()
    flats = flat.repeat(len(flat), 1)
    flats.fill_diagonal_(math.nan)
    inputs = inputs_of(topology, 4, 2).float()
    wanted = wanted_of(topology, inputs, len(flat)).float()
    answers, ours, _ = through_autograd(squared(fused(topology)), flats, inputs, wanted, rows=3)
    spoilt = answers.isnan().any(-1).any(-1).any(0)
    assert spoilt.any()
    assert ours[spoilt].isnan().any(-1).all()


@every
def test_every_instruction_set_gives_the_same_bits(topology):
    flat, inputs = weights_of(topology, 2).float(), inputs_of(topology, 7, 29).float()
    wanted = wanted_of(topology, inputs, 2).float()
    for lanes in (1, 4, 7, 9, 14, 21, 29):
        lengths = [1 + 3 * lane % 7 for lane in range(lanes)]
        first, *others = [
            FusedCPU(topology, EPS, level).gradients(
                flat, inputs[:, :lanes], wanted[:, :, :lanes],
                rows=9, lengths=lengths, of_inputs=True,
            )
            for level in range(len(program.load().levels))
        ]  # fmt: skip
        assert others
        for other in others:
            assert torch.equal(first[0], other[0])
            assert torch.equal(first[1], other[1])


def test_threads_company_and_what_was_done_before_change_no_bit():
    flat, inputs = weights_of(RECURRENT, 9).float(), inputs_of(RECURRENT, 6, 37).float()
    wanted = wanted_of(RECURRENT, inputs, 9).float()
    machine, before = FusedCPU(RECURRENT, EPS), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(machine.gradients(flat, inputs, wanted, rows=8)[0])
            close(USUAL, weights_of(USUAL), inputs_of(USUAL, 2, 3), rows=5)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    for one in (0, 5, 8):
        alone, _ = machine.gradients(flat[one], inputs, wanted[:, one], rows=8)
        assert torch.equal(alone, found[0][one])


def test_nothing_is_heard_from_beyond_the_end():
    lengths = [3, 5, 1, 4, 2]
    flat, inputs = weights_of(RECURRENT, 2).float(), inputs_of(RECURRENT, 5, 5).float()
    wanted = wanted_of(RECURRENT, inputs, 2).float()
    machine = FusedCPU(RECURRENT, EPS)
    options = {"rows": 6, "lengths": lengths, "of_inputs": True}
    whole, heard = machine.gradients(flat, inputs, wanted, **options)
    for lane, length in enumerate(lengths):
        inputs[length:, lane] = wanted[length:, :, lane] = math.nan
        assert not heard[length:, :, lane].any()
        assert heard[:length, :, lane].all()
    again = machine.gradients(flat, inputs, wanted, **options)
    assert torch.equal(again[0], whole)
    assert torch.equal(again[1], heard)


def test_gradients_are_given_for_what_needs_them_only():
    flat, inputs = weights_of(USUAL).float(), inputs_of(USUAL, 4, 2).float()
    for tensor, other in ((flat, inputs), (inputs, flat)):
        tensor.requires_grad_()
        fused(USUAL)(flat, inputs, rows=4).sum().backward()
        assert tensor.grad.any()
        assert other.grad is None
        tensor.requires_grad_(False).grad = None
    assert not fused(USUAL)(flat, inputs, rows=4).requires_grad


def test_in_float64_it_is_the_reference_to_the_bit():
    flat, inputs = weights_of(RECURRENT, 2), inputs_of(RECURRENT, 4, 3)
    options = {"rows": 5, "lengths": [4, 2, 3]}
    wanted = wanted_of(RECURRENT, inputs, 2)
    exact = through_autograd(Machine(RECURRENT, EPS).episode, flat, inputs, wanted, **options)
    found = through_autograd(fused(RECURRENT), flat, inputs, wanted, **options)
    assert all(torch.equal(one, other) for one, other in zip(exact, found, strict=True))


def test_gradients_of_gradients_are_refused():
    flat = weights_of(USUAL).float().requires_grad_()
    answers = fused(USUAL)(flat, inputs_of(USUAL, 3, 2).float(), rows=4)
    with pytest.raises(MachineError, match="differentiated once, got create_graph=True"):
        torch.autograd.grad(answers.sum(), flat, create_graph=True)


def test_going_back_twice_over_what_was_kept_gives_the_same():
    flat = weights_of(USUAL).float().requires_grad_()
    answers = fused(USUAL)(flat, inputs_of(USUAL, 3, 2).float(), rows=4)
    first, second = (
        torch.autograd.grad(answers.sum(), flat, retain_graph=retain)[0] for retain in (True, False)
    )
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"answers": wanted_of(USUAL, torch.zeros(4, 3, 3))},
      r"answers of shape \[4, 2, 2\], got \[4, 3, 2\]"),
     ({"lengths": [4, 5]}, "expected 2 lengths, one a lane, each from 1 to 4"),
     ({"rows": 0}, "at least 1 row of memory, got 0")],
    ids=["answers", "lengths", "rows"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(change, sentence):
    inputs = inputs_of(USUAL, 4, 2).float()
    told = {"answers": wanted_of(USUAL, inputs).float(), "rows": 3} | change
    with pytest.raises(MachineError, match=sentence):
        FusedCPU(USUAL, EPS).gradients(weights_of(USUAL).float(), inputs, **told)


def test_there_is_no_way_back_through_a_tape():
    topology = replace(build("dense", (5,), Head(7, "tape", target="controller")), tape=Tape())
    inputs = inputs_of(topology, 4, 2).float()
    flat, wanted = weights_of(topology).float(), wanted_of(topology, inputs).float()
    with pytest.raises(MachineError, match="expected a machine with a way back .* Machine.episode"):
        FusedTape(topology).gradients(flat, inputs, wanted, rows=3)
