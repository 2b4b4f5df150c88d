"""Fused tapes and graphs answer as torch does, by every instruction set and in any company."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.errors import MachineError
from evo_ntm.machine import Backend, Machine, choose
from evo_ntm.machine.kernels import cpu, program
from evo_ntm.machine.kernels.cpu import FusedTape
from evo_ntm.topology import Controller, Head, Tape
from evo_ntm.topology.wires import places, size
from tests.genome.machines import graph, tapes
from tests.machine.test_tape import bits, machines, taped, total, weights_of

pytestmark = pytest.mark.skipif(not cpu.available(), reason="installed without the fused kernel")
NEARLY_ALL = 0.99  # where a decision is at its edge, rounding decides


def graphs():
    """Draw a graph."""
    drawn = some.builds(
        graph,
        some.sampled_from([0.1, 0.5, 1.0]),
        nodes=some.sampled_from([0, 1, 5, 20]),
        width=some.integers(1, 6),
        heads=some.integers(0, 2),
        seed=some.integers(0, 99),
        tape=tapes(),
        recurrent=some.booleans(),
    )
    return drawn.map(lambda genome: genome.topology)


def answers_of(machine, flat, inputs, rows=0, lengths=None):
    with torch.inference_mode():
        return machine.episode(flat, inputs, rows=rows, lengths=lengths)


@settings(max_examples=60, deadline=None)
@given(
    topology=machines() | graphs(),
    population=some.sampled_from([1, 2, 7]),
    lanes=some.sampled_from([1, 4, 5, 16, 50]),
    steps=some.integers(1, 20),
    rows=some.sampled_from([0, 0, 1, 2, 5]),
    seed=some.integers(0, 999),
    data=some.data(),
)
def test_a_fused_tape_answers_as_torch_does(topology, population, lanes, steps, rows, seed, data):
    flat = weights_of(topology, population, seed=seed).float()
    inputs = bits(steps, lanes, total(topology), seed).float()
    lengths = data.draw(some.lists(some.integers(1, steps), min_size=lanes, max_size=lanes))
    expected = answers_of(Machine(topology), flat, inputs, rows, lengths)
    came = answers_of(FusedTape(topology), flat, inputs, rows, lengths)
    apart = ((came - expected).abs() > 1e-3).any(-1).any(0).sum()
    assert apart <= 1 + population * lanes * (1 - NEARLY_ALL)
    for level in range(1, len(program.load().levels)):
        other = answers_of(FusedTape(topology, level=level), flat, inputs, rows, lengths)
        assert torch.equal(other, came)


@settings(max_examples=20, deadline=None)
@given(topology=machines() | graphs(), seed=some.integers(0, 999))
def test_an_individual_answers_the_same_in_any_company(topology, seed):
    flat = weights_of(topology, 9, seed=seed).float()
    inputs = bits(8, 21, total(topology), seed).float()
    together = answers_of(FusedTape(topology), flat, inputs)
    alone = answers_of(FusedTape(topology), flat[3:4], inputs)
    few = answers_of(FusedTape(topology), flat[3:4], inputs[:, 7:9])
    assert torch.equal(together[:, 3], alone[:, 0])
    assert torch.equal(alone[:, 0, 7:9], few[:, 0])


def test_step_by_step_torch_computes_a_fused_tape():
    topology = taped()
    flat, inputs = weights_of(topology, 2).float(), bits(5, 3, 3).float()
    fused, plain = FusedTape(topology), Machine(topology)
    weights = fused.wire_up(flat)
    state = fused.initial_state(weights, lanes=3, rows=0)
    answers, ended = fused.run(weights, inputs, state)
    expected, end = plain.run(weights, inputs, state)
    assert torch.equal(answers, expected)
    assert torch.equal(ended.store.cells, end.store.cells)


def test_a_graph_in_its_frame_answers_as_it_does_alone():
    genome = graph(0.5, nodes=20, width=3)
    framed, inputs = genome.topology.framed, bits(9, 20, 5).float()
    room = torch.zeros(2, size(framed))
    room[:, torch.from_numpy(places(genome.topology))] = torch.tensor(genome.weights)
    alone = answers_of(FusedTape(genome.topology), torch.tensor(genome.weights)[None], inputs)
    assert torch.equal(answers_of(FusedTape(framed), room, inputs)[:, 1], alone[:, 0])


def test_the_backend_fuses_tapes_of_graphs_and_of_dense_controllers_only():
    fused = choose("cpu", "fused")
    recurrent = taped(Head(7, "tape"), units=(3,))
    lstm = Controller("lstm", recurrent.controller.layers)
    recurrent = type(recurrent)(recurrent.inputs, recurrent.outputs, lstm, recurrent.columns,
                                recurrent.heads)  # fmt: skip
    assert fused.fuses(taped(), 0)
    assert isinstance(fused.machine(taped(), 0.01), FusedTape)
    assert isinstance(fused.machine(graph().topology.framed, 0.01), FusedTape)
    assert fused.fuses(graph(heads=0).topology, 0)
    assert not fused.fuses(recurrent, 0)
    assert isinstance(fused.machine(recurrent, 0.01), Machine)
    assert isinstance(Backend("cpu", fused=False).machine(taped(), 0.01), Machine)


def test_a_long_tape_grows_as_far_as_it_is_written():
    topology = taped(tape=Tape(fresh_cell=True))
    flat = torch.zeros(1, size(topology))
    flat[:] = 0.5
    inputs = bits(1500, 2, 3).float()
    assert torch.equal(answers_of(FusedTape(topology), flat, inputs),
                       answers_of(FusedTape(topology), flat, inputs))  # fmt: skip
    torch.testing.assert_close(answers_of(FusedTape(topology), flat, inputs[:100]),
                               answers_of(Machine(topology), flat, inputs[:100]))  # fmt: skip


def test_bad_inputs_are_refused_as_the_torch_path_does():
    topology = taped()
    flat = weights_of(topology, 1).float()
    with pytest.raises(MachineError, match="expected inputs of 3 channels, got 4"):
        answers_of(FusedTape(topology), flat, bits(5, 3, 4).float())
    with pytest.raises(MachineError, match="got -1"):
        answers_of(FusedTape(topology), flat, bits(5, 3, 3).float(), rows=-1)
    drawn = graph().topology
    with pytest.raises(MachineError, match=f"expected {size(drawn)} weights for graph of 3 nodes"):
        answers_of(FusedTape(drawn), torch.zeros(1, 1 + size(drawn)), bits(5, 3, 5).float())
