import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.machine import Machine
from evo_ntm.reports.explaining.traces import trace, travel
from evo_ntm.seeds import derive
from evo_ntm.tasks import Episodes
from tests.genome.machines import SOFT, sequences
from tests.reports.explaining.handmade import copier, experiment, task_of

ROWS = 40


def sharp(rows, at):
    """Make a weighting with most of its weight on one row."""
    weighting = np.full(rows, 0.3 / rows)
    weighting[at] += 0.7
    return weighting


@given(some.integers(3, 200), some.integers(0, 199), some.integers(-99, 99))
def test_a_weighting_that_is_turned_has_travelled_so_far_the_shorter_way(rows, at, turn):
    before = sharp(rows, at % rows)
    went = int(travel(before, np.roll(before, turn)))
    assert (went - turn) % rows == 0
    assert abs(went) <= rows // 2


@given(
    some.integers(3, 60),
    some.integers(1, 59),
    some.lists(some.floats(0, 1), min_size=60, max_size=60),
)
def test_turning_both_weightings_changes_no_way(rows, turn, weights):
    before = sharp(rows, 0) + np.array(weights[:rows]) / 100
    after = sharp(rows, 1) + np.array(weights[::-1][:rows]) / 100
    assert travel(np.roll(before, turn), np.roll(after, turn)) == travel(before, after) == 1


@given(some.integers(2, 50))
def test_what_looks_nowhere_in_particular_stays(rows):
    even = np.full(rows, 1 / rows)
    assert travel(even, even) == 0
    assert travel(sharp(rows, rows // 2), even) == 0


def test_a_blurred_shift_goes_where_most_of_it_goes():
    before = np.eye(9)[4]
    after = 0.2 * np.eye(9)[4] + 0.5 * np.eye(9)[5] + 0.3 * np.eye(9)[6]
    assert travel(before, after) == 1
    assert travel(np.stack([before, after]), np.stack([before, before])).tolist() == [0, -1]


@pytest.mark.parametrize("name", SOFT)
def test_a_trace_is_of_what_a_plain_run_does(name):
    genome = SOFT[name]
    inputs = sequences(genome.topology.inputs, steps=6, lanes=5).float()
    silence = torch.zeros(6, 5, 4)
    lengths = (6, 5, 4, 3, 2)
    episodes = Episodes(inputs, silence, torch.ones(6, 5, dtype=torch.bool), lengths)
    seen = trace(genome, episodes, rows=9, epsilon=1e-2)

    machine = Machine(genome.topology, 1e-2)
    weights = machine.wire_up(torch.tensor(genome.weights))
    begin = machine.initial_state(weights, lanes=5, rows=9)
    answers, _, told = machine.trace(weights, inputs, begin)
    looked = torch.cat([told.write_weightings, told.read_weightings], dim=-2).numpy()
    assert (seen.wrong == (answers > 0).any(-1).numpy()).all()
    assert seen.going.sum(0).tolist() == list(lengths)
    assert seen.reads == pytest.approx(told.reads.numpy())
    assert seen.erase == pytest.approx(told.erase.mean(-1).numpy())
    if looked.shape[-1]:
        assert (seen.look.focus == looked.argmax(-1)).all()
        assert seen.look.top == pytest.approx(looked.max(-1))
        lost = -(looked * np.log2(looked.clip(1e-30))).sum(-1)
        assert seen.look.entropy == pytest.approx(lost, abs=1e-5)
        before = np.concatenate([begin.store.weightings.numpy()[None], looked[:-1]])
        # Where a head looks everywhere, rounding may decide between two ways that are as good.
        went = travel(before, looked)
        for place in map(tuple, np.argwhere(seen.look.moved != went)):
            ways = seen.look.moved[place], went[place]
            one, other = (looked[place] @ np.roll(before[place], way) for way in ways)
            assert one == pytest.approx(other, abs=2e-6)


def seen_of(*reads, **how):
    known = task_of(experiment())
    return trace(copier(reads, **how), known.episodes(derive(1, "x"), 8), rows=ROWS, epsilon=1e-2)


@pytest.mark.parametrize("writes", [-1, 0, 1])
def test_a_head_that_always_shifts_alike_always_moves_alike(writes):
    seen = seen_of("stays", writes=writes)
    assert (seen.look.moved[..., 0] == writes).all()
    assert (seen.look.shifted[..., 0] == writes).all()
    assert (seen.look.moved[..., 1] == 0).all()
    assert not seen.look.by_content.any()
    assert seen.look.top.min() > 0.99


def test_a_jump_to_content_is_told_from_a_shift():
    seen = seen_of("follows")
    flags = seen.inputs[..., -1] == 1
    assert (seen.look.by_content[..., 1] == flags).all()
    assert (seen.look.aimed[..., 1][flags] == 1).all()  # the row that was written first
    assert (seen.look.focus[..., 1][flags] == 0).all()
    assert (seen.look.moved[..., 1][~flags] == 1).all()


def test_what_a_write_changes_is_measured_at_its_row():
    seen = seen_of("waits")
    shown = seen.inputs[..., :4].any(-1)
    bits = seen.stored[..., 0, :4][shown]
    assert bits == pytest.approx(2 * seen.inputs[shown][:, :4] - 1, abs=1e-3)
    assert seen.effect[..., 0][shown] == pytest.approx(2.0, abs=0.4)
