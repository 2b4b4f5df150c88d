from itertools import pairwise

import pytest
import torch

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine
from evo_ntm.machine.state import tensors
from tests.machine.cases import CASES, build, every, finite, numbers, weights_of

STEPS, LANES, ROWS, EPS = 5, 3, 4, 1e-2


def inputs_of(topology, steps=STEPS, lanes=LANES, seed=5):
    return numbers(steps, lanes, sum(block.size for block in topology.inputs), seed=seed)


def begin(topology, flat, lanes=LANES, rows=ROWS):
    machine = Machine(topology, EPS)
    weights = machine.wire_up(flat)
    return machine, weights, machine.initial_state(weights, lanes=lanes, rows=rows)


def same(left, right, **tolerance):
    for one, other in zip(tensors(left), tensors(right), strict=True):
        torch.testing.assert_close(one, other, **tolerance)


def lane_of(state, lane):
    carry = [part[..., lane, :] for layer in state.carry for part in layer]
    return [*carry, *(part[..., lane, :, :] for part in (state.reads, *state.store))]


@every
def test_a_machine_begins_at_its_learned_biases(topology):
    flat = weights_of(topology)
    _, weights, state = begin(topology, flat)
    assert not state.store.memory.any()
    assert (state.store.weightings[..., :1] == 1).all()
    assert (state.store.weightings.sum(-1) == 1).all()
    assert torch.equal(state.reads, weights.start.expand(LANES, -1, -1))
    for layer, (hidden, cell) in zip(weights.layers, state.carry, strict=False):
        torch.testing.assert_close(hidden, torch.tanh(layer.start[0]).expand(LANES, -1))
        torch.testing.assert_close(cell, layer.start[1].expand(LANES, -1))


@every
@pytest.mark.parametrize("cut", [1, 3])
def test_two_halves_equal_the_whole(topology, cut):
    machine, weights, state = begin(topology, weights_of(topology))
    inputs = inputs_of(topology)
    whole, end = machine.run(weights, inputs, state)
    first, middle = machine.run(weights, inputs[:cut], state)
    second, after = machine.run(weights, inputs[cut:], middle)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    same(after, end)


@every
def test_more_steps_than_are_heard_at_once_are_heard_all_the_same(topology):
    machine, weights, state = begin(topology, weights_of(topology))
    inputs = inputs_of(topology, steps=37)
    whole, _ = machine.run(weights, inputs, state)
    answers = []
    for one in inputs.split(1):
        answer, state = machine.run(weights, one, state)
        answers.append(answer)
    torch.testing.assert_close(torch.cat(answers), whole)


@every
@pytest.mark.parametrize("population", [(3,), (2, 2)])
def test_a_population_answers_as_its_members_do_one_by_one(topology, population):
    flat = weights_of(topology, *population)
    machine, weights, state = begin(topology, flat)
    inputs = inputs_of(topology)
    answers, end = machine.run(weights, inputs, state)
    assert answers.shape == (STEPS, *population, LANES, 2)
    for index in [(0,) * len(population), tuple(size - 1 for size in population)]:
        _, alone, alone_state = begin(topology, flat[index])
        expected, expected_end = machine.run(alone, inputs, alone_state)
        torch.testing.assert_close(answers[(slice(None), *index)], expected)
        for ours, theirs in zip(tensors(end), tensors(expected_end), strict=True):
            torch.testing.assert_close(ours[index], theirs)


@every
def test_members_of_a_population_may_hear_different_inputs(topology):
    flat = weights_of(topology, 2)
    machine, weights, state = begin(topology, flat)
    apart = torch.stack([inputs_of(topology, seed=seed) for seed in (5, 6)], dim=1)
    answers, _ = machine.run(weights, apart, state)
    for member in range(2):
        _, alone, alone_state = begin(topology, flat[member])
        expected, _ = machine.run(alone, apart[:, member], alone_state)
        torch.testing.assert_close(answers[:, member], expected)


@every
@pytest.mark.parametrize("population", [(), (2,), (2, 1)])
def test_many_lanes_answer_as_few_do(topology, population):
    machine, weights, state = begin(topology, weights_of(topology, *population), lanes=19)
    inputs = inputs_of(topology, lanes=19)
    answers, _ = machine.run(weights, inputs, state)
    for some in torch.arange(19).split(7):
        few = machine.initial_state(weights, lanes=len(some), rows=ROWS)
        expected, _ = machine.run(weights, inputs[:, some], few)
        torch.testing.assert_close(answers[..., some, :], expected)


@every
@pytest.mark.parametrize("lengths", [[2, 5, 1], [3, 3, 3], [5, 4, 5], [4, 1, 4]])
@pytest.mark.parametrize("population", [(), (2,)])
def test_padding_changes_nothing(topology, lengths, population):
    machine, weights, state = begin(topology, weights_of(topology, *population))
    inputs = inputs_of(topology)
    for lane, length in enumerate(lengths):
        inputs[length:, lane] = float("nan")
    answers, end = machine.run(weights, inputs, state, lengths=lengths)
    assert answers.shape == (STEPS, *population, LANES, 2)
    flat = weights_of(topology, *population)
    for without in (torch.no_grad, torch.inference_mode):
        with without():
            episode = machine.episode(flat, inputs, rows=ROWS, lengths=lengths)
            assert torch.equal(episode, answers)
    for lane, length in enumerate(lengths):
        one = machine.initial_state(weights, lanes=1, rows=ROWS)
        alone, alone_end = machine.run(weights, inputs[:length, lane : lane + 1], one)
        torch.testing.assert_close(answers[:length, ..., lane, :], alone[..., 0, :])
        assert not answers[length:, ..., lane, :].any()
        for ours, theirs in zip(lane_of(end, lane), lane_of(alone_end, 0), strict=True):
            torch.testing.assert_close(ours, theirs)


@every
def test_padding_has_no_gradient(topology):
    flat = weights_of(topology).requires_grad_()
    machine, weights, state = begin(topology, flat)
    inputs = inputs_of(topology)
    inputs[2:, 1] = float("nan")
    answers, end = machine.run(weights, inputs, state, lengths=[5, 2, 4])
    (answers.square().sum() + sum(tensor.sum() for tensor in tensors(end))).backward()
    assert finite(flat.grad)
    assert flat.grad.any()


@pytest.mark.parametrize(
    ("lengths", "shown"),
    [([1, 2], "[1, 2]"), ([1, 2, 6], "from 1 to 5, got [1, 2, 6]"), ([0, 5, 5], "[0, 5, 5]")],
)
def test_impossible_lengths_are_refused(lengths, shown):
    topology = CASES["reader and writer"]
    machine, weights, state = begin(topology, weights_of(topology))
    with pytest.raises(MachineError, match="3 lengths, one a lane") as refused:
        machine.run(weights, inputs_of(topology), state, lengths=lengths)
    assert shown in str(refused.value)


def test_no_steps_no_rows_and_the_wrong_number_of_weights_are_refused():
    topology = CASES["reader and writer"]
    flat = weights_of(topology)
    machine, weights, state = begin(topology, flat)
    with pytest.raises(MachineError, match="at least one step"):
        machine.run(weights, inputs_of(topology, steps=0), state)
    with pytest.raises(MachineError, match="1 row of memory, got 0"):
        machine.initial_state(weights, lanes=1, rows=0)
    with pytest.raises(MachineError, match=f"expected {len(flat)} weights .*got {len(flat) - 1}"):
        machine.wire_up(flat[1:])


@every
@pytest.mark.parametrize("lengths", [None, [2, 5, 4]])
def test_inference_answers_the_same_and_leaves_the_state_that_it_was_given(topology, lengths):
    flat = weights_of(topology, 2)
    machine, weights, state = begin(topology, flat)
    inputs = inputs_of(topology)
    _, state = machine.run(weights, inputs, state)
    before = [tensor.clone() for tensor in tensors(state)]
    expected, expected_end = machine.run(weights, inputs, state, lengths=lengths)
    with torch.inference_mode():
        for _ in range(2):
            answers, end = machine.run(weights, inputs, state, lengths=lengths)
            torch.testing.assert_close(answers, expected)
            same(end, expected_end)
    for tensor, kept in zip(tensors(state), before, strict=True):
        assert torch.equal(tensor, kept)


def answers_of(topology, rows, dtype):
    machine, weights, state = begin(topology, weights_of(topology).to(dtype), rows=rows)
    return machine.run(weights, inputs_of(topology).to(dtype), state)[0]


def test_inference_of_machines_of_many_shapes_in_turn_never_mixes_them_up():
    for rows in (3, 50, 4):
        for topology in CASES.values():
            expected = answers_of(topology, rows, torch.float64)
            with torch.inference_mode():
                exact = answers_of(topology, rows, torch.float64)
                rough = answers_of(topology, rows, torch.float32)
            torch.testing.assert_close(exact, expected)
            torch.testing.assert_close(rough.double(), expected, rtol=1e-3, atol=1e-3)


@every
def test_the_trace_agrees_with_the_run_and_with_the_state(topology):
    machine, weights, state = begin(topology, weights_of(topology, 2))
    inputs = inputs_of(topology)
    answers, end = machine.run(weights, inputs, state)
    traced, traced_end, told = machine.trace(weights, inputs, state)
    torch.testing.assert_close(traced, answers)
    same(traced_end, end)
    weightings = torch.cat([told.write_weightings, told.read_weightings], dim=-2)
    torch.testing.assert_close(weightings[-1], end.store.weightings)
    torch.testing.assert_close(told.memory[-1], end.store.memory)
    torch.testing.assert_close(told.reads[-1], end.reads)


@every
def test_each_step_begins_where_the_last_one_ended(topology):
    machine, weights, state = begin(topology, weights_of(topology, 2))
    inputs = inputs_of(topology)
    answers, end = machine.run(weights, inputs, state)
    steps = list(machine.steps(weights, inputs, state))
    torch.testing.assert_close(torch.stack([step.answer for step in steps]), answers)
    assert all(after.before is before.after for before, after in pairwise(steps))
    same(steps[-1].after.state(), end)


def test_the_trace_tells_what_was_read_erased_and_added():
    topology = CASES["reader and writer"]
    machine, weights, state = begin(topology, weights_of(topology))
    _, _, told = machine.trace(weights, inputs_of(topology), state)
    torch.testing.assert_close(told.reads, told.read_weightings @ told.memory)
    w, e, a = told.write_weightings.mT, told.erase, told.add
    before = torch.cat([state.store.memory[None], told.memory[:-1]])
    torch.testing.assert_close(told.memory, before * (1 - w * e) + w * a)
    assert ((told.erase > 0) & (told.erase < 1)).all()


@every
def test_float32_is_near_to_float64(topology):
    inputs = inputs_of(topology)
    answers = []
    for dtype in (torch.float64, torch.float32):
        machine, weights, state = begin(topology, weights_of(topology, 2).to(dtype))
        answers.append(machine.run(weights, inputs.to(dtype), state)[0])
        assert answers[-1].dtype == dtype
    torch.testing.assert_close(answers[1].double(), answers[0], rtol=1e-3, atol=1e-4)


@every
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_broken_machine_does_not_touch_its_neighbours(topology, bad):
    flat = weights_of(topology, 3)
    machine, weights, state = begin(topology, flat)
    inputs = inputs_of(topology)
    expected, expected_end = machine.run(weights, inputs, state)
    flat[1] = bad
    with torch.inference_mode():
        _, weights, state = begin(topology, flat)
        answers, end = machine.run(weights, inputs, state, lengths=[5, 5, 4])
    assert not finite(answers[:, 1, :2])
    for member in (0, 2):
        torch.testing.assert_close(answers[:, member, :2], expected[:, member, :2])
        assert all(finite(tensor[member]) for tensor in tensors(end))


def test_a_machine_without_heads_is_the_plain_lstm():
    topology = build("lstm", (4, 3), inputs=3, outputs=2)
    machine, weights, state = begin(topology, weights_of(topology))
    plain = torch.nn.LSTM(3, 4, dtype=torch.float64), torch.nn.LSTM(4, 3, dtype=torch.float64)
    said = inputs_of(topology)
    for module, layer, (hidden, cell) in zip(plain, weights.layers, state.carry, strict=True):
        module.weight_ih_l0.data, module.weight_hh_l0.data = layer.below.mT, layer.before.mT
        module.bias_ih_l0.data, module.bias_hh_l0.data = layer.bias[0], 0 * layer.bias[0]
        said, _ = module(said, (hidden[None].contiguous(), cell[None].contiguous()))
    expected = said @ weights.thought + weights.bias
    torch.testing.assert_close(machine.run(weights, inputs_of(topology), state)[0], expected)


def test_a_machine_without_heads_is_the_plain_feed_forward_network():
    topology = build("dense", (4, 3), inputs=3, outputs=2)
    machine, weights, state = begin(topology, weights_of(topology))
    said = inputs_of(topology)
    for layer in weights.layers:
        said = torch.tanh(said @ layer.below + layer.bias)
    expected = said @ weights.thought + weights.bias
    torch.testing.assert_close(machine.run(weights, inputs_of(topology), state)[0], expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every
def test_a_cuda_device_answers_as_the_cpu_does(topology):
    inputs, flat = inputs_of(topology), weights_of(topology, 2)
    machine, weights, state = begin(topology, flat)
    expected, _ = machine.run(weights, inputs, state, lengths=[5, 2, 4])
    with torch.inference_mode():
        machine, weights, state = begin(topology, flat.cuda())
        answers, _ = machine.run(weights, inputs.cuda(), state, lengths=[5, 2, 4])
    torch.testing.assert_close(answers.cpu(), expected)
