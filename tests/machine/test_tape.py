"""Hard addressing: against the published unit vectors and champions, and a tape in plain Python."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine, Tape
from evo_ntm.machine.chunks import chunk_size
from evo_ntm.machine.state import tensors
from evo_ntm.machine.tape import TapeHeads, longest
from evo_ntm.seeds import derive
from evo_ntm.tasks import grade, make
from evo_ntm.topology import Block, Controller, Head, Stages, Topology, wires
from evo_ntm.topology import Tape as Settings
from evo_ntm.topology.wires import size
from tests.machine import tape_reference
from tests.machine.cases import named, numbers

GOLDEN = Path(__file__).parents[2] / "../shared/golden/entm"
golden = pytest.mark.skipif(not GOLDEN.exists(), reason="no golden data beside the checkout")

CERTAIN = 2000.0  # so loud that a sigmoid of float64 is 0 or 1
STEEP = 4.9


def taped(*heads, units=(), inputs=3, outputs=2, width=4, tape=None):
    """Build a machine with the heads of a tape, one where none is named."""
    heads = heads or (Head(7, "tape", target="controller"),)
    layers = tuple((Block(10 + number, count),) for number, count in enumerate(units))
    body = (
        (Block(1, inputs),),
        (Block(2, outputs),),
        Controller("dense", layers),
        (Block(3, width),),
    )
    return Topology(*body, heads, tape)


def weights_of(topology, *population, seed=1, scale=2.0):
    return numbers(*population, size(topology), seed=seed, scale=scale)


def bits(steps, lanes, channels, seed=5):
    drawn = derive(seed, "bits").bits((steps, lanes, channels))
    return torch.tensor(drawn, dtype=torch.float64)


def begin(topology, flat, lanes, rows=0):
    machine = Machine(topology)
    weights = machine.wire_up(flat)
    return machine, weights, machine.initial_state(weights, lanes=lanes, rows=rows)


def obedient(width, tape=None):
    """Make a machine whose head does what the input says, and which answers what it read."""
    topology = taped(
        Head(7, "tape", target="output"), inputs=width + 5, outputs=width, width=width, tape=tape
    )
    flat = torch.zeros(size(topology), dtype=torch.float64)
    every, told = wires(topology), 0
    for port in ("write", "interpolation", "jump", "shift"):
        heard, bias = (every[f"tape 7 {port} < {source}"] for source in ("input", "bias"))
        rows = torch.zeros(heard.shape, dtype=torch.float64)
        for row in rows:
            row[told], told = CERTAIN, told + 1
        flat[heard.place], flat[bias.place] = rows.flatten(), -CERTAIN / 2
    flat[every["output < tape 7"].place] = torch.eye(width, dtype=torch.float64).flatten()
    return topology, flat


def obeyed(orders, *, width=2, tape=None, rows=0):
    """Give what is read after every order, and the tape at the end."""
    topology, flat = obedient(width, tape)
    machine, weights, state = begin(topology, flat, 1, rows)
    inputs = torch.tensor(orders, dtype=torch.float64).unsqueeze(1)
    answers, ended = machine.run(weights, inputs, state)
    return answers[:, 0].tolist(), ended.store


@golden
def test_the_published_unit_vectors_come_out_exactly():
    told = json.loads((GOLDEN / "unit-vectors.json").read_text())
    for case in told["cases"]:
        reads, _ = obeyed(case["steps"], width=told["M"])
        expected = case.get("read", [None] * (len(reads) - 1) + [case.get("read_last")])
        for came, read in zip(reads, expected, strict=True):
            assert read is None or came == read, case["name"]


def graph_of(champion):
    """Read the graph of a published champion: the senders and weights of every node, in order."""
    told = json.loads((GOLDEN / champion).read_text())
    heard = {}
    for source, target, weight in told["connections [source, target, weight]"]:
        heard.setdefault(target, []).append((source, weight))
    order, known = [], set(range(1 + told["n_inputs"]))
    while len(order) < len(heard):
        ready = [n for n in heard if n not in known and all(s in known for s, _ in heard[n])]
        order += ready
        known |= set(ready)
    return told, order, heard


def replayed(episodes, width, bits, champion="copy-2-bit-champion.json"):
    """Run a published graph on a tape, and give what its outputs say, as sums."""
    told, order, heard = graph_of(champion)
    topology = taped(inputs=bits + 2, outputs=bits, width=width)
    lanes, heads = len(episodes.lengths), TapeHeads(topology)
    like = torch.zeros(1, dtype=torch.float64)
    weights = Machine(topology).wire_up(torch.zeros(size(topology), dtype=torch.float64))
    state = Machine(topology).initial_state(weights, lanes=lanes, rows=0)
    moment, answers = heads.open(state, len(episodes.inputs), overwrite=True), []
    first = 1 + told["n_inputs"]
    outputs = range(first, first + told["n_outputs"])
    for shown in episodes.inputs.double():
        values = dict(enumerate([torch.ones(lanes).double(), *shown.T, *moment.reads[:, 0].T]))
        sums = dict.fromkeys(outputs, like.expand(lanes))
        for node in order:
            sums[node] = STEEP * sum(weight * values[source] for source, weight in heard[node])
            values[node] = torch.sigmoid(sums[node])
        said = torch.stack([sums[n] for n in [*outputs[bits:], *outputs[:bits]]], dim=-1)
        answer, _, moment, _ = heads.act(weights, said, (), moment, overwrite=True)
        answers.append(answer)
    return torch.stack(answers), moment.state()


@golden
@pytest.mark.parametrize(("shortest", "longest", "lanes"), [(1, 10, 100), (100, 100, 20)])
def test_the_published_champion_copies_two_bits(shortest, longest, lanes):
    check_champion(shortest, longest, lanes)


@golden
@pytest.mark.slow
def test_the_published_champion_copies_a_thousand_vectors():
    state = check_champion(1000, 1000, 4)
    assert (state.store.extent == 1002).all()


def check_champion(shortest, longest, lanes):
    task = make("entm_copy", {"bits": 2, "shortest": shortest, "longest": longest})
    episodes = task.episodes(derive(1, "champion"), lanes)
    with torch.inference_mode():
        answers, state = replayed(episodes, width=5, bits=2)
    assert grade(episodes, answers, task).worth.mean() >= 0.999
    return state


@golden
def test_the_published_champion_of_the_maze_is_a_machine_without_layers():
    told = json.loads((GOLDEN / "double-t-maze-champion.json").read_text())
    senders = {**{n: ("input", n) for n in range(5)}, 5: ("tape 7 before", 0),
               6: ("tape 7 before", 1), 7: ("bias", 0)}  # fmt: skip
    receivers = [("output", n) for n in range(3)]
    receivers += [(f"tape 7 {port}", n) for port, count in
                  (("write", 2), ("interpolation", 1), ("jump", 1), ("shift", 3))
                  for n in range(count)]  # fmt: skip
    topology = taped(inputs=5, outputs=3, width=2)
    flat, every = np.zeros(size(topology)), wires(topology)
    for source, target, weight in told["connections [input, output, weight]"]:
        (sender, column), (port, row) = senders[source], receivers[target]
        wire = every[f"{port} < {sender}"]
        flat[wire.offset + row * wire.shape[1] + column] = 4.924273 * weight
    machine, weights, state = begin(topology, torch.from_numpy(flat), lanes=30)
    inputs = torch.from_numpy(derive(3, "maze").random((300, 30, 5)).astype(np.float64))
    answers, ended = machine.run(weights, inputs, state)
    for lane in range(30):
        theirs, tape = tape_reference.run(
            topology, named(topology, torch.from_numpy(flat)), inputs[:, lane].tolist(), 0
        )
        torch.testing.assert_close(answers[:, lane], torch.tensor(theirs).double())
        assert ended.store.extent[lane] == len(tape[-1][0])


@some.composite
def machines(draw):
    """Draw any machine with a tape."""
    births = draw(some.permutations(range(20, 20 + draw(some.integers(1, 3)))))
    targets = some.sampled_from(["controller", "output", "both"])
    heads = [
        Head(birth, "tape", "hidden", draw(targets),
             Stages(draw(some.booleans()), False, draw(some.booleans()), False))
        for birth in births
    ]  # fmt: skip
    tape = Settings(
        write=draw(some.sampled_from(["interpolate", "overwrite"])),
        initial=draw(some.sampled_from([0.0, 0.5])),
        fresh_cell=draw(some.booleans()),
        least_similarity=draw(some.sampled_from([0.0, 0.6, 0.9])),
        did_write=draw(some.sampled_from([0.5, 0.9])),
    )
    units = draw(some.sampled_from([(), (3,), (2, 3)]))
    sizes = {name: draw(some.integers(1, 3)) for name in ("inputs", "outputs", "width")}
    return taped(*heads, units=units, tape=tape, **sizes)


@settings(max_examples=150)
@given(
    topology=machines(),
    steps=some.integers(1, 9),
    rows=some.sampled_from([0, 0, 1, 2, 3, 5]),
    seed=some.integers(0, 999),
)
def test_any_tape_does_what_the_tape_in_plain_python_does(topology, steps, rows, seed):
    lanes = 3
    flat, inputs = weights_of(topology, seed=seed), bits(steps, lanes, total(topology), seed)
    machine, weights, state = begin(topology, flat, lanes, rows)
    with torch.inference_mode():
        answers, ended = machine.run(weights, inputs, state)
    for lane in range(lanes):
        theirs, told = tape_reference.run(
            topology, named(topology, flat), inputs[:, lane].tolist(), rows
        )
        torch.testing.assert_close(answers[:, lane], torch.tensor(theirs).double())
        cells, at, reads = told[-1]
        extent = int(ended.store.extent[lane])
        assert extent == len(cells)
        torch.testing.assert_close(ended.store.cells[lane, :extent], torch.tensor(cells).double())
        assert not ended.store.cells[lane, extent:].any()
        assert ended.store.head[lane].tolist() == at
        read = torch.tensor([reads[head.name] for head in topology.tape_heads]).double()
        torch.testing.assert_close(ended.reads[lane], read)


def total(topology):
    return sum(block.size for block in topology.inputs)


ANY = some.integers(0, 999)


def check_same(left, right):
    for one, other in zip(tensors(left), tensors(right), strict=True):
        torch.testing.assert_close(one, other)


@settings(max_examples=30)
@given(topology=machines(), cut=some.integers(1, 5), rows=some.sampled_from([0, 3]), seed=ANY)
def test_two_halves_equal_the_whole(topology, cut, rows, seed):
    machine, weights, state = begin(topology, weights_of(topology, seed=seed), 3, rows)
    inputs = bits(6, 3, total(topology), seed)
    whole, end = machine.run(weights, inputs, state)
    first, middle = machine.run(weights, inputs[:cut], state)
    second, after = machine.run(weights, inputs[cut:], middle)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    check_same(after, end)


@settings(max_examples=30)
@given(topology=machines(), rows=some.sampled_from([0, 3]), seed=ANY)
def test_a_population_and_lanes_of_many_lengths_do_as_each_does_alone(topology, rows, seed):
    flat, inputs = weights_of(topology, 4, seed=seed), bits(7, 3, total(topology), seed)
    machine, weights, state = begin(topology, flat, 3, rows)
    lengths = [7, 2, 4]
    answers, ended = machine.run(weights, inputs, state, lengths=lengths)
    for member, lane in ((0, 0), (1, 1), (3, 2)):
        alone, its, begun = begin(topology, flat[member], 1, rows)
        shown = inputs[: lengths[lane], lane : lane + 1]
        expected, end = alone.run(its, shown, begun)
        torch.testing.assert_close(answers[: lengths[lane], member, lane], expected[:, 0])
        assert not answers[lengths[lane] :, member, lane].any()
        extent = int(end.store.extent[0])
        assert int(ended.store.extent[member, lane]) == extent
        torch.testing.assert_close(ended.store.cells[member, lane, :extent], end.store.cells[0])
        assert torch.equal(ended.store.head[member, lane], end.store.head[0])


@settings(max_examples=20)
@given(topology=machines(), seed=ANY)
def test_with_and_without_gradients_the_answers_are_the_same(topology, seed):
    machine, weights, state = begin(topology, weights_of(topology, 2, seed=seed), 3)
    inputs = bits(6, 3, total(topology), seed)
    plain, end = machine.run(weights, inputs, state)
    with torch.inference_mode():
        quick, ended = machine.run(weights, inputs, state)
    assert torch.equal(plain, quick)
    check_same(end, ended)


def test_a_run_never_changes_the_state_that_it_was_given():
    topology, flat = obedient(2)
    machine, weights, state = begin(topology, flat, 1)
    with torch.inference_mode():
        machine.run(weights, torch.ones(3, 1, 7, dtype=torch.float64), state)
    assert not state.store.cells.any()
    assert state.store.extent.tolist() == [1]


LEFT, STAY, RIGHT = [1, 0, 0], [0, 1, 0], [0, 0, 1]


def order(a, *, write=False, jump=False, go=STAY):
    return [*a, int(write), int(jump), *go]


def test_a_jump_goes_to_the_first_cell_of_several_that_are_the_same():
    orders = [order([1, 1], write=True, go=RIGHT), order([0, 1], write=True, go=RIGHT),
              order([1, 1], write=True, go=RIGHT), order([1, 1], jump=True, go=RIGHT)]  # fmt: skip
    reads, _ = obeyed(orders)
    assert reads[-1] == [0, 1]


def test_a_jump_goes_to_the_first_of_several_that_are_as_similar():
    orders = [order([1, 0], write=True, go=RIGHT), order([0, 1], write=True, go=RIGHT),
              order([1, 1], write=True, go=LEFT), order([1, 1], write=True, go=LEFT)]  # fmt: skip
    _, tape = obeyed([*orders[:2], order([1, 1], jump=True)])
    assert tape.head.tolist() == [[0]]


def test_a_jump_that_finds_nothing_goes_to_the_end():
    orders = [order([1, 1], write=True, go=RIGHT), order([1, 1], write=True, go=RIGHT),
              order([1, 1], write=True, go=LEFT), order([0, 0], jump=True)]  # fmt: skip
    _, tape = obeyed(orders, tape=Settings(least_similarity=0.6))
    assert tape.head.tolist() == [[2]]
    _, tape = obeyed(orders)
    assert tape.head.tolist() == [[0]]


def test_a_written_last_cell_is_followed_by_a_fresh_one():
    tape = Settings(fresh_cell=True, least_similarity=0.6)
    reads, ended = obeyed([order([1, 1], write=True), order([0, 0], jump=True)], tape=tape)
    assert reads == [[1, 1], [0, 0]]
    assert (ended.extent.tolist(), ended.head.tolist()) == ([2], [[1]])


def test_a_tape_of_few_cells_is_a_ring_once_they_are_all_there():
    reads, tape = obeyed([order([1, 0], write=True, go=LEFT), order([0, 0], go=LEFT),
                          order([0, 0], go=LEFT), order([0, 0], go=RIGHT)], rows=2)  # fmt: skip
    assert reads == [[0, 0], [1, 0], [0, 0], [1, 0]]
    assert tape.extent.tolist() == [2]


def test_unconnected_orders_jump_and_step_left():
    topology = taped()
    machine, weights, state = begin(topology, torch.zeros(size(topology)).double(), 1)
    _, ended = machine.run(weights, bits(3, 1, 3), state)
    assert ended.store.extent.tolist() == [4]
    assert ended.store.head.tolist() == [[0]]


def test_the_hand_made_policy_copies_one_bit():
    """Written down in the programs of Greve, Jacobsen and Risi (2016)."""
    topology, flat = obedient(2)
    task = make("entm_copy", {"bits": 1})
    episodes = task.episodes(derive(1, "policy"), 20)
    machine, weights, state = begin(topology, flat, 20)
    read, answers = torch.zeros(20, 2, dtype=torch.float64), []
    for shown in episodes.inputs.double():
        start, delimiter, bit = shown.T
        a = torch.stack([bit + read[:, 0], start + delimiter + read[:, 1]])
        rest = torch.stack([1 - delimiter, delimiter, 0 * bit, delimiter, 1 - delimiter])
        (read,), state = machine.run(weights, torch.cat([a, rest]).T[None], state)
        answers.append(read[:, :1])
    right = torch.stack(answers)[episodes.scored] == episodes.targets[episodes.scored]
    assert right.all()


def test_a_trace_tells_where_heads_wrote_and_read():
    topology, flat = obedient(2)
    machine, weights, state = begin(topology, flat, 1)
    orders = [order([1, 0], write=True, go=LEFT), order([0, 1], go=RIGHT)]
    inputs = torch.tensor(orders, dtype=torch.float64).unsqueeze(1)
    answers, ended, told = machine.trace(weights, inputs, state)
    assert told.write_weightings[:, 0, 0].tolist() == [[0, 1], [0, 0]]
    assert told.read_weightings[:, 0, 0].tolist() == [[1, 0], [0, 1]]
    assert told.memory[-1, 0].tolist() == ended.store.cells[0].tolist() == [[0, 0], [1, 0]]
    torch.testing.assert_close(told.reads[:, 0, 0], answers[:, 0])


def test_fewer_cells_than_none_are_refused():
    topology = taped()
    with pytest.raises(MachineError, match="0 for any number, got -1"):
        begin(topology, weights_of(topology), 1, rows=-1)


def test_a_state_of_a_tape_is_what_it_is_called():
    topology = taped()
    _, _, state = begin(topology, weights_of(topology), 2)
    assert isinstance(state.store, Tape)


@given(topology=machines(), steps=some.integers(1, 300), rows=some.integers(0, 50))
def test_a_chunk_has_room_for_the_longest_tape(topology, steps, rows):
    assert longest(topology, rows, steps) <= 1 + 3 * 3 * steps
    assert chunk_size(topology, lanes=5, rows=rows, steps=steps) >= 1
    bounded = replace(topology, tape=Settings())
    assert longest(bounded, 1, steps) == 1
