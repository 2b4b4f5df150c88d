"""Operators on controller and memory, one by one."""

import numpy as np
import pytest

from evo_ntm.genome import body
from evo_ntm.genome.bounds import Bounds, Inapplicable
from evo_ntm.seeds import derive
from tests.genome.machines import BITS, SPECIMENS, answers, distance, specimen

PARENT = SPECIMENS["direct dense, one of each"]
TIED = SPECIMENS["tied dense, one of each"]


def draws(slot=0):
    return derive(10, "operator", slot)


def test_memory_widens_by_the_columns_asked_for_and_as_far_as_the_bounds_allow():
    assert body.widen_memory(PARENT, generator=draws(), columns=3).topology.width == 9
    bounds = Bounds(width=(1, 8))
    child = body.widen_memory(PARENT, generator=draws(), columns=3, bounds=bounds)
    assert child.topology.width == 8
    with pytest.raises(Inapplicable, match="at most 8 columns here, and this one has 8"):
        body.widen_memory(child, generator=draws(), bounds=bounds)


def test_a_new_column_is_heard_but_empty():
    old, new = PARENT.express(), body.widen_memory(PARENT, generator=draws()).express()
    for order in ("key", "add"):
        assert (new[f"writer 71 {order} < layer 1"][-1] == 0).all()
        assert (new[f"writer 71 {order} < bias"][-1] == 0).all()
    assert (new["reader 73 start < bias"][-1] == 0).all()
    assert (new["output < reader 73"][:, -1] != 0).all()
    assert (new["output < reader 73"][:, :-1] == old["output < reader 73"]).all()


def test_memory_narrows_by_any_plain_column_and_by_no_block_of_bits():
    for parent, plain in ((PARENT, 6), (TIED, 2)):
        gone = set()
        for slot in range(40):
            child = body.narrow_memory(parent, generator=draws(slot))
            gone |= set(parent.topology.columns) - set(child.topology.columns)
            assert child.topology.width == 5
        assert len(gone) == plain
        assert not any(block.per_bit for block in gone)


def test_the_columns_that_stay_keep_their_weights():
    child = body.narrow_memory(PARENT, generator=draws())
    kept = [block in child.topology.columns for block in PARENT.topology.columns]
    old, new = PARENT.express(), child.express()
    assert (new["output < reader 73"] == old["output < reader 73"][:, kept]).all()
    assert (new["writer 71 erase < layer 1"] == old["writer 71 erase < layer 1"][kept]).all()


def test_memory_keeps_its_last_column_and_its_bits():
    narrow = specimen("dense", "direct", width=1)
    with pytest.raises(Inapplicable, match="none of the 1 can go"):
        body.narrow_memory(narrow, generator=draws())
    with pytest.raises(Inapplicable, match="at least 6 columns here, and none of the 6 can go"):
        body.narrow_memory(PARENT, generator=draws(), bounds=Bounds(width=(6, 8)))
    only_bits = specimen("dense", "tied", width=BITS)
    with pytest.raises(Inapplicable, match="none of the 4 can go"):
        body.narrow_memory(only_bits, generator=draws())


def test_without_heads_there_is_no_memory_to_change():
    for operator in (body.widen_memory, body.narrow_memory):
        with pytest.raises(Inapplicable, match="expected a head"):
            operator(SPECIMENS["direct dense, no heads"], generator=draws())


def test_the_controller_grows_by_units_that_think_and_are_not_heard():
    old, child = PARENT.express(), body.grow_controller(PARENT, generator=draws(), units=3)
    new = child.express()
    assert child.topology.controller.units == (11,)
    assert (new["layer 1 < input"][:8] == old["layer 1 < input"]).all()
    assert (new["layer 1 < input"][8:] != 0).all()
    assert (new["output < layer 1"][:, 8:] == 0).all()
    assert (new["writer 71 add < layer 1"][:, 8:] == 0).all()


def test_new_units_of_an_lstm_hear_one_another_but_are_not_heard():
    parent = specimen("lstm", "direct")
    new = body.grow_controller(parent, generator=draws(), units=2).express()
    recurrent = new["layer 1 candidate < layer 1"]
    assert recurrent.shape == (10, 10)
    assert (recurrent[:8, 8:] == 0).all()
    assert (recurrent[8:] != 0).all()
    assert (new["layer 1 forget gate < bias"][8:] == 1).all()


def test_any_layer_may_grow_or_shrink_within_its_bounds():
    parent = specimen("dense", "direct", units=(8, 6))
    grown = {body.grow_controller(parent, generator=draws(n)).topology.controller.units
             for n in range(20)}  # fmt: skip
    assert grown == {(12, 6), (8, 10)}
    shrunk = {body.shrink_controller(parent, generator=draws(n)).topology.controller.units
              for n in range(30)}  # fmt: skip
    assert shrunk == {(4, 6), (8, 4), (8, 2)}
    tight = Bounds(units=(6, 8))
    grown = body.grow_controller(parent, generator=draws(), bounds=tight)
    assert grown.topology.controller.units == (8, 8)
    with pytest.raises(Inapplicable, match=r"at least 6 units here, and no block of \(8, 6\)"):
        body.shrink_controller(parent, generator=draws(), bounds=tight)
    with pytest.raises(Inapplicable, match=r"at most 8 units here, .* has \(8, 8\)"):
        body.grow_controller(grown, generator=draws(), bounds=tight)


def test_units_grown_and_shrunk_again_leave_the_same_genome():
    child = body.grow_controller(TIED, generator=draws())
    back = {body.shrink_controller(child, generator=draws(slot)).id for slot in range(20)}
    assert TIED.id in back


@pytest.mark.parametrize("encoding", ["direct", "tied"])
def test_a_controller_of_the_other_kind_keeps_the_weights_that_mean_the_same(encoding):
    parent = specimen("dense", encoding, "all sorts", units=(8, 6))
    child = body.swap_controller(parent, generator=draws())
    assert child.topology.controller.kind == "lstm"
    old, new = parent.express(), child.express()
    for layer, sender in (("layer 1", "input"), ("layer 1", "reader 85"), ("layer 2", "bias")):
        assert (new[f"{layer} candidate < {sender}"] == old[f"{layer} < {sender}"]).all()
    assert (new["writer 81 add < layer 2"] == old["writer 81 add < layer 2"]).all()
    assert distance(answers(child), answers(parent)) > 1e-3
    assert body.swap_controller(child, generator=draws()).id == parent.id


def test_an_lstm_that_was_dense_remembers_almost_nothing():
    parent = SPECIMENS["direct dense, no heads"]
    child = body.swap_controller(parent, generator=draws())
    old, new = answers(parent).numpy(), answers(child).numpy()
    correlation = np.corrcoef(old.ravel(), new.ravel())[0, 1]
    assert correlation > 0.95


def test_heads_of_a_dense_controller_take_their_orders_from_what_is_there():
    parent = SPECIMENS["direct lstm, cells"]
    child = body.swap_controller(parent, generator=draws())
    assert {head.source for head in child.topology.heads} == {"hidden"}
    old, new = parent.express(), child.express()
    assert (new["writer 82 add < layer 2"] == old["writer 82 add < layer 2 cell"]).all()
    assert (new["layer 2 < layer 1"] == old["layer 2 candidate < layer 1"]).all()


def test_a_controller_is_not_swapped_out_of_bounds():
    with pytest.raises(Inapplicable, match="one of dense here, not lstm"):
        body.swap_controller(PARENT, generator=draws(), bounds=Bounds(controllers=("dense",)))


@pytest.mark.parametrize("name", ["direct dense, one of each", "tied dense, all sorts",
                                  "direct lstm, cells", "tied lstm"])  # fmt: skip
def test_a_layer_added_and_taken_away_again_leaves_the_same_genome(name):
    parent = SPECIMENS[name]
    child = body.deepen_controller(parent, generator=draws())
    units = parent.topology.controller.units
    assert child.topology.controller.units == (*units, units[-1])
    old, new = answers(parent).numpy(), answers(child).numpy()
    assert np.corrcoef(old.ravel(), new.ravel())[0, 1] > 0.5
    assert body.flatten_controller(child, generator=draws()).id == parent.id


def test_layers_are_from_one_to_three_and_within_the_bounds():
    deep = specimen("dense", "direct", units=(4, 4, 4))
    with pytest.raises(Inapplicable, match="at most 3 layers here, and this one has 3"):
        body.deepen_controller(deep, generator=draws(), bounds=Bounds(layers=(1, 9)))
    with pytest.raises(Inapplicable, match="at most 1 layers here, and this one has 1"):
        body.deepen_controller(PARENT, generator=draws(), bounds=Bounds(layers=(1, 1)))
    with pytest.raises(Inapplicable, match="at least 1 layers here, and this one has 1"):
        body.flatten_controller(PARENT, generator=draws(), bounds=Bounds(layers=(0, 3)))


def test_a_layer_of_another_size_is_heard_anew():
    parent = specimen("dense", "direct", units=(8, 6))
    child = body.flatten_controller(parent, generator=draws())
    assert child.topology.controller.units == (8,)
    assert child.express()["output < layer 1"].shape == (BITS, 8)
    assert (child.express()["output < bias"] == parent.express()["output < bias"]).all()
