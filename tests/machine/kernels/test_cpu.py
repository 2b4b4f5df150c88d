"""The fused kernel against the reference, and against itself in other company."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine
from evo_ntm.machine.kernels import cpu, program
from evo_ntm.machine.kernels.cpu import FusedCPU
from evo_ntm.machine.state import over_tensors, tensors
from evo_ntm.topology import Head, Stages
from evo_ntm.topology.wires import size
from tests.machine.cases import (
    RECURRENT,
    USUAL,
    build,
    every,
    inputs_of,
    topologies,
    weights_of,
    with_biases,
)

pytestmark = pytest.mark.skipif(not cpu.available(), reason="installed without the fused kernel")
EPS = 1e-2


def both(topology, flat, inputs, *, rows, lengths=None):
    """Run the reference in float64 and the kernel; give answers and states of both."""
    reference, fused = Machine(topology, EPS), FusedCPU(topology, EPS)
    found = []
    for machine, kind in ((reference, torch.float64), (fused, torch.float32)):
        weights = machine.wire_up(flat.to(kind))
        state = machine.initial_state(weights, lanes=inputs.shape[-2], rows=rows)
        found.append(machine.run(weights, inputs.to(kind), state, lengths=lengths))
    return found


def close(topology, flat, inputs, *, rows, lengths=None, tolerance=1e-4):
    (answers, state), (told, ended) = both(topology, flat, inputs, rows=rows, lengths=lengths)
    for exact, found in zip([answers, *tensors(state)], [told, *tensors(ended)], strict=True):
        torch.testing.assert_close(found.double(), exact, rtol=tolerance, atol=tolerance)


@every
def test_answers_and_states_are_those_of_the_reference(topology):
    close(topology, weights_of(topology, 2), inputs_of(topology, 6, 3), rows=4)


@given(
    topology=topologies(),
    lengths=some.lists(some.integers(1, 5), min_size=1, max_size=37),
    rows=some.integers(1, 19),
    seed=some.integers(0, 9),
)
@settings(max_examples=100)
def test_any_topology_on_any_lanes_answers_as_the_reference_does(topology, lengths, rows, seed):
    flat = weights_of(topology, 2, seed=seed) * 0.7
    inputs = inputs_of(topology, max(lengths), len(lengths), seed=seed)
    close(topology, flat, inputs, rows=rows, lengths=lengths)


def test_a_population_may_be_shown_one_thing_each():
    close(RECURRENT, weights_of(RECURRENT, 3), inputs_of(RECURRENT, 4, 3, 5), rows=6)


@pytest.mark.parametrize("topology", [USUAL, RECURRENT], ids=["dense", "lstm"])
def test_five_hundred_steps_stay_with_the_reference(topology):
    flat, inputs = weights_of(topology, 1) * 0.3, inputs_of(topology, 500, 2)
    close(topology, flat, inputs, rows=40, tolerance=1e-3)


@pytest.mark.parametrize(
    "biases",
    [{"strength": 1e3}, {"sharpening": 1e4}, {"strength": 1e3, "sharpening": 1e4, "shift": 50.0},
     {"strength": -1e3, "sharpening": -1e4, "erase": 1e3, "gate": -1e3}],
    ids=["strength", "sharpening", "all", "shut"],
)  # fmt: skip
def test_extreme_parameters_stay_finite_and_weightings_sum_to_one(biases):
    flat = with_biases(USUAL, weights_of(USUAL, 4), **biases).float()
    machine = FusedCPU(USUAL, EPS)
    weights = machine.wire_up(flat)
    inputs = inputs_of(USUAL, 30, 5).float()
    answers, state = machine.run(weights, inputs, machine.initial_state(weights, lanes=5, rows=12))
    assert torch.isfinite(answers).all()
    torch.testing.assert_close(state.store.weightings.sum(-1), torch.ones(4, 5, 2))


def test_where_it_is_sharp_the_kernel_is_as_near_the_truth_as_torch_is():
    """Both round; over a few steps and away from ties they agree though gamma is 10,000."""
    flat = with_biases(USUAL, weights_of(USUAL, 1), strength=1e3, sharpening=1e4) * 1.0
    close(USUAL, flat, inputs_of(USUAL, 3, 4), rows=7, tolerance=1e-3)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_end_in_nan_and_harm_nobody_else(bad):
    flat = weights_of(RECURRENT, 3).float()
    inputs = inputs_of(RECURRENT, 4, 3).float()
    machine = FusedCPU(RECURRENT, EPS)
    whole = machine.episode(flat, inputs, rows=5)
    spoilt = flat.clone()
    spoilt[1] = bad
    answers = machine.episode(spoilt, inputs, rows=5)
    assert torch.equal(answers[:, [0, 2]], whole[:, [0, 2]])
    assert answers[:, 1].isnan().all()


@every
def test_one_weight_of_nan_is_heard_wherever_the_reference_hears_it(topology):
    flat = weights_of(topology).float()
    flats = flat.repeat(size(topology), 1)
    flats.fill_diagonal_(math.nan)
    inputs = inputs_of(topology, 4, 2).float()
    answers = FusedCPU(topology, EPS).episode(flats, inputs, rows=3)
    expected = Machine(topology, EPS).episode(flats, inputs, rows=3)
    assert torch.equal(answers.isnan(), expected.isnan())


@every
def test_every_instruction_set_gives_the_same_bits(topology):
    flat, inputs = weights_of(topology, 2).float(), inputs_of(topology, 7, 21).float()
    lengths = [1 + lane % 7 for lane in range(21)]
    first, *others = [
        FusedCPU(topology, EPS, level).episode(flat, inputs, rows=9, lengths=lengths)
        for level in range(len(program.load().levels))
    ]
    assert others
    assert all(torch.equal(first, other) for other in others)


def test_threads_company_and_other_lanes_change_no_bit():
    flat, inputs = weights_of(RECURRENT, 5).float(), inputs_of(RECURRENT, 6, 19).float()
    machine, before = FusedCPU(RECURRENT, EPS), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(machine.episode(flat, inputs, rows=8))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    for one in range(5):
        assert torch.equal(machine.episode(flat[one], inputs, rows=8), found[0][:, one])
    for lanes in ([0], [18, 3], list(range(2, 15))):
        part = machine.episode(flat, inputs[:, lanes], rows=8)
        assert torch.equal(part, found[0][:, :, lanes])


def test_padding_changes_nothing_and_what_has_ended_answers_0():
    lengths = [3, 5, 1, 4]
    flat, inputs = weights_of(RECURRENT, 2).float(), inputs_of(RECURRENT, 5, 4).float()
    machine = FusedCPU(RECURRENT, EPS)
    weights = machine.wire_up(flat)
    state = machine.initial_state(weights, lanes=4, rows=6)
    answers, ended = machine.run(weights, inputs, state, lengths=lengths)
    for lane, length in enumerate(lengths):
        begun = machine.initial_state(weights, lanes=1, rows=6)
        alone, after = machine.run(weights, inputs[:length, lane : lane + 1], begun)
        assert torch.equal(answers[:length, :, lane], alone[:, :, 0])
        assert not answers[length:, :, lane].any()
        for one, other in zip(tensors(ended), tensors(after), strict=True):
            assert torch.equal(one[:, lane], other[:, 0])


@every
@pytest.mark.parametrize("cut", [1, 3])
def test_a_run_can_be_gone_on_with_to_the_bit(topology, cut):
    machine = FusedCPU(topology, EPS)
    flat, inputs = weights_of(topology, 3).float(), inputs_of(topology, 5, 17).float()
    weights = machine.wire_up(flat)
    state = machine.initial_state(weights, lanes=17, rows=4)
    whole, _ = machine.run(weights, inputs, state)
    first, middle = machine.run(weights, inputs[:cut], state)
    second, _ = machine.run(weights, inputs[cut:], middle)
    assert torch.equal(torch.cat([first, second]), whole)
    assert torch.equal(machine.episode(flat, inputs, rows=4), whole)


def test_a_state_of_the_reference_can_be_gone_on_with():
    flat, inputs = weights_of(RECURRENT, 2).float(), inputs_of(RECURRENT, 6, 3).float()
    reference, fused = Machine(RECURRENT, EPS), FusedCPU(RECURRENT, EPS)
    weights = reference.wire_up(flat)
    whole, _ = reference.run(weights, inputs, reference.initial_state(weights, lanes=3, rows=5))
    _, middle = reference.run(
        weights, inputs[:2], reference.initial_state(weights, lanes=3, rows=5)
    )
    rest, _ = fused.run(fused.wire_up(flat), inputs[2:], middle)
    torch.testing.assert_close(rest, whole[2:], rtol=1e-4, atol=1e-4)


def test_a_long_shift_range_goes_round_a_short_ring_several_times():
    wide = build("dense", (3,), Head(1, "reader", shifts=11), Head(2, "writer", shifts=7))
    close(wide, weights_of(wide, 2), inputs_of(wide, 5, 3), rows=2)


def test_many_heads_over_many_rows():
    heads = [Head(1 + n, "writer" if n < 5 else "reader") for n in range(10)]
    topology = build("lstm", (4,), *heads, width=17)
    close(topology, weights_of(topology, 1) * 0.3, inputs_of(topology, 4, 3), rows=67)


def test_heads_without_stages_only_stay():
    still = Stages(content=False, interpolation=False, shift=False, sharpening=False)
    topology = build(
        "dense", (3,), Head(1, "reader", stages=still), Head(2, "writer", stages=still)
    )
    _, (_, ended) = both(topology, weights_of(topology, 1), inputs_of(topology, 4, 2), rows=5)
    assert (ended.store.weightings[..., 0] == 1).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [(lambda flat, x: (flat.double(), x), r"expected float32 on the cpu, got torch\.float64"),
     (lambda flat, x: (flat, x.double()), r"expected float32 on the cpu, got torch\.float64"),
     (lambda flat, x: (flat[:, 1:], x), "expected 1085 weights .*, got 1084"),
     (lambda flat, x: (flat, x[:0]), "at least one step, got none"),
     (lambda flat, x: (flat.requires_grad_(), x), "need no gradient"),
     (lambda flat, x: (flat, x[..., 1:]), "expected inputs of 3 channels, got 2"),
     (lambda flat, x: (flat, x.unsqueeze(1).expand(4, 7, 2, 3)),
      r"for a population of \[2\], got \[7\]")],
    ids=["float64", "float64 inputs", "a weight too few", "no step", "gradients", "channels",
         "another population"],
)  # fmt: skip
def test_what_the_kernel_cannot_do_is_refused(change, sentence):
    flat = weights_of(USUAL, 2).float()
    flat, inputs = change(flat, inputs_of(USUAL, 4, 2).float())
    with pytest.raises(MachineError, match=sentence):
        FusedCPU(USUAL, EPS).episode(flat, inputs, rows=4)


def test_a_memory_without_rows_is_refused():
    with pytest.raises(MachineError, match="at least 1 row of memory, got 0"):
        FusedCPU(USUAL).episode(
            weights_of(USUAL, 1).float(), inputs_of(USUAL, 2, 1).float(), rows=0
        )


def test_lengths_beyond_the_steps_are_refused():
    with pytest.raises(MachineError, match="expected 2 lengths, one a lane, each from 1 to 3"):
        FusedCPU(USUAL).episode(
            weights_of(USUAL, 1).float(), inputs_of(USUAL, 3, 2).float(), rows=2, lengths=[3, 4]
        )


def test_a_state_of_other_lanes_is_refused():
    machine = FusedCPU(USUAL)
    weights = machine.wire_up(weights_of(USUAL, 2).float())
    state = machine.initial_state(weights, lanes=3, rows=4)
    with pytest.raises(
        MachineError, match=r"expected a state of shapes \[\[2, 5, .* got \[\[2, 3, "
    ):
        machine.run(weights, inputs_of(USUAL, 2, 5).float(), state)


@pytest.mark.parametrize(
    "machine", [Machine(USUAL, EPS), FusedCPU(USUAL, EPS)], ids=["torch", "fused"]
)
@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((4, 3), r"\[steps, lanes, channels\], got \[4, 3\]"),
     ((4, 0, 3), "at least one lane"), ((4, 2, 5), "3 channels, got 5")],
    ids=["no lanes", "none", "channels"],
)  # fmt: skip
def test_inputs_of_another_shape_are_refused_by_every_backend(machine, shape, sentence):
    with pytest.raises(MachineError, match=sentence):
        machine.episode(weights_of(USUAL, 2).float(), torch.zeros(shape), rows=4)


@pytest.mark.parametrize("rows", [2**31, 2**62, 2**70, -1])
def test_an_absurd_number_of_rows_is_refused(rows):
    with pytest.raises(MachineError, match="row"):
        FusedCPU(USUAL).episode(weights_of(USUAL, 1).float(), torch.zeros(2, 1, 3), rows=rows)


@pytest.mark.parametrize("level", [-1, 99])
def test_an_instruction_set_that_is_not_there_is_refused(level):
    with pytest.raises(MachineError, match=r"among 0 \(.*, got"):
        FusedCPU(USUAL, level=level).episode(
            weights_of(USUAL, 1).float(), torch.zeros(2, 1, 3), rows=3
        )


SPOILT = {
    "float64": (lambda part: part.double(), "expected float32"),
    "float16": (lambda part: part.half(), "expected float32"),
    "elsewhere": (lambda part: part.to("meta"), "on the cpu"),
    "gradients": (lambda part: part.clone().requires_grad_(), "need no gradient"),
}


@pytest.mark.parametrize("change", SPOILT)
@pytest.mark.parametrize("place", ["reads", "memory", "weightings", "weights"])
def test_a_state_or_weights_that_the_program_would_misread_are_refused(change, place):
    spoil, sentence = SPOILT[change]
    machine = FusedCPU(USUAL)
    weights = machine.wire_up(weights_of(USUAL, 2).float())
    state = machine.initial_state(weights, lanes=2, rows=4)
    if place == "weights":
        weights = weights._replace(numbers=spoil(weights.numbers))
    elif place == "reads":
        state = state._replace(reads=spoil(state.reads))
    else:
        part = spoil(getattr(state.store, place))
        state = state._replace(store=state.store._replace(**{place: part}))
    with pytest.raises(MachineError, match=sentence):
        machine.run(weights, torch.zeros(2, 2, 3), state)


def test_laid_weights_of_another_machine_are_refused():
    machine = FusedCPU(USUAL)
    weights = machine.wire_up(weights_of(USUAL, 2).float())
    state = machine.initial_state(weights, lanes=1, rows=4)
    with pytest.raises(MachineError, match=r"laid weights .*, as wire_up gives, got 3"):
        machine.run(weights._replace(numbers=torch.zeros(2, 3)), torch.zeros(2, 1, 3), state)


def test_numbers_may_lie_anyhow():
    """Strided weights, and states whose population lies in another order, are read as they are."""
    machine, inputs = FusedCPU(RECURRENT), inputs_of(RECURRENT, 3, 2).float()
    flat = weights_of(RECURRENT, 2, 3).float()
    weights = machine.wire_up(flat)
    _, state = machine.run(weights, inputs, machine.initial_state(weights, lanes=2, rows=4))
    expected, _ = machine.run(weights, inputs, state)

    def turned(part):
        return part.transpose(0, 1).contiguous().transpose(0, 1)

    anyhow = weights._replace(numbers=weights.numbers.mT.contiguous().mT)
    answers, _ = machine.run(anyhow, inputs, over_tensors(state, lambda part, _: turned(part)))
    assert torch.equal(answers, expected)
