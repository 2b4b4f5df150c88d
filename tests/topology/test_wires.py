"""The wires that a topology implies: their names, order and shapes."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from evo_ntm.machine.weights import Plan
from evo_ntm.topology import Block, Controller, Head, Stages, Topology, wires
from evo_ntm.topology.wires import size
from tests.genome.machines import topologies

DENSE = Topology(
    inputs=(Block(1, 3), Block(2, 1)),
    outputs=(Block(101, 2),),
    controller=Controller("dense", ((Block(3, 5),),)),
    columns=(Block(4, 2), Block(5, 1)),
    heads=(Head(8, "reader"), Head(9, "writer")),
)
LSTM = replace(DENSE, controller=Controller("lstm", ((Block(3, 5),), (Block(6, 4),))))


def shapes(topology):
    return [(name, wire.shape) for name, wire in wires(topology).items()]


def test_the_wires_of_a_dense_machine_are_these_in_this_order():
    assert shapes(DENSE) == [
        ("layer 1 < input", (5, 4)),
        ("layer 1 < reader 8", (5, 3)),
        ("layer 1 < bias", (5, 1)),
        ("writer 9 key < layer 1", (3, 5)),
        ("writer 9 key < bias", (3, 1)),
        ("writer 9 strength < layer 1", (1, 5)),
        ("writer 9 strength < bias", (1, 1)),
        ("writer 9 gate < layer 1", (1, 5)),
        ("writer 9 gate < bias", (1, 1)),
        ("writer 9 shift < layer 1", (3, 5)),
        ("writer 9 shift < bias", (3, 1)),
        ("writer 9 sharpening < layer 1", (1, 5)),
        ("writer 9 sharpening < bias", (1, 1)),
        ("writer 9 erase < layer 1", (3, 5)),
        ("writer 9 erase < bias", (3, 1)),
        ("writer 9 add < layer 1", (3, 5)),
        ("writer 9 add < bias", (3, 1)),
        ("reader 8 key < layer 1", (3, 5)),
        ("reader 8 key < bias", (3, 1)),
        ("reader 8 strength < layer 1", (1, 5)),
        ("reader 8 strength < bias", (1, 1)),
        ("reader 8 gate < layer 1", (1, 5)),
        ("reader 8 gate < bias", (1, 1)),
        ("reader 8 shift < layer 1", (3, 5)),
        ("reader 8 shift < bias", (3, 1)),
        ("reader 8 sharpening < layer 1", (1, 5)),
        ("reader 8 sharpening < bias", (1, 1)),
        ("reader 8 start < bias", (3, 1)),
        ("output < layer 1", (2, 5)),
        ("output < bias", (2, 1)),
        ("output < reader 8", (2, 3)),
    ]


def test_the_wires_of_an_lstm_are_these_layer_after_layer():
    found = [told for told in shapes(LSTM) if told[0].startswith("layer")]
    gates = ("input gate", "forget gate", "candidate", "output gate")
    first = [("input", 4), ("reader 8", 3), ("layer 1", 5), ("bias", 1)]
    second = [("layer 1", 5), ("layer 2", 4), ("bias", 1)]
    assert found == [
        *((f"layer 1 {gate} < {sender}", (5, units)) for gate in gates for sender, units in first),
        ("layer 1 start < bias", (5, 1)),
        ("layer 1 cell start < bias", (5, 1)),
        *((f"layer 2 {gate} < {sender}", (4, units)) for gate in gates for sender, units in second),
        ("layer 2 start < bias", (4, 1)),
        ("layer 2 cell start < bias", (4, 1)),
    ]


def with_heads(topology, *heads):
    return set(wires(replace(topology, heads=heads)))


def test_a_head_of_the_cell_hears_the_cell_of_the_top_layer():
    names = with_heads(LSTM, Head(8, "reader", source="cell"))
    assert "reader 8 key < layer 2 cell" in names
    assert "reader 8 key < layer 2" not in names


@pytest.mark.parametrize(
    ("target", "heard"),
    [
        ("controller", {"layer 1 < reader 8"}),
        ("output", {"output < reader 8"}),
        ("both", {"layer 1 < reader 8", "output < reader 8"}),
    ],
)
def test_a_reader_is_heard_by_its_target_only(target, heard):
    names = with_heads(DENSE, Head(8, "reader", target=target))
    assert {name for name in names if name.endswith("< reader 8")} == heard


def test_the_wires_of_a_tape_without_layers_come_from_the_input_and_from_what_was_read():
    controller = Controller("dense", ())
    head = Head(8, "tape", target="controller")
    machine = replace(DENSE, controller=controller, heads=(head,))
    senders = [("input", 4), ("tape 8 before", 3), ("bias", 1)]
    orders = [("write", 3), ("interpolation", 1), ("jump", 1), ("shift", 3)]
    assert shapes(machine) == [
        *((f"tape 8 {order} < {name}", (rows, columns))
          for order, rows in orders for name, columns in senders),
        *((f"output < {name}", (2, columns)) for name, columns in senders),
    ]  # fmt: skip
    both = replace(machine, heads=(replace(head, target="both"),))
    assert shapes(both) == [*shapes(machine), ("output < tape 8", (2, 3))]


def test_with_layers_these_hear_what_a_tape_read_and_say_what_its_head_does():
    names = with_heads(DENSE, Head(8, "tape", stages=Stages(False, False, True, False)))
    orders = ("write", "interpolation", "shift")
    told = {f"tape 8 {order} < {name}" for order in orders for name in ("layer 1", "bias")}
    heard = {"layer 1 < tape 8", "output < tape 8"}
    assert {name for name in names if "tape" in name} == told | heard


def test_without_layers_any_head_hears_the_input():
    names = set(wires(replace(DENSE, controller=Controller("dense", ()))))
    assert {"reader 8 key < input", "reader 8 key < reader 8 before", "output < reader 8"} <= names


def test_only_the_first_layer_hears_readers():
    assert not {name for name in wires(LSTM) if re.match("layer 2.*< reader", name)}


@pytest.mark.parametrize(
    ("stages", "orders"),
    [
        (Stages(), {"key", "strength", "gate", "shift", "sharpening"}),
        (Stages(interpolation=False), {"key", "strength", "shift", "sharpening"}),
        (Stages(content=False, interpolation=False), {"shift", "sharpening"}),
        (Stages(shift=False, sharpening=False), {"key", "strength", "gate"}),
        (Stages(False, False, False, False), set()),
    ],
)
def test_a_head_has_wires_for_the_stages_that_it_uses(stages, orders):
    names = with_heads(DENSE, Head(8, "reader", stages=stages), Head(9, "writer", stages=stages))
    told = {tuple(name.split(" <")[0].split(" ", 2)) for name in names if " 8 " in name}
    assert {words[2] for words in told if words[:2] == ("reader", "8")} - {"start"} == orders
    assert {f"writer 9 {order} < bias" for order in ("erase", "add")} <= names


def test_a_shift_range_has_a_row_for_each_offset_known_by_its_distance():
    for shifts in (3, 5, 9):
        wire = wires(replace(DENSE, heads=(Head(8, "reader", shifts=shifts),)))
        rows = wire["reader 8 shift < layer 1"].rows
        reach = shifts // 2
        assert [block.birth for block in rows] == list(range(-reach, reach + 1))


@settings(max_examples=50, deadline=None)
@given(topology=topologies())
def test_wires_lie_end_to_end_and_are_known_by_their_names(topology):
    end = 0
    for name, wire in wires(topology).items():
        assert name == wire.name == f"{wire.port.name} < {wire.source}"
        assert wire.place == slice(end, end + wire.shape[0] * wire.shape[1])
        assert wire.port.name.startswith(wire.organ)
        end = wire.place.stop
    assert end == size(topology)


@settings(max_examples=50, deadline=None)
@given(topology=topologies())
def test_the_machine_uses_each_weight_exactly_once(topology):
    count = size(topology)
    numbered = torch.arange(1, count + 1, dtype=torch.float64)
    laid = np.concatenate(list(flat(Plan(topology).wire_up(numbered))))
    weights = laid[np.isfinite(laid) & (laid >= 1)]
    assert sorted(weights.tolist()) == numbered.tolist()


def flat(laid):
    """List all tensors of nested tuples."""
    if isinstance(laid, torch.Tensor):
        yield laid.numpy().ravel()
    else:
        for part in laid:
            yield from flat(part)
