"""Operators on heads, one by one."""

from dataclasses import replace

import numpy as np
import pytest

from evo_ntm.genome import heads
from evo_ntm.genome.bounds import Bounds, Inapplicable
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.variation import perturb
from evo_ntm.seeds import derive
from evo_ntm.topology import Stages
from evo_ntm.topology.wires import size
from tests.genome.machines import SPECIMENS, answers, children, distance, new_genes, specimen

PARENT = SPECIMENS["direct dense, one of each"]
LSTM = SPECIMENS["direct lstm"]


def draws(slot=0):
    return derive(9, "operator", slot)


@pytest.mark.parametrize("encoding", ["direct", "tied"])
@pytest.mark.parametrize("kind", ["reader", "writer"])
@pytest.mark.parametrize("before", ["no heads", "one of each", "all sorts"])
def test_a_head_that_is_added_and_dropped_again_leaves_the_same_genome(encoding, kind, before):
    parent = specimen("dense", encoding, before)
    add, drop = getattr(heads, f"add_{kind}"), getattr(heads, f"drop_{kind}")
    child = add(parent, generator=draws())
    (new,) = set(child.topology.heads) - set(parent.topology.heads)
    assert new.kind == kind
    assert 1_000 <= new.birth < 1_000_000
    assert drop(child, generator=draws(1), birth=new.birth).id == parent.id


def test_a_new_head_has_the_genes_of_an_elder_of_its_kind():
    for add, kind in ((heads.add_reader, "reader"), (heads.add_writer, "writer")):
        parent = SPECIMENS["direct dense, all sorts"]
        child = add(parent, generator=draws())
        (new,) = set(child.topology.heads) - set(parent.topology.heads)
        assert new.genes == parent.topology.of_kind(kind)[0].genes


def test_the_orders_of_a_new_reader_are_random_and_nobody_listens_to_it():
    child = heads.add_reader(PARENT, generator=draws())
    (new,) = set(child.topology.readers) - set(PARENT.topology.readers)
    wires = child.express()
    assert (wires[f"{new.name} key < layer 1"] != 0).all()
    assert (wires[f"layer 1 < {new.name}"] == 0).all()
    assert (wires[f"output < {new.name}"] == 0).all()


def test_a_new_writer_can_be_told_to_erase_a_little_from_the_start():
    child = heads.add_writer(PARENT, generator=draws(), shut=4)
    (new,) = set(child.topology.writers) - set(PARENT.topology.writers)
    assert (child.express()[f"{new.name} erase < bias"] == -4).all()
    assert 1e-5 < distance(answers(child), answers(PARENT)) < 1.0


def test_the_right_head_is_dropped():
    parent = SPECIMENS["direct dense, all sorts"]
    child = heads.drop_reader(parent, generator=draws(), birth=84)
    assert [head.birth for head in child.topology.heads] == [81, 82, 83, 85]
    assert set(child.express()) == {w for w in parent.express() if "reader 84" not in w}
    dropped = {
        head.birth
        for slot in range(20)
        for head in set(parent.topology.heads)
        - set(heads.drop_reader(parent, generator=draws(slot)).topology.heads)
    }
    assert dropped == {83, 84, 85}


@pytest.mark.parametrize(
    ("operator", "bounds", "words"),
    [
        (heads.add_reader, Bounds(readers=(0, 1)), "at most 1 readers here, and this has 1"),
        (heads.add_writer, Bounds(writers=(0, 1)), "at most 1 writers here, and this has 1"),
        (heads.drop_reader, Bounds(readers=(1, 4)), "at least 1 readers here, .* has 1"),
        (heads.drop_writer, Bounds(writers=(1, 4)), "at least 1 writers here, .* has 1"),
        (heads.widen_shift, Bounds(shifts=(3, 4)), "within 4 offsets"),
        (heads.narrow_shift, Bounds(shifts=(3, 7)), "fewer offsets than 3"),
    ],
)
def test_at_its_bounds_an_operator_is_inapplicable(operator, bounds, words):
    with pytest.raises(Inapplicable, match=words):
        operator(PARENT, generator=draws(), bounds=bounds)


@pytest.mark.parametrize(
    "operator", [heads.toggle_stage, heads.change_target, heads.drop_reader, heads.widen_shift]
)
def test_without_heads_there_is_nothing_to_change(operator):
    with pytest.raises(Inapplicable, match="no head|no reader|at least"):
        operator(SPECIMENS["direct dense, no heads"], generator=draws())


def test_a_head_that_is_not_there_is_named():
    with pytest.raises(Inapplicable, match="expected a head of birth 999"):
        heads.toggle_stage(PARENT, generator=draws(), birth=999)


def test_a_wider_shift_reaches_further_and_goes_back_to_the_same_genome():
    child = heads.widen_shift(PARENT, generator=draws(), birth=73)
    old, new = PARENT.express(), child.express()
    for sender in ("layer 1", "bias"):
        name = f"reader 73 shift < {sender}"
        assert (new[name][1:-1] == old[name]).all()
        assert new[name].shape[0] == 5
    back = heads.narrow_shift(child, generator=draws(), birth=73)
    assert back.id == PARENT.id


def test_a_wider_shift_is_preserved_however_low_the_biases_are():
    shift = [name for name in PARENT.express() if "shift < bias" in name]
    lowered = {n: w - 30 if n in shift else w for n, w in PARENT.express().items()}
    parent = PARENT.with_genes(np.concatenate([w.ravel() for w in lowered.values()]))
    child = heads.widen_shift(parent, generator=draws(), shut=heads.SHUT)
    assert distance(answers(child), answers(parent)) < 1e-5


def test_a_wider_shift_that_is_shut_preserves_the_answers():
    for _, parent, child in children(heads.widen_shift, shut=heads.SHUT):
        assert distance(answers(child), answers(parent)) < 1e-5


def test_a_wider_shift_wakes_by_a_default_perturbation():
    for _, parent, child in children(heads.widen_shift):
        if not (parent.topology.readers and parent.topology.writers):
            continue
        step = perturb(child, generator=draws()).genes - child.genes
        woken = child.with_genes(child.genes + step * new_genes(child, parent))
        assert distance(answers(woken), answers(child)) > 1e-7


@pytest.mark.parametrize("name", ["direct dense, one of each", "tied lstm, cells"])
def test_every_stage_can_be_taken_and_given(name):
    parent = SPECIMENS[name]
    birth = parent.topology.readers[0].birth
    seen, genome = set(), parent
    for slot in range(60):
        genome = heads.toggle_stage(genome, generator=draws(slot), birth=birth)
        (head,) = [head for head in genome.topology.heads if head.birth == birth]
        seen.add(head.stages)
        others = [head for head in parent.topology.heads if head.birth != birth]
        assert set(others) < set(genome.topology.heads)
    assert len(seen) == 12  # content and interpolation in three ways, the others in two each


def test_a_stage_that_is_given_starts_ajar():
    for stages in (
        Stages(content=False, interpolation=False),
        Stages(interpolation=False),
        Stages(shift=False),
        Stages(sharpening=False),
    ):
        changed = [replace(head, stages=stages) for head in PARENT.topology.heads]
        parent = _with_heads(PARENT, changed)
        wholly = 0
        for slot in range(12):
            child = heads.toggle_stage(parent, generator=draws(slot), birth=73)
            (head,) = child.topology.readers
            if head.stages == Stages():
                assert distance(answers(child), answers(parent)) < 0.25
                wholly += 1
        assert wholly > 0


def test_orders_from_the_cell_keep_their_weights():
    child = heads.change_source(LSTM, generator=draws(), birth=81)
    assert child.topology.writers[0].source == "cell"
    old, new = LSTM.express(), child.express()
    assert (new["writer 81 add < layer 2 cell"] == old["writer 81 add < layer 2"]).all()
    assert heads.change_source(child, generator=draws(), birth=81).id == LSTM.id


def test_a_dense_controller_has_no_cell_to_take_orders_from():
    with pytest.raises(Inapplicable, match="not a dense controller"):
        heads.change_source(PARENT, generator=draws())


def test_another_listener_starts_deaf_and_one_that_stays_goes_on_as_before():
    for target, wire in (("controller", "output < reader 73"), ("output", "layer 1 < reader 73")):
        parent = _with_heads(
            PARENT, [PARENT.topology.writers[0], replace(PARENT.topology.readers[0], target=target)]
        )
        targets = set()
        for slot in range(20):
            child = heads.change_target(parent, generator=draws(slot))
            targets.add(child.topology.readers[0].target)
            if child.topology.readers[0].target == "both":
                assert (child.express()[wire] == 0).all()
                assert distance(answers(child), answers(parent)) < 1e-9
        assert targets == {"controller", "output", "both"} - {target}


def _with_heads(genome, changed):
    """Take over by wire what a machine with other heads has, and let the rest be small."""
    topology = replace(genome.topology, heads=tuple(changed))
    blank = Genome(topology, np.full(size(topology), 0.1, dtype=np.float32))
    old = genome.express()
    return blank.with_genes(
        np.concatenate([old.get(n, w).ravel() for n, w in blank.express().items()])
    )
