"""Whole machines against the paper in plain Python."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.machine import Machine
from tests.machine import reference
from tests.machine.cases import every, named, numbers, topologies, weights_of


def compare(topology, steps, lanes, rows, eps, seed=1, scale=1.0):
    flat = weights_of(topology, seed=seed) * scale
    inputs = numbers(steps, lanes, sum(b.size for b in topology.inputs), seed=seed + 1)
    machine = Machine(topology, eps)
    weights = machine.wire_up(flat)
    begin = machine.initial_state(weights, lanes=lanes, rows=rows)
    answers, state, told = machine.trace(weights, inputs, begin)
    wires = named(topology, flat)
    for lane in range(lanes):
        theirs, states = reference.run(topology, wires, inputs[:, lane].tolist(), rows, eps)
        agree(answers[:, lane], theirs)
        agree_on_heads(topology, told, lane, states)
        for number, (hidden, cell) in enumerate(state.carry):
            agree(hidden[lane], states[-1]["hidden"][number])
            agree(cell[lane], states[-1]["cell"][number])


def agree(ours, theirs):
    torch.testing.assert_close(ours, torch.tensor(theirs, dtype=ours.dtype), rtol=1e-9, atol=1e-9)


def agree_on_heads(topology, told, lane, states):
    if topology.heads:
        agree(told.memory[:, lane], [state["memory"] for state in states])
    for number, head in enumerate(topology.writers):
        weightings = [state["weightings"][head.name] for state in states]
        agree(told.write_weightings[:, lane, number], weightings)
    for number, head in enumerate(topology.readers):
        weightings = [state["weightings"][head.name] for state in states]
        agree(told.read_weightings[:, lane, number], weightings)
        agree(told.reads[:, lane, number], [state["reads"][head.name] for state in states])


@settings(max_examples=80)
@given(
    topology=topologies(),
    steps=some.integers(1, 4),
    lanes=some.integers(1, 3),
    rows=some.integers(1, 6),
    eps=some.sampled_from([1e-6, 1e-2]),
    seed=some.integers(0, 99),
)
def test_any_machine_does_what_the_paper_says(topology, steps, lanes, rows, eps, seed):
    compare(topology, steps, lanes, rows, eps, seed)


@every
def test_loud_weights_change_nothing_about_that(topology):
    compare(topology, steps=6, lanes=2, rows=5, eps=1e-2, scale=4.0)


@every
def test_rows_are_free_at_run_time(topology):
    for rows in (1, 3, 40):
        compare(topology, steps=3, lanes=1, rows=rows, eps=1e-2)
